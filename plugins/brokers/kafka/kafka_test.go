package kafka_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/hookline/hookline/plugins/brokers/brokertest"
	"github.com/hookline/hookline/plugins/brokers/brokertest/servers"
	"github.com/hookline/hookline/plugins/brokers/kafka"
	"github.com/hookline/hookline/plugins/plugintest"
)

func TestMain(m *testing.M) {
	plugintest.Main(kafka.Plugin("1.0.0"))
	os.Exit(m.Run())
}

func client(tb testing.TB, address string, more ...kgo.Opt) *kgo.Client {
	tb.Helper()
	c, err := kgo.NewClient(append(more, kgo.SeedBrokers(address))...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Close)
	return c
}

// readAll returns what is in a topic of one partition.
func readAll(t *testing.T, address, topic string) []brokertest.Message {
	t.Helper()
	ends, err := kadm.NewClient(client(t, address)).ListEndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	end, _ := ends.Lookup(topic, 0)
	c := client(t, address, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(0)}}))
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var all []brokertest.Message
	for int64(len(all)) < end.Offset {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			m := brokertest.Message{Headers: map[string]string{}, Body: r.Value}
			for _, h := range r.Headers {
				if h.Key == "event-id" {
					m.ID = string(h.Value)
				} else {
					m.Headers[h.Key] = string(h.Value)
				}
			}
			if string(r.Key) != m.ID {
				t.Errorf("key %q of event %q", r.Key, m.ID)
			}
			all = append(all, m)
		})
	}
	return all
}

func broker(tb testing.TB) brokertest.Broker {
	address := servers.Kafka(tb, 1, "in.a")
	return brokertest.Broker{
		Plugin: kafka.Plugin("1.0.0"), Settings: fmt.Sprintf(`{"brokers":[%q],"topics":["in.*"]}`, address), Secret: "pa55word",
		Elsewhere: func(address string) string {
			return fmt.Sprintf(`{"brokers":[%q],"topics":["in.*"],"user":"u","password":"pa55word","tls":{"enabled":true}}`, address)
		},
		Target: "kafka:in.a", Rejected: []string{"kafka:in.nobody"}, Forbidden: "kafka:out.a",
		Read: func(t *testing.T) []brokertest.Message { return readAll(t, address, "in.a") },
	}
}

func TestKafka(t *testing.T) { brokertest.Run(t, broker(t)) }

func BenchmarkKafka(b *testing.B) { brokertest.Bench(b, broker(b)) }

func stream(tb testing.TB) brokertest.Stream {
	address := servers.Kafka(tb, 1, "orders")
	c := client(tb, address)
	admin := kadm.NewClient(c)
	return brokertest.Stream{
		Open: kafka.OpenIngest, Broker: fmt.Sprintf(`{"brokers":[%q]}`, address), Topic: "orders",
		Produce: func(tb testing.TB, messages []brokertest.Message) {
			for _, m := range messages {
				r := &kgo.Record{Topic: "orders", Key: []byte("k"), Value: m.Body}
				for name, value := range m.Headers {
					r.Headers = append(r.Headers, kgo.RecordHeader{Key: name, Value: []byte(value)})
				}
				c.Produce(tb.Context(), r, func(_ *kgo.Record, err error) {
					if err != nil {
						tb.Error(err)
					}
				})
			}
			if err := c.Flush(tb.Context()); err != nil {
				tb.Fatal(err)
			}
		},
		Unsettled: func(tb testing.TB) int {
			ends, err := admin.ListEndOffsets(tb.Context(), "orders")
			if err != nil {
				tb.Error(err)
				return -1
			}
			end, _ := ends.Lookup("orders", 0)
			offsets, err := admin.FetchOffsets(tb.Context(), "hookline")
			if err != nil {
				return int(end.Offset)
			}
			at, _ := offsets.Lookup("orders", 0)
			return int(end.Offset - max(at.At, 0))
		},
	}
}

func TestIngest(t *testing.T) {
	brokertest.RunIngest(t, func(t *testing.T) brokertest.Stream { return stream(t) })
}

func TestIngestIntoHookline(t *testing.T) { brokertest.RunReal(t, stream(t)) }

func BenchmarkIngest(b *testing.B) { brokertest.BenchIngest(b, stream(b)) }

// SASL PLAIN sends the password as it is: never without TLS.
func TestPasswordNeedsTLS(t *testing.T) {
	const settings = `{"brokers":["127.0.0.1:1"],"topics":["in.*"],"user":"u","password":"pa55word"%s}`
	if _, err := kafka.Plugin("1.0.0").New([]byte(fmt.Sprintf(settings, ""))); err == nil || !strings.Contains(err.Error(), "tls.enabled") {
		t.Errorf("without TLS: %v", err)
	}
}
