package brokers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hookline/hookline/transports"
)

// Attempts turns what a client says into a Result. Copy it never; the zero value works.
type Attempts struct {
	// Judge says what a client's error means; nil, or outcome 0: it is looked at as one of the network.
	Judge func(error) (transports.Outcome, transports.ErrorKind)
	// Secrets never appear in an error text.
	Secrets []string

	left sync.WaitGroup // sends that outlived their attempt
}

// errOurs marks an error that is this side's fault.
type errOurs struct{ error }

func (e errOurs) Unwrap() error { return e.error }

// Ours marks an error of send as our own: the attempt does not count against the endpoint.
func Ours(err error) error { return errOurs{err} }

// Run makes one attempt with a client that ends with its context. send must not keep the request's slices.
func (a *Attempts) Run(ctx context.Context, req *transports.Request, send func(context.Context) error) (transports.Result, error) {
	start := time.Now()
	within, cancel := context.WithTimeout(ctx, req.Timeout)
	defer cancel()
	return a.finish(ctx, within, start, send(within))
}

// RunAside makes one attempt with a client that does not: the attempt ends in time and send is left to its own end, which
// Wait waits for. send must not touch the request, its slices included.
func (a *Attempts) RunAside(ctx context.Context, req *transports.Request, send func(context.Context) error) (transports.Result, error) {
	start := time.Now()
	within, cancel := context.WithTimeout(ctx, req.Timeout)
	defer cancel()
	sent := make(chan error, 1)
	a.left.Go(func() { sent <- send(within) })
	select {
	case err := <-sent:
		return a.finish(ctx, within, start, err)
	case <-within.Done():
		return a.finish(ctx, within, start, within.Err())
	}
}

// Wait returns once no send of RunAside is left.
func (a *Attempts) Wait() { a.left.Wait() }

func (a *Attempts) finish(ctx, within context.Context, start time.Time, err error) (transports.Result, error) {
	took := time.Since(start)
	res := transports.Result{Outcome: transports.Acknowledged, Took: took, Timings: transports.Timings{Wait: took}}
	if err == nil {
		return res, nil
	}
	if ours := (errOurs{}); errors.As(err, &ours) {
		return transports.Result{}, errors.New(a.clean(err))
	}
	res.Outcome, res.Kind = a.judge(within, err)
	res.Error = a.clean(err)
	if res.Outcome != transports.Rejected && ctx.Err() != nil {
		return transports.Result{}, fmt.Errorf("%w: %w", transports.ErrInterrupted, context.Cause(ctx))
	}
	return res, nil
}

func (a *Attempts) judge(within context.Context, err error) (transports.Outcome, transports.ErrorKind) {
	if errors.Is(err, ErrTarget) {
		return transports.Unreachable, transports.KindRefusedAddress
	}
	if a.Judge != nil {
		if o, k := a.Judge(err); o != 0 {
			return o, k
		}
	}
	if within.Err() != nil {
		return transports.TimedOut, transports.KindTimeoutResponse
	}
	return network(err)
}

const maxErrorText = 1024

func (a *Attempts) clean(err error) string {
	text := err.Error()
	for _, s := range a.Secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	if len(text) > maxErrorText {
		text = text[:maxErrorText]
	}
	return strings.ToValidUTF8(text, "?")
}
