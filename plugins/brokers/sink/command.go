package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/hookline/hookline/plugins/brokers"
	"github.com/hookline/hookline/transports"
)

// errExit is a command's no.
var errExit = errors.New("sink: the command failed")

// bounded keeps the beginning of what is written.
type bounded struct{ b bytes.Buffer }

func (w *bounded) Write(p []byte) (int, error) {
	if room := transports.MaxResponseBody + 1 - w.b.Len(); room > 0 {
		w.b.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

// run starts the command and waits for its end; said is what it wrote.
func run(ctx context.Context, argv []string, req *transports.Request) (said []byte, err error) {
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Env = []string{"PATH=/usr/bin:/bin", "HOOKLINE_EVENT_ID=" + req.EventID}
	for _, h := range req.Headers {
		c.Env = append(c.Env, "HOOKLINE_HEADER_"+strings.ToUpper(strings.ReplaceAll(h.Name, "-", "_"))+"="+h.Value)
	}
	c.Stdin = bytes.NewReader(req.Body)
	var out bounded
	c.Stdout, c.Stderr = &out, &out
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = time.Second // for a grandchild that left the group and holds the pipes
	if err := c.Start(); err != nil {
		return nil, brokers.Ours(err)
	}
	err = c.Wait()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil && err != nil:
		return out.b.Bytes(), ctx.Err()
	case errors.As(err, &exit):
		return out.b.Bytes(), fmt.Errorf("%w: %s", errExit, exit)
	case errors.Is(err, exec.ErrWaitDelay), err != nil && strings.Contains(err.Error(), "broken pipe"):
		return out.b.Bytes(), nil // it ended well without reading all, or left somebody behind
	}
	return out.b.Bytes(), err
}
