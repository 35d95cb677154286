package jsonstrict

import (
	"strings"
	"testing"
)

// A batch is walked in one pass: a fault in one item leaves the others readable, and paths begin in the item.
func TestWalkBatch(t *testing.T) {
	var s Scanner
	s.Reset([]byte(` {"events" : [ {"type":"a", "data": { "k" : 1.50 } }, {"data":{"x":[1,{"y":1,"y":2}]}}, 7 , {} ] , "more":null } `))
	var got []string
	if in, err := s.EnterObject(); !in || err != nil {
		t.Fatal(in, err)
	}
	for {
		name, ok, err := s.NextMember()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		if string(name) != "events" {
			v, err := s.Value(1)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(name)+"="+string(v))
			continue
		}
		got = append(got, walkItems(t, &s)...)
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	want := `type="a"|data={ "k" : 1.50 }|data={"x":[1,{"y":1,"y":2}]}|fault data.x[1].y|a number 7|more=null`
	if strings.Join(got, "|") != want {
		t.Fatalf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
}

func walkItems(t *testing.T, s *Scanner) (got []string) {
	if in, err := s.EnterArray(); !in || err != nil {
		t.Fatal(in, err)
	}
	for {
		ok, err := s.NextElement()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return got
		}
		s.ClearFault()
		in, err := s.EnterObject()
		if err != nil {
			t.Fatal(err)
		}
		if !in {
			v, err := s.Value(1)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, Kind(v)+" "+string(v))
			continue
		}
		for {
			name, ok, err := s.NextMember()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			key := string(name)
			v, err := s.Value(64)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, key+"="+string(v))
		}
		if f := s.Fault(); f != nil {
			got = append(got, "fault "+f.Path)
		}
	}
}

func TestString(t *testing.T) {
	for _, c := range []struct {
		value, want string
		ok          bool
	}{
		{`""`, "", true},
		{`"abc"`, "abc", true},
		{`"a\"\\\/\b\f\n\r\tz"`, "a\"\\/\b\f\n\r\tz", true},
		{`"\u00e4\u6f22\ud83d\ude00\u0041"`, "ä漢😀A", true},
		{`"\ufffd"`, "\uFFFD", true},
		{`"\ud83d"`, "", false},
		{`"\ud83d\u0041"`, "", false},
		{`"\ude00\ud83d"`, "", false},
		{`1`, "", false},
		{`{}`, "", false},
	} {
		got, ok := String([]byte(c.value))
		if got != c.want || ok != c.ok {
			t.Errorf("%s: got %q, %v", c.value, got, ok)
		}
	}
}
