package engine

import (
	"sync/atomic"
	"testing"
)

// Below low water nothing is accepted and nothing starts; what is under way is recorded, reads go on, and afterwards
// everything goes on by itself.
func TestDiskLow(t *testing.T) {
	var low atomic.Bool
	r := newRig(t, func(c *Config) { c.LowSpace = low.Load })
	r.tenant("acc", "osir")
	ep := r.endpoint("acc", EndpointInput{Concurrency: Some(1)})
	release := r.held()
	flying := r.publish("acc", PublishInput{Type: "domain.registered"})
	waiting := r.publish("acc", PublishInput{Type: "domain.renewed"})
	r.requested(1)
	low.Store(true)
	r.until("the engine notices", func() bool { return r.Metrics().DiskLow })
	_, err := r.Publish(t.Context(), "acc", []PublishInput{{Type: "domain.renewed", Data: []byte(`{"a":1}`)}})
	wantCode(t, err, CodeDiskLow)
	_, err = r.DisableEndpoint(t.Context(), Actor{}, "acc", ep.ID)
	wantCode(t, err, CodeDiskLow)
	_, err = r.TestEndpoint(t.Context(), Actor{}, "acc", ep.ID, "domain.renewed")
	wantCode(t, err, CodeDiskLow)
	release(200)
	r.until("the one under way is recorded", func() bool { return r.delivery("acc", flying.Matched[0].DeliveryID).Status == "succeeded" })
	r.wantEnd("acc", waiting, "pending", "", 0)
	r.requested(1)
	low.Store(false)
	r.until("the other one follows", func() bool { return r.delivery("acc", waiting.Matched[0].DeliveryID).Status == "succeeded" })
	r.requested(2)
	r.checkFold()
}
