// Hookline-redis is the transport to Redis Streams as a plugin; hookline starts it.
package main

import (
	"os"

	"github.com/hookline/hookline/plugins/brokers/redis"
	"github.com/hookline/hookline/plugins/sdk"
)

func main() {
	if err := sdk.Serve(redis.Plugin("1.0.0")); err != nil {
		os.Exit(sdk.Complain(err))
	}
}
