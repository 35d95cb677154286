package host

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/hookline/hookline/plugins/proto"
)

// supervise owns the process: starts it, sees it end, starts it again. It keeps its thread, since the kernel kills the
// process with the thread that started it (Pdeathsig, prctl(2)).
func (h *Host) supervise(ctx context.Context, first chan<- error) {
	defer close(h.ended)
	runtime.LockOSThread() // never unlocked: a confined thread must not serve anybody else, so it ends here
	h.confine()

	if h.cfg.Patient { // nobody waits for the start, so nobody's context bounds it
		ctx = context.Background()
		first <- nil
	}
	start, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(h.running, func() { cancel(context.Cause(h.running)) })
	p, err := h.launch(start)
	stop()
	cancel(nil)
	if err == nil {
		h.adopt(p) // before Start returns: what it returns to sees a running plugin
	}
	if !h.cfg.Patient {
		first <- err
		if err != nil {
			return
		}
	}
	backoff, deaths := firstBackoff, 0
	for {
		if p != nil {
			began := time.Now()
			err = h.serve(p)
			if time.Since(began) >= healthyAfter {
				backoff, deaths = firstBackoff, 0
			}
		}
		if h.running.Err() != nil {
			return
		}
		deaths++
		h.noteDeath(err, deaths)
		again, released := h.pause(backoff, deaths)
		if !again {
			return
		}
		backoff = min(2*backoff, lastBackoff)
		if released {
			backoff, deaths = firstBackoff, 0
		}
		if p, err = h.launch(h.running); err == nil {
			h.adopt(p)
		}
	}
}

// confine notes what holds the processes to come.
func (h *Host) confine() {
	var held []string
	if h.cfg.Memory > 0 {
		held = append(held, "memory")
	}
	if h.cfg.Confine {
		if err := confineThread(h.dir.path, h.image.file); err != nil {
			h.log.Warn("the plugin can see the file system as this user does", "error", err)
		} else {
			held = append(held, "no_new_privileges", "files")
		}
	}
	h.mu.Lock()
	h.health.Confined = held
	h.mu.Unlock()
}

// adopt makes a fresh process the one that takes attempts.
func (h *Host) adopt(p *process) {
	h.noteRunning(p)
	h.attach(p)
}

// serve lets a process work until it fails (the error) or the host is closed (nil). Nothing of it is left then.
func (h *Host) serve(p *process) error {
	var wg sync.WaitGroup
	wg.Go(func() { h.send(p) })
	wg.Go(func() { h.receive(p) })
	wg.Go(func() { h.askHealth(p) })
	h.nudge()

	var err error
	graceful := false
	select {
	case err = <-p.failed:
	case <-p.run.exited:
		err = fmt.Errorf("its process %d ended", p.run.pid)
	case <-h.running.Done():
		graceful = true
	}
	if !graceful {
		// Results that were already on their way count: the receiver reads to the end of the stream before anybody is
		// interrupted.
		_ = p.run.Kill(h.running)
		select {
		case <-p.drained:
		case <-time.After(time.Second):
		}
	}
	p.end(graceful)
	wg.Wait()
	if err == nil {
		h.detach(context.Cause(h.running))
		return nil
	}
	err = fmt.Errorf("plugin %s: %w", h.cfg.Name, err)
	h.detach(err)
	return err
}

// askHealth kills by silence: at least two calls in a row without an answer, and none for HangAfter.
func (h *Host) askHealth(p *process) {
	t := time.NewTicker(h.cfg.HealthEvery)
	defer t.Stop()
	last, missed := time.Now(), 0
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-t.C:
		}
		ctx, cancel := context.WithTimeout(p.ctx, h.cfg.HangAfter/2)
		_, err := p.api.Health(ctx, &proto.HealthRequest{})
		cancel()
		if err == nil {
			last, missed = time.Now(), 0
			continue
		}
		missed++
		if missed >= 2 && time.Since(last) >= h.cfg.HangAfter {
			p.fail(fmt.Errorf("no sign of health for %s: %w", time.Since(last).Round(time.Millisecond), err))
			return
		}
	}
}

func (h *Host) noteRunning(p *process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.desc = p.desc
	h.health.PID, h.health.Version, h.health.StartedAt = p.run.pid, p.desc.Version, time.Now()
	if !h.closing {
		h.health.State = Running
	}
	h.log.Info("plugin runs", "pid", p.run.pid, "version", p.desc.Version, "sha256", h.health.Checksum, "window", p.window)
}

func (h *Host) noteDeath(err error, deaths int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.health.PID = 0
	h.health.Restarts++
	h.health.CrashLoop = deaths >= crashLoop
	h.health.LastError, h.health.LastAt = err.Error(), time.Now()
	if !h.closing {
		h.health.State = Restarting
	}
	h.log.Warn("plugin ended, restarting", "error", err, "restarts", h.health.Restarts, "crash_loop", h.health.CrashLoop)
}
