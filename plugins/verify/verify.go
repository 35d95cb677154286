// Package verify is the conformance kit of transport plugins: it runs a plugin as the host would and holds it to named
// laws, over the wire, whatever language it is written in (plugins/proto/README.md is what it holds it to).
//
// Each law gets a process of its own, so that none depends on another. Laws about what a receiver saw need the kit's own:
// an HTTP server on loopback that is given as target. A transport of another kind is given a Target that always
// acknowledges; then those laws are skipped and the report says so.
//
// Run is synchronous and leaves no process, goroutine or listener behind.
package verify

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/hookline/hookline/plugins/host"
	"github.com/hookline/hookline/plugins/proto"
	"github.com/hookline/hookline/plugins/schema"
)

// Options say what to verify.
type Options struct {
	Command  string          // the plugin's file
	Args     []string        // its arguments; a plugin that is installed has none
	Self     bool            // this very program with Args, instead of Command
	Config   json.RawMessage // the operator's settings, given to Configure
	Settings json.RawMessage // an endpoint's, given with every attempt
	Target   string          // an address that acknowledges at once; "": the kit's own HTTP receiver
	Only     string          // the name of the only law to be held; "": all
	Progress func(Verdict)   // called after each law; nil: nobody
}

// Report is what came of it.
type Report struct {
	Plugin   string    `json:"plugin"`
	Version  string    `json:"version"`
	Checksum string    `json:"checksum"`
	Laws     []Verdict `json:"laws"`
	Passed   int       `json:"passed"`
	Failed   int       `json:"failed"`
	Skipped  int       `json:"skipped"`
}

// Verdict is what came of one law. Result is passed, failed or skipped.
type Verdict struct {
	Law    string `json:"law"`
	Says   string `json:"says"`
	Result string `json:"result"`
	Detail string `json:"detail,omitempty"`
	TookMS int64  `json:"took_ms"`
}

// law is one promise a plugin makes.
type law struct {
	name, says string
	receiver   bool // needs the kit's own
	hold       func(ctx context.Context, k *kit) error
}

// skip is an error that means: does not apply.
type skip string

func (s skip) Error() string { return string(s) }

const lawLimit = 45 * time.Second

// kit is one verification.
type kit struct {
	Options
	receiver *receiver
	about    *proto.Description
	secrets  []string // that must never be written
	mark     string   // in every body, must never be written either

	mu     sync.Mutex
	output []string // everything the plugin wrote, in all laws
	sum    string
}

// Run verifies. The error is about the kit itself (no such file, no loopback); what the plugin does wrong is in the Report.
func Run(ctx context.Context, o Options) (*Report, error) {
	if !o.Self {
		if _, err := host.Sum(o.Command); err != nil {
			return nil, err
		}
	}
	k := &kit{Options: o, mark: "hookline-verify-" + strings.ToLower(rand.Text())}
	k.secrets = append(leaves(o.Settings), leaves(o.Config)...)
	r, err := newReceiver()
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	defer r.close()
	k.receiver = r
	rep := &Report{}
	for _, l := range laws() {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("verify: %w", context.Cause(ctx))
		}
		if o.Only != "" && l.name != o.Only && l.name != "handshake" && l.name != "describe" {
			continue
		}
		v := k.judge(ctx, &l)
		rep.add(v)
		if o.Progress != nil {
			o.Progress(v)
		}
		if v.Result == failed && (l.name == "handshake" || l.name == "describe") {
			break // nothing else can be asked
		}
	}
	if k.about != nil {
		rep.Plugin, rep.Version = k.about.GetName(), k.about.GetVersion()
	}
	rep.Checksum = k.sum
	return rep, nil
}

const (
	passed  = "passed"
	failed  = "failed"
	skipped = "skipped"
)

func (r *Report) add(v Verdict) {
	r.Laws = append(r.Laws, v)
	switch v.Result {
	case passed:
		r.Passed++
	case failed:
		r.Failed++
	default:
		r.Skipped++
	}
}

func (k *kit) judge(ctx context.Context, l *law) Verdict {
	began := time.Now()
	v := Verdict{Law: l.name, Says: l.says, Result: passed}
	var err error
	if l.receiver && k.Target != "" {
		err = skip("needs the kit's own receiver; with --target it cannot see what arrives")
	} else {
		ctx, cancel := context.WithTimeoutCause(ctx, lawLimit, fmt.Errorf("no end within %s", lawLimit))
		err = l.hold(ctx, k)
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", context.Cause(ctx), err)
		}
		cancel()
	}
	var s skip
	switch {
	case errors.As(err, &s):
		v.Result, v.Detail = skipped, string(s)
	case err != nil:
		v.Result, v.Detail = failed, err.Error()
	}
	v.TookMS = time.Since(began).Milliseconds()
	return v
}

// start opens a process whose output is kept.
func (k *kit) start(ctx context.Context) (*host.Wire, error) {
	name := "under test"
	if k.about != nil {
		name = k.about.GetName()
	}
	w, err := host.OpenWire(ctx, host.Config{Name: name, Command: k.Command, Self: k.Self, Args: k.Args, Confine: true, Memory: 1 << 30, Logger: slog.New(&collector{k: k})})
	if err != nil {
		return nil, err
	}
	k.sum = w.Checksum()
	return w, nil
}

// collector keeps what a plugin writes.
type collector struct{ k *kit }

func (*collector) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }
func (c *collector) WithAttrs([]slog.Attr) slog.Handler         { return c }
func (c *collector) WithGroup(string) slog.Handler              { return c }
func (c *collector) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "line" { // what the plugin wrote
			c.k.mu.Lock()
			c.k.output = append(c.k.output, a.Value.String())
			c.k.mu.Unlock()
		}
		return true
	})
	return nil
}

// leaves lists the strings in settings that are long enough to be recognised in a log.
func leaves(settings json.RawMessage) (out []string) {
	var v any
	if json.Unmarshal(settings, &v) != nil {
		return nil
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			if len(v) >= 8 {
				out = append(out, v)
			}
		case map[string]any:
			for _, m := range v {
				walk(m)
			}
		case []any:
			for _, m := range v {
				walk(m)
			}
		}
	}
	walk(v)
	return out
}

// sensitive is what of the given settings the schema marks.
func sensitive(doc []byte, settings json.RawMessage) (out []string) {
	s, err := schema.Compile(doc)
	if err != nil {
		return nil
	}
	shown := string(s.Mask(settings))
	for _, leaf := range leaves(settings) {
		quoted, _ := json.Marshal(leaf)
		if !strings.Contains(shown, string(quoted)) {
			out = append(out, leaf)
		}
	}
	return out
}
