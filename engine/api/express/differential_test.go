package express

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const good = "POST /x/a?explain=true HTTP/1.1\r\nHost: example.com:8080\r\nUser-Agent: t\r\nContent-Length: 5\r\nAuthorization: Bearer k\r\n\r\nhello"

// post makes a request with the given lines before the end of its head.
func post(path, body string, lines ...string) string {
	head := "POST " + path + " HTTP/1.1\r\nHost: h\r\n"
	for _, l := range lines {
		head += l + "\r\n"
	}
	return head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

// corpus: a text, and how many of its requests the express way serves (-1: whatever). Behind each comes a request that
// shows whether the connection lives on and where the next request is thought to begin.
func corpus() []struct {
	name, text string
	served     int
} {
	raw := func(head string) string { return head + "\r\n\r\nhello" }
	type row = struct {
		name, text string
		served     int
	}
	rows := []row{
		{"good", good, 1},
		{"three in a row", good + good + good, 3},
		{"no body", "POST /x/a HTTP/1.1\r\nHost: h\r\n\r\n", 1},
		{"length 0", post("/x/a", ""), 1},
		{"lower-case names, odd spaces", raw("POST /x/a HTTP/1.1\r\nhost:h\r\ncontent-length: \t5 \t\r\nx-ABC-d:   v w  \r\nX-Empty:"), 1},
		{"a field twice", post("/x/a", "b", "Accept: a", "accept: b", "Accept: c"), 1},
		{"bytes above ASCII", post("/x/a", "\x00\xff", "Idempotency-Key: \xc3\xa4\xff"), 1},
		{"keep-alive", post("/x/a", "b", "Connection: Keep-Alive"), 1},
		{"close", post("/x/a", "b", "Connection: close"), 1},
		{"close and go on", post("/x/a", "b", "connection: CLOSE") + good, 1},
		{"newlines behind a body", good + "\r\n" + good + "\r\n\r\n" + good + "\n\r\n\n" + good, 4},
		{"five newlines behind a body", good + "\r\n\r\n\n" + good, 1},
		{"newlines first", "\r\n" + good, 0},
		{"body of 256 KiB", post("/x/a", strings.Repeat("b", 256<<10)), 1},
		{"body over it", post("/x/a", strings.Repeat("b", 256<<10+1)), 0},
		{"body cut", "POST /x/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\nhello", -1},
		{"head cut", good[:60], 0},
		{"a word", "P", 0},
		{"nothing", "", -1},
		{"other path, then ours", post("/y", "b") + good, 0},
		{"ours, then other path", good + post("/y", "b") + good, 1},
		{"ours, then GET", good + "GET /x/a HTTP/1.1\r\nHost: h\r\n\r\n" + good, 1},
		{"HEAD", "HEAD /x/a HTTP/1.1\r\nHost: h\r\n\r\n" + good, 0},
		{"head of 8 KiB", post("/x/a", "b", "X: "+strings.Repeat("v", 8<<10-80)), -1},
		{"head of 9 KiB", post("/x/a", "b", "X: "+strings.Repeat("v", 9<<10)), 0},
		{"head of 2 MiB", post("/x/a", "b", "X: "+strings.Repeat("v", 2<<20)), 0},
		{"64 fields", post("/x/a", "b", strings.Split(strings.Repeat("A: b,", 62), ",")[:62]...), 1},
		{"70 fields", post("/x/a", "b", strings.Split(strings.Repeat("A: b,", 70), ",")[:70]...), 0},
		{"HTTP/1.0", raw("POST /x/a HTTP/1.0\r\nHost: h\r\nContent-Length: 5"), 0},
		{"HTTP/1.0 kept alive", raw("POST /x/a HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5"), 0},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0},
		{"chunked", "POST /x/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 0},
		{"continue", post("/x/a", "b", "Expect: 100-continue"), 0},
		{"expects otherwise", post("/x/a", "b", "Expect: wonders"), 0},
		{"upgrade", post("/x/a", "b", "Connection: Upgrade", "Upgrade: h2c"), 0},
		{"trailer", post("/x/a", "b", "Trailer: X"), 0},
		{"pragma", post("/x/a", "b", "Pragma: no-cache"), 0},
		{"absolute target", raw("POST http://o/x/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5"), 0},
		{"encoded target", post("/x/%61?q=%20", "b"), 0},
	}
	for _, how := range []string{"unread", "refuse", "silent", "none", "sniffed", "odd", "short", "long", "large", "huge", "declared", "panic"} {
		rows = append(rows, row{"answer " + how, post("/x/"+how, "body"), 1}, row{"long body, answer " + how, post("/x/"+how, strings.Repeat("body", 20_000)), 1},
			row{"cut body, answer " + how, strings.TrimSuffix(post("/x/"+how, strings.Repeat("body", 20_000)), "body"), -1})
	}
	for name, lines := range hostile() {
		rows = append(rows, row{name, raw(strings.Join(lines, "\r\n")), 0})
	}
	return rows
}

// hostile heads: request smuggling lives on parsers that read such differently (RFC 9112, section 11.2; RFC 9110, 8.6).
func hostile() map[string][]string {
	line, host, length := "POST /x/a HTTP/1.1", "Host: h", "Content-Length: 5"
	return map[string][]string{
		"two lengths":              {line, host, length, length},
		"two lengths that differ":  {line, host, length, "Content-Length: 6"},
		"length list":              {line, host, "Content-Length: 5, 5"},
		"length +5":                {line, host, "Content-Length: +5"},
		"length -5":                {line, host, "Content-Length: -5"},
		"length 0x5":               {line, host, "Content-Length: 0x5"},
		"length 5_0":               {line, host, "Content-Length: 5_0"},
		"length empty":             {line, host, "Content-Length:"},
		"length with zeros":        {line, host, "Content-Length: 0000000000000000000005"},
		"length beyond 64 bits":    {line, host, "Content-Length: 18446744073709551621"},
		"length and chunked":       {line, host, length, "Transfer-Encoding: chunked"},
		"chunked and length":       {line, host, "Transfer-Encoding: chunked", length},
		"odd encoding":             {line, host, length, "Transfer-Encoding: xchunked"},
		"encoding with tab":        {line, host, length, "Transfer-Encoding:\tchunked"},
		"blank before colon":       {line, host, "Content-Length : 5"},
		"blank before encoding":    {line, host, length, "Transfer-Encoding : chunked"},
		"folded":                   {line, host, "X: a", " b", length},
		"folded length":            {line, host, "Content-Length:", " 5"},
		"folded first":             {line, " X: a", host, length},
		"no colon":                 {line, host, "nonsense", length},
		"no name":                  {line, host, ": v", length},
		"NUL in a value":           {line, host, "X: a\x00b", length},
		"NUL in a name":            {line, host, "X\x00: a", length},
		"DEL in a value":           {line, host, "X: a\x7fb", length},
		"bare CR in a value":       {line, host, "X: a\rContent-Length: 50", length},
		"bare LF in a value":       {line, host, "X: a\nContent-Length: 50", length},
		"bare LF ends the head":    {line, host, length + "\n", "GET /y HTTP/1.1", host, "X: y"},
		"CR before CRLF":           {line, host, length + "\r"},
		"no host":                  {line, length},
		"empty host":               {line, "Host:", length},
		"two hosts":                {line, host, host, length},
		"hostile host":             {line, "Host: a b", length},
		"host with a path":         {line, "Host: h/x", length},
		"lower-case method":        {"post /x/a HTTP/1.1", host, length},
		"two blanks":               {"POST  /x/a HTTP/1.1", host, length},
		"tab in the line":          {"POST\t/x/a HTTP/1.1", host, length},
		"blank in the target":      {"POST /x/a b HTTP/1.1", host, length},
		"fragment":                 {"POST /x/a#b HTTP/1.1", host, length},
		"control in the target":    {"POST /x/\x01 HTTP/1.1", host, length},
		"high byte in the target":  {"POST /x/\xc3\xa4 HTTP/1.1", host, length},
		"bad escape":               {"POST /x/%zz HTTP/1.1", host, length},
		"no target":                {"POST HTTP/1.1", host, length},
		"no version":               {"POST /x/a", host, length},
		"version 1.2":              {"POST /x/a HTTP/1.2", host, length},
		"version 9":                {"POST /x/a HTTP/9.9", host, length},
		"version in lower case":    {"POST /x/a http/1.1", host, length},
		"blank behind the version": {"POST /x/a HTTP/1.1 ", host, length},
		"connection list":          {line, host, length, "Connection: close, x"},
		"connection twice":         {line, host, length, "Connection: keep-alive", "Connection: close"},
		"another encoding, high":   {line, host, length, "Transfer-Encod\xc4\xb0ng: chunked"},
	}
}

// Whatever is sent: behind the front it is answered as by net/http alone, and the connection lives on or ends the same.
func TestAnswersAsNetHTTP(t *testing.T) {
	plain, front := start(t, false, http.HandlerFunc(mirror)), start(t, true, http.HandlerFunc(mirror))
	const probe = "GET /probe HTTP/1.1\r\nHost: h\r\n\r\n"
	for _, c := range corpus() {
		text := []byte(c.text + probe)
		before := front.served.Load()
		want, got := plain.ask(t, text), front.ask(t, text)
		if !same(got, want) {
			t.Errorf("%s:\ngot  %.2000v\nwant %.2000v", c.name, got, want)
		}
		if served := int(front.served.Load() - before); c.served >= 0 && served != c.served {
			t.Errorf("%s: the express way served %d requests, want %d", c.name, served, c.served)
		}
		if c.name == "good" && (len(got) != 2 || !strings.Contains(got[0].text, "202 Accepted") || !strings.Contains(got[1].text, "/probe")) {
			t.Errorf("the rig shows nothing: %v", got)
		}
	}
}

func FuzzAnswersAsNetHTTP(f *testing.F) {
	for _, c := range corpus() {
		if len(c.text) < 10_000 {
			f.Add([]byte(c.text + good))
		}
	}
	plain, front := start(f, false, http.HandlerFunc(mirror)), start(f, true, http.HandlerFunc(mirror))
	f.Fuzz(func(t *testing.T, text []byte) {
		want, got := plain.ask(t, text), front.ask(t, text)
		if !same(got, want) {
			t.Errorf("%q:\ngot  %.2000v\nwant %.2000v", text, got, want)
		}
	})
}
