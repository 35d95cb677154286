package projection

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookline/hookline/eventlog"
)

// Iter walks keys in order, over the store as it was when the iterator was made. Key and Value are valid until the next
// move. It belongs to one goroutine, which closes it.
type Iter struct {
	s  *Store
	it *pebble.Iterator
}

// Iter returns an unpositioned iterator over the keys from lower on, before upper; nil = no bound. The store's own keys
// are never seen.
func (s *Store) Iter(lower, upper []byte) (*Iter, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	if lower == nil {
		lower = []byte(metaEnd)
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		s.leave()
		return nil, s.failed(err)
	}
	return &Iter{s: s, it: it}, nil
}

// IterAt returns an iterator like Iter, and the checkpoint of a view that it stands at, exactly. (Checkpoint may be a
// commit behind what an iterator made afterwards sees.)
func (s *Store) IterAt(view string, lower, upper []byte) (*Iter, eventlog.Seq, error) {
	i, err := s.Iter(nil, nil)
	if err != nil {
		return nil, 0, err
	}
	key := append([]byte(metaCheckpoint), view...)
	i.it.SetBounds(key, []byte(metaEnd))
	var c checkpoint
	if i.First() && bytes.Equal(i.Key(), key) {
		var ok bool
		if c, ok = decodeCheckpoint(i.Value()); !ok {
			return nil, 0, errors.Join(fmt.Errorf("%w: checkpoint of view %q", ErrDamaged, view), i.Close())
		}
	}
	if err := i.Err(); err != nil {
		return nil, 0, errors.Join(err, i.Close())
	}
	if lower == nil {
		lower = []byte(metaEnd)
	}
	i.it.SetBounds(lower, upper)
	return i, c.seq, nil
}

// Clone returns an unpositioned iterator over the same state of the store, between bounds of its own.
func (i *Iter) Clone(lower, upper []byte) (*Iter, error) {
	if err := i.s.enter(); err != nil {
		return nil, err
	}
	if lower == nil {
		lower = []byte(metaEnd)
	}
	it, err := i.it.Clone(pebble.CloneOptions{IterOptions: &pebble.IterOptions{LowerBound: lower, UpperBound: upper}})
	if err != nil {
		i.s.leave()
		return nil, i.s.failed(err)
	}
	return &Iter{s: i.s, it: it}, nil
}

// First goes to the first key, Last to the last one. Like all moves they say whether there is one.
func (i *Iter) First() bool { return i.it.First() }
func (i *Iter) Last() bool  { return i.it.Last() }

// SeekGE goes to the first key at or after key, SeekLT to the last one before it.
func (i *Iter) SeekGE(key []byte) bool { return i.it.SeekGE(key) }
func (i *Iter) SeekLT(key []byte) bool { return i.it.SeekLT(key) }

// Next and Prev go one key on or back.
func (i *Iter) Next() bool { return i.it.Next() }
func (i *Iter) Prev() bool { return i.it.Prev() }

// Valid says whether the iterator is at a key.
func (i *Iter) Valid() bool { return i.it.Valid() }

func (i *Iter) Key() []byte   { return i.it.Key() }
func (i *Iter) Value() []byte { return i.it.Value() }

// Err is what ended a walk early: a move that returned false may have failed.
func (i *Iter) Err() error { return i.s.failed(i.it.Error()) }

// Close ends the walk and returns Err. It is idempotent.
func (i *Iter) Close() error {
	if i.it == nil {
		return nil
	}
	err := errors.Join(i.it.Close())
	i.it = nil
	i.s.leave()
	return i.s.failed(err)
}
