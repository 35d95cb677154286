package main

import (
	"bytes"
	"encoding/json"
	"net"
	"strings"
	"testing"
)

// An object is for people to read: what is nested has lines of its own.
func TestObjectLines(t *testing.T) {
	var out bytes.Buffer
	err := (&terminal{out: &out}).object([]byte(`{"id":"dlv_1","reason":null,"headers":{},"types":["a","b"],"n":12345678901234567890,` +
		`"attempts":[{"number":1,"request":{"url":"https://a.example/","headers":{"x-a":["1","2"]},"body":"a\u001b[2J"},"response":null}],"none":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{"id dlv_1", "reason -", "headers {}", "types a,b", "n 12345678901234567890", "attempts[0].number 1",
		"attempts[0].request.url https://a.example/", "attempts[0].request.headers.x-a 1,2", "attempts[0].request.body a?[2J",
		"attempts[0].response -", "none -"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("got:\n%s", strings.Join(got, "\n"))
	}
	if err := (&terminal{out: &out}).object([]byte(`[1]`)); err == nil {
		t.Fatal("a list taken for an object")
	}
}

// An address that is taken is told as that, with what to do.
func TestAddressTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := listen(l.Addr().String(), nil); err == nil || !strings.Contains(err.Error(), "choose another address with --listen") {
		t.Fatal(err)
	}
}

// A list as JSON is one object over all its pages, with the items' bytes as they came; as a table it has its titles once,
// and times for people.
func TestListing(t *testing.T) {
	next := "c1"
	pages := []page{
		{Data: []json.RawMessage{[]byte(`{"url":"https://a.example/?a<b&c","n":1.0,"at_at":"2026-01-31T08:00:00.999+01:00"}`)}, NextCursor: &next},
		{Data: []json.RawMessage{[]byte(`{"url":"x","n":2,"at_at":null}`), []byte(`{"at_at":"never"}`)}},
	}
	for _, c := range []struct {
		json bool
		want string
	}{
		{true, `{"data":[{"url":"https://a.example/?a<b&c","n":1.0,"at_at":"2026-01-31T08:00:00.999+01:00"},{"url":"x","n":2,"at_at":null},{"at_at":"never"}],"next_cursor":null}` + "\n"},
		{false, "AT                   N\n2026-01-31 07:00:00  1.0\n-      2\nnever  -\n"},
	} {
		var out bytes.Buffer
		l := listing{t: &terminal{out: &out}, cols: columns("AT at_at", "N n"), json: c.json}
		for _, p := range pages {
			if err := l.page(p); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.end(); err != nil || out.String() != c.want {
			t.Errorf("json %v: %v, got\n%s\nwant\n%s", c.json, err, out.String(), c.want)
		}
	}
	var out, errs bytes.Buffer
	l := listing{t: &terminal{out: &out, err: &errs}, json: true}
	if err := l.page(page{NextCursor: &next}); err != nil || l.end() != nil || out.String() != `{"data":[],"next_cursor":"c1"}`+"\n" || errs.Len() > 0 {
		t.Errorf("nothing of more: %v %s%s", err, out.String(), errs.String())
	}
}
