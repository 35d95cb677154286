package https

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"unsafe"
)

// O-3, D-2, P3 and section 11: what is refused when an endpoint is created, and that the message says why.
func TestCheckTarget(t *testing.T) {
	strict, open := NewPolicy(nil, false), NewPolicy([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, true)
	long := "https://example.com/" + strings.Repeat("a", MaxTarget)
	for _, c := range []struct {
		policy    *Policy
		target    string
		httpsOnly bool
		say       string // part of the message; empty: accepted
	}{
		{strict, "https://example.com", true, ""},
		{strict, "https://example.com:8443/in?token=1&x=%20", true, ""},
		{strict, "https://bücher.example/", true, ""},
		{strict, "HTTPS://under_score.Example/", true, ""},
		{strict, "https://1.1.1.1/", true, ""},
		{strict, "https://[2606:4700::1111]:443/", true, ""},
		{strict, "https://localhost/", true, ""}, // a name: judged when connecting
		{strict, long[:MaxTarget], true, ""},
		{strict, long[:MaxTarget+1], true, "at most 2048"},
		{strict, "http://example.com", true, "this profile takes https only: use https://"},
		{strict, "http://example.com", false, "scheme is http"},
		{open, "http://example.com", true, "this profile takes https only"},
		{open, "http://example.com", false, ""},
		{open, "https://127.0.0.1:1/", true, ""},
		{strict, "ftp://example.com", true, `scheme is "ftp"`},
		{strict, "example.com/in", true, "scheme is"},
		{strict, "//example.com/in", true, "scheme is"},
		{strict, "https:example.com", true, "no host"},
		{strict, "https://", true, "no host"},
		{strict, "https:///in", true, "no host"},
		{strict, "https://:443/", true, "not a valid name"},
		{strict, "https://user@example.com/", true, "user or password"},
		{strict, "https://user:pass@example.com/", true, "user or password"},
		{strict, "https://@example.com/", true, "user or password"},
		{strict, "https://example.com:0/", true, "1-65535"},
		{strict, "https://example.com:65536/", true, "1-65535"},
		{strict, "https://example.com:/", true, "1-65535"},
		{strict, "https://example.com:x/", true, "not a URL"},
		{strict, "https://example.com/#a", true, "fragment"},
		{strict, "https://example.com/#", true, "fragment"},
		{strict, "https://example.com/a b", true, ""}, // a space in a path is encoded
		{strict, "https://example.com/?a b", true, "percent-encode"},
		{strict, "https://example.com/?ü", true, "percent-encode"},
		{strict, "https://example.com/\r\nx: y", true, "not a URL"},
		{strict, "https://exa mple.com/", true, "not a URL"},
		{strict, "https://exa\x00mple.com/", true, "not a URL"},
		{strict, "https://example..com/", true, "not a valid name"},
		{strict, "https://" + strings.Repeat("a", 64) + ".com/", true, "not a valid name"},
		{strict, "https://127.0.0.1/", true, "loopback"},
		{strict, "https://[::1]/", true, "loopback"},
		{strict, "https://[::ffff:10.0.0.1]/", true, "private use"},
		{strict, "https://[fe80::1%25eth0]/", true, "zone"},
		{strict, "https://169.254.169.254/latest/meta-data", true, "link-local"},
		{strict, "https://127.1/", true, "ends in a number"},
		{strict, "https://0177.0.0.1/", true, "ends in a number"},
		{strict, "https://0x7f000001/", true, "ends in a number"},
		{strict, "https://2130706433/", true, "ends in a number"},
		{strict, "https://127.0.0.1./", true, "ends in a number"},
		{strict, "https://1.2.3.0x10/", true, "ends in a number"},
		{strict, "https://１２７.0.0.1/", true, "ends in a number"},
	} {
		err := c.policy.CheckTarget(c.target, c.httpsOnly)
		switch {
		case c.say == "" && err != nil:
			t.Errorf("%.60q: %v, want accepted", c.target, err)
		case c.say != "" && (err == nil || !strings.Contains(err.Error(), c.say)):
			t.Errorf("%.60q: %v, want a message with %q", c.target, err, c.say)
		case err != nil && !errors.Is(err, ErrTarget) && !errors.Is(err, ErrAddress):
			t.Errorf("%.60q: %v wraps neither ErrTarget nor ErrAddress", c.target, err)
		}
	}
}

func TestTargetHead(t *testing.T) {
	p := NewPolicy(nil, true)
	for target, want := range map[string]string{
		"https://Example.com":                "https://example.com:443 POST / HTTP/1.1\r\nHost: example.com\r\n",
		"https://example.com:443/a?b":        "https://example.com:443 POST /a?b HTTP/1.1\r\nHost: example.com\r\n",
		"https://example.com:8443/a%2Fb/../": "https://example.com:8443 POST /a%2Fb/../ HTTP/1.1\r\nHost: example.com:8443\r\n",
		"http://example.com/?":               "http://example.com:80 POST /? HTTP/1.1\r\nHost: example.com\r\n",
		"http://example.com:443/":            "http://example.com:443 POST / HTTP/1.1\r\nHost: example.com:443\r\n",
		"https://[2606:4700::1111]/":         "https://[2606:4700::1111]:443 POST / HTTP/1.1\r\nHost: [2606:4700::1111]\r\n",
		"https://bücher.example/ü":           "https://xn--bcher-kva.example:443 POST /%C3%BC HTTP/1.1\r\nHost: xn--bcher-kva.example\r\n",
		"https://example.com./":              "https://example.com.:443 POST / HTTP/1.1\r\nHost: example.com.\r\n",
	} {
		e, err := p.parse(target)
		if err != nil {
			t.Errorf("%s: %v", target, err)
			continue
		}
		if got := e.key + " " + e.head; got != want {
			t.Errorf("%s:\n got %q\nwant %q", target, got, want)
		}
	}
}

// Hot targets are parsed once, the cache stays bounded, and it keeps none of the caller's memory.
func TestTargetsCache(t *testing.T) {
	c := targets{policy: NewPolicy(nil, false)}
	raw := []byte("https://example.com/hot")
	hot, err := c.get(unsafe.String(&raw[0], len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	clear(raw) // as a plugin does that reuses an attempt's buffer
	if hot.head != "POST /hot HTTP/1.1\r\nHost: example.com\r\n" || hot.host != "example.com" || hot.key != "https://example.com:443" {
		t.Errorf("the caller's memory was kept: %+v", hot)
	}
	for i := range 3 * targetCacheSize {
		if _, err := c.get(fmt.Sprintf("https://example.com/%d", i)); err != nil {
			t.Fatal(err)
		}
		if n := len(c.young) + len(c.old); n > targetCacheSize {
			t.Fatalf("%d targets kept, at most %d", n, targetCacheSize)
		}
		if e, _ := c.get("https://example.com/hot"); e != hot {
			t.Fatalf("parsed again after %d others", i)
		}
	}
}

func FuzzTarget(f *testing.F) {
	for _, s := range []string{"https://example.com/in?a=b", "https://[::1]:8443/", "https://user@h/", "https://bücher.example", "https://0x7f.1/", "http://a:80#f"} {
		f.Add(s)
	}
	p := NewPolicy(nil, true)
	f.Fuzz(func(t *testing.T, target string) {
		e, err := p.parse(target)
		if err != nil {
			if !errors.Is(err, ErrTarget) {
				t.Fatalf("%q: %v", target, err)
			}
			return
		}
		// Whatever was accepted makes exactly two header lines, and parses again to the same place.
		if strings.Count(e.head, "\r\n") != 2 || strings.Count(e.head, "\n") != 2 || strings.Count(strings.SplitN(e.head, "\r", 2)[0], " ") != 2 {
			t.Fatalf("%q: head %q", target, e.head)
		}
		again, err := p.parse(e.key + strings.Split(e.head, " ")[1])
		if err != nil && len(e.head) < MaxTarget {
			t.Fatalf("%q: its own form %q: %v", target, e.key, err)
		}
		if err == nil && (again.key != e.key || again.head != e.head) {
			t.Fatalf("%q: %q then %q", target, e.head, again.head)
		}
	})
}
