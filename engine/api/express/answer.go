package express

import (
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxCollected = 256 << 10 // bytes of an answer's body before it is sent in chunks
	maxKept      = 16 << 10  // bytes of memory that a connection keeps for its next answer
	copyBelow    = 8 << 10   // bytes of a body that go into one buffer with the head
)

// answer is the ResponseWriter: it collects, and writes once.
type answer struct {
	conn     *conn
	fields   http.Header
	names    []string // of fields, sorted
	status   int      // 0 before WriteHeader
	head     []byte   // as it was at WriteHeader, but for its last lines
	body     []byte
	declared int64 // Content-Length as the handler gave it, -1 = it did not
	sent     int64 // bytes of the body, those collected included
	typed    bool  // Content-Type or Content-Encoding is given
	streamed bool  // head and parts of the body are sent
	close    bool
	err      error // of writing
}

var _ http.ResponseWriter = (*answer)(nil)

func (a *answer) start(closing bool) {
	clear(a.fields)
	a.status, a.declared, a.sent, a.typed, a.streamed, a.close, a.err = 0, -1, 0, false, false, closing, nil
	a.head, a.body = a.head[:0], a.body[:0]
}

func (a *answer) Header() http.Header { return a.fields }

// WriteHeader fixes status and header. Informational ones (1xx) are left out, which a server may.
func (a *answer) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic("express: status " + strconv.Itoa(status) + " is none: 100 to 999")
	}
	if a.status != 0 || status < 200 {
		return
	}
	a.status = status
	a.conn.now = time.Now()
	h := append(a.head, "HTTP/1.1 "...)
	h = strconv.AppendInt(h, int64(status), 10)
	h = append(h, ' ')
	if text := http.StatusText(status); text != "" {
		h = append(h, text...)
	} else {
		h = strconv.AppendInt(append(h, "status code "...), int64(status), 10)
	}
	h = append(h, newline...)
	a.names = a.names[:0]
	for name := range a.fields {
		a.names = append(a.names, name)
	}
	slices.Sort(a.names)
	dated := false
	for _, name := range a.names {
		values := a.fields[name]
		switch name {
		case "Connection":
			a.close = a.close || slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, "close") })
			continue
		case "Content-Length":
			a.declare(values)
			continue
		case "Transfer-Encoding":
			continue
		case "Content-Type", "Content-Encoding":
			a.typed = true
		case "Date":
			dated = true
		}
		for _, v := range values {
			h = appendField(h, name, v)
		}
	}
	if !dated {
		h = a.conn.appendDate(h)
	}
	a.head = h
}

func (a *answer) declare(values []string) {
	if len(values) == 1 {
		if n, err := strconv.ParseInt(values[0], 10, 64); err == nil && n >= 0 {
			a.declared = n
		}
	}
}

// appendField writes a field; a line end within it becomes a blank, as net/http has it.
func appendField(h []byte, name, value string) []byte {
	if !isToken(name) {
		return h
	}
	h = append(append(h, name...), ": "...)
	value = strings.Trim(value, " \t\r\n")
	for i := range len(value) {
		b := value[i]
		if b == '\r' || b == '\n' {
			b = ' '
		}
		h = append(h, b)
	}
	return append(h, newline...)
}

// dateLine is the field Date of one second.
type dateLine struct {
	second int64
	text   string
}

func (c *conn) appendDate(h []byte) []byte {
	d := c.server.date.Load()
	if second := c.now.Unix(); d == nil || d.second != second {
		d = &dateLine{second, "Date: " + c.now.UTC().Format(http.TimeFormat) + newline}
		c.server.date.Store(d)
	}
	return append(h, d.text...)
}

func (a *answer) bodyless() bool {
	return a.status == http.StatusNoContent || a.status == http.StatusNotModified
}

// Write collects; what is too much for that it sends.
func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	switch {
	case a.bodyless():
		return 0, http.ErrBodyNotAllowed
	case a.declared >= 0 && a.sent+int64(len(b)) > a.declared:
		a.close = true
		return 0, http.ErrContentLength
	}
	a.sent += int64(len(b))
	if !a.streamed && len(a.body)+len(b) <= maxCollected {
		a.body = append(a.body, b...)
		return len(b), nil
	}
	if !a.streamed {
		a.stream(b)
	}
	a.piece(b)
	if a.err != nil {
		return 0, a.err
	}
	return len(b), nil
}

// stream sends the head and what was collected; b, which is next, and what follows go out as they come.
func (a *answer) stream(b []byte) {
	a.streamed = true
	a.drain()
	if len(a.body) > 0 {
		a.closeHead(a.declared, a.body)
	} else {
		a.closeHead(a.declared, b)
	}
	a.write(a.head)
	a.piece(a.body)
	a.body = a.body[:0]
}

// piece sends a part of the body, in chunks where its length was not declared (RFC 9112, section 7.1).
func (a *answer) piece(b []byte) {
	switch {
	case len(b) == 0: // it would be the last chunk
	case a.declared >= 0:
		a.write(b)
	default:
		a.writeAll(strconv.AppendInt(nil, int64(len(b)), 16), []byte(newline), b, []byte(newline))
	}
}

// finish sends the answer. False: the connection ends.
func (a *answer) finish() bool {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	a.close = a.close || a.declared >= 0 && a.declared != a.sent && !a.bodyless()
	switch {
	case !a.streamed:
		a.drain()
		a.closeHead(max(a.declared, a.sent), a.body)
		if len(a.body) <= copyBelow {
			a.head = append(a.head, a.body...)
			a.write(a.head)
		} else {
			a.writeAll(a.head, a.body)
		}
	case a.declared < 0:
		a.write([]byte("0\r\n\r\n"))
	}
	if a.streamed { // which takes its time
		a.conn.now = time.Now()
	}
	if cap(a.body) > maxKept {
		a.body = nil
	}
	return a.err == nil && !a.close
}

// drain reads what the handler left of the request's body, unless the connection ends anyway: a client may send all of
// it before it reads.
func (a *answer) drain() {
	a.close = a.close || a.conn.server.stopping.Load()
	for b := &a.conn.body; b.left > 0 && !a.close; {
		a.close = b.discard() != nil
	}
}

// closeHead writes the lines that depend on the body; body is its beginning, a length below 0 is not known.
func (a *answer) closeHead(length int64, body []byte) {
	h := a.head
	if !a.typed && len(body) > 0 {
		h = appendField(h, "Content-Type", http.DetectContentType(body))
	}
	switch {
	case a.bodyless():
	case length < 0:
		h = append(h, "Transfer-Encoding: chunked\r\n"...)
	default:
		h = append(strconv.AppendInt(append(h, "Content-Length: "...), length, 10), newline...)
	}
	if a.close {
		h = append(h, "Connection: close\r\n"...)
	}
	a.head = append(h, newline...)
}

// write sends b; after a failure nothing more.
func (a *answer) write(b []byte) {
	if a.err == nil {
		_, a.err = a.conn.nc.Write(b)
	}
}

// writeAll sends all parts in one call.
func (a *answer) writeAll(parts ...[]byte) {
	if a.err == nil {
		all := net.Buffers(parts)
		_, a.err = all.WriteTo(a.conn.nc)
	}
}
