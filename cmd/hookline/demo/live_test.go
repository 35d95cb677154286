package demo

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/transports"
)

func TestLiveLines(t *testing.T) {
	end := time.Date(2026, 3, 4, 12, 4, 31, 512e6, time.Local).UnixMilli()
	attempt := func(outcome transports.Outcome, kind string, status uint16, state record.Status, due time.Duration) *record.AttemptFinished {
		a := &record.AttemptFinished{
			Endpoint: 7, Number: 2, Trigger: record.TriggerSchedule, StartedAt: end - 12, TookMS: 12, Outcome: uint8(outcome),
			Kind: record.KindNumber(kind), StatusCode: status, Status: state, EventType: "invoice.paid",
		}
		if due > 0 {
			a.NextDue = end + due.Milliseconds()
		}
		return a
	}
	for _, tc := range []struct {
		kind  eventlog.Type
		facts []byte
		want  string
	}{
		{record.TypeAttemptFinished, attempt(transports.Acknowledged, "", 200, record.Succeeded, 0).AppendFacts(nil),
			"12:04:31.512  demo-harbor   invoice.paid                     billing         #2   acknowledged  200     12 ms"},
		{record.TypeAttemptFinished, attempt(transports.Rejected, "status", 500, record.Pending, 5*time.Minute).AppendFacts(nil),
			"12:04:31.512  demo-harbor   invoice.paid                     billing         #2   rejected      500     12 ms  next 12:09:31, in 5m0s"},
		{record.TypeAttemptFinished, attempt(transports.Unreachable, "connection_reset", 0, record.Exhausted, 0).AppendFacts(nil),
			"12:04:31.512  demo-harbor   invoice.paid                     billing         #2   unreachable (connection_reset)   -     12 ms  exhausted"},
		{record.TypeEndpointTested, attempt(transports.TimedOut, "timeout_response", 0, 0, 0).AppendFacts(nil),
			"12:04:31.512  demo-harbor   invoice.paid                     billing         test timed_out (timeout_response)   -     12 ms"},
		{record.TypeEndpointSuppressed, (&record.EndpointChange{Endpoint: 8, Reason: record.ReasonSuppressed}).AppendFacts(nil),
			"12:04:31.512  demo-harbor   endpoint seq 8 is suppressed"},
		{record.TypeDeliverySkipped, []byte("not looked at"), ""},
	} {
		var out bytes.Buffer
		l := NewLive(&out, false)
		l.name(record.ID{Seq: 7, Tag: 99}.Format(record.PrefixEndpoint), "billing")
		b := &eventlog.Batch{Records: []eventlog.Record{{Type: tc.kind, Time: end, Tenant: "demo-harbor", Facts: tc.facts}}}
		if err := l.Batch(b); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSuffix(out.String(), "\n"); got != tc.want {
			t.Errorf("%s:\n%q, want\n%q", record.Name(tc.kind), got, tc.want)
		}
	}
}

func TestLiveColor(t *testing.T) {
	var out bytes.Buffer
	if err := NewLive(&out, true).Print(Line{Outcome: "acknowledged"}); err != nil || !strings.Contains(out.String(), "\x1b[32macknowledged \x1b[0m") {
		t.Errorf("%q %v", out.String(), err)
	}
	f, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if Color(f) {
		t.Error("a file is colored")
	}
	tty, err := os.OpenFile("/dev/null", os.O_WRONLY, 0) // a character device, as a terminal is
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	if !Color(tty) {
		t.Error("a terminal is not colored")
	}
	t.Setenv("NO_COLOR", "1")
	if Color(tty) {
		t.Error("colored in spite of NO_COLOR")
	}
}

func TestLiveTellsDamageAndFailedWrites(t *testing.T) {
	l := NewLive(failingWriter{}, false)
	if err := l.Record(&eventlog.Record{Seq: 9, Type: record.TypeAttemptFinished, Facts: []byte{1}}); !errors.Is(err, record.ErrMalformed) || !strings.Contains(err.Error(), "seq 9") {
		t.Errorf("%v", err)
	}
	if err := l.Print(Line{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("%v", err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }
