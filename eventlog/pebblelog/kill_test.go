package pebblelog

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/hookline/hookline/eventlog"
)

// TestKill kills a writing process with SIGKILL, again and again. What it said is durable is there.
func TestKill(t *testing.T) {
	if dir := os.Getenv("PEBBLELOG_WRITE"); dir != "" {
		writeUntilKilled(t, dir)
		return
	}
	cycles := 8
	if testing.Short() {
		cycles = 2
	}
	dir := t.TempDir()
	for cycle := range cycles {
		child := exec.Command(os.Args[0], "-test.run", "^TestKill$")
		child.Env = append(os.Environ(), "PEBBLELOG_WRITE="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n < 50+37*cycle && lines.Scan(); n++ {
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		acked := lines.Text()
		for lines.Scan() { // what it still said
			if strings.HasPrefix(lines.Text(), "acked ") {
				acked = lines.Text()
			}
		}
		_ = child.Wait() // killed
		want, err := strconv.ParseUint(strings.TrimPrefix(acked, "acked "), 10, 64)
		if err != nil {
			t.Fatalf("the writer says %q", acked)
		}
		l := mustOpen(t, Options{Dir: dir, ScrubRate: -1, Logger: quiet()})
		if last, err := readAll(t, l); err != nil || last < eventlog.Seq(want) {
			t.Fatalf("cycle %d: %d records, %d were acknowledged: %v", cycle, last, want, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func writeUntilKilled(t *testing.T, dir string) {
	l := mustOpen(t, Options{Dir: dir, MemTable: 1 << 20, Now: func() int64 { return 1 }})
	w := mustAcquire(t, l)
	commits := make(chan *eventlog.Commit, 64)
	go func() {
		for {
			commits <- w.Append(numbered(w.Next(), 1+int(w.Next())%5))
		}
	}()
	for c := range commits {
		if err := c.Wait(context.Background()); err != nil {
			t.Error(err)
			return
		}
		fmt.Println("acked", c.Last)
	}
}
