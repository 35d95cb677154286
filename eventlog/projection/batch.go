package projection

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// Batch collects what a view writes for some records. Later writes win over earlier ones. It keeps copies of what it is
// given. The zero value is an empty batch; it belongs to one goroutine.
//
// Keys are handed to the store sorted: neighbours go into a write buffer several times faster than random ones.
type Batch struct {
	buf []byte
	ops []op
	err error
}

type op struct {
	kind       opKind
	key, value span
}

type span struct{ from, to uint32 }

type opKind uint8

const (
	opSet opKind = iota
	opDelete
	opDeleteRange
)

// maxBatch bounds the offsets in ops.
const maxBatch = 1 << 31

// Set gives a key a value.
func (w *Batch) Set(key, value []byte) { w.add(opSet, key, value) }

// Delete removes a key.
func (w *Batch) Delete(key []byte) { w.add(opDelete, key, nil) }

// DeleteRange removes the keys from start on, before end.
func (w *Batch) DeleteRange(start, end []byte) { w.add(opDeleteRange, start, end) }

// Len is the bytes of all keys and values.
func (w *Batch) Len() int { return len(w.buf) }

// Count is how many writes it holds.
func (w *Batch) Count() int { return len(w.ops) }

func (w *Batch) add(kind opKind, key, value []byte) {
	switch {
	case w.err != nil:
	case len(key) == 0 || key[0] == 0:
		w.err = fmt.Errorf("%w: it is empty or begins with a zero byte: %x", ErrKey, key)
	case len(w.buf)+len(key)+len(value) > maxBatch:
		w.err = fmt.Errorf("%w: more than %d bytes in one batch", ErrKey, maxBatch)
	default:
		k := uint32(len(w.buf))
		w.buf = append(append(w.buf, key...), value...)
		v := k + uint32(len(key))
		w.ops = append(w.ops, op{kind, span{k, v}, span{v, uint32(len(w.buf))}})
	}
}

// reset empties the batch and keeps its memory, within reason.
func (w *Batch) reset() {
	if cap(w.buf) > 4*commitBytes {
		w.buf, w.ops = nil, nil
	}
	w.buf, w.ops, w.err = w.buf[:0], w.ops[:0], nil
}

// write puts the operations into b: runs between range deletions are sorted, equal keys stay in order of writing.
func (w *Batch) write(b *pebble.Batch) error {
	if w.err != nil {
		return w.err
	}
	start := 0
	for i := range w.ops {
		if w.ops[i].kind != opDeleteRange {
			continue
		}
		if err := w.writeRun(b, w.ops[start:i]); err != nil {
			return err
		}
		if err := b.DeleteRange(w.bytes(w.ops[i].key), w.bytes(w.ops[i].value), nil); err != nil {
			return err
		}
		start = i + 1
	}
	return w.writeRun(b, w.ops[start:])
}

func (w *Batch) writeRun(b *pebble.Batch, ops []op) error {
	slices.SortFunc(ops, func(x, y op) int {
		if c := bytes.Compare(w.bytes(x.key), w.bytes(y.key)); c != 0 {
			return c
		}
		return int(x.key.from) - int(y.key.from)
	})
	for _, o := range ops {
		if o.kind == opDelete {
			if err := b.Delete(w.bytes(o.key), nil); err != nil {
				return err
			}
			continue
		}
		d := b.SetDeferred(int(o.key.to-o.key.from), int(o.value.to-o.value.from))
		copy(d.Key, w.bytes(o.key))
		copy(d.Value, w.bytes(o.value))
		if err := d.Finish(); err != nil {
			return err
		}
	}
	return nil
}

func (w *Batch) bytes(s span) []byte { return w.buf[s.from:s.to] }
