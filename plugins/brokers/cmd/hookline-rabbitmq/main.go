// Hookline-rabbitmq is the transport to RabbitMQ as a plugin, started by hookline; "hookline-rabbitmq ingest --config FILE" is the way
// back, started by the operator.
package main

import (
	"os"

	"github.com/hookline/hookline/plugins/brokers/ingest"
	"github.com/hookline/hookline/plugins/brokers/rabbitmq"
	"github.com/hookline/hookline/plugins/sdk"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "ingest" {
		os.Exit(ingest.Main(os.Args[2:], rabbitmq.OpenIngest, os.Stderr))
	}
	if err := sdk.Serve(rabbitmq.Plugin("1.0.0")); err != nil {
		os.Exit(sdk.Complain(err))
	}
}
