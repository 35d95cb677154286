package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/hookline/hookline/eventlog"
)

// bar shows the progress of long work on a terminal; elsewhere it is silent. It belongs to one goroutine.
type bar struct {
	w     io.Writer
	what  string
	total eventlog.Seq
	began time.Time
	last  time.Time
	shown bool
}

func newBar(w io.Writer, what string, total eventlog.Seq) *bar {
	b := &bar{what: what, total: total, began: time.Now()}
	if f, ok := w.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			b.w = w
		}
	}
	return b
}

// barWidth is how many characters stand for the whole.
const barWidth = 24

// at tells how far the work is in records: a bar, percent, rate and time left, at most five times a second.
func (b *bar) at(done eventlog.Seq) { b.show(done, "records/s", 1, 0) }

// events is at for work that is counted in events.
func (b *bar) events(done int) { b.show(eventlog.Seq(done), "events/s", 1, 0) }

// withBytes is at with the bytes read so far, for their rate.
func (b *bar) withBytes(done eventlog.Seq, bytes int64) { b.show(done, "records/s", 1, bytes) }

// bytes is at for work that is counted in bytes.
func (b *bar) bytes(done int64) { b.show(eventlog.Seq(done), "MiB/s", 1<<20, 0) }

func (b *bar) show(done eventlog.Seq, unit string, per float64, bytes int64) {
	if b.w == nil || b.total == 0 || time.Since(b.last) < 200*time.Millisecond {
		return
	}
	b.last, b.shown = time.Now(), true
	fmt.Fprint(b.w, "\r\x1b[K"+b.line(done, unit, per, bytes, time.Since(b.began)))
}

func (b *bar) line(done eventlog.Seq, unit string, per float64, bytes int64, took time.Duration) string {
	done = min(done, b.total)
	full := int(uint64(done) * barWidth / uint64(b.total))
	seconds := max(took.Seconds(), 1e-6)
	rate := float64(done) / seconds
	left := time.Duration(0)
	if rate > 0 {
		left = time.Duration(float64(b.total-done) / rate * float64(time.Second)).Round(time.Second)
	}
	text := fmt.Sprintf("%s [%s%s] %3d %%, %.0f %s", b.what, strings.Repeat("#", full), strings.Repeat(".", barWidth-full), done*100/b.total, rate/per, unit)
	if bytes > 0 {
		text += fmt.Sprintf(", %.0f MiB/s", float64(bytes)/seconds/(1<<20))
	}
	return text + fmt.Sprintf(", %v left", left)
}

func (b *bar) end() {
	if b.shown {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}
