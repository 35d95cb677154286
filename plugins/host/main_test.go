package host_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookline/hookline/plugins/plugintest"
	"github.com/hookline/hookline/plugins/sdk"
	"github.com/hookline/hookline/transports"
)

// probe is a transport that does as its target says, so that tests drive it from outside its process.
type probe struct {
	settings       string
	now, most      atomic.Int64 // attempts under way
	seen, canceled atomic.Int64
}

func (p *probe) Deliver(ctx context.Context, req *transports.Request) (transports.Result, error) {
	p.seen.Add(1)
	n := p.now.Add(1)
	defer p.now.Add(-1)
	for m := p.most.Load(); n > m && !p.most.CompareAndSwap(m, n); m = p.most.Load() {
	}
	verb, arg, _ := strings.Cut(req.Target, " ")
	yes := transports.Result{Outcome: transports.Acknowledged, Status: 200}
	switch verb {
	case "echo":
		yes.Body = req.Body
	case "wait": // as long as arg says, or until canceled
		d, err := time.ParseDuration(arg)
		if err != nil {
			return yes, err
		}
		select {
		case <-time.After(d):
		case <-ctx.Done():
			p.canceled.Add(1)
			return yes, ctx.Err()
		}
	case "stuck": // deaf to everything
		select {}
	case "panic":
		panic("on request")
	case "exit":
		os.Exit(3)
	case "fault":
		return yes, errors.New("out of paper")
	case "print":
		fmt.Println("to stdout:", arg)
		fmt.Fprintln(os.Stderr, "to stderr:", arg)
	case "report":
		yes.Body = []byte(p.report(arg))
	}
	return yes, nil
}

func (p *probe) report(what string) string {
	switch what {
	case "settings":
		return p.settings
	case "environment":
		var names []string
		for _, e := range os.Environ() {
			name, _, _ := strings.Cut(e, "=")
			names = append(names, name)
		}
		slices.Sort(names)
		return strings.Join(names, " ")
	case "descriptors":
		var out []string
		for fd := range 64 {
			if to, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd)); err == nil {
				out = append(out, to)
			}
		}
		return strings.Join(out, "\n")
	case "seen":
		return fmt.Sprint(p.seen.Load() - 1)
	case "canceled":
		return fmt.Sprint(p.canceled.Load())
	case "most":
		return fmt.Sprint(p.most.Load())
	}
	return ""
}

func newProbe(settings json.RawMessage) (transports.Transport, error) {
	if strings.Contains(string(settings), "refuse") {
		return nil, errors.New("settings: mood is refuse, must be good: set it to good")
	}
	var closed struct{ Unless string } // a file that keeps the plugin from starting while it exists
	if err := json.Unmarshal(settings, &closed); err == nil && closed.Unless != "" {
		if _, err := os.Stat(closed.Unless); err == nil {
			return nil, errors.New("settings: closed")
		}
	}
	return &probe{settings: string(settings)}, nil
}

func TestMain(m *testing.M) {
	plugintest.ServeLiar()
	plugintest.Main(
		sdk.Plugin{Name: "probe", Version: "1.2.3", ConfigSchema: []byte(`{"type":"object"}`), New: newProbe},
		sdk.Plugin{Name: "narrow", Version: "1", New: newProbe, MaxInFlight: 4},
	)
	beHost() // returns unless this process was started to be killed
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func request(target string) *transports.Request {
	return &transports.Request{Target: target, Body: []byte("body"), Timeout: 10 * time.Second}
}
