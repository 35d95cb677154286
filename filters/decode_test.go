package filters

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// tree is a document as encoding/json would give it, with the first value of a repeated key.
func (d *document) tree(at int32) any {
	n := d.nodes[at]
	switch n.kind() {
	case kindNull:
		return nil
	case kindFalse, kindTrue:
		return n.kind() == kindTrue
	case kindNumber:
		return json.Number(d.src[n.start:n.end])
	case kindText:
		return string([]rune(d.text(at)))
	case kindArray:
		out := []any{}
		for i := at + 1; i < n.next; i = d.nodes[i].next {
			out = append(out, d.tree(i))
		}
		if len(out) != n.count() {
			panic("an array's count is wrong")
		}
		return out
	}
	out := map[string]any{}
	members := 0
	for i := at + 1; i < n.next; i = d.nodes[i+1].next {
		members++
		if key := string([]rune(d.text(i))); out[key] == nil {
			out[key] = d.tree(i + 1)
		}
	}
	if members != n.count() {
		panic("an object's count is wrong")
	}
	return out
}

// decode takes what encoding/json takes (but for depth) and finds the same in it.
func compareDecoders(t interface {
	Errorf(string, ...any)
	Helper()
}, src string) {
	t.Helper()
	d, err := decode(src)
	if valid := json.Valid([]byte(src)); (err == nil) != valid {
		if err != nil && strings.Contains(err.Error(), "nests deeper") {
			return
		}
		t.Errorf("%q: decode says %v, encoding/json takes it: %v", src, err, valid)
		return
	}
	if err != nil {
		return
	}
	var want any
	decoder := json.NewDecoder(strings.NewReader(src))
	decoder.UseNumber()
	if err := decoder.Decode(&want); err != nil {
		t.Errorf("%q: %v", src, err)
		return
	}
	if got := d.tree(0); !repeats(d) && !reflect.DeepEqual(got, want) {
		t.Errorf("%q: decode finds %v, encoding/json %v", src, got, want)
	}
}

// repeats says whether some object has a key twice.
func repeats(d *document) bool {
	for at, n := range d.nodes {
		if n.kind() != kindObject {
			continue
		}
		seen := map[string]bool{}
		for i := int32(at) + 1; i < n.next; i = d.nodes[i+1].next {
			key := string([]rune(d.text(i)))
			if seen[key] {
				return true
			}
			seen[key] = true
		}
	}
	return false
}

var jsonSamples = []string{
	``, ` `, `null`, ` true `, `false`, `nul`, `truex`, `0`, `-0`, `01`, `-`, `1.`, `.5`, `1.5e+10`, `1e`, `1E-2`, `+1`, `1 2`,
	`""`, `"a`, `"\"\\\/\b\f\n\r\t"`, `"\x"`, `"\u00e9\uD83D\uDE00"`, `"\ud83d"`, `"\ud83dx"`, `"\ud83d\u0041"`, `"\u12"`, `"\u12g4"`, "\"\x01\"", "\"\xff\"", "\"\xff\xff\"", `"\`,
	`[]`, `[ ]`, `[1,2 , 3]`, `[1,]`, `[,1]`, `[1 2]`, `[`, `[1`, `[[[]],[]]`, `]`,
	`{}`, `{ }`, `{"a":1}`, `{"a":1,"a":2}`, `{"a":{"b":[{"c":null}]}, "d" : "e"}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1,}`, `{"a":1]`, `{`, `{"`, `{"a`, `{"a":`, `{"a":1`, `{"\u0061":1}`,
	strings.Repeat("[", 100) + strings.Repeat("]", 100), strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 100_000), "\ufeff{}", "[1]\x00",
}

func TestDecode(t *testing.T) {
	for _, src := range jsonSamples {
		compareDecoders(t, src)
	}
	if _, err := decode(strings.Repeat("[", 513) + strings.Repeat("]", 513)); err == nil || !strings.Contains(err.Error(), "deeper than 512") {
		t.Errorf("513 brackets: %v", err)
	}
	for _, src := range []string{`{"a":1,}`, `[1 2]`, `"\q"`, `{"a" 1}`} {
		if _, err := decode(src); err == nil || !strings.HasPrefix(err.Error(), "at byte ") {
			t.Errorf("%s: %v, want the place", src, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, src := range jsonSamples {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) { compareDecoders(t, src) })
}

// Members are found in narrow and in wide objects alike, by keys with and without escapes; of a repeated key the first.
func TestMember(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type pair struct {
			key   string
			value int
		}
		n := rapid.IntRange(0, 3*wideObject).Draw(t, "members")
		var src strings.Builder
		src.WriteString(`{"o":{`)
		first := map[string]int{}
		for i := range n {
			p := pair{rapid.SampledFrom([]string{"a", "b", "é", "a\"b", "k"}).Draw(t, "key"), i}
			if rapid.Bool().Draw(t, "own") {
				p.key += rapid.StringMatching(`[a-z]{1,3}`).Draw(t, "more")
			}
			quoted, _ := json.Marshal(p.key)
			text := string(quoted)
			if rapid.Bool().Draw(t, "escaped") {
				text = strings.Replace(text, "a", `\u0061`, 1)
			}
			if i > 0 {
				src.WriteString(" , ")
			}
			src.WriteString(text + `:[` + string(rune('0'+i%10)) + `,{"a":7}]`)
			if _, ok := first[p.key]; !ok {
				first[p.key] = i % 10
			}
		}
		src.WriteString(`}}`)
		d, err := decode(src.String())
		if err != nil {
			t.Fatalf("%s: %v", &src, err)
		}
		o, ok := d.member(0, "o")
		if !ok {
			t.Fatal("no o")
		}
		for _, key := range []string{"a", "b", "é", "a\"b", "k", "", "zz"} {
			at, ok := d.member(o, key)
			want, has := first[key]
			if ok != has {
				t.Fatalf("%s: has %q: %v", &src, key, ok)
			}
			if ok {
				at, _ = d.element(at, 0)
				if got := d.value(at); got.num != int64(want) {
					t.Fatalf("%s: %q is %v, want %d", &src, key, got, want)
				}
			}
		}
	})
}
