package proto

import (
	"sync"
	"time"

	"github.com/hookline/hookline/transports"
)

// Sending is one attempt on its way to the plugin.
type Sending struct {
	ID  uint64
	Req *transports.Request
}

// Attempts is Batch on the host's side, to be encoded: it only points at the requests.
type Attempts struct {
	Items  []Sending
	Cancel []uint64
}

// SizeOf is how many bytes an attempt takes in a batch, roughly (ids are counted at their longest).
func SizeOf(req *transports.Request) int {
	return sizeNested(sizeAttempt(&Sending{ID: 1 << 63, Req: req}))
}

func sizeAttempt(s *Sending) int {
	return sizeUint(s.ID) + sizeBytes(len(s.Req.Target)) + sizeHeaders(s.Req.Headers) + sizeBytes(len(s.Req.Body)) +
		sizeUint(uint64(s.Req.Timeout)) + sizeBytes(len(s.Req.EventID)) + sizeBytes(len(s.Req.Method)) + sizeBytes(len(s.Req.Settings))
}

func (a *Attempts) size() int {
	n := 0
	for i := range a.Items {
		n += sizeNested(sizeAttempt(&a.Items[i]))
	}
	if len(a.Cancel) > 0 {
		n += sizeNested(sizePacked(a.Cancel))
	}
	return n
}

func sizePacked(ids []uint64) int {
	n := 0
	for _, id := range ids {
		n += sizeVarint(id)
	}
	return n
}

func (a *Attempts) appendTo(b []byte) []byte {
	for i := range a.Items {
		s := &a.Items[i]
		b = appendNested(b, 1, sizeAttempt(s))
		b = appendUint(b, 1, s.ID)
		b = appendString(b, 2, s.Req.Target)
		b = appendHeaders(b, 3, s.Req.Headers)
		b = appendString(b, 4, s.Req.Body)
		b = appendUint(b, 5, uint64(s.Req.Timeout))
		b = appendString(b, 6, s.Req.EventID)
		b = appendString(b, 7, s.Req.Method)
		b = appendString(b, 8, s.Req.Settings)
	}
	if len(a.Cancel) > 0 {
		b = appendNested(b, 2, sizePacked(a.Cancel))
		for _, id := range a.Cancel {
			b = appendVarint(b, id)
		}
	}
	return b
}

// Taken is one attempt as the plugin holds it: Req's slices lie in a buffer of its own. Release gives both back; after
// that nobody may look at Req.
type Taken struct {
	ID  uint64
	Req transports.Request
	buf []byte
	to  *sync.Pool
}

// Release returns the attempt's memory. Call it once, when the result has been encoded or no longer aliases the request.
func (t *Taken) Release() {
	if cap(t.buf) > maxKept {
		t.buf = nil
	}
	hs := t.Req.Headers[:0]
	clear(t.Req.Headers)
	t.Req = transports.Request{Headers: hs}
	t.to.Put(t)
}

// maxKept is the largest buffer an idle Taken keeps, in bytes.
const maxKept = 64 << 10

// Received is Batch on the plugin's side, to be decoded. Pool holds released attempts and may be shared; it must hold
// nothing else.
type Received struct {
	Pool   *sync.Pool
	Items  []*Taken
	Cancel []uint64
}

// decode replaces Items and Cancel. On an error the attempts decoded so far are released.
func (r *Received) decode(b []byte) error {
	r.Items, r.Cancel = r.Items[:0], r.Cancel[:0]
	f := fields{rest: b}
	for f.next() {
		switch {
		case f.is(1, wireBytes):
			t, err := r.take(f.b)
			if err != nil {
				f.err = err
				break
			}
			r.Items = append(r.Items, t)
		case f.is(2, wireVarint):
			r.Cancel = append(r.Cancel, f.v)
		case f.is(2, wireBytes):
			ids := fields{rest: f.b}
			for len(ids.rest) > 0 {
				id, ok := ids.uvarint()
				if !ok {
					f.fail("id to cancel")
					break
				}
				r.Cancel = append(r.Cancel, id)
			}
		}
	}
	if f.err != nil {
		for _, t := range r.Items {
			t.Release()
		}
		r.Items = r.Items[:0]
	}
	return f.err
}

func (r *Received) take(b []byte) (*Taken, error) {
	t, ok := r.Pool.Get().(*Taken)
	if !ok {
		t = &Taken{}
	}
	t.to = r.Pool
	t.buf = append(t.buf[:0], b...)
	t.ID = 0
	f := fields{rest: t.buf}
	for f.next() {
		switch {
		case f.is(1, wireVarint):
			t.ID = f.v
		case f.is(2, wireBytes):
			t.Req.Target = alias(f.b)
		case f.is(3, wireBytes):
			t.Req.Headers, f.err = decodeHeader(t.Req.Headers, f.b)
		case f.is(4, wireBytes):
			t.Req.Body = f.b
		case f.is(5, wireVarint):
			t.Req.Timeout = time.Duration(f.v)
		case f.is(6, wireBytes):
			t.Req.EventID = alias(f.b)
		case f.is(7, wireBytes):
			t.Req.Method = alias(f.b)
		case f.is(8, wireBytes):
			t.Req.Settings = f.b
		}
	}
	if f.err != nil {
		t.Release()
		return nil, f.err
	}
	return t, nil
}
