package nats_test

import (
	"fmt"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hookline/hookline/plugins/brokers/brokertest"
	"github.com/hookline/hookline/plugins/brokers/brokertest/servers"
	transport "github.com/hookline/hookline/plugins/brokers/nats"
)

func stream(tb testing.TB) brokertest.Stream {
	url := servers.NATS(tb, nil)
	nc, err := nats.Connect(url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(nc.Close)
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(1000))
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := js.CreateStream(tb.Context(), jetstream.StreamConfig{Name: "ORDERS", Subjects: []string{"orders.>"}}); err != nil {
		tb.Fatal(err)
	}
	return brokertest.Stream{
		Open: transport.OpenIngest, Broker: fmt.Sprintf(`{"servers":[%q]}`, url), Topic: "ORDERS",
		Produce: func(tb testing.TB, messages []brokertest.Message) {
			for _, m := range messages {
				out := &nats.Msg{Subject: "orders.eu", Data: m.Body, Header: nats.Header{nats.MsgIdHdr: {m.ID}}}
				for name, value := range m.Headers {
					out.Header.Set(name, value)
				}
				if _, err := js.PublishMsgAsync(out); err != nil {
					tb.Fatal(err)
				}
			}
			<-js.PublishAsyncComplete()
		},
		Unsettled: func(tb testing.TB) int {
			s, err := js.Stream(tb.Context(), "ORDERS")
			if err != nil {
				tb.Error(err)
				return -1
			}
			floor := uint64(0)
			for c := range s.ListConsumers(tb.Context()).Info() {
				floor = max(floor, c.AckFloor.Stream)
			}
			return int(s.CachedInfo().State.LastSeq - floor)
		},
	}
}

func TestIngest(t *testing.T) {
	brokertest.RunIngest(t, func(t *testing.T) brokertest.Stream { return stream(t) })
}

func TestIngestIntoHookline(t *testing.T) { brokertest.RunReal(t, stream(t)) }

func BenchmarkIngest(b *testing.B) { brokertest.BenchIngest(b, stream(b)) }
