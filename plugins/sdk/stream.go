package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookline/hookline/plugins/proto"
)

// stream is one Deliver call of the host: attempts in, results out.
//
// The handler's goroutine receives, one goroutine sends, and every attempt under way has a worker; workers that have
// nothing to do wait on hand and are thinned out over time. All end with the stream.
type stream struct {
	service *service
	grpc    grpc.ServerStream
	ctx     context.Context // of the stream
	hand    chan work
	workers sync.WaitGroup

	mu       sync.Mutex
	ready    []ended                // results to be sent
	under    int                    // attempts without a result sent
	attempts map[uint64]*attemptCtx // under way
	closing  bool                   // no further result will come
	wake     chan struct{}          // of the sender, capacity 1
	idle     int                    // workers waiting on hand
	thinner  *time.Timer            // nil once hand is closed
}

// work is an attempt for a worker; without taken the worker goes home.
type work struct {
	taken *proto.Taken
	ctx   *attemptCtx
}

// ended is a result and the attempt's memory, which it may alias.
type ended struct {
	result proto.Ended
	taken  *proto.Taken
}

// Deliver serves one stream until the host closes it or is gone.
func (s *service) Deliver(g grpc.BidiStreamingServer[proto.Batch, proto.ResultBatch]) error {
	if u := s.use(); u == nil {
		return status.Error(codes.FailedPrecondition, "Configure comes before Deliver")
	} else {
		u.users.Done()
	}
	st := &stream{
		service: s, grpc: g, ctx: g.Context(), hand: make(chan work),
		attempts: make(map[uint64]*attemptCtx), wake: make(chan struct{}, 1),
	}
	sent := make(chan error, 1)
	go func() { sent <- st.send() }()
	st.mu.Lock()
	st.thinner = time.AfterFunc(thinEvery, st.thin)
	st.mu.Unlock()

	err := st.receive()
	if err != nil { // the host is gone or breaks the rules: nobody waits for what is under way
		st.cancelAll()
	}
	st.mu.Lock()
	st.thinner.Stop()
	st.thinner = nil
	close(st.hand)
	st.mu.Unlock()
	st.workers.Wait()
	st.mu.Lock()
	st.closing = true
	st.mu.Unlock()
	st.signal()
	if serr := <-sent; err == nil {
		err = serr
	}
	return err
}

// receive hands attempts to workers until the host has sent its last.
func (st *stream) receive() error {
	in := proto.Received{Pool: &st.service.taken}
	var batch []work
	for {
		if err := st.grpc.RecvMsg(&in); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		n := len(in.Items)
		st.service.under.Add(int64(n))
		batch = batch[:0]
		for _, t := range in.Items {
			batch = append(batch, work{t, &attemptCtx{Context: st.ctx}})
		}
		if over := st.enter(batch, in.Cancel); over {
			st.service.ended(n)
			return status.Errorf(codes.ResourceExhausted, "more than %d attempts without a result: mind the window", st.service.plugin.MaxInFlight)
		}
		for _, w := range batch {
			select {
			case st.hand <- w:
			default:
				st.workers.Go(func() { st.serve(w) })
			}
		}
		clear(in.Items)
		clear(batch)
	}
}

// enter counts attempts in and cancels those the host gave up, which may have come in the same batch.
func (st *stream) enter(batch []work, unwanted []uint64) (over bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.under += len(batch)
	for _, w := range batch {
		st.attempts[w.taken.ID] = w.ctx
	}
	for _, id := range unwanted {
		if ctx := st.attempts[id]; ctx != nil {
			ctx.cancel()
		}
	}
	return st.under > st.service.plugin.MaxInFlight
}

func (st *stream) cancelAll() {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, ctx := range st.attempts {
		ctx.cancel()
	}
}

// serve makes attempts until it is sent home, or the end of the stream.
func (st *stream) serve(w work) {
	for w.taken != nil {
		st.one(w)
		st.mu.Lock()
		st.idle++
		st.mu.Unlock()
		w = <-st.hand
		st.mu.Lock()
		st.idle--
		st.mu.Unlock()
	}
}

const thinEvery = 5 * time.Second

// thin sends away half of the idle workers, so that a burst's stacks do not stay for ever.
func (st *stream) thin() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.thinner == nil {
		return
	}
	for range st.idle / 2 {
		select {
		case st.hand <- work{}:
		default:
		}
	}
	st.thinner.Reset(thinEvery)
}

// one makes one attempt and queues its result.
func (st *stream) one(w work) {
	e := proto.Ended{ID: w.taken.ID}
	st.deliver(w.ctx, w.taken, &e)
	w.ctx.cancel()
	st.mu.Lock()
	delete(st.attempts, e.ID)
	st.ready = append(st.ready, ended{e, w.taken})
	st.mu.Unlock()
	st.signal()
}

// deliver calls the author's Deliver; what it does wrong is this attempt's fault only.
func (st *stream) deliver(ctx context.Context, t *proto.Taken, e *proto.Ended) {
	g := st.service.use()
	if g == nil {
		e.Err = errors.New("the plugin is ending")
		return
	}
	defer g.users.Done()
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(os.Stderr, "[ERROR] panic in Deliver: %v\n%s", p, debug.Stack())
			e.Err = fmt.Errorf("the plugin panicked: %v", p)
		}
	}()
	if t.Req.Timeout <= 0 {
		e.Err = fmt.Errorf("timeout_ns is %d, must be above 0", t.Req.Timeout)
		return
	}
	began := time.Now()
	e.Result, e.Err = asResult(g.transport.Deliver(ctx, &t.Req))
	if e.Result.Took == 0 {
		e.Result.Took = time.Since(began)
	}
}

func (st *stream) signal() {
	select {
	case st.wake <- struct{}{}:
	default:
	}
}

// send sends what is ready until closing. Once the host is gone it only gives memory back.
func (st *stream) send() error {
	out := proto.Results{Window: uint32(st.service.plugin.MaxInFlight)}
	failed := st.grpc.SendMsg(&out) // the window comes first
	var ready []ended
	for {
		var more bool
		if ready, more = st.next(ready[:0]); !more {
			return failed
		}
		for rest := ready; len(rest) > 0; {
			n := fits(rest)
			if failed == nil {
				failed = st.sendBatch(&out, rest[:n])
			}
			for i := range rest[:n] {
				rest[i].taken.Release()
			}
			st.service.ended(n)
			rest = rest[n:]
		}
		clear(ready)
	}
}

// fits is how many of the results go into one batch.
func fits(ready []ended) int {
	bytes, n := 0, 0
	for n < len(ready) && n < proto.MaxItems && bytes < proto.SoftBytes {
		bytes += proto.SizeOfResult(&ready[n].result)
		n++
	}
	return n
}

func (st *stream) sendBatch(out *proto.Results, batch []ended) error {
	out.Items, out.Window = out.Items[:0], 0
	for i := range batch {
		out.Items = append(out.Items, batch[i].result)
	}
	err := st.grpc.SendMsg(out)
	clear(out.Items)
	return err
}

// next waits for results and takes all of them, leaving room for the next ones; false at the end.
func (st *stream) next(room []ended) ([]ended, bool) {
	for {
		st.mu.Lock()
		if n := len(st.ready); n > 0 {
			ready := st.ready
			st.ready = room
			st.under -= n
			st.mu.Unlock()
			return ready, true
		}
		closing := st.closing
		st.mu.Unlock()
		if closing {
			return room, false
		}
		<-st.wake
		runtime.Gosched() // what else is ready to run may add its result: batches without waiting
	}
}
