package https

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Section 11: every special-purpose range by its first, a middle and its last address, and what lies just outside.
func TestGuardRefuses(t *testing.T) {
	g := newGuard(nil)
	for _, a := range []string{
		"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.1.2.3", "10.255.255.255", "100.64.0.0", "100.100.100.200", "100.127.255.255",
		"127.0.0.1", "127.255.255.255", "168.63.129.16", "169.254.0.0", "169.254.169.254", "169.254.255.255",
		"172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.192", "192.0.0.255", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1",
		"192.168.0.0", "192.168.255.255", "192.175.48.1", "198.18.0.0", "198.19.255.255", "198.51.100.1", "203.0.113.255",
		"224.0.0.1", "239.255.255.255", "240.0.0.0", "255.255.255.254", "255.255.255.255",
		"::", "::1", "::7f00:1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::808:808",
		"64:ff9b:1::1", "100::1", "100:0:0:1::1", "2001::1", "2001:0:7f00:1::", "2001:1ff:ffff::", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1",
		"2002:7f00:1::", "2002:a00:1::1", "2620:4f:8000::1", "3fff::1", "3fff:fff:ffff::", "5f00::1", "fc00::1", "fd00:ec2::254", "fdff::1",
		"fe80::1", "febf::1", "fec0::1", "ff02::1", "4000::1", "8000::1", "1fff::1",
	} {
		if err := g.check(netip.MustParseAddr(a)); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v, want ErrAddress", a, err)
		} else if !strings.Contains(err.Error(), "--allow-cidr ") {
			t.Errorf("%s: %q does not say the fix", a, err)
		}
	}
	for _, a := range []string{
		"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "168.63.129.15", "168.63.129.17",
		"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
		"223.255.255.255", "::ffff:1.1.1.1", "2001:200::1", "2001:4860:4860::8888", "2003::1", "2606:4700::1111", "2a00::1", "3ffe:ffff::1",
	} {
		if err := g.check(netip.MustParseAddr(a)); err != nil {
			t.Errorf("%s: %v, want allowed", a, err)
		}
	}
}

// AllowCIDR opens exactly what it says, in whichever form the address comes.
func TestGuardAllow(t *testing.T) {
	g := newGuard([]netip.Prefix{
		netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("::ffff:10.1.0.0/112"), netip.MustParsePrefix("64:ff9b::/96"),
	})
	for a, ok := range map[string]bool{
		"127.9.9.9": true, "::ffff:127.0.0.1": true, "128.0.0.1": true, "10.1.2.3": true, "10.2.0.0": false, "fd12::1": true, "fc00::1": false,
		"64:ff9b::1.2.3.4": true, "192.168.0.1": false, "::1": false,
	} {
		if err := g.check(netip.MustParseAddr(a)); (err == nil) != ok {
			t.Errorf("%s: %v, want allowed %t", a, err, ok)
		}
	}
	if err := g.check(netip.MustParseAddr("fd00::1%eth0")); !errors.Is(err, ErrAddress) {
		t.Errorf("zone: %v", err)
	}
}

// An IPv4 address fares the same mapped into IPv6.
func TestGuardMapped(t *testing.T) {
	g := newGuard(nil)
	rapid.Check(t, func(t *rapid.T) {
		a := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address")))
		plain, mapped := g.check(a), g.check(netip.AddrFrom16(a.As16()))
		if (plain == nil) != (mapped == nil) {
			t.Fatalf("%s: %v, mapped %v", a, plain, mapped)
		}
	})
}

// After DNS every candidate is judged: refused ones are left out, and none left is a refusal.
func TestReachable(t *testing.T) {
	p := NewPolicy(nil, false)
	addrs := func(list ...string) (out []netip.Addr) {
		for _, a := range list {
			out = append(out, netip.MustParseAddr(a))
		}
		return out
	}
	got, err := p.reachable(addrs("10.0.0.1", "::ffff:1.1.1.1", "::1", "2606:4700::1111"))
	if err != nil || len(got) != 2 || got[0] != netip.MustParseAddr("1.1.1.1") || got[1] != netip.MustParseAddr("2606:4700::1111") {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := p.reachable(addrs("10.0.0.1", "169.254.169.254")); !errors.Is(err, ErrAddress) {
		t.Errorf("%v, %v", got, err)
	}
}
