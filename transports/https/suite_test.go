package https_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/hookline/hookline/transports"
	"github.com/hookline/hookline/transports/https"
	"github.com/hookline/hookline/transports/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The same suite runs through a child process in plugins/plugintest.
func TestConformance(t *testing.T) {
	transporttest.Run(t, func(t *testing.T, c transporttest.Config) transports.Transport {
		tr, err := https.New(https.Options{AllowCIDR: c.AllowCIDR, AllowHTTP: c.AllowHTTP, TrustPEM: c.TrustPEM})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := tr.Close(); err != nil {
				t.Error(err)
			}
		})
		return tr
	})
}
