// Hookline-nats is the transport to NATS as a plugin; hookline starts it.
package main

import (
	"os"

	"github.com/hookline/hookline/plugins/brokers/nats"
	"github.com/hookline/hookline/plugins/sdk"
)

func main() {
	if err := sdk.Serve(nats.Plugin("1.0.0")); err != nil {
		os.Exit(sdk.Complain(err))
	}
}
