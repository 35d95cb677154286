package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// budgeted gives every attempt a ctx that ends with its timeout, and calls one that gives up for that reason timed out.
type budgeted struct{ Transport }

var _ io.Closer = budgeted{}

func (b budgeted) Deliver(ctx context.Context, req *Request) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, req.Timeout)
	defer cancel()
	res, err := b.Transport.Deliver(ctx, req)
	if err != nil && errors.Is(err, context.DeadlineExceeded) && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return Result{Outcome: TimedOut, Kind: KindTimeoutResponse, Error: fmt.Sprintf("no answer within %s", req.Timeout)}, nil
	}
	return res, err
}

func (b budgeted) Close() error {
	if c, ok := b.Transport.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
