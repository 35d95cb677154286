package https

import (
	"errors"
	"fmt"
	"net/netip"
)

// ErrAddress: the guard refuses an address.
var ErrAddress = errors.New("https: address refused")

// special is a range that no customer's target may lie in.
type special struct {
	prefix netip.Prefix
	name   string
}

// guard decides which addresses may be connected to. It is immutable.
type guard struct {
	v4, v6 []special
	allow  []netip.Prefix
}

func newGuard(allow []netip.Prefix) *guard {
	g := &guard{v4: specialIPv4(), v6: specialIPv6()}
	for _, p := range allow {
		if p.Addr().Is4In6() && p.Bits() >= 96 { // ::ffff:10.0.0.0/104 means 10.0.0.0/8
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		g.allow = append(g.allow, p.Masked())
	}
	return g
}

// check is nil for an address that may be connected to. IPv4-mapped addresses count as the IPv4 address they reach.
func (g *guard) check(a netip.Addr) error {
	a = a.Unmap()
	if a.Zone() != "" {
		return fmt.Errorf("%w: %s has a zone, which means something on this machine only: use a public address", ErrAddress, a)
	}
	for _, p := range g.allow {
		if p.Contains(a) {
			return nil
		}
	}
	table := g.v6
	if a.Is4() {
		table = g.v4
	}
	for _, s := range table {
		if s.prefix.Contains(a) {
			return fmt.Errorf("%w: %s is in %s (%s): use a public address, or the operator allows it with --allow-cidr %s",
				ErrAddress, a, s.prefix, s.name, s.prefix)
		}
	}
	if a.Is6() && !globalUnicast6().Contains(a) {
		return fmt.Errorf("%w: %s is outside %s (global unicast, RFC 4291): use a public address, or the operator allows it with --allow-cidr %s",
			ErrAddress, a, globalUnicast6(), netip.PrefixFrom(a, 128))
	}
	return nil
}

func globalUnicast6() netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20}), 3)
}

// specialIPv4 is the IANA IPv4 Special-Purpose Address Registry (RFC 6890 and later entries) with multicast and the
// cloud addresses that answer on public-looking numbers. Ranges that the registry calls globally reachable but that no
// webhook receiver lives in (AS112, AMT) are refused too.
func specialIPv4() []special {
	return specials(
		"0.0.0.0/8", "this network, RFC 791",
		"10.0.0.0/8", "private use, RFC 1918",
		"100.64.0.0/10", "carrier-grade NAT, RFC 6598",
		"127.0.0.0/8", "loopback, RFC 1122",
		"168.63.129.16/32", "Azure's wire server",
		"169.254.0.0/16", "link-local and cloud metadata, RFC 3927",
		"172.16.0.0/12", "private use, RFC 1918",
		"192.0.0.0/24", "IETF protocol assignments, RFC 6890",
		"192.0.2.0/24", "documentation, RFC 5737",
		"192.31.196.0/24", "AS112, RFC 7535",
		"192.52.193.0/24", "AMT, RFC 7450",
		"192.88.99.0/24", "6to4 relay anycast, RFC 7526",
		"192.168.0.0/16", "private use, RFC 1918",
		"192.175.48.0/24", "AS112 direct delegation, RFC 7534",
		"198.18.0.0/15", "benchmarking, RFC 2544",
		"198.51.100.0/24", "documentation, RFC 5737",
		"203.0.113.0/24", "documentation, RFC 5737",
		"224.0.0.0/4", "multicast, RFC 1112",
		"255.255.255.255/32", "broadcast, RFC 919",
		"240.0.0.0/4", "reserved, RFC 1112",
	)
}

// specialIPv6 is the IANA IPv6 Special-Purpose Address Registry with multicast and deprecated forms. Everything outside
// 2000::/3 is refused anyway; entries there exist for the name in the message. Ranges that carry an IPv4 address inside
// (NAT64, 6to4, Teredo, IPv4-compatible) are refused whole, so nothing reaches a private IPv4 address through them.
func specialIPv6() []special {
	return specials(
		"::/128", "unspecified, RFC 4291",
		"::1/128", "loopback, RFC 4291",
		"::/96", "IPv4-compatible, RFC 4291",
		"64:ff9b::/96", "NAT64, RFC 6052",
		"64:ff9b:1::/48", "local-use NAT64, RFC 8215",
		"100::/64", "discard-only, RFC 6666",
		"100:0:0:1::/64", "dummy prefix, RFC 9780",
		"2001::/32", "Teredo, RFC 4380",
		"2001:2::/48", "benchmarking, RFC 5180",
		"2001:10::/28", "ORCHID, RFC 4843",
		"2001:20::/28", "ORCHIDv2, RFC 7343",
		"2001::/23", "IETF protocol assignments, RFC 2928",
		"2001:db8::/32", "documentation, RFC 3849",
		"2002::/16", "6to4, RFC 3056",
		"2620:4f:8000::/48", "AS112 direct delegation, RFC 7534",
		"3fff::/20", "documentation, RFC 9637",
		"5f00::/16", "segment routing SIDs, RFC 9602",
		"fc00::/7", "unique local, RFC 4193",
		"fe80::/10", "link-local, RFC 4291",
		"fec0::/10", "site-local, RFC 3879",
		"ff00::/8", "multicast, RFC 4291",
	)
}

func specials(pairs ...string) []special {
	out := make([]special, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, special{netip.MustParsePrefix(pairs[i]), pairs[i+1]})
	}
	return out
}
