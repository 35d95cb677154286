package https

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hookline/hookline/transports"
)

const (
	maxHead   = 64 << 10 // bytes of one response head
	maxFields = 1000     // fields in it
	maxInform = 5        // 1xx answers before the real one
)

// errProtocol: what came is not an HTTP/1.x response.
var errProtocol = errors.New("protocol")

func protocolError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errProtocol, fmt.Sprintf(format, args...))
}

// head is a parsed response head and how its body is framed.
type head struct {
	status  int
	fields  []transports.Header
	framing framing
	length  int64 // with framedByLength
	keep    bool  // the connection may serve another request once the body is read
	idle    int   // announced keep-alive timeout in seconds, 0 = none
}

type framing uint8

const (
	framedEmpty framing = iota
	framedByLength
	framedByChunks
	framedByClose
	framedBadly // contradictory or unknown: the body cannot be told from what follows
)

// readHead reads to the end of the first response head that is not 1xx; 101 is an answer (RFC 9110 section 15.2).
func (c *conn) readHead() (head, error) {
	for range maxInform + 1 {
		block, err := c.readBlock()
		if err != nil {
			return head{}, err
		}
		h, err := parseHead(block)
		if err != nil {
			return head{}, err
		}
		if h.status >= 200 || h.status == 101 {
			return h, nil
		}
	}
	return head{}, protocolError("more than %d informational (1xx) answers: send the final one", maxInform)
}

// readBlock returns the bytes up to and including the empty line; they are valid until the next fill.
func (c *conn) readBlock() ([]byte, error) {
	scanned, lineStart := c.r, c.r
	for {
		for {
			i := bytes.IndexByte(c.buf[scanned:c.w], '\n')
			if i < 0 {
				scanned = c.w
				break
			}
			end := scanned + i
			line := bytes.TrimSuffix(c.buf[lineStart:end], []byte{'\r'})
			scanned, lineStart = end+1, end+1
			if len(line) == 0 {
				block := c.buf[c.r:scanned]
				c.r = scanned
				return block, nil
			}
		}
		if err := plausible(c.buf[c.r:c.w]); err != nil {
			return nil, err
		}
		shift := c.r
		if err := c.fill(maxHead); err != nil {
			if errors.Is(err, errTooLong) {
				return nil, protocolError("response head is longer than %d bytes", maxHead)
			}
			return nil, err
		}
		scanned, lineStart = scanned-shift, lineStart-shift
	}
}

// plausible refuses at once what cannot become a status line, so that a receiver talking another protocol is told as
// such rather than as a timeout.
func plausible(b []byte) error {
	const want = "HTTP/1."
	n := min(len(b), len(want))
	if string(b[:n]) != want[:n] {
		return protocolError("the answer does not begin with %q: is this an HTTP/1.1 server?", want)
	}
	return nil
}

// parseHead reads one head (RFC 9112 sections 4 and 5). It changes block: names become lower-case in place.
func parseHead(block []byte) (head, error) {
	if err := plausible(block); err != nil {
		return head{}, err
	}
	line, rest := cutLine(block)
	h := head{}
	minor, err := parseStatusLine(line, &h)
	if err != nil {
		return head{}, err
	}
	if err := h.parseFields(rest); err != nil {
		return head{}, err
	}
	h.frame(minor)
	return h, nil
}

func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return b, nil
	}
	return bytes.TrimSuffix(b[:i], []byte{'\r'}), b[i+1:]
}

func parseStatusLine(line []byte, h *head) (minor byte, err error) {
	const form = len("HTTP/1.1 200")
	if len(line) < form || line[7] < '0' || line[7] > '9' || line[8] != ' ' || len(line) > form && line[form] != ' ' {
		return 0, protocolError("malformed status line")
	}
	for _, d := range line[9:form] {
		if d < '0' || d > '9' {
			return 0, protocolError("malformed status code")
		}
		h.status = 10*h.status + int(d-'0')
	}
	if h.status < 100 {
		return 0, protocolError("status code %03d is below 100", h.status)
	}
	return line[7], nil
}

// parseFields makes one string of the whole block and cuts names and values out of it.
func (h *head) parseFields(block []byte) error {
	n := bytes.Count(block, []byte{'\n'})
	if n > maxFields {
		return protocolError("more than %d header fields", maxFields)
	}
	for rest := block; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		if len(line) == 0 {
			break
		}
		if err := checkField(line); err != nil {
			return err
		}
	}
	all := string(block)
	h.fields = make([]transports.Header, 0, max(n-1, 0))
	for len(all) > 0 {
		line, rest, _ := strings.Cut(all, "\n")
		all = rest
		if line = strings.TrimSuffix(line, "\r"); line == "" {
			break
		}
		if line[0] == ' ' || line[0] == '\t' { // obs-fold, RFC 9112 section 5.2
			if len(h.fields) == 0 {
				return protocolError("the first header field is folded")
			}
			last := &h.fields[len(h.fields)-1]
			last.Value = strings.TrimLeft(last.Value+" "+strings.Trim(line, " \t"), " ")
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		h.fields = append(h.fields, transports.Header{Name: name, Value: strings.Trim(value, " \t")})
	}
	return nil
}

// checkField refuses malformed lines and lower-cases the name.
func checkField(line []byte) error {
	for _, c := range line {
		if c < ' ' && c != '\t' || c == 0x7f {
			return protocolError("a header field holds control character %q", c)
		}
	}
	if line[0] == ' ' || line[0] == '\t' {
		return nil
	}
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return protocolError("a header line has no name")
	}
	for i, c := range line[:colon] {
		if !tokenByte(c) {
			return protocolError("a header name holds byte %q", c)
		}
		if 'A' <= c && c <= 'Z' {
			line[i] = c + 'a' - 'A'
		}
	}
	return nil
}

// frame decides how the body is delimited (RFC 9112 section 6.3) and whether the connection lives on (section 9.3).
func (h *head) frame(minor byte) {
	h.keep = minor >= '1'
	length, chunked, bad := int64(-1), false, false
	for i := range h.fields {
		f := &h.fields[i]
		switch f.Name {
		case "content-length":
			for v := range strings.SplitSeq(f.Value, ",") {
				n, err := strconv.ParseUint(strings.Trim(v, " \t"), 10, 63)
				bad = bad || err != nil || length >= 0 && int64(n) != length
				length = int64(n)
			}
		case "transfer-encoding":
			bad = bad || chunked || !strings.EqualFold(f.Value, "chunked")
			chunked = true
		case "connection":
			for v := range strings.SplitSeq(f.Value, ",") {
				switch v = strings.Trim(v, " \t"); {
				case strings.EqualFold(v, "close"):
					h.keep = false
				case strings.EqualFold(v, "keep-alive") && minor == '0':
					h.keep = true
				}
			}
		case "keep-alive":
			h.idle = announcedIdle(f.Value)
		}
	}
	switch {
	case h.status < 200 || h.status == 204 || h.status == 304:
		h.framing = framedEmpty
	case bad || chunked && (length >= 0 || minor == '0'): // section 6.1: HTTP/1.0 knows no chunks
		h.framing, h.keep = framedBadly, false
	case chunked:
		h.framing = framedByChunks
	case length >= 0:
		h.framing, h.length = framedByLength, length
	default:
		h.framing, h.keep = framedByClose, false
	}
}

// announcedIdle reads timeout=N out of a Keep-Alive field.
func announcedIdle(v string) int {
	for part := range strings.SplitSeq(v, ",") {
		name, val, _ := strings.Cut(strings.Trim(part, " \t"), "=")
		if strings.EqualFold(name, "timeout") {
			if n, err := strconv.ParseUint(strings.Trim(val, `"`), 10, 16); err == nil {
				return max(int(n), 1)
			}
		}
	}
	return 0
}
