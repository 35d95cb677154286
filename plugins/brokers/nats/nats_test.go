package nats_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hookline/hookline/plugins/brokers/brokertest"
	"github.com/hookline/hookline/plugins/brokers/brokertest/servers"
	transport "github.com/hookline/hookline/plugins/brokers/nats"
	"github.com/hookline/hookline/plugins/plugintest"
	"github.com/hookline/hookline/transports"
)

func TestMain(m *testing.M) {
	plugintest.Main(transport.Plugin("1.0.0"))
	os.Exit(m.Run())
}

func settings(url, mode string) string {
	return fmt.Sprintf(`{"servers":[%q],"subjects":["in.*"],"mode":%q}`, url, mode)
}

func elsewhere(mode string) func(string) string {
	return func(address string) string {
		return fmt.Sprintf(`{"servers":["nats://%s"],"subjects":["in.*"],"mode":%q,"user":"u","password":"pa55word"}`, address, mode)
	}
}

// stream makes a stream over in.a and one, full and refusing, over in.full.
func streams(tb testing.TB, url string) jetstream.JetStream {
	tb.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		tb.Fatal(err)
	}
	for _, c := range []jetstream.StreamConfig{
		{Name: "IN", Subjects: []string{"in.a"}},
		{Name: "FULL", Subjects: []string{"in.full"}, MaxMsgs: 1, Discard: jetstream.DiscardNew},
	} {
		if _, err := js.CreateStream(context.Background(), c); err != nil {
			tb.Fatal(err)
		}
	}
	if _, err := js.Publish(context.Background(), "in.full", nil); err != nil {
		tb.Fatal(err)
	}
	return js
}

func message(h nats.Header, data []byte) brokertest.Message {
	m := brokertest.Message{ID: h.Get(nats.MsgIdHdr), Headers: map[string]string{}, Body: data}
	for name := range h {
		if name != nats.MsgIdHdr {
			m.Headers[name] = h.Get(name)
		}
	}
	return m
}

func jetStream(tb testing.TB) brokertest.Broker {
	url := servers.NATS(tb, nil)
	js := streams(tb, url)
	return brokertest.Broker{
		Plugin: transport.Plugin("1.0.0"), Settings: settings(url, "jetstream"), Elsewhere: elsewhere("jetstream"), Secret: "pa55word",
		Target: "nats:in.a", Rejected: []string{"nats:in.full", "nats:in.nobody"}, Forbidden: "nats:out.a",
		Read: func(t *testing.T) []brokertest.Message {
			s, err := js.Stream(t.Context(), "IN")
			if err != nil {
				t.Fatal(err)
			}
			var all []brokertest.Message
			for seq := uint64(1); seq <= s.CachedInfo().State.LastSeq; seq++ {
				m, err := s.GetMsg(t.Context(), seq)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, message(m.Header, m.Data))
			}
			return all
		},
	}
}

func TestJetStream(t *testing.T) { brokertest.Run(t, jetStream(t)) }

func TestCore(t *testing.T) {
	url := servers.NATS(t, func(o *server.Options) {
		o.Users = []*server.User{{Username: "reader", Password: "r"}, {Username: "writer", Password: "w",
			Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"in.denied"}}}}}
	})
	nc, err := nats.Connect(url, nats.UserInfo("reader", "r"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	sub, err := nc.SubscribeSync("in.a")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	var all []brokertest.Message
	brokertest.Run(t, brokertest.Broker{
		Plugin:    transport.Plugin("1.0.0"),
		Settings:  fmt.Sprintf(`{"servers":[%q],"subjects":["in.*"],"mode":"core","user":"writer","password":"w"}`, url),
		Elsewhere: elsewhere("core"), Secret: "pa55word",
		Target: "nats:in.a", Rejected: []string{"nats:in.denied"}, Forbidden: "nats:out.a",
		Read: func(t *testing.T) []brokertest.Message {
			if err := nc.Flush(); err != nil { // what the server had before it answered is here now
				t.Fatal(err)
			}
			for n, _, _ := sub.Pending(); n > 0; n-- {
				m, err := sub.NextMsg(time.Second)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, message(m.Header, m.Data))
			}
			return all
		},
	})
}

// The second copy of an event is dropped by the stream, and acknowledged.
func TestMessageIDDeduplicates(t *testing.T) {
	b := jetStream(t)
	tr, err := transport.New(json.RawMessage(b.Settings))
	if err != nil {
		t.Fatal(err)
	}
	defer tr.(*transport.Transport).Close()
	for range 2 {
		res, err := tr.Deliver(t.Context(), &transports.Request{Target: b.Target, EventID: "evt_1", Body: []byte("{}"), Timeout: 5 * time.Second})
		if err != nil || res.Outcome != transports.Acknowledged {
			t.Fatalf("%v %s %v", res.Outcome, res.Error, err)
		}
	}
	if got := b.Read(t); len(got) != 1 {
		t.Errorf("%d messages in the stream, want 1", len(got))
	}
}

// A refused password is no answer of a receiver.
func TestWrongPassword(t *testing.T) {
	url := servers.NATS(t, func(o *server.Options) { o.Username, o.Password = "u", "right" })
	tr, err := transport.New(json.RawMessage(fmt.Sprintf(`{"servers":[%q],"subjects":["*"],"user":"u","password":"wr0ng"}`, url)))
	if err != nil {
		t.Fatal(err)
	}
	defer tr.(*transport.Transport).Close()
	res, err := tr.Deliver(t.Context(), &transports.Request{Target: "nats:a", Body: []byte("{}"), Timeout: 5 * time.Second})
	if err != nil || res.Outcome != transports.Unreachable || res.Kind != transports.KindAuthToken {
		t.Errorf("%v %s %s %v", res.Outcome, res.Kind, res.Error, err)
	}
}

func BenchmarkJetStream(b *testing.B) { brokertest.Bench(b, jetStream(b)) }

func BenchmarkCore(b *testing.B) {
	url := servers.NATS(b, nil)
	brokertest.Bench(b, brokertest.Broker{Plugin: transport.Plugin("1.0.0"), Settings: settings(url, "core"), Target: "nats:in.a"})
}
