package filters

import (
	"cmp"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawNumber is a JSON number from where mistakes are: around powers of two and ten, with zeros at either end, with few
// and with many digits.
func drawNumber(t *rapid.T, label string) string {
	switch rapid.IntRange(0, 4).Draw(t, label+" kind") {
	case 0:
		return rapid.SampledFrom([]string{"0", "-0", "0.0", "-0.0e5", "1", "1.0", "10e-1", "0.1e1", "9007199254740992", "9007199254740993", "9007199254740992.0",
			"9007199254740993.0", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "9.223372036854775807e18",
			"0.1", "0.10000000000000001", "1e22", "1e23", "1e19", "1e18", "123456789012345e3", "1e-300", "1e-400", "1e308", "1e309", "-1e309", "5e-324"}).Draw(t, label)
	case 1:
		return fmt.Sprint(rapid.Int64().Draw(t, label))
	case 2:
		return rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?`).Draw(t, label)
	case 3:
		return rapid.StringMatching(`-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?`).Draw(t, label)
	}
	return rapid.StringMatching(`-?[1-9](\.[0-9]{1,3})?e-?[0-9]{3}`).Draw(t, label)
}

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic(s)
	}
	return r
}

// Numbers compare by their decimal value, whatever their size and form.
func TestCompareNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawNumber(t, "a"), drawNumber(t, "b")
		if rapid.IntRange(0, 3).Draw(t, "near") == 0 { // the same number in another form
			b = rat(a).FloatString(rapid.IntRange(0, 40).Draw(t, "digits"))
			if len(b) > maxNumeral {
				return
			}
		}
		x, y := parseNumber(a), parseNumber(b)
		if x.kind == kindFault || y.kind == kindFault {
			t.Fatalf("%s or %s is not read", a, b)
		}
		want := rat(a).Cmp(rat(b))
		if got := compareNumbers(x, y); cmp.Compare(got, 0) != want {
			t.Fatalf("%s <=> %s is %d, want %d (%v, %v)", a, b, got, want, x, y)
		}
		if got := compareNumbers(y, x); cmp.Compare(got, 0) != -want {
			t.Fatalf("%s <=> %s is %d, want %d", b, a, got, -want)
		}
		if equals, ok := numeralIs(a, y.decimal()); !ok || equals != (want == 0) {
			t.Fatalf("numeralIs(%s, %s) is %v, %v, want %v", a, b, equals, ok, want == 0)
		}
	})
}

// What cannot be read is a fault, not a guess.
func TestNumbersNotRead(t *testing.T) {
	for s, read := range map[string]bool{
		strings.Repeat("9", 128):        true,
		strings.Repeat("9", 129):        false,
		"0." + strings.Repeat("1", 127): false,
		"1e999999999":                   true,
		"1e-999999999":                  true,
		"1e99999999999":                 false,
		"1e-99999999999":                false,
	} {
		if got := parseNumber(s).kind != kindFault; got != read {
			t.Errorf("%.20s... of %d bytes is read: %v", s, len(s), got)
		}
	}
}

// Integers stay exact in arithmetic, or it fails.
func TestArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		x, y := big.NewInt(a), big.NewInt(b)
		for op, want := range map[string]*big.Int{"+": new(big.Int).Add(x, y), "-": new(big.Int).Sub(x, y), "*": new(big.Int).Mul(x, y)} {
			got := integers(op, a, b)
			switch {
			case got.kind == kindInteger && big.NewInt(got.num).Cmp(want) != 0:
				t.Fatalf("%d %s %d is %d, want %d", a, op, b, got.num, want)
			case got.kind == kindFault && want.IsInt64() && want.Cmp(big.NewInt(-1<<63)) != 0:
				t.Fatalf("%d %s %d is not computed", a, op, b)
			}
		}
	})
}
