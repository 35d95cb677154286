package plugintest_test

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookline/hookline/plugins/plugintest"
	"github.com/hookline/hookline/plugins/sdk"
	"github.com/hookline/hookline/transports"
	"github.com/hookline/hookline/transports/https"
)

// empty acknowledges without doing anything: what remains is the wire's own cost.
type empty struct{}

func (empty) Deliver(context.Context, *transports.Request) (transports.Result, error) {
	return transports.Result{Outcome: transports.Acknowledged, Status: 200}, nil
}

func TestMain(m *testing.M) {
	plugintest.Main(
		sdk.Plugin{Name: "https", Version: "1.0.0", ConfigSchema: https.Schema(), New: https.FromSettings},
		sdk.Plugin{Name: "empty", Version: "1.0.0", New: func(json.RawMessage) (transports.Transport, error) { return empty{}, nil }},
	)
	beReceiver()
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			println(err.Error())
			code = 1
		}
	}
	os.Exit(code)
}
