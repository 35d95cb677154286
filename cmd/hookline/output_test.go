package main

import (
	"bytes"
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
