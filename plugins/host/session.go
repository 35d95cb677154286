package host

import (
	"fmt"
	"runtime"
	"time"

	"github.com/hookline/hookline/plugins/proto"
	"github.com/hookline/hookline/transports"
)

// attach opens all places for a fresh process.
func (h *Host) attach(p *process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.free = h.free[:0]
	for i := len(h.places) - 1; i >= 0; i-- {
		h.free = append(h.free, uint32(i))
	}
	h.window = min(int(p.window), len(h.places))
	h.proc, h.cancels = p, h.cancels[:0]
}

// detach closes all places and interrupts who stood on them. The process takes nothing any more.
func (h *Host) detach(cause error) {
	h.mu.Lock()
	for h.busy {
		h.encoded.Wait()
	}
	h.window, h.proc = 0, nil
	var calls []*call
	for i := range h.places {
		p := &h.places[i]
		if p.call != nil {
			p.call.stage = over
			calls = append(calls, p.call)
		}
		*p = place{generation: p.generation + 1}
	}
	h.noteIdle()
	h.mu.Unlock()
	h.interrupt(calls, cause)
}

// send sends what is queued, as credit allows, until the process fails.
func (h *Host) send(p *process) {
	var batch proto.Attempts
	var calls []*call
	for {
		var any bool
		if calls, any = h.fill(&batch, calls[:0]); !any {
			select {
			case <-p.ctx.Done():
				return
			case <-h.wake:
				runtime.Gosched() // who is ready to submit may join the batch: no waiting, only turns
			}
			continue
		}
		frame, err := h.codec.Encode(&batch)
		h.markSent(calls)
		if err == nil {
			err = p.stream.SendMsg(frame)
		}
		if err != nil {
			p.fail(fmt.Errorf("sending attempts: %w", err))
			return
		}
		if p.ctx.Err() != nil {
			return
		}
	}
}

// fill takes a batch of calls onto places. Until markSent their requests are read without the lock.
func (h *Host) fill(batch *proto.Attempts, calls []*call) ([]*call, bool) {
	clear(batch.Items)
	batch.Items, batch.Cancel = batch.Items[:0], batch.Cancel[:0]
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.window == 0 {
		return calls, false
	}
	bytes := 0
	for len(batch.Items) < proto.MaxItems && bytes < proto.SoftBytes && len(h.places)-len(h.free) < h.window {
		c := h.queue.peek()
		if c == nil {
			break
		}
		size := proto.SizeOf(c.req)
		if len(calls) > 0 && bytes+size > proto.SoftBytes {
			break
		}
		h.queue.pop()
		bytes += size
		h.occupy(c)
		calls = append(calls, c)
		batch.Items = append(batch.Items, proto.Sending{ID: c.id, Req: c.req})
	}
	batch.Cancel = append(batch.Cancel, h.cancels...)
	h.cancels = h.cancels[:0]
	h.busy = len(calls) > 0
	return calls, len(calls) > 0 || len(batch.Cancel) > 0
}

// occupy puts a call on a free place; h.mu is held.
func (h *Host) occupy(c *call) {
	i := h.free[len(h.free)-1]
	h.free = h.free[:len(h.free)-1]
	p := &h.places[i]
	p.generation++
	p.call, p.taken = c, true
	c.id, c.stage = p.id(int(i)), encoding
}

func (h *Host) markSent(calls []*call) {
	now := time.Now()
	h.mu.Lock()
	for _, c := range calls {
		c.stage = sent
		c.giveUp = now.Add(c.req.Timeout + h.cfg.Grace)
	}
	h.busy = false
	h.encoded.Broadcast()
	h.mu.Unlock()
}

// receive dispatches results until the stream ends; its end is the process's.
func (h *Host) receive(p *process) {
	defer close(p.drained)
	var in proto.Results
	var calls []*call
	for {
		if err := p.stream.RecvMsg(&in); err != nil {
			p.fail(fmt.Errorf("its stream ended: %w", err))
			return
		}
		var lie uint64
		var lied bool
		calls, lie, lied = h.settle(&in, calls[:0])
		for i, c := range calls {
			if c == nil {
				continue
			}
			e := &in.Items[i]
			if e.Err != nil {
				c.done(transports.Result{}, fmt.Errorf("%w: plugin %s: %w", transports.ErrInterrupted, h.cfg.Name, e.Err))
				continue
			}
			c.done(e.Result, nil)
		}
		clear(calls)
		if lied {
			h.lie(p, lie)
			return
		}
	}
}

// settle frees the places of results and returns whose they are, nil for those nobody waits for, and an id that was not
// under way, if there is one.
func (h *Host) settle(in *proto.Results, calls []*call) (out []*call, lie uint64, lied bool) {
	h.mu.Lock()
	if in.Window > 0 {
		h.window = min(int(in.Window), len(h.places))
	}
	for i := range in.Items {
		id := in.Items[i].ID
		index := uint32(id)
		if int(index) >= len(h.places) {
			lie, lied = id, true
			calls = append(calls, nil)
			continue
		}
		p := &h.places[index]
		if !p.taken || p.id(int(index)) != id {
			lie, lied = id, true
			calls = append(calls, nil)
			continue
		}
		c := p.call
		if c != nil {
			c.stage = over
		}
		h.results++
		if in.Items[i].Err != nil {
			h.faults++
		}
		p.call, p.taken = nil, false
		h.free = append(h.free, index)
		calls = append(calls, c)
	}
	more := h.queue.len() > 0
	if h.closing {
		h.noteIdle()
	}
	h.mu.Unlock()
	if more {
		h.nudge()
	}
	return calls, lie, lied
}
