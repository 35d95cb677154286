package filters

import (
	"os"
	"strings"
	"testing"
	"time"
)

// Every example of README.md: in a block `filter`, each line is a filter and behind // what becomes of it; the block
// `event` is what they look at.
func TestReadme(t *testing.T) {
	content, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var ev *Event
	block, examples := "", 0
	for line := range strings.Lines(string(content)) {
		line = strings.TrimRight(line, "\n")
		if kind, fence := strings.CutPrefix(line, "```"); fence {
			if block = kind; kind == "event" {
				ev = &Event{Tenant: "acme"}
			}
			continue
		}
		switch block {
		case "event":
			readmeField(t, ev, line)
		case "filter":
			src, want, ok := strings.Cut(line, "// ")
			if !ok {
				t.Errorf("%q does not say what becomes of it", line)
				continue
			}
			examples++
			fresh := &Event{Type: ev.Type, ID: ev.ID, Tenant: ev.Tenant, OccurredAt: ev.OccurredAt, Data: ev.Data, Actor: ev.Actor, Metadata: ev.Metadata}
			got := verdict(line, fresh) // comment and all
			got = strings.Replace(got, "REFUSED", "refused:", 1)
			kind, part, _ := strings.Cut(want, ": ")
			if !strings.HasPrefix(got, kind) || !strings.Contains(got, part) {
				t.Errorf("%s: README says %q, it is %q", src, want, got)
			}
		case "":
		case "console": // run by cmd/hookline
		default:
			if strings.HasPrefix(block, "json ") || strings.HasPrefix(block, "yaml ") { // files of the commands
				continue
			}
			t.Errorf("unknown block %q", block)
		}
	}
	if examples < 40 {
		t.Errorf("%d examples found: the test reads the page wrongly", examples)
	}
}

func readmeField(t *testing.T, ev *Event, line string) {
	t.Helper()
	name, value, _ := strings.Cut(line, ": ")
	switch name {
	case "type":
		ev.Type = value
	case "id":
		ev.ID = value
	case "occurred_at":
		at, err := time.Parse(time.RFC3339, value)
		if err != nil {
			t.Fatal(err)
		}
		ev.OccurredAt = at
	case "data":
		ev.Data = []byte(value)
	case "actor":
		ev.Actor = []byte(value)
	case "metadata":
		ev.Metadata = []byte(value)
	default:
		t.Fatalf("unknown field %q", name)
	}
}
