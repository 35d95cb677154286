package express

import (
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

const (
	maxHead   = bufferSize // bytes of request line and fields
	maxBody   = 256 << 10  // as much as net/http reads of a body that its handler left
	maxFields = 64
)

// head is a request's line and fields, understood completely. It is used again for the connection's next request.
type head struct {
	target string
	host   string
	length int64
	close  bool // Connection: close
	fields http.Header
	values [maxFields]string // what fields points into

	parsed string // the target that url was made from
	url    url.URL
}

const (
	lineStart = "POST /"
	lineEnd   = " HTTP/1.1"
	newline   = "\r\n"
)

// mayTake says whether a request that begins like this can be one of ours.
func mayTake(data []byte) bool {
	n := min(len(data), len(lineStart))
	return string(data[:n]) == lineStart[:n]
}

// parse reads a head, up to and with the line end of its last field. False: it is none that is served here.
func (h *head) parse(text string, takes func(path string) bool) bool {
	line, text, _ := strings.Cut(text, newline)
	if !strings.HasPrefix(line, lineStart) || !strings.HasSuffix(line, lineEnd) {
		return false
	}
	if h.target = line[len(lineStart)-1 : len(line)-len(lineEnd)]; !h.readTarget(takes) {
		return false
	}
	h.host, h.length, h.close = "", -1, false
	clear(h.fields)
	n := 0
	for ; text != ""; n++ {
		line, rest, ok := strings.Cut(text, newline)
		text = rest
		colon := strings.IndexByte(line, ':')
		if !ok || colon < 0 || n == maxFields {
			return false
		}
		name, value := line[:colon], strings.Trim(line[colon+1:], " \t")
		if !isToken(name) || !isValue(value) {
			return false
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		if !h.meaning(name, value) {
			return false
		}
		if name == "Host" {
			continue
		}
		if given, ok := h.fields[name]; ok {
			h.fields[name] = append(given, value)
			continue
		}
		h.values[n] = value
		h.fields[name] = h.values[n : n+1 : n+1]
	}
	h.length = max(h.length, 0)
	return h.host != ""
}

// readTarget takes targets that mean what they say: nothing encoded, nothing that parsers disagree about.
func (h *head) readTarget(takes func(path string) bool) bool {
	for i := range len(h.target) {
		if classes[h.target[i]]&inTarget == 0 {
			return false
		}
	}
	path, _, _ := strings.Cut(h.target, "?")
	if !takes(path) {
		return false
	}
	if h.target != h.parsed {
		u, err := url.ParseRequestURI(h.target)
		if err != nil {
			return false
		}
		h.parsed, h.url = h.target, *u
	}
	return true
}

// meaning reads the fields that the connection itself obeys; false where net/http shall.
func (h *head) meaning(name, value string) bool {
	switch name {
	case "Host":
		if h.host != "" || value == "" {
			return false
		}
		for i := range len(value) {
			if classes[value[i]]&inHost == 0 {
				return false
			}
		}
		h.host = value
	case "Content-Length":
		return h.readLength(value)
	case "Connection":
		switch {
		case len(h.fields["Connection"]) > 0:
			return false
		case strings.EqualFold(value, "close"):
			h.close = true
		default:
			return strings.EqualFold(value, "keep-alive")
		}
	case "Transfer-Encoding", "Expect", "Upgrade", "Trailer", "Pragma":
		return false
	}
	return true
}

func (h *head) readLength(value string) bool {
	if h.length >= 0 || value == "" || len(value) > len("262144") {
		return false
	}
	h.length = 0
	for i := range len(value) {
		if value[i] < '0' || value[i] > '9' {
			return false
		}
		h.length = h.length*10 + int64(value[i]-'0')
	}
	return h.length <= maxBody
}

// Where a byte may stand.
const (
	inToken  = 1 << iota // RFC 9110, section 5.6.2
	inValue              // RFC 9110, section 5.5: all but controls
	inTarget             // unreserved characters of RFC 3986 and / ? : = & , @ + ! $ ; *
	inHost               // names, addresses, ports
)

// classes is a constant, made from ranges.
var classes = func() (c [256]byte) {
	for b := range 256 {
		if b >= 0x20 && b != 0x7f || b == '\t' {
			c[b] |= inValue
		}
		if b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' {
			c[b] |= inToken | inTarget | inHost
		}
	}
	for _, b := range []byte("!#$%&'*+-.^_`|~") {
		c[b] |= inToken
	}
	for _, b := range []byte("-._~/?:=&,@+!$;*") {
		c[b] |= inTarget
	}
	for _, b := range []byte("-._:[]") {
		c[b] |= inHost
	}
	return c
}()

func isToken(name string) bool {
	for i := range len(name) {
		if classes[name[i]]&inToken == 0 {
			return false
		}
	}
	return name != ""
}

func isValue(value string) bool {
	for i := range len(value) {
		if classes[value[i]]&inValue == 0 {
			return false
		}
	}
	return true
}
