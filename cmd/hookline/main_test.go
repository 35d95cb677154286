package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain stands in for the program where serve starts its own binary as a plugin.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "plugin" {
		os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

// outcome is what one command line came to.
type outcome struct {
	code     int
	out, err string
}

// cli runs a command line in this process. env are NAME=value.
func cli(t testing.TB, stdin string, env []string, args ...string) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), args, env, strings.NewReader(stdin), &out, &errs)
	return outcome{code, out.String(), errs.String()}
}

// served is a server in this process.
type served struct {
	dir, url, key string
	log           *buffer
	stop          func() int
}

func (s *served) env() []string {
	return []string{"HOOKLINE_SERVER=" + s.url, "HOOKLINE_ADMIN_KEY=" + s.key}
}

var readyAt = regexp.MustCompile(`is ready at (http://\S+)`)

// startServe serves a data directory until stop, which the test's end calls as well.
func startServe(t testing.TB, dir string, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &served{dir: dir, log: newBuffer(), key: strings.Repeat("k", 40)}
	done := make(chan int, 1)
	args = append([]string{"serve", "--data", dir, "--listen", "127.0.0.1:0"}, args...)
	go func() {
		done <- run(ctx, args, []string{"HOOKLINE_ADMIN_KEY=" + s.key}, strings.NewReader(""), s.log, s.log)
	}()
	s.stop = sync.OnceValue(func() int {
		cancel()
		return <-done
	})
	t.Cleanup(func() { s.stop() })
	line := s.log.await(t, readyAt)
	s.url = line[1]
	return s
}

// buffer collects what a server writes and lets a test wait for a line of it.
type buffer struct {
	mu      sync.Mutex
	text    bytes.Buffer
	written chan struct{} // closed and made anew at each write
}

func newBuffer() *buffer { return &buffer{written: make(chan struct{})} }

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.written)
	b.written = make(chan struct{})
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *buffer) await(t testing.TB, want *regexp.Regexp) []string {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		b.mu.Lock()
		text, more := b.text.String(), b.written
		b.mu.Unlock()
		if m := want.FindStringSubmatch(text); m != nil {
			return m
		}
		select {
		case <-more:
		case <-late:
			t.Fatalf("%s did not appear:\n%s", want, text)
		}
	}
}

var _ io.Writer = (*buffer)(nil)
