package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestBytesGoOutAsGiven(t *testing.T) {
	var got, auth string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, auth = string(b), r.Header.Get("Authorization")
		io.WriteString(w, `{"seq":7}`)
	}))
	defer s.Close()
	c := New(s.URL+"/", "secret")
	defer c.Close()
	raw := json.RawMessage("{ \"payload\" : {\n\"a\" : 1 } }")
	var out struct{ Seq int }
	if err := c.Do(t.Context(), "POST", "/v1/x", raw, &out); err != nil {
		t.Fatal(err)
	}
	if got != string(raw) || auth != "Bearer secret" || out.Seq != 7 {
		t.Fatalf("sent %q with %q, answer %d", got, auth, out.Seq)
	}
}

func TestProblemsTellWhatTheServerSaid(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(422)
		if r.URL.Path == "/json" {
			io.WriteString(w, `{"status":422,"title":"Invalid","errors":[{"location":"url","message":"use https"}]}`)
		} else {
			io.WriteString(w, "plain words\n")
		}
	}))
	defer s.Close()
	c := New(s.URL, "k")
	defer c.Close()
	for path, want := range map[string]string{
		"/json":  "GET /json: status 422: Invalid; url: use https",
		"/plain": "GET /plain: status 422: plain words",
	} {
		err := c.Do(t.Context(), "GET", path, nil, nil)
		if err == nil || err.Error() != want || Status(err) != 422 {
			t.Errorf("%s: %v (status %d), want %q", path, err, Status(err), want)
		}
	}
	if Status(errors.New("x")) != 0 {
		t.Error("an error that is no answer has a status")
	}
}

func TestEachWalksEveryPage(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.RawQuery, "status=pending&limit=250") {
			t.Errorf("query %q", r.URL.RawQuery)
		}
		switch r.URL.Query().Get("cursor") {
		case "":
			fmt.Fprint(w, `{"data":[5,4],"next_cursor":"a"}`)
		case "a":
			fmt.Fprint(w, `{"data":[3],"next_cursor":null}`)
		}
	}))
	defer s.Close()
	c := New(s.URL, "k")
	defer c.Close()
	var got []int
	err := Each(t.Context(), c, "/l?status=pending", func(n int) error { got = append(got, n); return nil })
	if err != nil || !slices.Equal(got, []int{5, 4, 3}) {
		t.Fatalf("%v %v", got, err)
	}
	stop := errors.New("enough")
	if err := Each(t.Context(), c, "/l?status=pending", func(int) error { return stop }); !errors.Is(err, stop) {
		t.Fatalf("%v", err)
	}
}
