package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	wire "github.com/hookline/hookline/plugins/proto"
)

// with runs a law's body in a session.
func (k *kit) with(ctx context.Context, f func(s *session) error) error {
	s, err := k.session(ctx)
	if err != nil {
		return err
	}
	defer s.end()
	return f(s)
}

func acknowledged(ctx context.Context, k *kit) error {
	return k.with(ctx, func(s *session) error {
		r, err := s.one(s.attempt("ok", "acknowledged", 10*time.Second), 12*time.Second)
		if err != nil {
			return err
		}
		if r.GetErrorKind() != "" {
			return fmt.Errorf("it is acknowledged with error_kind %q", r.GetErrorKind())
		}
		return is(r, wire.Outcome_OUTCOME_ACKNOWLEDGED)
	})
}

// waves sends n attempts, never more than the window at once, and gives every result to check.
func (s *session) waves(n int, key string, check func(*wire.Result) error) error {
	for made := 0; made < n; {
		size := min(n-made, s.window)
		wave := make([]*wire.Attempt, size)
		for i := range wave {
			wave[i] = s.attempt("ok", fmt.Sprintf("%s-%d", key, made+i), 20*time.Second)
		}
		if err := s.send(wave...); err != nil {
			return err
		}
		rs, err := s.results(size, 25*time.Second)
		if err != nil {
			return err
		}
		for _, r := range rs {
			if err := check(r); err != nil {
				return err
			}
		}
		made += size
	}
	return s.silent(200 * time.Millisecond)
}

func isAcknowledged(r *wire.Result) error { return is(r, wire.Outcome_OUTCOME_ACKNOWLEDGED) }

func oneResult(ctx context.Context, k *kit) error {
	return k.with(ctx, func(s *session) error { return s.waves(1000, "one_result", isAcknowledged) })
}

func oneAttempt(ctx context.Context, k *kit) error {
	return k.with(ctx, func(s *session) error {
		const n = 300
		if err := s.waves(n, "one_attempt", isAcknowledged); err != nil {
			return err
		}
		for i := range n {
			if got := k.receiver.count(fmt.Sprintf("one_attempt-%d", i)); got != 1 {
				return fmt.Errorf("the receiver saw an attempt %d times, want once", got)
			}
		}
		return nil
	})
}

func sameBytes(ctx context.Context, k *kit) error {
	return k.with(ctx, func(s *session) error {
		a := s.attempt("ok", "bytes", 15*time.Second)
		a.Body = append([]byte(`{ "z":1, "a":"`+k.mark), bytes.Repeat([]byte("ä\\u00e4"), 256<<10/8)...)
		a.Body = append(a.Body[:256<<10-2], `"}`...)
		r, err := s.one(a, 17*time.Second)
		if err == nil {
			err = is(r, wire.Outcome_OUTCOME_ACKNOWLEDGED)
		}
		if err != nil {
			return err
		}
		got, _ := k.receiver.last("bytes")
		switch {
		case got.method != "POST":
			return fmt.Errorf("the method was %s, want POST", got.method)
		case !bytes.Equal(got.body, a.Body):
			return fmt.Errorf("the body arrived changed: %d bytes of %d", len(got.body), len(a.Body))
		case got.header.Get("x-hookline-verify") != "bytes" || got.header.Get("content-type") != "application/json":
			return fmt.Errorf("the headers arrived as %v", got.header)
		}
		return nil
	})
}

func orderFree(ctx context.Context, k *kit) error {
	return k.with(ctx, func(s *session) error {
		n := min(s.window-1, 50)
		if n == 0 {
			return skip("its window is 1")
		}
		slow := s.attempt("hang", "order_free_slow", 8*time.Second)
		all := []*wire.Attempt{slow}
		for i := range n {
			all = append(all, s.attempt("ok", fmt.Sprintf("order_free-%d", i), 5*time.Second))
		}
		if err := s.send(all...); err != nil {
			return err
		}
		rs, err := s.results(n, 5*time.Second)
		if err != nil {
			return fmt.Errorf("while one attempt hangs: %w", err)
		}
		if rs[slow.Id] != nil {
			return errors.New("the attempt whose receiver hangs has a result already")
		}
		return nil
	})
}

func concurrency(ctx context.Context, k *kit) error {
	return k.with(ctx, func(s *session) error {
		n := min(s.window, 256)
		keys := make([]string, n)
		var all []*wire.Attempt
		for i := range n {
			keys[i] = fmt.Sprintf("concurrency-%d", i)
			all = append(all, s.attempt("hang", keys[i], 20*time.Second))
		}
		if err := s.send(all...); err != nil {
			return err
		}
		if err := k.receiver.await(n, 10*time.Second, keys...); err != nil {
			return fmt.Errorf("with a window of %d and %d attempts whose receivers hang: %w", s.window, n, err)
		}
		return nil
	})
}

func blameRejected(ctx context.Context, k *kit) error {
	return k.with(ctx, func(s *session) error {
		r, err := s.one(s.attempt("no", "blame_rejected", 5*time.Second), 7*time.Second)
		if err != nil {
			return err
		}
		return is(r, wire.Outcome_OUTCOME_REJECTED)
	})
}

func blameUnreachable(ctx context.Context, k *kit) error {
	return k.with(ctx, func(s *session) error {
		r, err := s.one(s.attempt("refused", "blame_unreachable", 5*time.Second), 7*time.Second)
		if err != nil {
			return err
		}
		if r.GetStatus() != 0 {
			return fmt.Errorf("nobody answered, and the status is %d", r.GetStatus())
		}
		return is(r, wire.Outcome_OUTCOME_UNREACHABLE)
	})
}

func noRedirect(ctx context.Context, k *kit) error {
	return k.with(ctx, func(s *session) error {
		r, err := s.one(s.attempt("redirect", "no_redirect", 5*time.Second), 7*time.Second)
		if err != nil {
			return err
		}
		if n := k.receiver.count("no_redirect"); n != 1 {
			return fmt.Errorf("the receiver saw %d requests: a redirect was followed, or the attempt repeated", n)
		}
		return is(r, wire.Outcome_OUTCOME_REJECTED)
	})
}

func noRetry(ctx context.Context, k *kit) error {
	return k.with(ctx, func(s *session) error {
		// Once on a connection that has served before, where clients like to try again by themselves.
		if r, err := s.one(s.attempt("ok", "no_retry_before", 5*time.Second), 7*time.Second); err != nil || isAcknowledged(r) != nil {
			return errors.Join(err, isAcknowledged(r))
		}
		r, err := s.one(s.attempt("drop", "no_retry", 5*time.Second), 7*time.Second)
		if err != nil {
			return err
		}
		if n := k.receiver.count("no_retry"); n != 1 {
			return fmt.Errorf("the receiver saw %d requests after it had dropped the first", n)
		}
		return is(r, wire.Outcome_OUTCOME_UNREACHABLE)
	})
}

func deadline(ctx context.Context, k *kit) error {
	return k.with(ctx, func(s *session) error {
		const timeout = time.Second
		began := time.Now()
		r, err := s.one(s.attempt("hang", "deadline", timeout), timeout+4*time.Second)
		if err != nil {
			return err
		}
		if took := time.Since(began); took < timeout*9/10 || took > timeout+2*time.Second {
			return fmt.Errorf("the result came after %s, the timeout was %s", took.Round(time.Millisecond), timeout)
		}
		return is(r, wire.Outcome_OUTCOME_TIMED_OUT)
	})
}

func cancel(ctx context.Context, k *kit) error {
	return k.with(ctx, func(s *session) error {
		a := s.attempt("hang", "cancel", 30*time.Second)
		if err := s.send(a); err != nil {
			return err
		}
		if err := k.receiver.await(1, 5*time.Second, "cancel"); err != nil {
			return err
		}
		if err := s.stream.Send(&wire.Batch{Cancel: []uint64{a.Id, a.Id + 77}}); err != nil {
			return err
		}
		r, err := s.results(1, 3*time.Second)
		if err != nil {
			return fmt.Errorf("after the cancellation: %w", err)
		}
		if got := r[a.Id]; got.GetFault() == "" && got.GetOutcome() == wire.Outcome_OUTCOME_ACKNOWLEDGED {
			return errors.New("an attempt that was canceled while its receiver hung is acknowledged")
		}
		// An attempt that is canceled by the batch that brings it gets its result all the same.
		b := s.attempt("ok", "cancel_at_once", 5*time.Second)
		s.open[b.Id] = true
		if err := s.stream.Send(&wire.Batch{Attempts: []*wire.Attempt{b}, Cancel: []uint64{b.Id}}); err != nil {
			return err
		}
		_, err = s.results(1, 5*time.Second)
		return err
	})
}

func noSecrets(ctx context.Context, k *kit) error {
	if err := acknowledged(ctx, k); err != nil { // held alone, there would be nothing to look at
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, line := range k.output {
		if strings.Contains(line, k.mark) {
			return errors.New("the body of an event was written to its output")
		}
		for _, s := range k.secrets {
			if strings.Contains(line, s) {
				return errors.New("a setting that the schema marks writeOnly was written to its output")
			}
		}
	}
	return nil
}
