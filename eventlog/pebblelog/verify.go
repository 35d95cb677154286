package pebblelog

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/hookline/hookline/eventlog"
)

// Report is what Verify saw.
type Report struct {
	Batches, Records, Sections int64
	Removed                    int64 // sections whose data was removed under a rule; their sums are still proved
	Bytes                      int64 // read: batches and sections
	Head                       eventlog.Head
	Damaged                    []*eventlog.CorruptError // in no order, at most maxDamaged
}

// maxDamaged is how many damaged ranges a Report lists.
const maxDamaged = 1000

// VerifyOptions is what Verify may be told beside.
type VerifyOptions struct {
	// Progress, if not nil, is called from one goroutine at a time as seqs are done, with the bytes read so far.
	Progress func(done, total eventlog.Seq, bytes int64)
	// Allowed, if not nil, says which sections of a record may be removed, bit 0 the first one; it sees no section data and
	// is called from several goroutines. What is removed beyond that is damage.
	Allowed func(*eventlog.Record) uint16
}

// Verify reads everything up to the head as it is now, recomputes the chain and every sum, and compares with the
// high-water mark. It goes on after damage, so that Report names all of it; its error is the first one met (it wraps
// eventlog.ErrCorrupt), or ctx's. progress is VerifyOptions.Progress.
// It may run while the log is written to.
func (l *Log) Verify(ctx context.Context, progress func(done, total eventlog.Seq, bytes int64)) (Report, error) {
	return l.VerifyWith(ctx, VerifyOptions{Progress: progress})
}

// VerifyWith is Verify with more options.
func (l *Log) VerifyWith(ctx context.Context, o VerifyOptions) (Report, error) {
	head, err := l.Head(ctx)
	if err != nil {
		return Report{}, err
	}
	v := verification{log: l, head: head, progress: o.Progress, allowed: o.Allowed, chunks: make(chan *chunk, 2)}
	var workers sync.WaitGroup
	for range max(2, min(4, runtime.GOMAXPROCS(0))) {
		workers.Go(v.work)
	}
	err = v.walk(ctx)
	close(v.chunks)
	workers.Wait()
	v.report.Head = head
	if err == nil {
		err = v.failed
	}
	if err == nil && len(v.report.Damaged) > 0 {
		err = v.report.Damaged[0]
	}
	return v.report, err
}

type verification struct {
	log      *Log
	head     eventlog.Head
	chunks   chan *chunk
	progress func(done, total eventlog.Seq, bytes int64)
	allowed  func(*eventlog.Record) uint16

	mu     sync.Mutex
	report Report
	failed error
	done   eventlog.Seq
}

// walk reads the batches in order, checks that each follows the one before, and leaves the hashing to the workers.
func (v *verification) walk(ctx context.Context) error {
	var link link
	for next := eventlog.Seq(1); next <= v.head.Seq; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c := new(chunk)
		if err := v.log.fill(c, next, v.head.Seq, maxChunk); err != nil {
			if errors.Is(err, eventlog.ErrClosed) {
				return err
			}
			next = v.damaged(err, next) + 1
			link.known = false
			continue
		}
		// The workers check links within a chunk, this checks those between chunks.
		if err := v.follow(&link, c); err != nil {
			v.damaged(err, next)
		}
		next = c.next
		v.chunks <- c
	}
	if link.known && link.chain != v.head.Chain {
		v.damaged(&eventlog.CorruptError{First: v.head.Seq, Last: v.head.Seq, What: "its chain is not the head's"}, v.head.Seq)
	}
	return nil
}

// follow checks that a chunk begins with the chain that the one before ended with, and notes its own end.
func (v *verification) follow(k *link, c *chunk) error {
	var d eventlog.Decoder
	var b eventlog.Batch
	if err := d.Decode(&b, c.batch(0)); err != nil {
		k.known = false
		return nil // a worker says so
	}
	err := k.follow(&b)
	if k.known = d.Decode(&b, c.batch(c.len()-1)) == nil; k.known {
		k.chain = b.Chain
	}
	return err
}

func (v *verification) work() {
	k := checker{report: func(c *eventlog.CorruptError) { v.damaged(c, c.First) }, allowed: v.allowed}
	for c := range v.chunks {
		first, _, _ := eventlog.DecodeRange(c.batch(0)) // seen by walk
		k.link.known, k.tally = false, tally{}
		if err := v.log.check(c, &k); err != nil {
			v.fail(err)
		}
		v.add(&k.tally, c.next-first)
	}
}

// fail notes an error that is not about what is stored: the log was closed meanwhile.
func (v *verification) fail(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failed = err
}

func (v *verification) add(t *tally, seqs eventlog.Seq) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := &v.report
	r.Batches += t.batches
	r.Records += t.records
	r.Sections += t.sections
	r.Removed += t.removed
	r.Bytes += t.bytes
	v.done += seqs
	if v.progress != nil {
		v.progress(min(v.done, v.head.Seq), v.head.Seq, r.Bytes)
	}
}

// damaged notes damage met at or after seq, and returns the last seq that it covers.
func (v *verification) damaged(err error, seq eventlog.Seq) eventlog.Seq {
	var damage *eventlog.CorruptError
	if !errors.As(err, &damage) {
		damage = &eventlog.CorruptError{First: seq, Last: seq, What: err.Error()}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.report.Damaged) < maxDamaged {
		v.report.Damaged = append(v.report.Damaged, damage)
	}
	return max(damage.Last, seq)
}
