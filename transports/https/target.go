package https

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/idna"
)

// ErrTarget: a target that cannot or may not be used, whatever its host resolves to.
var ErrTarget = errors.New("https: target refused")

// MaxTarget is the longest target, in bytes.
const MaxTarget = 2048

// Policy says which targets are acceptable. It is immutable and safe for concurrent use.
type Policy struct {
	guard     *guard
	allowHTTP bool
}

// NewPolicy makes the policy of an operator: address ranges opened beside the public ones, and whether http: is taken.
func NewPolicy(allowCIDR []netip.Prefix, allowHTTP bool) *Policy {
	return &Policy{guard: newGuard(allowCIDR), allowHTTP: allowHTTP}
}

// CheckTarget says what is wrong with a target before it is stored (O-3, D-2): length, scheme, userinfo, fragment, host,
// port, and the address where the host is one. It does no DNS: names are checked when connecting. httpsOnly is the
// profile's and overrides the operator's AllowHTTP. Errors wrap ErrTarget or ErrAddress and name bound and fix.
func (p *Policy) CheckTarget(target string, httpsOnly bool) error {
	if u, err := url.Parse(target); err == nil && u.Scheme == "http" && httpsOnly { // the operator's flag would not help
		return fmt.Errorf("%w: scheme is http, this profile takes https only: use https://", ErrTarget)
	}
	t, err := p.parse(target)
	if err != nil {
		return err
	}
	if t.addr.IsValid() {
		return p.guard.check(t.addr)
	}
	return nil
}

// endpoint is a parsed target, ready to be sent to.
type endpoint struct {
	tls  bool
	host string     // ASCII, lower case, no brackets
	addr netip.Addr // valid where host is an address
	port uint16
	key  string // scheme://host:port, what connections are pooled by
	head string // request line and Host field
}

func (p *Policy) parse(target string) (*endpoint, error) {
	refuse := func(format string, args ...any) (*endpoint, error) {
		return nil, fmt.Errorf("%w: %s", ErrTarget, fmt.Sprintf(format, args...))
	}
	if len(target) > MaxTarget {
		return refuse("%d bytes long, at most %d: shorten it", len(target), MaxTarget)
	}
	if strings.ContainsRune(target, '#') {
		return refuse("it has a fragment, which is never sent: remove everything from #")
	}
	u, err := url.Parse(target)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // the outer text repeats the whole target, which may hold a token
		}
		return refuse("not a URL: %v", err)
	}
	e := &endpoint{tls: u.Scheme == "https"}
	switch {
	case u.Scheme == "http" && !p.allowHTTP:
		return refuse("scheme is http, only https is taken: use https://, or the operator sets --allow-http")
	case u.Scheme != "https" && u.Scheme != "http":
		return refuse("scheme is %q, only https is taken: write https://host/path", u.Scheme)
	case u.Opaque != "" || u.Host == "":
		return refuse("it has no host: write https://host/path")
	case u.User != nil:
		return refuse("it has a user or password before the host: put credentials in a header or in the query")
	}
	if e.port, err = parsePort(u); err != nil {
		return nil, err
	}
	if err := e.setHost(u.Hostname()); err != nil {
		return nil, err
	}
	uri := u.RequestURI()
	for i := range len(uri) {
		if uri[i] <= ' ' || uri[i] >= 0x7f {
			return refuse("byte %q in path or query: percent-encode it", uri[i])
		}
	}
	e.setHead(uri)
	return e, nil
}

func parsePort(u *url.URL) (uint16, error) {
	s := u.Port()
	if s == "" && !strings.HasSuffix(u.Host, ":") {
		if u.Scheme == "https" {
			return 443, nil
		}
		return 80, nil
	}
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%w: port %q is not in 1-65535", ErrTarget, s)
	}
	return uint16(n), nil
}

// setHost takes an address or a name. Names that resolvers elsewhere read as numbers (127.1, 0x7f000001) are refused, so
// that one spelling means one host.
func (e *endpoint) setHost(host string) error {
	if a, err := netip.ParseAddr(host); err == nil {
		if a.Zone() != "" {
			return fmt.Errorf("%w: the address has a zone, which means something on this machine only: remove it", ErrTarget)
		}
		e.addr, e.host = a, a.String()
		return nil
	}
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		if ascii = strings.ToLower(host); !validName(ascii) {
			return fmt.Errorf("%w: host %q is not a valid name: letters, digits, - and dots, at most 253 bytes", ErrTarget, host)
		}
	}
	ascii = strings.ToLower(ascii)
	if !validName(ascii) {
		return fmt.Errorf("%w: host %q is not a valid name: letters, digits, - and dots, at most 253 bytes", ErrTarget, host)
	}
	if last := lastLabel(ascii); isNumber(last) {
		return fmt.Errorf("%w: host %q ends in a number but is no address: write all four parts in decimal", ErrTarget, host)
	}
	e.host = ascii
	return nil
}

// validName accepts what DNS names of hosts look like in practice (RFC 1123, and the underscore that some use).
func validName(h string) bool {
	h = strings.TrimSuffix(h, ".")
	if h == "" || len(h) > 253 {
		return false
	}
	for label := range strings.SplitSeq(h, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

func lastLabel(h string) string {
	h = strings.TrimSuffix(h, ".")
	return h[strings.LastIndexByte(h, '.')+1:]
}

func isNumber(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		label = hex
		for i := range len(label) {
			if !strings.ContainsRune("0123456789abcdef", rune(label[i])) {
				return false
			}
		}
		return true
	}
	for i := range len(label) {
		if label[i] < '0' || label[i] > '9' {
			return false
		}
	}
	return true
}

func (e *endpoint) setHead(uri string) {
	port := strconv.Itoa(int(e.port))
	hostport := net.JoinHostPort(e.host, port)
	scheme, standard := "http://", e.port == 80
	if e.tls {
		scheme, standard = "https://", e.port == 443
	}
	e.key = scheme + hostport
	field := hostport
	if standard {
		field = strings.TrimSuffix(hostport, ":"+port)
	}
	e.head = "POST " + uri + " HTTP/1.1\r\nHost: " + field + "\r\n"
}

// targets keeps parsed targets in two generations: when the young one is full it becomes the old one and what was old
// and unused since is gone. So a hot target is parsed once and memory stays bounded.
type targets struct {
	policy     *Policy
	mu         sync.RWMutex
	young, old map[string]*endpoint
}

func (t *targets) get(target string) (*endpoint, error) {
	t.mu.RLock()
	e, ok := t.young[target]
	t.mu.RUnlock()
	if ok {
		return e, nil
	}
	t.mu.Lock()
	e, ok = t.old[target]
	t.mu.Unlock()
	target = strings.Clone(target) // the caller's bytes may be reused once the attempt has ended
	if !ok {
		var err error
		if e, err = t.policy.parse(target); err != nil {
			return nil, err
		}
	}
	t.mu.Lock()
	if t.young == nil || len(t.young) >= targetCacheSize/2 {
		t.old, t.young = t.young, make(map[string]*endpoint)
	}
	t.young[target] = e
	t.mu.Unlock()
	return e, nil
}
