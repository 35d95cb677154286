package blackbox

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// shell runs commands against one server, given by the environment.
type shell struct{ r *rig }

func (sh shell) env() []string {
	return []string{"HOOKLINE_SERVER=" + sh.r.api.base, "HOOKLINE_ADMIN_KEY=" + sh.r.key}
}

// ok runs a command line of words, demands exit 0 and silence on standard error, and returns what it prints.
func (sh shell) ok(t testing.TB, words string, more ...string) string {
	t.Helper()
	got := runCLI(t, sh.r.dir, "", sh.env(), append(strings.Fields(words), more...)...)
	if got.code != 0 || got.errOut != "" {
		t.Fatalf("hookline %s %q: exit %d, want 0\n%s", words, more, got.code, got.text())
	}
	return got.out
}

// read is ok with -o json, decoded.
func (sh shell) read(t testing.TB, into any, words string, more ...string) {
	t.Helper()
	out := sh.ok(t, words, append(more, "-o", "json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("hookline %s -o json: %v\n%s", words, err, out)
	}
}

// refused demands an exit code, nothing on standard output and a message.
func (sh shell) refused(t testing.TB, code int, say, words string) {
	t.Helper()
	got := runCLI(t, sh.r.dir, "", sh.env(), strings.Fields(words)...)
	if got.code != code || got.out != "" || !strings.Contains(got.errOut, say) {
		t.Errorf("hookline %s: exit %d, want %d and %q\n%s", words, got.code, code, say, got.text())
	}
}

// Every verb of the command line on tenants, endpoints, subscriptions, events, deliveries and attempts, as API.md has them
// under "CLI": what it says is what the API says then.
func TestCommandsOnResources(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	sh := shell{r}
	k, bad := r.rcv.sink("good", always(200)), r.rcv.sink("bad", always(500))

	var made struct{ ID, Name string }
	sh.read(t, &made, "tenants create --id acme --profile osir --name", "Acme Ltd")
	equal(t, "tenant", made.ID+" "+made.Name, "acme Acme Ltd")
	sh.read(t, &made, "tenants update acme --name Acme")
	n := &tenant{s: r.server, id: "acme"}
	sh.ok(t, "tenants create --id 77 --profile dnsimple --attributes", `{"id":77,"identifier":"a@example.com","display":"A"}`)
	table := sh.ok(t, "tenants list")
	if !regexp.MustCompile(`(?m)^acme +osir +Acme +2026-01-01 00:00:00$`).MatchString(table) || !strings.HasPrefix(table, "ID ") {
		t.Errorf("tenants list:\n%s", table)
	}
	equal(t, "said", sh.ok(t, "tenants delete 77"), "deleted\n")
	sh.refused(t, 1, "no tenant", "tenants get 77")

	var ep endpoint
	sh.read(t, &ep, "endpoints create acme --event-types domain.* --url "+k.url)
	var failing endpoint
	sh.read(t, &failing, "endpoints create acme --event-types invoice.paid --schedule 1m,2m --url "+bad.url)
	endpointVerbs(t, sh, n, ep)
	subscriptionVerbs(t, sh, failing)
	deliveryVerbs(t, sh, n, k, ep, failing)

	equal(t, "said", sh.ok(t, "endpoints delete acme "+ep.ID), "deleted\n")
	sh.refused(t, 1, "endpoint", "endpoints get acme "+ep.ID)
}

func endpointVerbs(t *testing.T, sh shell, n *tenant, ep endpoint) {
	t.Helper()
	var got endpoint
	for _, c := range []struct{ verb, status string }{{"disable", "disabled"}, {"enable", "enabled"}, {"clear-suppression", "enabled"}} {
		sh.read(t, &got, "endpoints "+c.verb+" acme "+ep.ID)
		equal(t, c.verb, got.Status, c.status)
		equal(t, "after "+c.verb, n.getEndpoint(t, ep.ID).Status, c.status)
	}
	sh.read(t, &got, "endpoints update acme "+ep.ID+" --description", "the first one")
	if out := sh.ok(t, "endpoints get acme "+ep.ID); !regexp.MustCompile(`(?m)^description +the first one$`).MatchString(out) {
		t.Errorf("endpoints get:\n%s", out)
	}
	var secret struct{ Secret string }
	sh.read(t, &secret, "endpoints rotate-secret acme "+ep.ID+" --secret another-secret")
	equal(t, "secret", secret.Secret, "another-secret")
	sh.read(t, &secret, "endpoints secret acme "+ep.ID)
	equal(t, "secret read", secret.Secret, "another-secret")
	if out := sh.ok(t, "endpoints list acme"); strings.Contains(out, "another-secret") || strings.Count(out, "\n") != 3 {
		t.Errorf("endpoints list:\n%s", out)
	}
	var a attempt
	sh.read(t, &a, "endpoints test acme "+ep.ID+" --event-type domain.registered")
	equal(t, "test", row(a.Trigger, a.status(), a.Outcome), row("test", 200, "acknowledged"))
}

func subscriptionVerbs(t *testing.T, sh shell, failing endpoint) {
	t.Helper()
	var sub struct {
		ID         string   `json:"id"`
		EventTypes []string `json:"event_types"`
		Filter     *string  `json:"filter"`
	}
	sh.read(t, &sub, "subscriptions create acme --event-types server.*,invoice.created --endpoint-id "+failing.ID+" --filter", `data.n == 1`)
	equal(t, "types", strings.Join(sub.EventTypes, " "), "server.* invoice.created")
	sh.read(t, &sub, "subscriptions update acme "+sub.ID+" --event-types server.* --unset filter")
	equal(t, "types and filter", row(strings.Join(sub.EventTypes, " "), sub.Filter == nil), row("server.*", true))
	if out := sh.ok(t, "subscriptions get acme "+sub.ID); !regexp.MustCompile(`(?m)^event_types +server\.\*$`).MatchString(out) {
		t.Errorf("subscriptions get:\n%s", out)
	}
	equal(t, "lines", strings.Count(sh.ok(t, "subscriptions list acme"), "\n"), 4)
	equal(t, "said", sh.ok(t, "subscriptions delete acme "+sub.ID), "deleted\n")
	equal(t, "lines", strings.Count(sh.ok(t, "subscriptions list acme"), "\n"), 3)
}

func deliveryVerbs(t *testing.T, sh shell, n *tenant, k *sink, ep, failing endpoint) {
	t.Helper()
	had := k.count() // the test event
	first := n.publish(t, event{typ: "domain.registered", data: `{"domain":"a.example"}`, id: "evt_first"}).only(t)
	doomed := n.publish(t, event{typ: "invoice.paid", data: `{"n":1}`}).only(t)
	lost := n.publish(t, event{typ: "payment.failed", data: `{}`})
	sh.r.settle(t)

	table := sh.ok(t, "deliveries list acme --status pending")
	due := time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC)
	if !regexp.MustCompile(`(?m)^` + doomed + ` +pending +- +1 +` + due.Format(time.DateTime) + ` +invoice\.paid +` + failing.ID + `$`).MatchString(table) {
		t.Errorf("deliveries list:\n%s", table)
	}
	var d delivery
	sh.read(t, &d, "deliveries resend acme "+first)
	equal(t, "resend_of", d.ResendOf, first)
	sh.read(t, &d, "deliveries cancel acme "+doomed)
	equal(t, "canceled", row(d.Status, d.Reason), row("canceled", "canceled_by_user"))
	sh.refused(t, 1, "not pending", "deliveries release acme "+doomed)
	sh.refused(t, 1, "canceled", "deliveries resend acme "+doomed)
	sh.read(t, &d, "events deliver acme "+lost.UID+" --endpoint-id "+ep.ID)
	sh.r.settle(t)
	k.exactly(t, had+3)
	n.hasStatus(t, d.ID, "succeeded", "", 1)
	if out := sh.ok(t, "deliveries get acme "+d.ID); !regexp.MustCompile(`(?m)^attempts\[0\]\.outcome +acknowledged$`).MatchString(out) {
		t.Errorf("deliveries get:\n%s", out)
	}
	var e struct{ UID, Type string }
	sh.read(t, &e, "events get acme evt_first")
	equal(t, "type", e.Type, "domain.registered")
	if out := sh.ok(t, "events list acme --type domain.registered --from 2026-01-01T00:00:00Z"); strings.Count(out, "\n") != 2 || !strings.Contains(out, e.UID) {
		t.Errorf("events list:\n%s", out)
	}
	var log page[attempt]
	sh.read(t, &log, "attempts list acme --order asc --outcome acknowledged --endpoint-id "+ep.ID)
	equal(t, "acknowledged attempts", len(log.Data), 4)
	equal(t, "the first", log.Data[0].Trigger, "test")
	if out := sh.ok(t, "attempts list acme --delivery-id "+doomed); !regexp.MustCompile(`(?m)^2026-01-01 00:00:00 +rejected +status +500 +1 +schedule +invoice\.paid +` + doomed + `$`).MatchString(out) {
		t.Errorf("attempts list:\n%s", out)
	}
}

// Lists stop at --limit and say so, on standard error; --all takes every page. Refusals are the problem's text and exit 1,
// what cannot be meant is exit 2; flags go before the environment.
func TestCommandsPagingAndRefusals(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	sh := shell{r}
	n := r.tenant(t, "many", "osir")
	var batch []string
	for i := range 300 {
		batch = append(batch, fmt.Sprintf(`{"type":"domain.registered","data":{"n":%d}}`, i))
	}
	r.api.post(t, 202, n.path("/events:batch"), `{"events":[`+strings.Join(batch, ",")+`]}`, nil)

	for args, want := range map[string]int{"": 50, "--limit 7": 7, "--limit 260": 260} {
		got := runCLI(t, r.dir, "", sh.env(), strings.Fields("events list many "+args)...)
		if got.code != 0 || strings.Count(got.out, "\n") != want+1 || !strings.Contains(got.errOut, "there are more: --all") {
			t.Errorf("events list %s: exit %d, %d lines, want %d and a title\n%s", args, got.code, strings.Count(got.out, "\n"), want, got.errOut)
		}
	}
	equal(t, "lines of all", strings.Count(sh.ok(t, "events list many --all"), "\n"), 301)
	var all page[kept]
	sh.read(t, &all, "events list many --all")
	equal(t, "all, and no cursor", row(len(all.Data), all.Next == nil), row(300, true))

	sh.refused(t, 1, "type: ", "events list many --type "+strings.Repeat("x", 2000))
	sh.refused(t, 1, "from: ", "events list many --from yesterday")
	sh.refused(t, 1, "url: ", "endpoints create many --url http://example.com/")
	sh.refused(t, 1, "no tenant", "deliveries list nobody")
	sh.refused(t, 1, "the key is not the server's", "events list many --key wrong")
	sh.refused(t, 1, "does not answer", "events list many --server http://127.0.0.1:1")
	sh.refused(t, 2, "did you mean --status?", "deliveries list many --statuz x")
	sh.refused(t, 2, "--endpoint-id is missing", "subscriptions create many")
	sh.refused(t, 2, "want NAME=VALUE", "endpoints create many --url https://example.com/ --headers nothing")
	sh.refused(t, 2, "neither table nor json", "tenants list -o yaml")
	got := runCLI(t, r.dir, "", nil, "tenants", "get", "many", "--server", r.api.base, "--key", r.key)
	equal(t, "by flags", got.code, 0)
}
