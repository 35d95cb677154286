// Package ndjson writes a log as lines of JSON and reads them back, exactly: batch edges, epochs, owners, facts, sealed
// sections and chain. What is read back has the same chain, batch by batch; it is for moving a log to another store, for
// keeping it in a form that any tool reads, and for looking at it.
//
// The first line is a Header, then one line a Batch, at the end a Trailer, without which the text was cut. Facts and
// sections are base64 of the bytes that the log holds; sections stay sealed. The keyring is no part of it.
//
// A Writer and a reading loop belong to one goroutine each. Who gave the io.Writer or io.Reader closes it.
package ndjson

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/hookline/hookline/eventlog"
)

// format is the version of these lines.
const format = 1

// maxLine bounds one line: a batch at its bounds, in base64.
const maxLine = 192 << 20

// ErrForm: a line is not what this package writes.
var ErrForm = errors.New("ndjson: not an exported log")

// Header is the first line.
type Header struct {
	Format  int          `json:"hookline_log"`
	First   eventlog.Seq `json:"first_seq"`
	Keyring string       `json:"keyring,omitempty"` // its id: which keyring opens the sections
	Clock   string       `json:"clock,omitempty"`   // real or manual, of the record times
}

// Trailer is the last line.
type Trailer struct {
	Head  eventlog.Seq `json:"head_seq"`
	Chain string       `json:"chain"`
}

// Batch is one line in between. Hashes are hex.
type Batch struct {
	First   eventlog.Seq `json:"first_seq"`
	Epoch   uint64       `json:"epoch"`
	Owner   string       `json:"owner,omitempty"`
	Prev    string       `json:"prev_chain"`
	Chain   string       `json:"chain"`
	Records []Record     `json:"records"`
}

// Record is one record of a batch; its seq is the batch's first_seq and its place.
type Record struct {
	Type     eventlog.Type `json:"type"`
	Name     string        `json:"name,omitempty"` // of the type, for people: not read back
	Time     int64         `json:"time_ms"`
	Tenant   string        `json:"tenant,omitempty"`
	Facts    []byte        `json:"facts"`
	Sections []Section     `json:"sections,omitempty"`
}

// Section is one sealed section: its bytes, or where they were removed by rule their sum and length.
type Section struct {
	Data    []byte `json:"data,omitempty"`
	Removed bool   `json:"removed,omitempty"`
	Sum     string `json:"sha256,omitempty"` // of a removed one
	Len     uint32 `json:"bytes,omitempty"`  // of a removed one
}

// Writer writes a log.
type Writer struct {
	w    *bufio.Writer
	enc  *json.Encoder
	name func(eventlog.Type) string
	last Trailer
}

// NewWriter writes the first line. name, if not nil, names record types for people.
func NewWriter(w io.Writer, h Header, name func(eventlog.Type) string) (*Writer, error) {
	if name == nil {
		name = func(eventlog.Type) string { return "" }
	}
	out := &Writer{w: bufio.NewWriterSize(w, 1<<18), name: name}
	out.enc = json.NewEncoder(out.w)
	out.enc.SetEscapeHTML(false)
	h.Format = format
	return out, out.enc.Encode(h)
}

// Write writes a batch, whose sections are loaded.
func (w *Writer) Write(b *eventlog.Batch) error {
	line := Batch{First: b.First, Epoch: b.Epoch, Owner: b.Owner, Prev: hex.EncodeToString(b.Prev[:]), Chain: hex.EncodeToString(b.Chain[:]),
		Records: make([]Record, len(b.Records))}
	for i := range b.Records {
		r := &b.Records[i]
		out := &line.Records[i]
		*out = Record{Type: r.Type, Name: w.name(r.Type), Time: r.Time, Tenant: r.Tenant, Facts: r.Facts}
		for _, s := range r.Sections {
			if s.Removed {
				out.Sections = append(out.Sections, Section{Removed: true, Sum: hex.EncodeToString(s.Sum[:]), Len: s.Len})
				continue
			}
			out.Sections = append(out.Sections, Section{Data: s.Data})
		}
	}
	w.last = Trailer{Head: b.Last(), Chain: line.Chain}
	return w.enc.Encode(line)
}

// Close writes the last line. It does not close what it writes to.
func (w *Writer) Close() error {
	if err := w.enc.Encode(w.last); err != nil {
		return err
	}
	return w.w.Flush()
}

// Read yields the batches of an exported log, sections loaded; header, if not nil, gets the first line before that. The
// form is checked here, the chain is not: see pebblelog.Copy. Errors wrap ErrForm, or are the reader's. A text without its
// last line was cut: that is an error after the last batch.
func Read(r io.Reader, header *Header) iter.Seq2[eventlog.Batch, error] {
	return func(yield func(eventlog.Batch, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(make([]byte, 1<<18), maxLine)
		fail := func(n int, err error) { yield(eventlog.Batch{}, fmt.Errorf("line %d: %w", n, err)) }
		n, ended := 0, false
		last := Trailer{}
		for lines.Scan() {
			n++
			line := lines.Bytes()
			switch {
			case n == 1:
				h, err := readHeader(line)
				if err != nil {
					fail(n, err)
					return
				}
				if header != nil {
					*header = h
				}
				continue
			case ended:
				fail(n, fmt.Errorf("%w: a line after the last one", ErrForm))
				return
			}
			b, end, err := readLine(line)
			if err != nil {
				fail(n, err)
				return
			}
			if end != nil {
				if ended = true; *end != last {
					fail(n, fmt.Errorf("%w: it ends at seq %d, its last line says %d", ErrForm, last.Head, end.Head))
					return
				}
				continue
			}
			last = Trailer{Head: b.Last(), Chain: hex.EncodeToString(b.Chain[:])}
			if !yield(*b, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			fail(n+1, err)
		} else if !ended {
			fail(n+1, fmt.Errorf("%w: the last line is missing: it was cut", ErrForm))
		}
	}
}
