package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// child is Run's side of a worker. One call at a time.
type child struct {
	role string
	cmd  *exec.Cmd
	in   io.WriteCloser
	enc  *json.Encoder
	dec  *json.Decoder
	err  *tail
}

// startChild starts a worker of the program self.
func startChild(self, role string, ledger *os.File) (*child, error) {
	c := &child{role: role, cmd: exec.Command(self, Word, role), err: &tail{}}
	c.cmd.ExtraFiles = []*os.File{ledger}
	c.cmd.Stderr = c.err
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is Run's to handle
	in, err1 := c.cmd.StdinPipe()
	out, err2 := c.cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("bench: %s: %w", role, err)
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("bench: %s: %w", role, err)
	}
	c.in, c.enc, c.dec = in, json.NewEncoder(in), json.NewDecoder(out)
	return c, nil
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// call makes one call. When ctx ends the worker ends, and with it the call.
func (c *child) call(ctx context.Context, op string, args, result any) error {
	raw, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("bench: %s: %w", c.role, err)
	}
	stop := context.AfterFunc(ctx, func() { c.in.Close() })
	defer stop()
	var r reply
	err = c.enc.Encode(call{Op: op, Args: raw})
	if err == nil {
		err = c.dec.Decode(&r)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("bench: %s: %s: the worker ended: %w%s", c.role, op, err, c.err.said())
	case r.Error != "":
		return fmt.Errorf("bench: %s: %s: %s", c.role, op, r.Error)
	}
	if err := json.Unmarshal(r.Result, result); err != nil {
		return fmt.Errorf("bench: %s: %s: %w", c.role, op, err)
	}
	return nil
}

// close ends the worker and waits for it; after 5 s it is killed.
func (c *child) close() error {
	c.in.Close()
	kill := time.AfterFunc(5*time.Second, func() { c.cmd.Process.Kill() })
	defer kill.Stop()
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("bench: %s: %w%s", c.role, err, c.err.said())
	}
	return nil
}

// tail keeps the last 4 KiB that a process wrote. It is safe for concurrent use.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailBytes = 4096

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if n := len(t.buf) - tailBytes; n > 0 {
		t.buf = append(t.buf[:0], t.buf[n:]...)
	}
	return len(p), nil
}

// said is what was written, fit to stand at the end of an error.
func (t *tail) said() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := strings.TrimSpace(string(t.buf))
	if s == "" {
		return ""
	}
	return "; it said:\n" + s
}
