package host

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/hookline/hookline/transports"
)

// Host is a transport whose attempts a plugin makes. See the package comment.
type Host struct {
	launcher

	running context.Context // canceled to end the process for good
	stop    context.CancelCauseFunc
	ended   chan struct{} // closed when the supervisor has ended
	wake    chan struct{} // of the sender, capacity 1
	looker  chan struct{} // closed when look has ended

	mu                       sync.Mutex
	encoded                  *sync.Cond // on mu: the sender has encoded a batch
	busy                     bool       // the sender is encoding
	closing                  bool
	idle                     chan struct{} // closed when closing and no call is left; made by Close
	queue                    queue
	places                   []place
	free                     []uint32 // indexes of places not taken
	window                   int      // what the process takes at once; 0: no process
	cancels                  []uint64 // to be told to the process
	health                   Health
	results, faults, givenUp uint64

	released chan struct{} // Release, capacity 1
	desc     Description
	proc     *process // the one that serves now, or nil
}

var (
	_ transports.Transport = (*Host)(nil)
	_ transports.Submitter = (*Host)(nil)
)

// Description is what a plugin says of itself.
type Description struct {
	Name, Version  string
	ConfigSchema   []byte // JSON Schema of the operator's settings; empty: it has none
	EndpointSchema []byte // JSON Schema of an endpoint's settings; empty: it has none
	Capabilities   []string
}

// Start copies the plugin, starts it and returns once it takes attempts. ctx bounds the start only. It fails without leaving
// anything behind when the plugin does not match its pin (ErrPin), does not start, calls itself otherwise than Config.Name,
// or refuses its settings; later deaths are restarts.
func Start(ctx context.Context, cfg Config) (*Host, error) {
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	l, err := newLauncher(cfg)
	if err != nil {
		return nil, err
	}
	h := &Host{
		launcher: l,
		released: make(chan struct{}, 1),
		ended:    make(chan struct{}), wake: make(chan struct{}, 1), looker: make(chan struct{}),
		places: make([]place, cfg.MaxInFlight),
	}
	h.encoded = sync.NewCond(&h.mu)
	h.health = Health{State: Starting, Checksum: hex.EncodeToString(h.image.sum)}
	h.running, h.stop = context.WithCancelCause(context.Background())
	first := make(chan error, 1)
	go h.supervise(ctx, first)
	go h.look()
	if err := <-first; err != nil {
		h.finish(err)
		return nil, err
	}
	return h, nil
}

// Describe is what the plugin that runs, or ran last, said of itself.
func (h *Host) Describe() Description {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.desc
}

// Close takes no more attempts, waits until those submitted have ended or ctx is over, and ends the process; what was not
// done by then is interrupted, and the error says how many. It may be called again.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	if !h.closing {
		h.closing = true
		h.idle = make(chan struct{})
		h.health.State = Draining
	}
	idle := h.idle
	h.noteIdle()
	h.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	n := h.finish(fmt.Errorf("plugin %s was closed", h.cfg.Name))
	if n > 0 {
		return fmt.Errorf("%w: %d attempts of plugin %s were under way at the end of the drain limit", transports.ErrInterrupted, n, h.cfg.Name)
	}
	return nil
}

// noteIdle tells Close that nothing is left; h.mu is held.
func (h *Host) noteIdle() {
	if !h.closing || h.queue.len() > 0 || h.underWay() > 0 {
		return
	}
	select {
	case <-h.idle:
	default:
		close(h.idle)
	}
}

// underWay counts the attempts whose result somebody waits for; h.mu is held.
func (h *Host) underWay() int {
	n := 0
	for i := range h.places {
		if h.places[i].call != nil {
			n++
		}
	}
	return n
}

// finish ends everything and returns how many calls it interrupted.
func (h *Host) finish(cause error) int {
	h.mu.Lock()
	n := h.queue.len() + h.underWay()
	h.closing = true
	if h.idle == nil {
		h.idle = make(chan struct{})
	}
	h.mu.Unlock()
	h.stop(cause)
	<-h.ended
	<-h.looker
	h.mu.Lock()
	var left []*call
	for c := h.queue.peek(); c != nil; c = h.queue.peek() {
		h.queue.pop()
		c.stage = over
		left = append(left, c)
	}
	h.health.State = Closed
	h.noteIdle()
	h.mu.Unlock()
	h.interrupt(left, cause)
	h.launcher.close()
	return n
}

// interrupt ends calls with an error of ours.
func (h *Host) interrupt(calls []*call, cause error) {
	if len(calls) == 0 {
		return
	}
	err := fmt.Errorf("%w: %w", transports.ErrInterrupted, cause)
	for _, c := range calls {
		c.done(transports.Result{}, err)
	}
}

// State is where a plugin's process is.
type State string

const (
	Starting   State = "starting"   // for the first time
	Running    State = "running"    // takes attempts
	Restarting State = "restarting" // died, waits for its next start or is starting
	Draining   State = "draining"   // Close waits for the attempts under way
	Closed     State = "closed"

	Quarantined State = "quarantined" // died too often: not started again before Release
)

// Health is what an operator wants to know of a plugin.
type Health struct {
	State     State
	PID       int // 0: no process
	Version   string
	Checksum  string // SHA-256 of what is executed, hex
	StartedAt time.Time
	Restarts  int  // since Start
	CrashLoop bool // it died three times without a healthy minute between
	InFlight  int  // attempts with the plugin, given-up ones included
	Queued    int  // attempts waiting to be sent
	Window    int  // how many attempts it takes at once
	LastError string
	LastAt    time.Time // of LastError

	Confined []string // what holds the process beside a group, an empty environment and sealed memory
	Results  uint64   // attempts the plugin has ended, of all its processes
	Faults   uint64   // of them those it called its own failure
	GivenUp  uint64   // attempts whose result never came
}

// Health tells how the plugin is.
func (h *Host) Health() Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.health
	v.Queued = h.queue.len()
	v.Window = h.window
	v.Results, v.Faults, v.GivenUp = h.results, h.faults, h.givenUp
	if h.window > 0 {
		v.InFlight = len(h.places) - len(h.free)
	}
	if v.State == Running && time.Since(v.StartedAt) >= healthyAfter {
		v.CrashLoop = false
	}
	return v
}
