package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hookline/hookline/cmd/hookline/demo/authority"
	"github.com/hookline/hookline/cmd/hookline/demo/client"
)

// ErrOptions: options that cannot be used. The message names field, bound and fix.
var ErrOptions = errors.New("demo: option")

// Options of the demo. The zero value of each optional field means its default.
type Options struct {
	// Dir is the demo's own directory: authority, ports, secrets. Required; made when absent.
	Dir string
	// Server is the base address of the API, such as http://127.0.0.1:8080, and Key its admin key. Required by Run.
	Server, Key string
	// Rate of events a second, on average: 0.1 to 1000. Default 5.
	Rate float64
	// Seed of what happens and fails. 0 means: events by the wall clock, failures by a fixed seed.
	Seed uint64
	// Out takes a line for what the demo finds worth telling. Default os.Stdout.
	Out io.Writer
	// Live learns the endpoints' names, for its lines. Optional.
	Live *Live
}

func (o *Options) setDefaults() {
	if o.Rate == 0 {
		o.Rate = 5
	}
	if o.Out == nil {
		o.Out = os.Stdout
	}
}

func (o *Options) validate() error {
	var errs []error
	if o.Dir == "" {
		errs = append(errs, fmt.Errorf("%w: Dir: empty: give a directory for authority, ports and secrets", ErrOptions))
	}
	if o.Rate < 0.1 || o.Rate > 1000 {
		errs = append(errs, fmt.Errorf("%w: Rate: %v events/s: want 0.1 to 1000", ErrOptions, o.Rate))
	}
	return errors.Join(errs...)
}

// CA makes or finds the authority in a demo directory and returns its certificate's file, for --trust-ca.
func CA(dir string) (pemPath string, err error) {
	a, err := authority.Open(filepath.Join(dir, "ca"))
	if err != nil {
		return "", err
	}
	return a.Path(), nil
}

// Demo is the customers' side: their receivers serve from Open on, before the server delivers anything.
type Demo struct {
	o         Options
	customers []customer
	receivers []*receiver
	kept      *kept

	mu   sync.Mutex // guards Out and told
	told map[string]bool
}

// Open starts the receivers. They know their secrets from the demo's directory, so that a server that goes on where it
// was finds them ready.
func Open(o Options) (*Demo, error) {
	o.setDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	ca, err := authority.Open(filepath.Join(o.Dir, "ca"))
	if err != nil {
		return nil, err
	}
	k, err := loadKept(o.Dir)
	if err != nil {
		return nil, err
	}
	d := &Demo{o: o, customers: customers(), kept: k, told: map[string]bool{}}
	for i := range d.customers {
		c := &d.customers[i]
		r := &receiver{seed: o.Seed, secrets: map[string]string{}, refused: d.refused}
		for _, h := range c.hooks {
			r.secrets[h.name] = k.secret(c.tenant + "/" + h.name)
		}
		port, err := startReceiver(ca, c, k.Ports[c.tenant], r)
		if err != nil {
			return nil, errors.Join(err, d.Close())
		}
		k.Ports[c.tenant] = port
		d.receivers = append(d.receivers, r)
	}
	if err := k.save(o.Dir); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Run sets up what is absent at the server and publishes until ctx ends, then returns nil. An error means that the
// server refused what the demo needs.
func (d *Demo) Run(ctx context.Context) error {
	if d.o.Server == "" || d.o.Key == "" {
		return fmt.Errorf("%w: Server and Key: want the API's address and its admin key", ErrOptions)
	}
	api := client.New(d.o.Server, d.o.Key)
	defer api.Close()
	g, err := newGenerator(api, d.customers, d.o.Rate, d.o.Seed, d.say)
	if err != nil {
		return err
	}
	err = patiently(ctx, func() error { return d.setUp(ctx, api) })
	if err == nil {
		err = g.publishAll(ctx)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Counts sums up what all receivers saw so far.
func (d *Demo) Counts() Counts {
	var c Counts
	for _, r := range d.receivers {
		c.Requests += r.counts.requests.Load()
		c.Accepted += r.counts.accepted.Load()
		c.Refused += r.counts.refused.Load()
		c.OnPurpose += r.counts.onPurpose.Load()
		c.Slow += r.counts.slow.Load()
	}
	return c
}

// Close stops the receivers and waits for them. It is idempotent. Close the server first: what it still sends while it
// drains is then taken.
func (d *Demo) Close() error {
	var errs []error
	for _, r := range d.receivers {
		errs = append(errs, r.close())
	}
	d.receivers = nil
	return errors.Join(errs...)
}

// Run is Open, Run and Close in one, for a server that runs already.
func Run(ctx context.Context, o Options) error {
	d, err := Open(o)
	if err != nil {
		return err
	}
	err = d.Run(ctx)
	c := d.Counts()
	d.say("receivers: %d requests, %d accepted, %d failed on purpose, %d refused", c.Requests, c.Accepted, c.OnPurpose, c.Refused)
	return errors.Join(err, d.Close())
}

func (d *Demo) say(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(d.o.Out, "demo: "+format+"\n", args...)
}

// refused tells of the first refusal at each hook; the counts have the rest.
func (d *Demo) refused(key string, err error) {
	d.mu.Lock()
	first := !d.told[key]
	d.told[key] = true
	d.mu.Unlock()
	if first {
		d.say("receiver %s refuses: %v", key, err)
	}
}

// patiently calls f until it succeeds, or fails for a reason that time does not mend, or ctx ends: the server may be
// restarting.
func patiently(ctx context.Context, f func() error) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := f()
		if err == nil || !passing(err) {
			return err
		}
		if !pause(ctx, wait) {
			return context.Cause(ctx)
		}
	}
}

// passing says whether an error may go away by itself: no answer at all, too much at once, or trouble at the server.
func passing(err error) bool {
	s := client.Status(err)
	return s == 0 || s == 429 || s >= 500
}
