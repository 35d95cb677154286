package demo

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// O-5.
const osirTypes = "domain.registered domain.transferred domain.renewed domain.expired domain.deleted server.created server.started " +
	"server.stopped server.deleted server.resized invoice.created invoice.paid payment.failed"

// D-9: object, then its actions.
const dnsimpleNames = `account update billing_settings_update payment_details_update user_invite user_invitation_accept user_invitation_revoke user_remove
certificate issue reissue remove_private_key
contact create update delete
dnssec create delete rotation_start rotation_complete
domain auto_renewal_disable auto_renewal_enable create delete register:started register renew delegation_change registrant_change resolution_disable resolution_enable transfer:started transfer
email_forward create update delete
name_server deregister register
oauth_application create delete reset_client_secret revoke_access_tokens
platform_status create
push accept initiate reject
secondary_dns create delete update
subscription migrate renew subscribe unsubscribe
template create delete update
template_record create delete
vanity disable enable
webhook create delete
whois_privacy disable enable purchase renew
zone create delete
zone_record create delete update`

func catalogued(t *testing.T) []string {
	var names []string
	for line := range strings.Lines(dnsimpleNames) {
		f := strings.Fields(line)
		for _, action := range f[1:] {
			names = append(names, f[0]+"."+action)
		}
	}
	if len(names) != 68 {
		t.Fatalf("the test knows %d names, D-9 has 68", len(names))
	}
	return names
}

func TestCataloguesCoverTheProviders(t *testing.T) {
	osir, err := loadCatalogue("osir")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range osir.events {
		got = append(got, h.eventType)
	}
	if want := strings.Fields(osirTypes); !slices.Equal(got, want) { // O-17 is the profile's; here: each type happens
		t.Errorf("osir: %v, want %v", got, want)
	}
	dnsimple, err := loadCatalogue("dnsimple")
	if err != nil {
		t.Fatal(err)
	}
	known, seen := catalogued(t), map[string]bool{}
	for _, h := range dnsimple.events {
		if !slices.Contains(known, h.eventType) || seen[h.eventType] {
			t.Errorf("dnsimple: %s: not in D-9, or twice", h.eventType)
		}
		seen[h.eventType] = true
	}
	if len(seen) < 30 {
		t.Errorf("dnsimple: %d names, want a good part of 68", len(seen))
	}
}

// Whatever is drawn is an object of valid JSON without duplicate keys, and DNSimple's data is keyed by objects (D-7).
func TestEveryEventIsValid(t *testing.T) {
	for _, profile := range []string{"osir", "dnsimple"} {
		c, err := loadCatalogue(profile)
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.events {
			h := &c.events[i]
			for seed := range uint64(50) {
				d := newDrawing(seed)
				text := d.render(h.data)
				var data map[string]any
				if err := json.Unmarshal([]byte(text), &data); err != nil || len(data) == 0 {
					t.Fatalf("%s: %v: %s", h.eventType, err, text)
				}
				object, _, _ := strings.Cut(h.eventType, ".")
				if profile == "dnsimple" && data[object] == nil && object != "secondary_dns" && object != "vanity" {
					t.Fatalf("%s: no %q in %s", h.eventType, object, text)
				}
				if strings.ContainsAny(text, "<>") {
					t.Fatalf("%s: a placeholder is left: %s", h.eventType, text)
				}
				if again := newDrawing(seed).render(h.data); again != text {
					t.Fatalf("%s: the same seed drew\n%s\n%s", h.eventType, text, again)
				}
				if again := newDrawing(seed + 1000).render(h.data); again == text {
					t.Fatalf("%s: another seed drew the same", h.eventType)
				}
			}
		}
		if (profile == "dnsimple") != (c.actor != nil) {
			t.Errorf("%s: actor %v", profile, c.actor)
		}
	}
}

func newDrawing(seed uint64) *drawing {
	return &drawing{rnd: rand.New(rand.NewPCG(seed, 2)), now: time.Unix(1_700_000_000, 0), account: 1010, drawn: map[string]string{}}
}

func TestSameWordsMeanTheSameValue(t *testing.T) {
	pieces, err := parsePieces(`<number:5:a> <number:5:a> <number:5:b> <account> <pick:x<number:1>|y<number:1>>`)
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(newDrawing(1).render(pieces))
	if len(f) != 5 || f[0] != f[1] || f[0] == f[2] || len(f[0]) != 5 || f[3] != "1010" || len(f[4]) != 2 {
		t.Fatalf("%v", f)
	}
}

func TestCatalogueErrorsNameLineAndFix(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "no events: want lines",
		"3 a.b":              "line 1: want `weight type data`",
		"# c\n0 a.b {}":      `line 2: weight "0": want 1 to 1000`,
		"let x {}":           "line 1: want `let name = text`",
		"1 a.b {\"x\":<@y>}": "line 1: <@y>: no `let y = ...` before it",
		"let y = 1<@y>":      "line 1: <@y>: no `let y = ...` before it",
		"1 a.b {\"x\":<@y":   "<@y: no > for this <",
		"let a = " + strings.Repeat("x", 40_000) + "\n1 a.b <@a><@a>": "line 2: expands to more than",
		"1 a.b {\"x\":<zip>}":      `line 1: <zip>: "zip" is no kind of value`,
		"1 a.b {\"x\":<number:x>}": `line 1: <number:x>: "x" digits: want 1 to 9`,
		"1 a.b {\"x\":<pick>}":     "line 1: <pick>: want <pick:...>",
		"1 a.b {\"x\":<now}":       "no > for this <",
		"1 a.b {\"x\":<pick:<q>>}": `"q" is no kind of value`,
	} {
		_, err := parseCatalogue(text)
		if !errors.Is(err, ErrCatalogue) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParseCatalogue(f *testing.F) {
	f.Add("let a = {\"n\":<number:3>}\n1 x.y {\"a\":<@a>,\"p\":<pick:1|2>}")
	f.Add("1 a.b {\"x\":<now}")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCatalogue(text)
		if err != nil {
			return
		}
		d := newDrawing(1)
		d.render(c.pick(d.rnd).data)
		d.render(c.actor)
	})
}
