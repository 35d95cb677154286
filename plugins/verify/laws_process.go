package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	wire "github.com/hookline/hookline/plugins/proto"
)

func unknownFields(ctx context.Context, k *kit) error {
	return k.with(ctx, func(s *session) error {
		later := protowire.AppendTag(nil, 1000, protowire.BytesType)
		later = protowire.AppendString(later, "of a later version")
		a := s.attempt("ok", "unknown_fields", 5*time.Second)
		a.ProtoReflect().SetUnknown(later)
		s.open[a.Id] = true
		b := &wire.Batch{Attempts: []*wire.Attempt{a}}
		b.ProtoReflect().SetUnknown(later)
		if err := s.stream.Send(b); err != nil {
			return err
		}
		r, err := s.results(1, 7*time.Second)
		if err != nil {
			return err
		}
		return isAcknowledged(r[a.Id])
	})
}

func reconfigure(ctx context.Context, k *kit) error {
	return k.with(ctx, func(s *session) error {
		a := s.attempt("slow", "reconfigure", 10*time.Second)
		if err := s.send(a); err != nil {
			return err
		}
		if err := k.receiver.await(1, 5*time.Second, "reconfigure"); err != nil {
			return err
		}
		if _, err := s.API.Configure(ctx, &wire.Settings{Json: k.Config}); err != nil {
			return fmt.Errorf("a second Configure: %w", err)
		}
		b := s.attempt("ok", "reconfigure_after", 10*time.Second)
		if err := s.send(b); err != nil {
			return err
		}
		rs, err := s.results(2, 12*time.Second)
		if err != nil {
			return err
		}
		return errors.Join(isAcknowledged(rs[a.Id]), isAcknowledged(rs[b.Id]))
	})
}

func health(ctx context.Context, k *kit) error {
	return k.with(ctx, func(s *session) error {
		n := min(s.window, 64)
		var keys []string
		for i := range n {
			keys = append(keys, fmt.Sprintf("health-%d", i))
			if err := s.send(s.attempt("hang", keys[i], 20*time.Second)); err != nil {
				return err
			}
		}
		if err := k.receiver.await(n, 10*time.Second, keys...); err != nil {
			return err
		}
		limit, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		h, err := s.API.Health(limit, &wire.HealthRequest{})
		switch {
		case err != nil:
			return fmt.Errorf("the call Health: %w", err)
		case int(h.GetUnderWay()) != n:
			return fmt.Errorf("the call Health says that %d attempts are under way, %d are", h.GetUnderWay(), n)
		case !h.GetConfigured():
			return errors.New("the call Health says that it is not configured")
		}
		return nil
	})
}

func brokenStream(ctx context.Context, k *kit) error {
	return k.with(ctx, func(s *session) error {
		if err := s.send(s.attempt("hang", "broken_stream", 30*time.Second)); err != nil {
			return err
		}
		if err := k.receiver.await(1, 5*time.Second, "broken_stream"); err != nil {
			return err
		}
		s.cancel()
		for end := time.Now().Add(3 * time.Second); ; {
			h, err := s.API.Health(ctx, &wire.HealthRequest{})
			if err != nil {
				return fmt.Errorf("the call Health after the stream broke: %w", err)
			}
			if h.GetUnderWay() == 0 {
				break
			}
			if time.Now().After(end) {
				return fmt.Errorf("3 s after the stream broke %d attempts are still under way", h.GetUnderWay())
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(20 * time.Millisecond):
			}
		}
		s.batches, s.open, s.early = make(chan received, 1024), map[uint64]bool{}, nil
		if err := s.connect(); err != nil {
			return fmt.Errorf("a second stream: %w", err)
		}
		r, err := s.one(s.attempt("ok", "broken_stream_after", 5*time.Second), 7*time.Second)
		if err != nil {
			return err
		}
		return isAcknowledged(r)
	})
}

func crash(ctx context.Context, k *kit) error {
	s, err := k.session(ctx)
	if err != nil {
		return err
	}
	defer s.end()
	if err := s.send(s.attempt("hang", "crash", 20*time.Second)); err != nil {
		return err
	}
	s.Kill()
	select {
	case <-s.Exited():
	case <-time.After(5 * time.Second):
		return errors.New("it lives on after SIGKILL")
	}
	s.end()
	if left := group(s.PID()); len(left) > 0 {
		return fmt.Errorf("processes of its group are left: %v", left)
	}
	return acknowledged(ctx, k)
}

// group lists the processes of a group that are not zombies.
func group(pgid int) (out []string) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		rest := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
		f := strings.Fields(rest)
		if len(f) > 2 && f[2] == fmt.Sprint(pgid) && f[0] != "Z" {
			out = append(out, e.Name())
		}
	}
	return out
}

func drain(ctx context.Context, k *kit) error {
	s, err := k.session(ctx)
	if err != nil {
		return err
	}
	defer s.end()
	a := s.attempt("slow", "drain", 10*time.Second)
	if err := s.send(a); err != nil {
		return err
	}
	if err := k.receiver.await(1, 5*time.Second, "drain"); err != nil {
		return err
	}
	limit, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := s.API.Drain(limit, &wire.DrainRequest{}); err != nil {
		return fmt.Errorf("the call Drain: %w", err)
	}
	h, err := s.API.Health(limit, &wire.HealthRequest{})
	if err != nil || h.GetUnderWay() != 0 {
		return fmt.Errorf("the call Drain returned, and %d attempts are under way (%v)", h.GetUnderWay(), err)
	}
	rs, err := s.results(1, 2*time.Second)
	if err != nil {
		return err
	}
	if err := isAcknowledged(rs[a.Id]); err != nil {
		return err
	}
	began := time.Now()
	s.Wire.End(true)
	if took := time.Since(began); took > 1900*time.Millisecond {
		return fmt.Errorf("it did not end within 2 s of Shutdown, and was killed")
	}
	if syscall.Kill(-s.PID(), 0) == nil && len(group(s.PID())) > 0 {
		return errors.New("processes of its group are left")
	}
	return nil
}

func stdoutOnly(ctx context.Context, k *kit) error {
	s, err := k.session(ctx)
	if err != nil {
		return err
	}
	defer s.end()
	if err := s.waves(20, "stdout", isAcknowledged); err != nil {
		return err
	}
	_, rest, _ := strings.Cut(s.Stdout(), "\n")
	if rest != "" {
		return fmt.Errorf("after the handshake it wrote %d bytes to standard output, beginning %.60q: log to standard error", len(rest), rest)
	}
	return nil
}
