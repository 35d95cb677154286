package engine

import (
	"context"
	"errors"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// StreamInput selects records. Zero values select everything.
type StreamInput struct {
	After  uint64 // begin behind this seq
	Tenant string
	Type   string // exactly this type of record, e.g. attempt.finished
}

// StreamRecord is one record as a stream shows it: its plain facts. What is sealed stays so.
type StreamRecord struct {
	Seq    uint64 `json:"seq"`
	Time   Time   `json:"time"`
	Type   string `json:"type" doc:"noun.past_tense"`
	Tenant string `json:"tenant"`
	Data   any    `json:"data" doc:"the record's facts"`
}

// streamPulse is how often a stream says something when nothing happens: who listens knows that it lives.
const streamPulse = 15 * time.Second

// Stream gives out records as they become durable, in order, each once, until ctx ends or emit fails. Now and then it
// calls emit with nil and the seq up to which it has looked: behind it there is nothing that was selected.
func (e *Engine) Stream(ctx context.Context, in StreamInput, emit func(r *StreamRecord, upTo uint64) error) error {
	if head := e.HeadSeq(); in.After > head {
		return Invalid("after", "seq %d is not in the log yet: its head is %d", in.After, head)
	}
	for after := eventlog.Seq(in.After); ; {
		for b, err := range e.cfg.Log.ReadBatches(ctx, after) {
			if err != nil {
				return streamError(err)
			}
			for i := range b.Records {
				if b.Records[i].Seq <= after {
					continue // the batch began before it
				}
				if err := e.emit(&b.Records[i], &in, emit); err != nil {
					return err
				}
			}
			after = b.Last()
		}
		if err := emit(nil, uint64(after)); err != nil {
			return err
		}
		wait, cancel := context.WithTimeout(ctx, streamPulse)
		err := e.cfg.Log.Wait(wait, after)
		cancel()
		if err != nil && (ctx.Err() != nil || wait.Err() == nil) {
			return streamError(err)
		}
	}
}

func (e *Engine) emit(r *eventlog.Record, in *StreamInput, emit func(*StreamRecord, uint64) error) error {
	if in.Tenant != "" && r.Tenant != in.Tenant || in.Type != "" && record.Name(r.Type) != in.Type {
		return nil
	}
	out, err := e.show(r)
	if err != nil {
		return err
	}
	return emit(&out, out.Seq)
}

func (e *Engine) show(r *eventlog.Record) (StreamRecord, error) {
	facts, err := record.Show(r, func(prefix string, ref record.Ref) string { return e.id(prefix, ref.Seq, ref.Ord) })
	return StreamRecord{Seq: uint64(r.Seq), Time: Time(r.Time), Type: record.Name(r.Type), Tenant: r.Tenant, Data: facts}, err
}

func streamError(err error) error {
	switch {
	case errors.Is(err, eventlog.ErrTrimmed):
		return &Error{Code: CodeNotFound, Detail: "the log does not go back that far any more: " + err.Error()}
	case errors.Is(err, context.Canceled):
		return err
	}
	return storeError(err)
}

// RecordTypes are the names of all types of record.
func RecordTypes() []string { return record.Names() }
