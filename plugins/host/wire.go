package host

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"runtime"
	"sync"
	"syscall"

	"github.com/hookline/hookline/plugins/proto"
)

// Wire is a plugin's process with nothing called yet: for tools that look at the wire itself, since it contains no liar as
// a Host does. Whoever opened it calls End. It is safe for concurrent use.
type Wire struct {
	API proto.TransportClient

	process *process
	sum     string
	tap     stdout
	quit    chan bool // true: gracefully
	ended   chan struct{}
	once    sync.Once
}

// stdout keeps the beginning of what a process writes to its standard output.
type stdout struct {
	mu   sync.Mutex
	text bytes.Buffer
}

const keptStdout = 64 << 10

func (s *stdout) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(p[:min(len(p), max(0, keptStdout-s.text.Len()))])
	return len(p), nil
}

// OpenWire copies the plugin, compares its pin if one is given, starts it as a Host would and waits for its handshake.
// Config.Name only stands in messages.
func OpenWire(ctx context.Context, cfg Config) (*Wire, error) {
	cfg.logLines = 1 << 30 // who looks at the wire wants to see everything
	cfg.setDefaults()
	if cfg.Command != "" && cfg.Pin == "" {
		sum, err := Sum(cfg.Command)
		if err != nil {
			return nil, err
		}
		cfg.Pin = sum
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	l, err := newLauncher(cfg)
	if err != nil {
		return nil, err
	}
	w := &Wire{sum: hex.EncodeToString(l.image.sum), quit: make(chan bool, 1), ended: make(chan struct{})}
	l.tap = &w.tap
	started := make(chan error, 1)
	go func() {
		defer close(w.ended)
		defer l.close()
		runtime.LockOSThread() // see Host.supervise; the thread ends with this goroutine
		if cfg.Confine {
			if err := confineThread(l.dir.path, l.image.file); err != nil {
				l.log.Warn("the plugin can see the file system as this user does", "error", err)
			}
		}
		p, err := l.startUp(ctx, func(context.Context, *process) error { return nil })
		if err != nil {
			started <- fmt.Errorf("host: starting plugin %s: %w", cfg.Name, err)
			return
		}
		w.process, w.API = p, p.api
		started <- nil
		p.end(<-w.quit)
	}()
	if err := <-started; err != nil {
		<-w.ended
		return nil, err
	}
	return w, nil
}

// Checksum is the SHA-256 of what is executed, in hex.
func (w *Wire) Checksum() string { return w.sum }

// PID is the process's, and its group's.
func (w *Wire) PID() int { return w.process.run.pid }

// Exited is closed when the process has ended.
func (w *Wire) Exited() <-chan struct{} { return w.process.run.exited }

// Stdout is what the process has written to its standard output, the handshake included.
func (w *Wire) Stdout() string {
	w.tap.mu.Lock()
	defer w.tap.mu.Unlock()
	return w.tap.text.String()
}

// Kill kills the process and its group.
func (w *Wire) Kill() { w.process.run.signalGroup(syscall.SIGKILL) }

// End ends the process, asking first if graceful, and waits for it. Idempotent.
func (w *Wire) End(graceful bool) {
	w.once.Do(func() { w.quit <- graceful })
	<-w.ended
}
