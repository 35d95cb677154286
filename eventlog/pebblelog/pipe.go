package pebblelog

import (
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hookline/hookline/eventlog"
)

// underway is one batch between Append and its commit's completion.
type underway struct {
	commit *eventlog.Commit
	batch  *pebble.Batch
	bytes  int
	head   eventlog.Head // once it is durable
}

// pipe is the queue of batches under way, in call order. Whoever completes a commit does it under its lock, so that
// commits complete in order also when the log fails in the middle, and none succeeds after one has failed.
type pipe struct {
	mu         sync.Mutex
	queue      []*underway
	bytes      int
	maxBatches int
	maxBytes   int
	failed     error
	broken     chan struct{} // closed when failed is set
	room       signal
}

func (p *pipe) init(batches, bytes int) {
	p.maxBatches, p.maxBytes, p.broken = batches, bytes, make(chan struct{})
}

// wait blocks until a batch of this size may be pushed, or stop is closed. There is one pusher at a time.
func (p *pipe) wait(bytes int, stop <-chan struct{}) {
	for {
		room := p.room.next()
		p.mu.Lock()
		ok := len(p.queue) == 0 || len(p.queue) < p.maxBatches && p.bytes+bytes <= p.maxBytes
		p.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-room:
		case <-stop:
			return
		}
	}
}

// push adds a batch, unless the pipe has failed.
func (p *pipe) push(u *underway) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil {
		return p.failed
	}
	p.queue = append(p.queue, u)
	p.bytes += u.bytes
	return nil
}

// finish takes the oldest batch out and completes its commit; durable runs before that. It does nothing and returns
// false when the pipe has failed meanwhile.
func (p *pipe) finish(u *underway, durable func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil {
		return false
	}
	p.queue[0] = nil
	if p.queue = p.queue[1:]; len(p.queue) == 0 {
		p.queue = nil // let go of what has been walked over
	}
	p.bytes -= u.bytes
	durable()
	u.commit.Complete(nil)
	p.room.notify()
	return true
}

// fail completes everything under way with err, in order. Only the first call counts.
func (p *pipe) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil {
		return
	}
	p.failed = err
	close(p.broken)
	for _, u := range p.queue {
		u.commit.Complete(err)
	}
	p.queue = nil
}

func (p *pipe) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed
}

// oldest returns the batch that has been under way longest, nil when there is none.
func (p *pipe) oldest() *underway {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		return nil
	}
	return p.queue[0]
}
