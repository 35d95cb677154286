package jsonstrict

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzCheck compares with encoding/json: the grammar must be the same; what we refuse beyond it, a second reading that
// shares no code must find as well.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		`{"type":"domain.registered","data":{"domain":"example.com","n":[1,2.5e-3,true,null]}}`, `[[[[]]]]`, `{"a":1,"\u0061":2}`,
		"\"\xff\"", `"\ud800\udc00"`, `{"a":{"b":[{"c":1,"c":2}]}}`, `{"12345678":"123456789"}`, ` [ 1 , -0.1E+2 ] `,
		`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":0,"k":1,"l":2,"m":3,"n":4,"o":5,"p":6,"q":7,"r":8,"s":9,"t":0,"u":1,"v":2,"w":3,"x":4,"y":5,"a":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		err := Check(text, 10)
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("error of type %T", err)
		}
		valid := json.Valid(text)
		switch {
		case !valid:
			if e == nil {
				t.Fatalf("accepted %q", text)
			}
			return
		case e != nil && e.Fault == Syntax:
			t.Fatalf("refused the grammar of %q: %v", text, e)
		}
		deep, twice := second(t, text)
		if deep > 10 && e == nil || e != nil && e.Fault == TooDeep && deep <= 10 {
			t.Fatalf("depth of %q is %d: %v", text, deep, err)
		}
		if !utf8.Valid(text) && e == nil || e != nil && e.Fault == NotUTF8 && utf8.Valid(text) {
			t.Fatalf("UTF-8 of %q: %v", text, err)
		}
		// encoding/json folds lone halves of surrogate pairs and broken UTF-8 into one character; we keep them apart.
		if strings.Contains(strings.ToLower(string(text)), `\ud`) || !utf8.Valid(text) {
			return
		}
		if twice && e == nil || e != nil && e.Fault == DuplicateKey && !twice {
			t.Fatalf("duplicate names in %q: %v", text, err)
		}
	})
}

// second reads a valid text by encoding/json's tokens.
func second(t *testing.T, text []byte) (deep int, twice bool) {
	type level struct {
		names map[string]bool // nil in an array
		value bool            // the next token is a value
	}
	var open []level
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return deep, twice
		}
		if err != nil {
			return deep, twice
		}
		var top *level
		if len(open) > 0 {
			top = &open[len(open)-1]
		}
		if name, ok := tok.(string); ok && top != nil && top.names != nil && !top.value {
			twice = twice || top.names[name]
			top.names[name], top.value = true, true
			continue
		}
		switch tok {
		case json.Delim('{'):
			open = append(open, level{names: map[string]bool{}})
			deep = max(deep, len(open))
			continue
		case json.Delim('['):
			open = append(open, level{})
			deep = max(deep, len(open))
			continue
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
		if len(open) > 0 {
			open[len(open)-1].value = false
		}
	}
}

// FuzzString compares unescaping with encoding/json.
func FuzzString(f *testing.F) {
	for _, seed := range []string{`"a"`, `"\u00e4\n"`, `"\ud83d\ude00"`, `"\ud800x"`, `"\\u0041"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if Check(text, 1) != nil || text[0] != '"' || text[len(text)-1] != '"' {
			return
		}
		var want string
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		got, ok := String(text)
		if ok && got != want {
			t.Fatalf("%q: got %q, want %q", text, got, want)
		}
		if !ok && !strings.ContainsRune(want, utf8.RuneError) {
			t.Fatalf("%q: no string", text)
		}
	})
}
