package plugintest_test

import (
	"encoding/json"
	"testing"

	"github.com/hookline/hookline/plugins/plugintest"
	"github.com/hookline/hookline/transports"
	"github.com/hookline/hookline/transports/https"
	"github.com/hookline/hookline/transports/transporttest"
)

// The HTTPS suite through a child process: the boundary changes nothing a customer could see.
func TestConformance(t *testing.T) {
	transporttest.Run(t, func(t *testing.T, c transporttest.Config) transports.Transport {
		settings, err := json.Marshal(https.Options{AllowCIDR: c.AllowCIDR, AllowHTTP: c.AllowHTTP, TrustPEM: c.TrustPEM})
		if err != nil {
			t.Fatal(err)
		}
		return plugintest.Start(t, plugintest.Config("https", settings))
	})
}
