package sdk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/hookline/hookline/plugins/sdk"
	"github.com/hookline/hookline/transports"
)

// logger is a transport that takes everything and writes it to its log.
type logger struct{ prefix string }

func (l logger) Deliver(_ context.Context, req *transports.Request) (transports.Result, error) {
	log.Printf("%s%s: %d bytes", l.prefix, req.Target, len(req.Body))
	return transports.Result{Outcome: transports.Acknowledged}, nil
}

func newLogger(settings json.RawMessage) (transports.Transport, error) {
	var s struct{ Prefix string }
	if len(settings) > 0 {
		if err := json.Unmarshal(settings, &s); err != nil {
			return nil, fmt.Errorf("settings: %w", err)
		}
	}
	return logger{s.Prefix}, nil
}

// A whole plugin. Run by hand, as here, it only says what it is.
func Example() {
	err := sdk.Serve(sdk.Plugin{
		Name: "logger", Version: "1.0.0", New: newLogger,
		ConfigSchema: json.RawMessage(`{"type":"object","properties":{"prefix":{"type":"string"}}}`),
	})
	fmt.Println(err == sdk.ErrStartedByHand) // in a main: os.Exit(sdk.Complain(err))
	// Output: true
}
