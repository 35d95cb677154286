// Package eventlog is the log: an append-only, totally ordered, gap-free sequence of records
// with a single writer. It is the only truth of the system; everything else is derived from it.
//
// # Promises
//
//   - Order is call order. Append assigns consecutive seqs in the order of the calls; a reader never sees a hole.
//   - A batch is atomic: after a crash at any point all of its records are there, or none.
//   - A batch whose Commit.Wait returned nil is durable: it survives kill -9 and loss of power.
//   - Fencing: Acquire makes its caller the only writer. Everything a former Writer appends fails with ErrFenced.
//   - Reads see durable records only, and go on while the writer writes.
//   - What is damaged is never served: reads fail with an error that wraps ErrCorrupt and names seqs.
//
// # Concurrency
//
// A Log is safe for concurrent use. A Writer belongs to one goroutine; its Commits may be waited for anywhere.
// Whoever opened a Log closes it, after its Writer. Close is idempotent.
//
// This package imports no third-party module. Backends: pebblelog (embedded, on disk), memlog (tests, examples).
// logtest is the conformance suite that every backend passes. The stored form is specified in FORMAT.md.
package eventlog

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Seq is a record's position: 1 is the first, 0 stands for "before all".
type Seq uint64

// Hash is a SHA-256.
type Hash [32]byte

// Type numbers a kind of record. Numbers are for ever; the names (`noun.past_tense`) live with the records' owner.
// TypeEpochStarted is the log's own: Acquire appends it, with EpochFacts.
type Type uint16

const TypeEpochStarted Type = 1

// MaxTenant is the longest tenant id in bytes, MaxOwner the longest owner.
const (
	MaxTenant = 64
	MaxOwner  = 128
)

// Limits of one batch. Append refuses what is over them before anything is written.
const (
	MaxBatchRecords = 16384
	MaxBatchBytes   = 64 << 20 // facts and sections together
	MaxSections     = 16
	MaxFacts        = 1 << 20 // bytes a record
	MaxSection      = 4 << 20 // bytes a section
)

// MinUnderway is how many batches every Writer takes before Append blocks.
const MinUnderway = 2

// Record is one immutable fact. Facts are plain for ever (see FORMAT.md on what may stand there);
// Sections are sealed bytes, opaque to the log.
type Record struct {
	Seq      Seq    // assigned by Append
	Type     Type   //
	Time     int64  // Unix milliseconds, non-decreasing within a log
	Tenant   string // "" for records of no tenant
	Flags    uint8  // none defined: must be 0
	Facts    []byte
	Sections []Section
}

// Section is one sealed part of a record. Sum is SHA-256 of Data: the chain covers Sum, so that Data can be
// removed under a rule while the record stays provable. Len is Data's length, known without loading Data.
// In what ReadBatches yields Data is nil (not loaded). Removed says that the bytes are gone for good.
type Section struct {
	Sum     Hash
	Len     uint32
	Data    []byte
	Removed bool
}

// Batch is one stored unit: what one Append wrote. It is immutable.
type Batch struct {
	Epoch   uint64 // counts Acquires, from 1
	Owner   string // as given to Acquire
	First   Seq
	Prev    Hash // chain before this batch
	Chain   Hash // chain after it
	Records []Record
}

// Last returns the seq of the batch's last record.
func (b *Batch) Last() Seq { return b.First + Seq(len(b.Records)) - 1 }

// Head is the durable end of a log.
type Head struct {
	Seq   Seq
	Time  int64 // of the record at Seq, 0 when the log is empty
	Chain Hash  // zero when the log is empty
	First Seq   // oldest record kept: 1 unless trimmed
}

// Log is one partition's ordered records.
type Log interface {
	// Acquire makes the caller the only writer and appends an epoch record, durable on return.
	// owner (<= 128 bytes) is kept in every batch of the epoch. It returns no error that wraps ErrUnavailable: it waits
	// until it knows, or ctx ends.
	Acquire(ctx context.Context, owner string) (Writer, error)
	Head(ctx context.Context) (Head, error)
	// Read yields the durable records after a seq, sections loaded, up to the head at the time it gets there, then ends.
	Read(ctx context.Context, after Seq) iter.Seq2[Record, error]
	// ReadBatches yields whole batches, from the one that holds after+1 on; sections are not loaded. This is the
	// fast way to fold: bodies are not touched. What is yielded is valid until the next iteration only.
	ReadBatches(ctx context.Context, after Seq) iter.Seq2[Batch, error]
	// Get returns one durable record with its sections. ErrNotFound beyond the head, ErrTrimmed before the first.
	Get(ctx context.Context, seq Seq) (Record, error)
	// Wait returns nil once a record after `after` is durable.
	Wait(ctx context.Context, after Seq) error
	Close() error
}

// Writer appends. See Log.Acquire.
type Writer interface {
	// Epoch is this writer's number and random tag, as in its epoch record.
	Epoch() Epoch
	// Next is the seq that the next appended record gets.
	Next() Seq
	// Append stores a batch, whole or not at all, and sets Seq in its records, Sum and Len in their sections. It may
	// return before the batch is durable: Commit.Wait tells. Commits complete strictly in call order; once one fails,
	// all later ones of this Writer fail with the same error, a refused batch (ErrInvalid) included: what follows was
	// decided on a state that contains it. Acquire gives a new Writer. The caller must not change the records or what they point to until the Commit is done.
	// An empty batch is a no-op with a completed Commit. It blocks while too many batches are under way, and takes at
	// least MinUnderway of them without that: an outage (see Commit.Wait) does not block its caller.
	Append(records []Record) *Commit
	Close() error
}

// Epoch is what an epoch record's facts say.
type Epoch struct {
	Number uint64 // 1 for a log's first Acquire
	Tag    uint32 // random, part of derived ids, so that they never repeat even after a restore
	Owner  string
}

// Trimmer, Backuper: optional powers of a Log, found by type assertion.
type Backuper interface {
	// Backup writes a consistent copy of the log to a directory that does not exist yet.
	Backup(ctx context.Context, dir string) error
}

// SectionRemover removes section data in place, under a rule that its caller keeps: the records, their sums and the chain
// stay as they are, and what was removed reads as Section.Removed.
type SectionRemover interface {
	// RemoveSections removes, for good, section data of the durable records first..last. which says of a record which of
	// its sections go, bit 0 the first one; it sees no section data, and the record is valid until it returns. Durable on
	// return, and the space is given back. Doing it again changes nothing: after a crash do so. removed is how many
	// sections went this time.
	RemoveSections(ctx context.Context, first, last Seq, which func(*Record) uint16) (removed int64, err error)
	// SectionBytes is about how many bytes the sections of the records first..last take on disk.
	SectionBytes(first, last Seq) (int64, error)
}

var (
	ErrFenced      = errors.New("eventlog: somebody else writes to this log now")
	ErrUnavailable = errors.New("eventlog: outcome of the append unknown, the writer is resolving it")
	ErrTrimmed     = errors.New("eventlog: trimmed")
	ErrCorrupt     = errors.New("eventlog: corrupt")
	ErrNotFound    = errors.New("eventlog: no such record")
	ErrInUse       = errors.New("eventlog: in use by another process")
	ErrClosed      = errors.New("eventlog: closed")
	ErrInvalid     = errors.New("eventlog: invalid record")
)

// CorruptError says where a log is damaged. It wraps ErrCorrupt.
type CorruptError struct {
	First, Last Seq // the seqs that cannot be served; Last 0 = unknown
	What        string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("eventlog: corrupt: seq %d to %d: %s", e.First, e.Last, e.What)
}
func (e *CorruptError) Unwrap() error { return ErrCorrupt }
