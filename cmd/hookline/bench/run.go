package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/hookline/hookline/cmd/hookline/demo/authority"
)

// ErrRow: a row lost, doubled or did not record a delivery, or could not be measured. The table says which.
var ErrRow = errors.New("bench: a row failed")

// Run measures the rows, prints the table and writes the JSON. It returns an error that wraps ErrRow when a row failed
// (the others are measured all the same) and the cause of ctx when that ended.
func Run(ctx context.Context, o Options) (err error) {
	if err := o.setDefaults(); err != nil {
		return err
	}
	if err := o.validate(); err != nil {
		return err
	}
	b, err := newBench(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	res := Result{
		Started: time.Now().UTC().Truncate(time.Millisecond), Machine: machine(),
		Duration: o.Duration.Seconds(), Size: o.Size, Window: o.Window, Short: o.Short,
	}
	var failed []error
	for _, name := range o.Rows {
		r, _ := rowNamed(name)
		out, err := b.frame(ctx, r)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			out.Error = err.Error()
			failed = append(failed, fmt.Errorf("%w: %s: %w", ErrRow, name, err))
			b.say("%s: FAILED: %v", name, err)
		}
		if !o.Short {
			out.hold(r.goals)
		}
		res.Rows = append(res.Rows, out)
	}
	if err := res.print(o.Out); err != nil {
		failed = append(failed, fmt.Errorf("bench: table: %w", err))
	}
	if o.JSON != "" {
		doc, err := json.MarshalIndent(res, "", "  ")
		if err == nil {
			err = os.WriteFile(o.JSON, append(doc, '\n'), 0o644)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("bench: JSON: %w", err))
		}
	}
	return errors.Join(failed...)
}

// bench holds what lives for the whole run.
type bench struct {
	o                         Options
	dir                       string // for everything, deleted at the end
	trust                     string // file of the authority's certificate
	ledger                    *ledger
	receiver, publisher, bare *child
	ports                     map[int]int        // of the receiver, by the number of addresses served
	last                      map[int]bareResult // the newest bare result by the number of addresses
	run                       uint32
	used                      uint64 // event numbers of the run under way
}

func newBench(o Options) (*bench, error) {
	dir, err := os.MkdirTemp(o.Dir, "hookline-bench-*")
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	b := &bench{o: o, dir: dir, ports: map[int]int{}, last: map[int]bareResult{}, used: ledgerSlots}
	if err := b.start(); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bench) start() error {
	ca, err := authority.Open(b.caDir())
	if err != nil {
		return err
	}
	b.trust = ca.Path()
	l, shared, err := newLedger()
	if err != nil {
		return err
	}
	defer shared.Close()
	b.ledger = l
	for role, c := range map[string]**child{roleReceiver: &b.receiver, rolePublisher: &b.publisher, roleBare: &b.bare} {
		if *c, err = startChild(b.o.Worker, role, shared); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) close() error {
	var errs []error
	for _, c := range []*child{b.publisher, b.bare, b.receiver} {
		if c != nil {
			errs = append(errs, c.close())
		}
	}
	if b.ledger != nil {
		errs = append(errs, b.ledger.close())
	}
	return errors.Join(append(errs, os.RemoveAll(b.dir))...)
}

func (b *bench) caDir() string { return filepath.Join(b.dir, "ca") }

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.o.Progress, "bench: "+format+"\n", args...)
}

// begin starts a run in the ledger: everything received from now on is counted afresh.
func (b *bench) begin() uint32 {
	b.run++
	b.ledger.begin(b.run, b.used)
	b.used = 0
	return b.run
}

// urls are the receiver's: one for each address, which are 127.0.0.1 alone or distinct ones.
func (b *bench) urls(ctx context.Context, addresses int, path string) ([]string, error) {
	ips := []string{"127.0.0.1"}
	if addresses > 1 {
		ips = ips[:0]
		for i := range addresses {
			ips = append(ips, fmt.Sprintf("127.%d.%d.%d", 1+i/62500, 1+i/250%250, 1+i%250))
		}
	}
	if b.ports[addresses] == 0 {
		var l listenResult
		if err := b.receiver.call(ctx, "listen", listenArgs{Authority: b.caDir(), Addresses: ips}, &l); err != nil {
			return nil, err
		}
		b.ports[addresses] = l.Port
	}
	urls := make([]string, addresses)
	for i := range urls {
		urls[i] = fmt.Sprintf("https://%s:%d%s", ips[i], b.ports[addresses], path)
	}
	return urls, nil
}

// bareRate runs the reference and holds that nothing of it was lost.
func (b *bench) bareRate(ctx context.Context, addresses int) (bareResult, error) {
	urls, err := b.urls(ctx, addresses, "/bare")
	if err != nil {
		return bareResult{}, err
	}
	args := bareArgs{Authority: b.caDir(), URLs: urls, Run: b.begin(), Size: b.o.Size, Duration: b.o.Duration / 2}
	var r bareResult
	if err := b.bare.call(ctx, "run", args, &r); err != nil {
		b.used = ledgerSlots
		return r, err
	}
	b.used = r.Sent
	if t := b.ledger.check(r.Sent); t != (tally{}) {
		return r, fmt.Errorf("bench: bare loop: %+v", t)
	}
	b.say("bare loop, %d address(es): %.0f requests/s", addresses, r.rate())
	return r, nil
}

// frame measures a row between two bare loops. A bare loop over the same addresses that ended right before serves again.
func (b *bench) frame(ctx context.Context, r row) (out RowResult, err error) {
	out = RowResult{Name: r.name, Title: r.title}
	reference := r.kind.paired()
	if reference {
		before, fresh := b.last[r.addresses]
		if !fresh {
			if before, err = b.bareRate(ctx, r.addresses); err != nil {
				return out, err
			}
		}
		clear(b.last)
		out.BareBefore = before.rate()
	}
	b.say("%s: %s", r.name, r.title)
	dir := filepath.Join(b.dir, r.name)
	if err := b.measure(ctx, r, dir, &out); err != nil {
		return out, err
	}
	if err := os.RemoveAll(dir); err != nil {
		return out, fmt.Errorf("bench: %w", err)
	}
	if reference {
		after, err := b.bareRate(ctx, r.addresses)
		if err != nil {
			return out, err
		}
		b.last[r.addresses] = after
		out.BareAfter = after.rate()
		out.Ratio = out.Rate / ((out.BareBefore + out.BareAfter) / 2)
	}
	b.say("%s: %.0f events/s, ratio %.2f", r.name, out.Rate, out.Ratio)
	if !out.Check.clean() {
		return out, fmt.Errorf("bench: deliveries: %+v", out.Check)
	}
	return out, nil
}

func machine() Machine {
	m := Machine{CPUs: runtime.NumCPU(), Go: runtime.Version()}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if name, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				m.Model = strings.TrimSpace(v)
				break
			}
		}
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(b))
	}
	return m
}
