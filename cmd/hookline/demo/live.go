package demo

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/transports"
)

// Live writes one readable line for each attempt, and for each change of an endpoint that an attempt caused. It is safe
// for concurrent use.
type Live struct {
	color bool

	mu    sync.Mutex
	out   io.Writer
	names map[eventlog.Seq]string // of endpoints, by the seq that created them
}

// NewLive writes to out, in color if color.
func NewLive(out io.Writer, color bool) *Live {
	return &Live{out: out, color: color, names: map[eventlog.Seq]string{}}
}

// Color says whether lines on f should be colored: f is a terminal, and the environment does not say no
// (https://no-color.org: NO_COLOR set and not empty; TERM=dumb).
func Color(f *os.File) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

// name remembers what to call an endpoint. Endpoints that nobody named are shown by the seq of the record that created them.
func (l *Live) name(endpointID, name string) {
	id, err := record.ParseID(record.PrefixEndpoint, endpointID)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names[id.Seq] = name
}

// Line is what one attempt is told as.
type Line struct {
	Time      time.Time // its end
	Tenant    string
	EventType string
	Endpoint  string
	Number    int
	Test      bool
	Outcome   string
	Kind      string // error kind; "" when acknowledged
	Status    int    // 0 = none was read
	Took      time.Duration
	Delivery  string    // its state from now on
	NextDue   time.Time // zero = no further attempt
}

// Record writes a line for a durable record that has one. It returns an error for facts that do not decode, or when out
// cannot be written.
func (l *Live) Record(r *eventlog.Record) error {
	switch r.Type {
	case record.TypeAttemptFinished, record.TypeEndpointTested:
		var a record.AttemptFinished
		if err := a.Decode(r.Facts); err != nil {
			return fmt.Errorf("demo: seq %d: %w", r.Seq, err)
		}
		line := Line{
			Time: time.UnixMilli(a.FinishedAt()), Tenant: r.Tenant, EventType: a.EventType, Endpoint: l.nameOf(a.Endpoint),
			Number: int(a.Number), Test: r.Type == record.TypeEndpointTested,
			Outcome: transports.Outcome(a.Outcome).String(), Kind: record.KindName(a.Kind), Status: int(a.StatusCode),
			Took: time.Duration(a.TookMS) * time.Millisecond, Delivery: a.Status.String(),
		}
		if a.Status == record.Pending && a.NextDue > 0 {
			line.NextDue = time.UnixMilli(a.NextDue)
		}
		return l.Print(line)
	case record.TypeEndpointDisabled, record.TypeEndpointSuppressed:
		var c record.EndpointChange
		if err := c.Decode(r.Facts); err != nil {
			return fmt.Errorf("demo: seq %d: %w", r.Seq, err)
		}
		_, state, _ := strings.Cut(record.Name(r.Type), ".")
		text := fmt.Sprintf("%s  %-13s endpoint %s is %s", clock(time.UnixMilli(r.Time)), r.Tenant, l.nameOf(c.Endpoint), state)
		if why := c.Reason.String(); why != "" && why != state {
			text += " (" + why + ")"
		}
		return l.write(l.paint(bad, text))
	}
	return nil
}

// Batch writes the lines of a batch's records.
func (l *Live) Batch(b *eventlog.Batch) error {
	for i := range b.Records {
		if err := l.Record(&b.Records[i]); err != nil {
			return err
		}
	}
	return nil
}

func (l *Live) nameOf(seq eventlog.Seq) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.names[seq]; n != "" {
		return n
	}
	return fmt.Sprintf("seq %d", seq)
}

// Print writes one line.
func (l *Live) Print(a Line) error {
	number := fmt.Sprintf("#%d", a.Number)
	if a.Test {
		number = "test"
	}
	status := "-"
	if a.Status > 0 {
		status = fmt.Sprint(a.Status)
	}
	result := a.Outcome
	if a.Kind != "" && a.Kind != string(transports.KindStatus) {
		result += " (" + a.Kind + ")"
	}
	how := good
	after := ""
	switch {
	case !a.NextDue.IsZero():
		how = worse
		after = fmt.Sprintf("  next %s, in %s", clock(a.NextDue)[:8], rough(a.NextDue.Sub(a.Time)))
	case a.Outcome != transports.Acknowledged.String():
		how = bad
		if !a.Test {
			after = "  " + a.Delivery
		}
	}
	return l.write(fmt.Sprintf("%s  %-13s %-32s %-15s %-4s %s %3s %6d ms%s",
		clock(a.Time), a.Tenant, a.EventType, a.Endpoint, number, l.paint(how, fmt.Sprintf("%-13s", result)),
		status, a.Took.Milliseconds(), after))
}

func (l *Live) write(text string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := io.WriteString(l.out, text+"\n"); err != nil {
		return fmt.Errorf("demo: live line: %w", err)
	}
	return nil
}

func clock(t time.Time) string { return t.Local().Format("15:04:05.000") }

// rough shows a wait as people say it.
func rough(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	case d >= time.Minute:
		return d.Round(time.Second).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

// Colors of a terminal (ECMA-48, SGR).
const (
	good  = "32"
	worse = "33"
	bad   = "31"
)

func (l *Live) paint(color, text string) string {
	if !l.color {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}
