package profile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/filters"
	"github.com/hookline/hookline/transports"
)

// plain loads testdata/plain.yaml with one text in it replaced.
func plain(t testing.TB, old, new string) *profile.Profile {
	t.Helper()
	p, err := loadPlain(t, old, new)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func loadPlain(t testing.TB, old, new string) (*profile.Profile, error) {
	t.Helper()
	content, err := os.ReadFile("testdata/plain.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(content, []byte(old)) {
		t.Fatalf("%q is not in testdata/plain.yaml", old)
	}
	return profile.Lint("plain.yaml", bytes.Replace(content, []byte(old), []byte(new), 1))
}

// Every mistake is told with file, line, field and fix. In testdata/mistakes an input is an old text, a line of ===, and
// the text that takes its place in plain.yaml. Indentation of
// their first lines does not count.
func TestMistakes(t *testing.T) {
	datadriven.RunTest(t, "testdata/mistakes", func(t *testing.T, d *datadriven.TestData) string {
		old, new, ok := strings.Cut(d.Input, "\n===")
		if !ok {
			t.Fatalf("%s: no line of ===", d.Pos)
		}
		_, err := loadPlain(t, old, strings.TrimLeft(new, "\n "))
		if err == nil {
			return "loaded"
		}
		var e *profile.Error
		if !errors.As(err, &e) || !errors.Is(err, profile.ErrInvalid) || e.File != "plain.yaml" {
			t.Errorf("%s: %v is no *Error of plain.yaml", d.Pos, err)
		}
		return err.Error()
	})
}

func TestLoadWhole(t *testing.T) {
	for content, says := range map[string]string{
		"":                                    "is empty",
		"# nothing\n":                         "is empty",
		"- a list\n":                          "is a list; write fields",
		"name: [\n":                           "not YAML",
		"name: a\n---\nname: b\n":             "more than one document",
		"name: " + strings.Repeat("a", 1<<20): "at most 1048576 are read",
		strings.Repeat("[", 100_000):          "not YAML",
	} {
		_, err := profile.Load("p.yaml", []byte(content))
		if err == nil || !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), "p.yaml:") {
			t.Errorf("%.40q: %v, want %q", content, err, says)
		}
	}
}

// Load keeps nothing of its argument.
func TestLoadCopies(t *testing.T) {
	content, err := os.ReadFile("testdata/plain.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Load("plain.yaml", content)
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Clone(content)
	clear(content)
	if !bytes.Equal(p.Content, want) {
		t.Error("Content changed with the caller's bytes")
	}
	if body, err := p.Render(nil, &profile.Input{ID: "x", Type: "t", Data: raw(`{}`), Attributes: raw(`{"region":"eu"}`)}); err != nil ||
		string(body) != `{"kind":"note \"1\"","what":{},"where":{"region":"eu"},"who":"x"}` {
		t.Errorf("body %s, %v", body, err)
	}
}

// What neither seed uses.
func TestRarerRules(t *testing.T) {
	p := plain(t, "version: 7", "version: 7\nunknown_types: refuse")
	fieldIs(t, p.CheckPublishType("note.added"), "")
	fieldIs(t, p.CheckPublishType("note.aded"), "type")
	if err := p.CheckPublishType("note.aded"); !strings.Contains(err.Error(), `did you mean "note.added"?`) {
		t.Errorf("%v, want the nearest type", err)
	}
	for _, seed := range profile.Builtin() { // D-9: unknown names are deliverable
		fieldIs(t, seed.CheckPublishType("something.new:done"), "")
	}
	for status, want := range map[int]transports.Outcome{410: transports.Gone, 204: transports.Acknowledged, 200: transports.Rejected} {
		if got, _ := p.Judge(transports.Result{Status: status}); got != want {
			t.Errorf("%d is %v, want %v", status, got, want)
		}
	}
}

// O-5, D-9: the catalogues.
func TestCatalogue(t *testing.T) {
	want := map[string][]string{
		"osir": strings.Fields(`domain.registered domain.transferred domain.renewed domain.expired domain.deleted server.created server.started
			server.stopped server.deleted server.resized invoice.created invoice.paid payment.failed`),
		"dnsimple": dnsimpleNames(),
	}
	for _, p := range seeds(t) {
		if len(p.EventTypes) != len(want[p.Name]) {
			t.Errorf("%s has %d types, want %d", p.Name, len(p.EventTypes), len(want[p.Name]))
		}
		for _, name := range want[p.Name] {
			e, ok := p.Known(name)
			if !ok || e.Name != name {
				t.Errorf("%s does not know %s", p.Name, name)
				continue
			}
			if !strings.HasSuffix(e.Description, ".") {
				t.Errorf("%s: description %q", name, e.Description)
			}
			if err := filters.CheckType(name); err != nil {
				t.Error(err)
			}
		}
		if _, ok := p.Known("domain.register:ended"); ok {
			t.Errorf("%s knows a state that is not in the catalogue", p.Name)
		}
	}
}

func dnsimpleNames() (names []string) {
	for object, actions := range map[string]string{
		"account":           "update billing_settings_update payment_details_update user_invite user_invitation_accept user_invitation_revoke user_remove",
		"certificate":       "issue reissue remove_private_key",
		"contact":           "create update delete",
		"dnssec":            "create delete rotation_start rotation_complete",
		"domain":            "auto_renewal_disable auto_renewal_enable create delete register:started register renew delegation_change registrant_change resolution_disable resolution_enable transfer:started transfer",
		"email_forward":     "create update delete",
		"name_server":       "deregister register",
		"oauth_application": "create delete reset_client_secret revoke_access_tokens",
		"platform_status":   "create",
		"push":              "accept initiate reject",
		"secondary_dns":     "create delete update",
		"subscription":      "migrate renew subscribe unsubscribe",
		"template":          "create delete update",
		"template_record":   "create delete",
		"vanity":            "disable enable",
		"webhook":           "create delete",
		"whois_privacy":     "disable enable purchase renew",
		"zone":              "create delete",
		"zone_record":       "create delete update",
	} {
		for _, action := range strings.Fields(actions) {
			names = append(names, object+"."+action)
		}
	}
	return names
}

// O-17, P17: every example renders; D-7: a DNSimple example's data is keyed by its type's object.
func TestExamples(t *testing.T) {
	reserved := regexp.MustCompile(`\b([a-z0-9-]+\.)+(example|invalid)\b|192\.0\.2\.|198\.51\.100\.|203\.0\.113\.`)
	for _, p := range profile.Builtin() {
		for _, e := range p.EventTypes {
			body, err := p.Render(nil, &profile.Input{ID: p.NewEventID(), Type: e.Name, OccurredAt: time.Now(), Data: e.Example, Attributes: raw(attributes)})
			if err != nil || !json.Valid(body) || !bytes.Equal(p.Data(body), e.Example) {
				t.Errorf("%s: %s: %v", e.Name, body, err)
			}
			var data map[string]json.RawMessage
			if err := json.Unmarshal(e.Example, &data); err != nil {
				t.Errorf("%s: %v", e.Name, err)
			}
			if p.Name == "dnsimple" {
				object, _, _ := strings.Cut(e.Name, ".")
				if object == "vanity" {
					object = "vanity_name_servers"
				}
				if data[object] == nil {
					t.Errorf("%s: data has no %s: %s", e.Name, object, e.Example)
				}
			}
			for _, domain := range regexp.MustCompile(`[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}\b`).FindAllString(string(e.Example), -1) {
				if !reserved.MatchString(domain) {
					t.Errorf("%s: %s may belong to somebody; use a name under .example", e.Name, domain)
				}
			}
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, p := range profile.Builtin() {
		f.Add(p.Content)
	}
	content, err := os.ReadFile("testdata/plain.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add([]byte("name: &a [*a]"))
	f.Add(bytes.Replace(content, []byte("events:"), []byte("strict: true\nschemas: {a: {$ref: '#/$defs/b'}, b: {$ref: '#/$defs/a'}}\nevents:\n  - {name: a, description: A., example: {}, schema: {$ref: '#/$defs/a'}}"), 1))
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := profile.Lint("f.yaml", content)
		if err != nil {
			var e *profile.Error
			if !errors.As(err, &e) {
				t.Fatalf("%v is no *Error", err)
			}
			return
		}
		if err := p.Schedule.Validate(); err != nil {
			t.Error(err)
		}
		for _, e := range p.EventTypes {
			if err := p.CheckData(e.Name, e.Example); err != nil {
				t.Errorf("%s: its own example: %v", e.Name, err)
			}
		}
		p.Signer(p.NewSecret(), "another secret").Append(nil, &profile.Attempt{EventID: "i", EventType: "t", Body: []byte("{}")})
		if id := p.NewEventID(); p.CheckEventID(id) != nil {
			t.Errorf("its own id %q is refused", id)
		}
		if _, err := p.Render(nil, &profile.Input{ID: "i", Type: "t", Data: raw(`{}`)}); err == nil {
			return
		}
	})
}

// Old records keep the profile version they were decided under: contents that logs hold load as they did. Files in
// testdata/recorded are never changed.
func TestRecordedContents(t *testing.T) {
	for file, want := range map[string]struct {
		attempts, suppress int
		disables           bool
		headers            int
	}{"osir-1.yaml": {5, 0, true, 3}, "dnsimple-1.yaml": {10, 15, false, 2}} {
		content, err := os.ReadFile("testdata/recorded/" + file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := profile.Load(file, content)
		if err != nil {
			t.Fatal(err)
		}
		if p.Schedule.MaxAttempts() != want.attempts || p.SuppressAfter != want.suppress || p.DisableAfterExhausted != want.disables ||
			len(headers(p, "secret", nil)) != want.headers {
			t.Errorf("%s: %+v", file, p)
		}
	}
}

// What receivers may say: the seeds honour none of it; a profile may, within bounds. Warnings come where a failure policy
// counts.
func TestReceiversSay(t *testing.T) {
	for _, name := range []string{"osir", "dnsimple"} {
		if p := builtin(t, name); p.RetryAfterCap != 0 || p.GoneDisables || (p.WarnAt != nil) != (p.SuppressAfter > 0) {
			t.Errorf("%s: Retry-After %v, gone %v, warnings %v", name, p.RetryAfterCap, p.GoneDisables, p.WarnAt)
		}
	}
	for yaml, want := range map[string]time.Duration{
		"retry_after: {honour: true}":              24 * time.Hour,
		"retry_after: {honour: true, cap: \"1h\"}": time.Hour,
		"retry_after: {honour: false, cap: 1h}":    0,
	} {
		if p := plain(t, "gone: disable", yaml); p.RetryAfterCap != want || p.GoneDisables {
			t.Errorf("%s: %v, gone disables %v", yaml, p.RetryAfterCap, p.GoneDisables)
		}
	}
	if p := plain(t, "gone: disable", "failure_policy:\n  warn_at: [50, 70, 90]"); string(p.WarnAt) != string([]byte{50, 70, 90}) {
		t.Errorf("warnings at %v", p.WarnAt)
	}
}

func BenchmarkBuiltin(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		profile.Builtin()
	}
}

// What `hookline profiles init` writes lints clean under every name, says what it is for, and signs.
func TestStart(t *testing.T) {
	for _, name := range []string{"acme", "a", strings.Repeat("x", 64)} {
		content, err := profile.Start(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := profile.Lint(name+".yaml", content)
		if err != nil || p.Name != name || !p.Overlaps() || len(p.EventTypes) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "Acme", "a b", "../a", strings.Repeat("x", 65), "osir", "stripe"} {
		if _, err := profile.Start(name); !errors.Is(err, profile.ErrInvalid) {
			t.Errorf("%q: %v, want it refused", name, err)
		}
	}
}
