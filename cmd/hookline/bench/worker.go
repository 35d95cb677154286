package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Word is the hidden subcommand by which the bench re-executes its own binary.
const Word = "bench-worker"

// A worker is called over its standard input and output, a line of JSON each: one call at a time. The end of its input
// ends it, so that no worker outlives a killed bench. The ledger is its descriptor 3.
const ledgerFD = 3

type call struct {
	Op   string          `json:"op"`
	Args json.RawMessage `json:"args"`
}

type reply struct {
	Error  string          `json:"error,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
}

type handler func(ctx context.Context, args json.RawMessage) (any, error)

// Main runs a worker when args (without the program's name) are a worker's, and says with which code to exit. The
// program calls it before it reads its flags.
func Main(args []string) (code int, handled bool) {
	if len(args) == 0 || args[0] != Word {
		return 0, false
	}
	if err := work(args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", Word, err)
		return 1, true
	}
	return 0, true
}

func work(args []string) error {
	if len(args) != 1 {
		return errors.New("started by `hookline bench` only")
	}
	l, err := openLedger(os.NewFile(ledgerFD, "ledger"))
	if err != nil {
		return err
	}
	defer l.close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var ops map[string]handler
	switch args[0] {
	case roleReceiver:
		r := newReceiver(l)
		defer r.close()
		ops = r.ops()
	case rolePublisher:
		ops = publisherOps(l)
	case roleBare:
		ops = bareOps()
	default:
		return fmt.Errorf("role %q: want %s, %s or %s", args[0], roleReceiver, rolePublisher, roleBare)
	}
	return serveCalls(ctx, os.Stdin, os.Stdout, ops)
}

const (
	roleReceiver  = "receiver"
	rolePublisher = "publisher"
	roleBare      = "bare"
)

// serveCalls answers calls until in ends. A call under way is canceled then.
func serveCalls(ctx context.Context, in io.Reader, out io.Writer, ops map[string]handler) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	calls, done := make(chan call), make(chan error, 1)
	go func() {
		defer cancel()
		dec := json.NewDecoder(bufio.NewReader(in))
		for {
			var c call
			if err := dec.Decode(&c); err != nil {
				if errors.Is(err, io.EOF) {
					err = nil
				}
				done <- err
				return
			}
			select {
			case calls <- c:
			case <-ctx.Done():
				done <- nil
				return
			}
		}
	}()
	enc := json.NewEncoder(out)
	for {
		select {
		case err := <-done:
			return err
		case c := <-calls:
			if err := enc.Encode(answer(ctx, c, ops)); err != nil {
				return fmt.Errorf("answer: %w", err)
			}
		}
	}
}

func answer(ctx context.Context, c call, ops map[string]handler) reply {
	h := ops[c.Op]
	if h == nil {
		return reply{Error: fmt.Sprintf("op %q: unknown", c.Op)}
	}
	v, err := h(ctx, c.Args)
	if err != nil {
		return reply{Error: err.Error()}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return reply{Error: err.Error()}
	}
	return reply{Result: b}
}

// op adapts a typed function.
func op[A, R any](f func(context.Context, A) (R, error)) handler {
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		var args A
		if err := json.Unmarshal(raw, &args); err != nil {
			return nil, fmt.Errorf("arguments: %w", err)
		}
		return f(ctx, args)
	}
}
