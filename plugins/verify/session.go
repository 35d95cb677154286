package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"

	"github.com/hookline/hookline/plugins/host"
	"github.com/hookline/hookline/plugins/proto"
)

// session is one process with its stream open.
type session struct {
	*host.Wire
	k       *kit
	ctx     context.Context
	stream  grpc.BidiStreamingClient[proto.Batch, proto.ResultBatch]
	cancel  context.CancelFunc // of the stream
	window  int
	nextID  uint64
	open    map[uint64]bool // without a result
	batches chan received
	early   []*proto.Result // came while others were waited for
}

type received struct {
	batch *proto.ResultBatch
	err   error
}

// session starts, configures and opens; whoever called it calls End.
func (k *kit) session(ctx context.Context) (*session, error) {
	w, err := k.start(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := w.API.Configure(ctx, &proto.Settings{Json: k.Config}); err != nil {
		w.End(false)
		return nil, fmt.Errorf("the call Configure with the operator's settings %s: %w", orNone(k.Config), err)
	}
	s := &session{Wire: w, k: k, ctx: ctx, nextID: 1 << 40, open: map[uint64]bool{}, batches: make(chan received, 1024)}
	if err := s.connect(); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

func orNone(b []byte) string {
	if len(b) == 0 {
		return "(none)"
	}
	return "(given)"
}

func (s *session) connect() error {
	ctx, cancel := context.WithCancel(s.ctx)
	s.cancel = cancel
	stream, err := s.API.Deliver(ctx)
	if err != nil {
		return fmt.Errorf("the call Deliver: %w", err)
	}
	s.stream = stream
	go func() {
		for {
			b, err := stream.Recv()
			select {
			case s.batches <- received{b, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	b, err := s.next(20 * time.Second)
	if err != nil {
		return fmt.Errorf("waiting for the first batch: %w", err)
	}
	s.window = int(b.GetWindow())
	if s.window < 1 || s.window > 1<<16 {
		return fmt.Errorf("the first batch carries the window %d: it must be 1 to 65536", s.window)
	}
	if len(b.GetResults()) > 0 {
		return errors.New("the first batch carries results although nothing was sent")
	}
	return nil
}

// end kills what is left.
func (s *session) end() {
	if s.cancel != nil {
		s.cancel()
	}
	s.Wire.End(false)
}

func (s *session) next(limit time.Duration) (*proto.ResultBatch, error) {
	select {
	case r := <-s.batches:
		if errors.Is(r.err, io.EOF) {
			return nil, errors.New("the plugin ended the stream")
		}
		return r.batch, r.err
	case <-time.After(limit):
		return nil, fmt.Errorf("nothing came within %s", limit)
	case <-s.ctx.Done():
		return nil, context.Cause(s.ctx)
	}
}

// attempt makes one for a verb of the receiver, or for the given target.
func (s *session) attempt(verb, key string, timeout time.Duration) *proto.Attempt {
	target := s.k.Target
	if target == "" {
		target = s.k.receiver.url(verb, key)
		if verb == "refused" {
			target = s.k.receiver.refused + pathMark + "ok/" + key
		}
	}
	s.nextID++
	return &proto.Attempt{Id: s.nextID, Target: target, TimeoutNs: int64(timeout), EventId: "evt_" + key, Settings: s.k.Settings,
		Headers: []*proto.Header{{Name: "content-type", Value: []byte("application/json")}, {Name: "x-hookline-verify", Value: []byte(key)}},
		Body:    []byte(`{"key":"` + key + `","mark":"` + s.k.mark + `"}`)}
}

// send sends in batches of at most 128.
func (s *session) send(all ...*proto.Attempt) error {
	for len(all) > 0 {
		n := min(len(all), proto.MaxItems)
		for _, a := range all[:n] {
			s.open[a.Id] = true
		}
		if err := s.stream.Send(&proto.Batch{Attempts: all[:n]}); err != nil {
			return fmt.Errorf("sending: %w", err)
		}
		all = all[n:]
	}
	return nil
}

// results waits for n results; a lie is an error.
func (s *session) results(n int, limit time.Duration) (map[uint64]*proto.Result, error) {
	out := map[uint64]*proto.Result{}
	end := time.Now().Add(limit)
	for len(out) < n {
		if len(s.early) == 0 {
			b, err := s.next(time.Until(end))
			if err != nil {
				return out, fmt.Errorf("after %d of %d results: %w", len(out), n, err)
			}
			if len(b.GetResults()) > proto.MaxItems {
				return out, fmt.Errorf("a batch of %d results: at most %d are allowed", len(b.GetResults()), proto.MaxItems)
			}
			s.early = b.GetResults()
			continue
		}
		r := s.early[0]
		s.early = s.early[1:]
		if !s.open[r.GetId()] {
			return out, fmt.Errorf("a result for id %d, which is not under way: a second result, or an invented id", r.GetId())
		}
		delete(s.open, r.GetId())
		out[r.GetId()] = r
	}
	return out, nil
}

// silent makes sure that no further result comes for a moment.
func (s *session) silent(d time.Duration) error {
	if len(s.early) > 0 {
		return fmt.Errorf("a further result, for id %d", s.early[0].GetId())
	}
	select {
	case r := <-s.batches:
		if r.err != nil {
			return fmt.Errorf("the stream ended: %w", r.err)
		}
		if len(r.batch.GetResults()) > 0 {
			return fmt.Errorf("a further result, for id %d", r.batch.GetResults()[0].GetId())
		}
	case <-time.After(d):
	case <-s.ctx.Done():
	}
	return nil
}

// one sends one attempt and waits for its result.
func (s *session) one(a *proto.Attempt, limit time.Duration) (*proto.Result, error) {
	if err := s.send(a); err != nil {
		return nil, err
	}
	rs, err := s.results(1, limit)
	return rs[a.Id], err
}

// is holds a result to an outcome.
func is(r *proto.Result, want proto.Outcome) error {
	switch {
	case r.GetFault() != "":
		return fmt.Errorf("it called the attempt its own fault (%q), want the outcome %s", r.GetFault(), name(want))
	case r.GetOutcome() != want:
		return fmt.Errorf("the outcome is %s (%s), want %s", name(r.GetOutcome()), r.GetError(), name(want))
	}
	return nil
}

func name(o proto.Outcome) string {
	names := map[proto.Outcome]string{1: "acknowledged", 2: "rejected", 3: "unreachable", 4: "timed_out", 5: "gone"}
	if n := names[o]; n != "" {
		return n
	}
	return fmt.Sprintf("%d", o)
}
