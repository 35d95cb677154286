package https

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/hookline/hookline/transports"
)

// script is a connection whose other side has said everything already.
type script struct {
	net.Conn
	r io.Reader
}

func (s *script) Read(p []byte) (int, error) { return s.r.Read(p) }

func scripted(r io.Reader) *conn {
	c := &conn{nc: &script{r: r}, bufs: &buffers{}, wire: &wire{}}
	c.acquire()
	return c
}

// A response reads the same however the network cuts it.
func TestResponseInPieces(t *testing.T) {
	const answer = "HTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nT: x\r\n\r\nrest"
	for name, r := range map[string]io.Reader{
		"whole": strings.NewReader(answer), "bytes": iotest.OneByteReader(strings.NewReader(answer)), "halves": iotest.HalfReader(strings.NewReader(answer)),
		"data with error": iotest.DataErrReader(strings.NewReader(answer)),
	} {
		c := scripted(r)
		h, err := c.readHead()
		if err != nil || h.status != 200 || len(h.fields) != 2 {
			t.Fatalf("%s: %+v, %v", name, h, err)
		}
		body, truncated := c.readBody(h)
		if string(body) != "hello world" || truncated {
			t.Errorf("%s: body %q, truncated %t", name, body, truncated)
		}
		rest, _ := io.ReadAll(io.MultiReader(bytes.NewReader(c.buf[c.r:c.w]), r))
		if string(rest) != "rest" {
			t.Errorf("%s: left %q", name, rest)
		}
	}
}

func TestAnnouncedIdle(t *testing.T) {
	for v, want := range map[string]int{
		"timeout=5": 5, "timeout=5, max=100": 5, "max=100,Timeout=\"7\"": 7, "timeout=0": 1, "timeout=-1": 0, "timeout=x": 0, "": 0, "timeout=99999999": 0,
	} {
		if got := announcedIdle(v); got != want {
			t.Errorf("%q: %d, want %d", v, got, want)
		}
	}
}

// Where net/http's reader accepts a response, ours reads the same status, fields and body; ours never reads more than its
// bounds, nor panics.
func FuzzResponse(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\n\r\n",
		"HTTP/1.0 500 No\r\n\r\nuntil the end", "HTTP/1.1 103 x\r\n\r\nHTTP/1.1 204 \r\n\r\n", "HTTP/1.1 200 OK\nA: b\n c\n\nx",
		"HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\nConnection: close, x\r\nKeep-Alive: timeout=5\r\n\r\nx",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		c := scripted(bytes.NewReader(answer))
		h, err := c.readHead()
		if err != nil {
			if !errors.Is(err, errProtocol) && !errors.Is(err, io.EOF) {
				t.Fatalf("error %v", err)
			}
			return
		}
		body, truncated := c.readBody(h)
		if len(body) > transports.MaxResponseBody || len(h.fields) > maxFields || h.status < 101 || h.status > 999 {
			t.Fatalf("status %d, %d fields, %d bytes of body", h.status, len(h.fields), len(body))
		}
		for _, f := range h.fields {
			if f.Name != strings.ToLower(f.Name) || strings.ContainsAny(f.Value, "\r\n\x00") {
				t.Fatalf("field %q", f)
			}
		}
		if bytes.HasPrefix(answer, []byte("HTTP/1.1 1")) || truncated {
			return
		}
		ref, err := http.ReadResponse(newBufio(answer), &http.Request{Method: http.MethodPost})
		if err != nil {
			return
		}
		want, err := io.ReadAll(ref.Body)
		if ref.StatusCode != h.status {
			t.Fatalf("status %d, net/http reads %d", h.status, ref.StatusCode)
		}
		if err == nil && h.framing != framedBadly && !bytes.Equal(body, want) {
			t.Fatalf("body %q, net/http reads %q", body, want)
		}
	})
}
