package blackbox

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// operator is a person with a terminal: every step is one command.
type operator struct {
	t   *testing.T
	r   *rig
	dir string
}

// does runs a command, demands its exit code and what it says, and returns it all.
func (o *operator) does(code int, say string, args ...string) string {
	o.t.Helper()
	got := runCLI(o.t, o.dir, "", []string{"HOOKLINE_SERVER=" + o.r.api.base, "HOOKLINE_ADMIN_KEY=" + o.r.key}, args...)
	if got.code != code || !strings.Contains(got.text(), say) {
		o.t.Fatalf("hookline %s: exit %d, want %d and %q\n%s", strings.Join(args, " "), got.code, code, say, got.text())
	}
	return got.text()
}

func (o *operator) file(name, text string) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, name), []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// id is the first id of a kind in a text.
func (o *operator) id(prefix, text string) string {
	o.t.Helper()
	id := regexp.MustCompile(prefix + `_[0-9a-z]{20,}`).FindString(text)
	if id == "" {
		o.t.Fatalf("no %s_... in\n%s", prefix, text)
	}
	return id
}

// From "I want zone changes of example.com only" to a saved, back-tested, explained subscription by the command line alone:
// check, try on what was published, save in shadow mode, look, promote, ask why, and undo a mistake.
func TestFromWishToSubscription(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	k := r.rcv.sink("zones", always(200))
	o := &operator{t: t, r: r, dir: t.TempDir()}
	o.does(0, "", "tenants", "create", "--id", "1010", "--profile", "dnsimple", "--name", "Example",
		"--attributes", `{"id":1010,"identifier":"owner@example.com","display":"Example"}`)
	ep := o.id("ep", o.does(0, "", "endpoints", "create", "1010", "--url", k.url, "--event-types", "domain.*"))
	o.file("example.json", `{"zone_record":{"zone_id":"example.com","ttl":3600}}`)
	o.file("other.json", `{"zone_record":{"zone_id":"example.org","ttl":60}}`)
	for range 3 {
		o.does(0, "0 matched", "publish", "1010", "zone_record.create", "-d", "example.json")
		o.does(0, "0 matched", "publish", "1010", "zone_record.update", "-d", "other.json")
	}

	// The first try is none, the second looks for what is not there: both are told.
	const filter = `data.zone_record.zone_id == "example.com"`
	o.does(1, "write == to compare", "filters", "check", `zone_id = "example.com"`, "--tenant", "1010")
	o.does(0, "did you mean data.zone_record.zone_id?", "filters", "check", `data.zone_record.zone_idd == "example.com"`, "--tenant", "1010", "--event-types", "zone_record.*")
	o.does(0, "cost: at most", "filters", "check", filter, "--tenant", "1010", "--event-types", "zone_record.*")
	o.does(0, "6 events: 3 matched, 3 missed (0 of other types), 0 failed", "filters", "simulate", filter, "--tenant", "1010", "--event-types", "zone_record.*")

	// Saved, it only counts.
	sub := o.id("sub", o.does(0, "shadow", "subscriptions", "create", "1010", "--endpoint-id", ep, "--event-types", "zone_record.*", "--filter", filter,
		"--mode", "shadow", "--note", "zone changes of example.com only"))
	o.does(0, "0 matched", "publish", "1010", "zone_record.create", "-d", "example.json")
	o.does(0, "0 matched", "publish", "1010", "zone_record.create", "-d", "other.json")
	o.does(0, `"matched":1`, "subscriptions", "get", "1010", sub, "-o", "json")
	r.settle(t)
	k.exactly(t, 0)

	// Promoted, it delivers; why is told for what went and for what did not.
	o.does(0, "live", "subscriptions", "promote", "1010", sub, "--note", "counts as expected")
	matched := strings.Fields(o.does(0, "1 matched", "publish", "1010", "zone_record.update", "-d", "example.json"))[1]
	missed := strings.Fields(o.does(0, "0 matched", "publish", "1010", "zone_record.update", "-d", "other.json"))[1]
	r.settle(t)
	k.exactly(t, 1)
	o.does(0, `is true (data.zone_record.zone_id is "example.com")`, "filters", "explain", "--tenant", "1010", "--event-id", matched, "--endpoint", ep)
	o.does(0, `is false (data.zone_record.zone_id is "example.org")`, "why", "1010", missed, ep)
	o.does(0, "is succeeded", "why", "1010", matched, ep)

	// A change is tried against what is saved; saved by mistake, it is undone.
	o.does(0, "+0 -5 of 10", "filters", "simulate", filter+" and data.zone_record.ttl < 60", "--tenant", "1010", "--subscription", sub)
	o.does(0, "", "subscriptions", "update", "1010", sub, "--filter", `data.zone_record.ttl < "60"`)
	o.does(0, "0 matched", "publish", "1010", "zone_record.update", "-d", "example.json")
	o.does(0, `"failures":1`, "subscriptions", "get", "1010", sub, "-o", "json")
	rows := strings.Split(o.does(0, "counts as expected", "subscriptions", "versions", "1010", sub), "\n")
	good := strings.Fields(rows[2])[0] // below the head and the mistake
	o.does(0, filter, "subscriptions", "rollback", "1010", sub, "--version", good, "--note", "a number is no text")
	o.does(0, "1 matched", "publish", "1010", "zone_record.update", "-d", "example.json")
	o.does(0, "a number is no text", "subscriptions", "versions", "1010", sub)
	r.settle(t)
	k.exactly(t, 2)
}
