package pebblelog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hookline/hookline/eventlog"
)

// quiet drops what the log says: tests damage it on purpose.
func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func memOptions(fs vfs.FS) Options {
	return Options{Dir: "/log", FS: fs, MemTable: 1 << 20, ScrubRate: -1, Logger: quiet(), Now: func() int64 { return 1 }}
}

func mustOpen(t *testing.T, o Options) *Log {
	t.Helper()
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func mustAcquire(t *testing.T, l *Log) eventlog.Writer {
	t.Helper()
	w, err := l.Acquire(context.Background(), "test")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func mustWait(t *testing.T, c *eventlog.Commit) {
	t.Helper()
	if err := c.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// numbered makes n records whose content follows from their seqs.
func numbered(first eventlog.Seq, n int) []eventlog.Record {
	rs := make([]eventlog.Record, n)
	for i := range rs {
		rs[i] = expected(first + eventlog.Seq(i))
	}
	return rs
}

func expected(seq eventlog.Seq) eventlog.Record {
	r := eventlog.Record{Type: 7, Time: int64(seq), Tenant: "t", Facts: fmt.Appendf(nil, "facts %d", seq)}
	if seq%3 != 0 {
		data := fmt.Appendf(nil, "%0*d", 100+int(seq)%400, seq)
		r.Sections = []eventlog.Section{{Data: data}}
	}
	return r
}

// sameAsNumbered says whether a record is what numbered made. Epoch records are always.
func sameAsNumbered(r eventlog.Record) error {
	if r.Type == eventlog.TypeEpochStarted {
		return nil
	}
	want := expected(r.Seq)
	same := string(r.Facts) == string(want.Facts) && len(r.Sections) == len(want.Sections) && r.Time == want.Time
	for i := 0; same && i < len(want.Sections); i++ {
		same = string(r.Sections[i].Data) == string(want.Sections[i].Data)
	}
	if !same {
		return fmt.Errorf("record %d is not what was appended", r.Seq)
	}
	return nil
}

// readAll reads everything, and returns how far it came. A record that is not what was appended fails the test.
func readAll(t *testing.T, l *Log) (last eventlog.Seq, err error) {
	t.Helper()
	for r, err := range l.Read(context.Background(), 0) {
		if err != nil {
			return last, err
		}
		if err := sameAsNumbered(r); err != nil {
			t.Fatalf("silent damage: %v", err)
		}
		if r.Seq != last+1 {
			t.Fatalf("silent damage: record %d follows %d", r.Seq, last)
		}
		last = r.Seq
	}
	return last, nil
}

// wantCorrupt checks that an error says where the damage is, and returns it.
func wantCorrupt(t *testing.T, err error) *eventlog.CorruptError {
	t.Helper()
	var c *eventlog.CorruptError
	if !errors.As(err, &c) || !errors.Is(err, eventlog.ErrCorrupt) {
		t.Fatalf("error is %v, want a CorruptError", err)
	}
	return c
}
