// Hookline-sink is the transport into files and commands as a plugin; hookline starts it.
package main

import (
	"os"

	"github.com/hookline/hookline/plugins/brokers/sink"
	"github.com/hookline/hookline/plugins/sdk"
)

func main() {
	if err := sdk.Serve(sink.Plugin("1.0.0")); err != nil {
		os.Exit(sdk.Complain(err))
	}
}
