package record_test

import (
	"cmp"
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// Vectors, worked out by hand: 128 bits of partition, seq, ordinal, tag, five to a digit, from the least significant on.
func TestIDVectors(t *testing.T) {
	zeros := func(n int) string { return strings.Repeat("0", n) }
	for _, c := range []struct {
		id     record.ID
		digits string
	}{
		{record.ID{}, zeros(26)},
		{record.ID{Tag: 31}, zeros(25) + "z"},
		{record.ID{Tag: 32}, zeros(24) + "10"},
		{record.ID{Tag: 1<<32 - 1}, zeros(19) + "3zzzzzz"},
		{record.ID{Ord: 1}, zeros(19) + "4000000"},             // bit 32
		{record.ID{Seq: 1}, zeros(16) + "8000000000"},          // bit 48
		{record.ID{Seq: 1 << 16}, zeros(13) + "g000000000000"}, // bit 64, where the halves meet
		{record.ID{Partition: 1}, zeros(3) + "4" + zeros(22)},  // bit 112
		{record.ID{Partition: 1<<16 - 1, Seq: 1<<64 - 1, Ord: 1<<16 - 1, Tag: 1<<32 - 1}, "7" + strings.Repeat("z", 25)},
	} {
		for _, prefix := range []string{record.PrefixEvent, record.PrefixDelivery, record.PrefixAttempt, record.PrefixEndpoint, record.PrefixSubscription} {
			if got := c.id.Format(prefix); got != prefix+c.digits {
				t.Errorf("%+v is %s, want %s%s", c.id, got, prefix, c.digits)
			}
			if got, err := record.ParseID(prefix, prefix+c.digits); err != nil || got != c.id {
				t.Errorf("%s%s is read as %+v (%v), want %+v", prefix, c.digits, got, err, c.id)
			}
		}
	}
}

var genID = rapid.Custom(func(t *rapid.T) record.ID {
	return record.ID{Partition: rapid.Uint16().Draw(t, "partition"), Seq: eventlog.Seq(rapid.Uint64().Draw(t, "seq")),
		Ord: rapid.Uint16().Draw(t, "ord"), Tag: rapid.Uint32().Draw(t, "tag")}
})

// Against arithmetic on big numbers: the digits are the 128-bit number in base 32.
func TestIDIsANumberInBase32(t *testing.T) {
	const big32, crockford = "0123456789abcdefghijklmnopqrstuv", "0123456789abcdefghjkmnpqrstvwxyz"
	rapid.Check(t, func(t *rapid.T) {
		id := genID.Draw(t, "id")
		n := big.NewInt(int64(id.Partition))
		for _, part := range []struct {
			bits uint
			v    uint64
		}{{64, uint64(id.Seq)}, {16, uint64(id.Ord)}, {32, uint64(id.Tag)}} {
			n.Lsh(n, part.bits).Or(n, new(big.Int).SetUint64(part.v))
		}
		want := n.Text(32)
		want = strings.Repeat("0", 26-len(want)) + want
		want = strings.Map(func(r rune) rune { return rune(crockford[strings.IndexRune(big32, r)]) }, want)
		if got := id.Format("x_"); got != "x_"+want {
			t.Fatalf("%+v is %s, want x_%s", id, got, want)
		}
		back, err := record.ParseID("x_", "x_"+want)
		if err != nil || back != id {
			t.Fatalf("%s is read as %+v (%v), want %+v", want, back, err, id)
		}
	})
}

// Ids sort as (partition, seq, ordinal, tag): a list by id is a list by age.
func TestIDOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := genID.Draw(t, "a"), genID.Draw(t, "b")
		if rapid.Bool().Draw(t, "near") {
			b = a
			b.Seq += eventlog.Seq(rapid.Uint64Range(0, 40).Draw(t, "more"))
			b.Ord = rapid.Uint16().Draw(t, "ord")
		}
		want := cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Ord, b.Ord), cmp.Compare(a.Tag, b.Tag))
		if got := strings.Compare(a.Format("dlv_"), b.Format("dlv_")); got != want {
			t.Fatalf("%+v to %+v: %d, want %d", a, b, got, want)
		}
	})
}

// One object has one id: nothing that merely looks like one is taken.
func TestParseIDRefuses(t *testing.T) {
	good := record.ID{Seq: 0x123456789abc, Ord: 3, Tag: 0xfedcba98}.Format(record.PrefixDelivery)
	if _, err := record.ParseID(record.PrefixDelivery, good); err != nil {
		t.Fatal(err)
	}
	digits := strings.TrimPrefix(good, record.PrefixDelivery)
	for what, s := range map[string]string{
		"nothing":                    "",
		"prefix alone":               record.PrefixDelivery,
		"no prefix":                  digits,
		"another kind":               record.PrefixAttempt + digits,
		"prefix in upper case":       "DLV_" + digits,
		"digits in upper case":       record.PrefixDelivery + strings.ToUpper(digits),
		"a digit short":              good[:len(good)-1],
		"a digit long":               good + "0",
		"space before":               " " + good,
		"space after":                good + " ",
		"129 bits":                   record.PrefixDelivery + "8" + digits[1:],
		"130 bits":                   record.PrefixDelivery + strings.Repeat("z", 26),
		"i, which Crockford lacks":   record.PrefixDelivery + digits[:25] + "i",
		"l":                          record.PrefixDelivery + digits[:25] + "l",
		"o":                          record.PrefixDelivery + digits[:25] + "o",
		"u":                          record.PrefixDelivery + digits[:25] + "u",
		"hyphen":                     record.PrefixDelivery + digits[:25] + "-",
		"a NUL":                      record.PrefixDelivery + digits[:25] + "\x00",
		"a letter of two bytes":      record.PrefixDelivery + digits[:24] + "é",
		"a byte that is no UTF-8":    record.PrefixDelivery + digits[:25] + "\xff",
		"26 runes, not bytes":        record.PrefixDelivery + strings.Repeat("é", 26),
		"first digit below the zero": record.PrefixDelivery + "/" + digits[1:],
	} {
		if id, err := record.ParseID(record.PrefixDelivery, s); !errors.Is(err, record.ErrID) {
			t.Errorf("%s: %q is read as %+v (%v), want ErrID", what, s, id, err)
		}
	}
}

func BenchmarkID(b *testing.B) {
	id := record.ID{Seq: 123456789, Ord: 7, Tag: 0x9abcdef0}
	b.Run("append", func(b *testing.B) {
		buf := make([]byte, 0, 64)
		for b.Loop() {
			buf = id.Append(buf[:0], record.PrefixDelivery)
		}
	})
	b.Run("parse", func(b *testing.B) {
		s := id.Format(record.PrefixDelivery)
		for b.Loop() {
			if _, err := record.ParseID(record.PrefixDelivery, s); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkFacts(b *testing.B) {
	for _, s := range samples() {
		if len(s.types) == 0 {
			continue
		}
		encoded := s.value.AppendFacts(nil)
		b.Run(s.name+"/encode", func(b *testing.B) {
			buf := make([]byte, 0, 512)
			for b.Loop() {
				buf = s.value.AppendFacts(buf[:0])
			}
		})
		b.Run(s.name+"/decode", func(b *testing.B) {
			v := another(s.value)
			for b.Loop() {
				if err := v.Decode(encoded); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
