package demo

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Words to draw from: invented people, companies and places. Nothing in them needs escaping in JSON.
const (
	firstNames = "Ana Bruno Chiara Dmitri Élise Farid Greta Hugo Ines Jonas Katja Liam Mirela Noor Olof Petra Quim Rosa Stefan Tomoko Ulla Viktor Wanda Xenia Yusuf Zoë"
	lastNames  = "Albers Benedetti Costa Dvořák Ekström Fontaine Grünwald Horvat Ito Jansen Kowalska Lindqvist Moreau Novak Oliveira Petrov Quispe Rossi Svensson Takács Ueda Varga Weber Ximenes Yildiz Zimmer"
	nouns      = "harbor lantern meadow orchard pebble quarry ridge saddle timber valley willow anchor beacon cedar delta ember falcon glacier hazel island juniper kettle lagoon maple nectar otter"
	adjectives = "blue brisk calm copper early gentle golden green hidden hollow iron late little lucky misty northern open quiet red silent silver slow sunny tiny white wild"
	zones      = "example example.com example.net example.org test"
	cities     = "Lisboa Gdańsk Bologna Ghent Tartu Brno Porto Malmö Graz Split Leuven Vigo Turku Nantes"
	countries  = "PT PL IT BE EE CZ SE AT HR ES FI FR"
	streets    = "Harbor Street;Mill Lane;Station Road;Church Hill;Long Alley;Market Square;River Walk"
	labels     = "www api mail shop blog status docs cdn vpn staging _dmarc"
	companies  = "Ltd GmbH AB SARL BV Coop"
)

// kinds are what a placeholder may begin with, and whether it needs more after a colon.
var kinds = map[string]bool{
	"account": false, "amount": false, "bool": false, "city": false, "company": false, "country": false, "day": false,
	"domain": false, "email": false, "first": false, "hex8": false, "hex64": false, "ip4": false, "ip6": false,
	"label": false, "last": false, "now": false, "number": true, "past": false, "phone": false, "pick": true,
	"size": false, "street": false, "today": false, "ttl": false, "uuid": false, "year": false,
}

// checkWords refuses a placeholder that value could not draw.
func checkWords(words string) error {
	kind, rest, more := strings.Cut(words, ":")
	needs, known := kinds[kind]
	switch {
	case !known:
		return fmt.Errorf("<%s>: %q is no kind of value", words, kind)
	case needs && (!more || rest == ""):
		return fmt.Errorf("<%s>: want <%s:...>", words, kind)
	case kind == "number":
		width, _, _ := strings.Cut(rest, ":")
		if n, err := strconv.Atoi(width); err != nil || n < 1 || n > 9 {
			return fmt.Errorf("<%s>: %q digits: want 1 to 9", words, width)
		}
	case kind == "pick":
		for choice := range strings.SplitSeq(rest, "|") {
			if _, err := parsePieces(choice); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *drawing) value(words string) string {
	kind, rest, _ := strings.Cut(words, ":")
	switch kind {
	case "account":
		return strconv.Itoa(d.account)
	case "amount":
		return fmt.Sprintf("%d.%02d", 4+d.rnd.IntN(900), d.rnd.IntN(100))
	case "bool":
		return strconv.FormatBool(d.rnd.IntN(2) == 0)
	case "number":
		width, _, _ := strings.Cut(rest, ":")
		return d.number(width)
	case "pick":
		pieces, _ := parsePieces(d.oneOf(rest, "|")) // checkWords has read it once without an error
		return d.render(pieces)
	case "hex8":
		return fmt.Sprintf("%08x", d.rnd.Uint32())
	case "hex64":
		return fmt.Sprintf("%016X%016X%016X%016X", d.rnd.Uint64(), d.rnd.Uint64(), d.rnd.Uint64(), d.rnd.Uint64())
	case "uuid":
		return d.uuid()
	case "size":
		return d.oneOf("small|medium|large|xlarge", "|")
	case "ttl":
		return d.oneOf("60|300|600|3600|86400", "|")
	}
	if v, ok := d.time(kind); ok {
		return v
	}
	return d.name(kind)
}

func (d *drawing) name(kind string) string {
	switch kind {
	case "domain":
		return d.oneOf(adjectives, " ") + "-" + d.oneOf(nouns, " ") + "." + d.oneOf(zones, " ")
	case "email":
		return d.oneOf(nouns, " ") + "." + d.oneOf(adjectives, " ") + "@" + d.oneOf(zones, " ")
	case "company":
		n := d.oneOf(nouns, " ")
		return strings.ToUpper(n[:1]) + n[1:] + " " + d.oneOf(companies, " ")
	case "street":
		return d.oneOf(streets, ";") + " " + d.number("2")
	case "first":
		return d.oneOf(firstNames, " ")
	case "last":
		return d.oneOf(lastNames, " ")
	case "city":
		return d.oneOf(cities, " ")
	case "country":
		return d.oneOf(countries, " ")
	case "label":
		return d.oneOf(labels, " ")
	case "phone":
		return "+999 " + d.number("3") + " " + d.number("4") // no country has this code
	case "ip4": // RFC 5737: for documentation
		return fmt.Sprintf("203.0.113.%d", 1+d.rnd.IntN(254))
	case "ip6": // RFC 3849: for documentation
		return fmt.Sprintf("2001:db8:%x::%x", d.rnd.IntN(1<<16), 1+d.rnd.IntN(1<<16-1))
	}
	return ""
}

func (d *drawing) time(kind string) (string, bool) {
	day := 24 * time.Hour
	switch kind {
	case "now":
		return d.now.UTC().Format(time.RFC3339), true
	case "today":
		return d.now.UTC().Format(time.DateOnly), true
	case "year":
		return strconv.Itoa(d.now.UTC().Year()), true
	case "day":
		return d.now.UTC().Add(time.Duration(14+d.rnd.IntN(720)) * day).Format(time.DateOnly), true
	case "past":
		return d.now.UTC().Add(-time.Duration(1+d.rnd.IntN(1500))*day - time.Duration(d.rnd.IntN(86400))*time.Second).Format(time.RFC3339), true
	}
	return "", false
}

// number has exactly width digits and no leading zero.
func (d *drawing) number(width string) string {
	n, _ := strconv.Atoi(width)
	low := 1
	for range n - 1 {
		low *= 10
	}
	return strconv.Itoa(low + d.rnd.IntN(9*low))
}

func (d *drawing) uuid() string {
	a, b := d.rnd.Uint64(), d.rnd.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffffff)
}

func (d *drawing) oneOf(list, sep string) string {
	choices := strings.Split(list, sep)
	return choices[d.rnd.IntN(len(choices))]
}
