package engine

import (
	"context"
	"encoding/json"

	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/seal"
)

// LogDiff is what changed between two points of the log.
type LogDiff struct {
	FromSeq   uint64            `json:"from_seq"`
	ToSeq     uint64            `json:"to_seq"`
	Text      []string          `json:"text" doc:"the whole in words, a line each"`
	Changes   []ObjectChange    `json:"changes" doc:"at most 10 000, oldest objects first"`
	Truncated bool              `json:"truncated" doc:"there are more changes: take nearer points"`
	Records   map[string]uint64 `json:"records" doc:"after from_seq, up to to_seq, by type"`
}

// ObjectChange is one object that differs.
type ObjectChange struct {
	Kind     string        `json:"kind" enum:"profile,tenant,endpoint,subscription"`
	ID       string        `json:"id"`
	TenantID *string       `json:"tenant_id" doc:"null for profiles"`
	Change   string        `json:"change" enum:"created,changed,deleted"`
	Erased   bool          `json:"erased" doc:"its content was erased: fields are not known"`
	Fields   []FieldChange `json:"fields" doc:"that differ; of a created or deleted object all that it has"`
}

// FieldChange is one field of an object, by its name in the API.
type FieldChange struct {
	Field string          `json:"field"`
	From  json.RawMessage `json:"from" doc:"null where it was not there"`
	To    json.RawMessage `json:"to" doc:"null where it is not there any more"`
}

// maxDiff bounds LogDiff.Changes.
const maxDiff = 10_000

// DiffLog says what changed between two points of the log.
func (e *Engine) DiffLog(ctx context.Context, from, to AsOf) (LogDiff, error) {
	a, err := e.AsOf(ctx, from)
	if err != nil {
		return LogDiff{}, at("from", err)
	}
	b, err := e.AsOf(ctx, to)
	if err != nil {
		return LogDiff{}, at("to", err)
	}
	if a.Seq > b.Seq {
		return LogDiff{}, Invalid("from", "seq %d lies after to, %d: swap them", a.Seq, b.Seq)
	}
	older, err := e.pasts.at(ctx, a.Seq)
	if err != nil {
		return LogDiff{}, pastError(err)
	}
	newer, err := e.pasts.at(ctx, b.Seq)
	if err != nil {
		return LogDiff{}, pastError(err)
	}
	return e.diff(ctx, older, newer, nil)
}

// at puts a parameter's own name to an error of AsOf.
func at(name string, err error) error {
	if e, ok := err.(*Error); ok && len(e.Fields) == 1 {
		return Invalid(name, "%s", e.Fields[0].Message)
	}
	return err
}

// Offline is a log without an engine.
type Offline struct {
	Log     eventlog.Log
	Keyring *seal.Keyring
	Dir     string // the data directory, for its snapshots; "" = fold from the beginning
	// Progress, if not nil, is called now and then with how many records of the range were counted.
	Progress func(eventlog.Seq)
}

// DiffLog is Engine.DiffLog of a log that no engine holds. It writes nothing.
func (o Offline) DiffLog(ctx context.Context, from, to AsOf) (LogDiff, error) {
	cfg := Config{Log: o.Log, Keyring: o.Keyring}
	cfg.setDefaults()
	e := &Engine{cfg: cfg, clock: &manualClock{now: 1 << 62}}
	s := newSnapshots(o.Dir, o.Log, cfg.Logger)
	s.readOnly = true
	e.pasts = newPasts(s)
	defer e.pasts.close()
	head, err := o.Log.Head(ctx)
	if err != nil {
		return LogDiff{}, err
	}
	newest, err := s.stateAt(ctx, head.Seq) // knows every epoch
	if err != nil {
		return LogDiff{}, err
	}
	e.epochs = newest.Epochs()
	a, err := e.AsOf(ctx, from)
	if err != nil {
		return LogDiff{}, at("from", err)
	}
	b, err := e.AsOf(ctx, to)
	if err != nil {
		return LogDiff{}, at("to", err)
	}
	if a.Seq > b.Seq {
		return LogDiff{}, Invalid("from", "seq %d lies after to, %d: swap them", a.Seq, b.Seq)
	}
	older, err := s.stateAt(ctx, a.Seq)
	if err != nil {
		return LogDiff{}, err
	}
	newer := newest
	if b.Seq != head.Seq {
		if newer, err = s.stateAt(ctx, b.Seq); err != nil {
			return LogDiff{}, err
		}
	}
	return e.diff(ctx, older, newer, o.Progress)
}

func (e *Engine) diff(ctx context.Context, a, b *state.State, progress func(eventlog.Seq)) (LogDiff, error) {
	d := differ{e: e, a: stateReader{a, e.epochs, a.Time}, b: stateReader{b, e.epochs, b.Time},
		out: LogDiff{FromSeq: uint64(a.Seq), ToSeq: uint64(b.Seq), Text: []string{}, Changes: []ObjectChange{}, Records: map[string]uint64{}}}
	if err := d.count(ctx, progress); err != nil {
		return LogDiff{}, err
	}
	for _, compare := range []func() error{d.profiles, d.tenants, d.endpoints, d.subscriptions} {
		if err := compare(); err != nil {
			return LogDiff{}, err
		}
	}
	d.words()
	return d.out, nil
}
