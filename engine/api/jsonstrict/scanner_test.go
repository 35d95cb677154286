package jsonstrict

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestCheckAccepts(t *testing.T) {
	for _, text := range []string{
		`{}`, `[]`, `""`, `0`, `-0`, `-0.0e+0`, `1E400`, `123456789012345678901234567890`, `true`, `false`, `null`,
		" \t\r\n[ 1 , 2 ,\n3 ] ", `{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}`, `"\ud83d\ude00 \ud800"`, `"äöü – 漢字 😀"`,
		`{"\ud800":1,"\ud801":2,"\ufffd":3}`, `{"":1," ":2}`, `{"A":1,"a":2}`, `"\u0000\/\b\f\n\r\t\\\""`,
		strings.Repeat("[", 64) + strings.Repeat("]", 64), "\"" + strings.Repeat("x", 1000) + "\"", "\"1234567\x7f\"",
	} {
		if err := Check([]byte(text), 64); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	for _, c := range []struct {
		text      string
		fault     Fault
		path, say string
		column    int
	}{
		{``, Syntax, "", "ends where a value", 1},
		{`  `, Syntax, "", "ends where a value", 3},
		{`{`, Syntax, "", "member name", 2},
		{`{"a"`, Syntax, "a", "colon", 5},
		{`{"a" 1}`, Syntax, "a", `"1" where a colon`, 6},
		{`{"a":}`, Syntax, "a", `"}" where a value`, 6},
		{`{"a":1,}`, Syntax, "a", "member name in double quotes", 8},
		{`{a:1}`, Syntax, "", "double quotes", 2},
		{`[1,]`, Syntax, "[1]", "where a value", 4},
		{`[1 2]`, Syntax, "[0]", "comma or ]", 4},
		{`{"a":[1,{"b":tru}]}`, Syntax, "a[1].b", "where a value", 14},
		{`[1}`, Syntax, "[0]", "comma or ]", 3},
		{`1 2`, Syntax, "", "end of the text", 3},
		{`{}x`, Syntax, "", "end of the text", 3},
		{`01`, Syntax, "", "leading zero", 1},
		{`-`, Syntax, "", "digit", 2},
		{`1.`, Syntax, "", "digit", 3},
		{`1.e5`, Syntax, "", "digit", 3},
		{`1e+`, Syntax, "", "digit", 4},
		{`.5`, Syntax, "", "where a value", 1},
		{`+1`, Syntax, "", "where a value", 1},
		{`NaN`, Syntax, "", "where a value", 1},
		{`'a'`, Syntax, "", "where a value", 1},
		{"\uFEFF{}", Syntax, "", "byte 0xEF", 1},
		{`"abc`, Syntax, "", "closing quote", 5},
		{"\"a\nb\"", Syntax, "", "U+000A", 3},
		{`"abcdefgh` + "\x01" + `"`, Syntax, "", "U+0001", 10},
		{`"\x"`, Syntax, "", "escape", 2},
		{`"\u12"`, Syntax, "", "four hex digits", 2},
		{`"\u123`, Syntax, "", "four hex digits", 7},
		{`"\`, Syntax, "", "escape", 3},
		{`{"a":1,"a":2}`, DuplicateKey, "a", "twice", 8},
		{`{"a":1,"\u0061":2}`, DuplicateKey, "a", "twice", 8},
		{`{"\u00e4":1,"ä":2}`, DuplicateKey, "ä", "twice", 13},
		{`{"\ud800":1,"\uD800":2}`, DuplicateKey, "\uFFFD", "twice", 13},
		{`[{"x":{"k":1,"l":2,"k":3}}]`, DuplicateKey, "[0].x.k", "twice", 20},
		{"{\"a\":\"\xff\"}", NotUTF8, "a", "UTF-8", 7},
		{"{\"a\xc0\x80\":1}", NotUTF8, "", "UTF-8", 3},
		{"[\"\xed\xa0\x80\"]", NotUTF8, "[0]", "UTF-8", 3},
		{strings.Repeat("[", 65) + strings.Repeat("]", 65), TooDeep, strings.Repeat("[0]", 64), "64 levels", 65},
		{`{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, TooDeep, "a" + strings.Repeat("[0]", 63), "64 levels", 69},
		{strings.Repeat("[", 1<<20), TooDeep, "", "64 levels", 65},
	} {
		err := Check([]byte(c.text), 64)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%.60s: accepted", c.text)
			continue
		}
		if len(c.text) == 1<<20 {
			if e.Fault != TooDeep || !strings.Contains(e.Message, "4096") {
				t.Errorf("a megabyte of brackets: %v", e)
			}
			continue
		}
		if e.Fault != c.fault || e.Path != c.path || !strings.Contains(e.Message, c.say) || e.Column != c.column || e.Line != 1 && c.column < 0 {
			t.Errorf("%.60s: got fault %d at %q, column %d: %s", c.text, e.Fault, e.Path, e.Column, e.Message)
		}
	}
}

// Many names take another way (hashing) than few; both must find the one that repeats, wherever it stands.
func TestDuplicateAmongMany(t *testing.T) {
	for _, n := range []int{1, 2, fewNames - 1, fewNames, fewNames + 1, fewNames + 2, 63, 64, 65, 500, 5000} {
		var b strings.Builder
		b.WriteByte('{')
		for i := range n {
			fmt.Fprintf(&b, `"name%d":{"name%d":[]},`, i, i)
		}
		unique := strings.TrimSuffix(b.String(), ",") + "}"
		if err := Check([]byte(unique), 8); err != nil {
			t.Fatalf("%d names: %v", n, err)
		}
		for _, at := range []int{0, n / 2, n - 1} {
			err := Check(fmt.Appendf(nil, `%s"name%d":0}`, b.String(), at), 8)
			var e *Error
			if !errors.As(err, &e) || e.Fault != DuplicateKey || e.Path != fmt.Sprintf("name%d", at) {
				t.Fatalf("%d names, name%d again: %v", n, at, err)
			}
		}
	}
}

// A Scanner goes from one text to the next, big and small, without remembering anything.
func TestReset(t *testing.T) {
	var s Scanner
	big := []byte(`{"list":[` + strings.Repeat(`{"a":1,"b":2},`, 2000) + `{}]` + manyNames(300) + `}`)
	for range 3 {
		for _, text := range [][]byte{big, []byte(`{"a":1,"a":1}`), []byte(`{"a":`), []byte(`{"a":1}`)} {
			s.Reset(text)
			got, err := s.Value(10)
			if err == nil {
				err = s.End()
			}
			bad := string(text) == `{"a":`
			if (err != nil) != bad || !bad && string(got) != string(text) {
				t.Fatalf("%.20s: %.20s %v", text, got, err)
			}
			if (s.Fault() != nil) != (string(text) == `{"a":1,"a":1}`) {
				t.Fatalf("%.20s: fault %v", text, s.Fault())
			}
		}
		s.Release()
	}
}

func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"n%d":{"n%d":0}`, i, i)
	}
	return b.String()
}
