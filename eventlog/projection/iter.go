package projection

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"
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
