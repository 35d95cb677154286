package plugintest_test

import (
	"testing"
	"time"

	"github.com/hookline/hookline/plugins/plugintest"
	"github.com/hookline/hookline/transports"
)

func TestSmoke(t *testing.T) {
	start := time.Now()
	h := plugintest.Start(t, plugintest.Config("empty", nil))
	res, err := h.Deliver(t.Context(), request("https://receiver.example/in"))
	if err != nil || res.Outcome != transports.Acknowledged {
		t.Fatal(res, err)
	}
	t.Logf("start to first reply %s, health %+v", time.Since(start), h.Health())
}
