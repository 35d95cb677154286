package redis_test

import (
	"fmt"
	"testing"

	client "github.com/redis/go-redis/v9"

	"github.com/hookline/hookline/plugins/brokers/brokertest"
	"github.com/hookline/hookline/plugins/brokers/brokertest/servers"
	"github.com/hookline/hookline/plugins/brokers/redis"
)

func stream(tb testing.TB) brokertest.Stream {
	address := servers.Redis(tb)
	c := client.NewClient(&client.Options{Addr: address})
	tb.Cleanup(func() { c.Close() })
	return brokertest.Stream{
		Open: redis.OpenIngest, Broker: fmt.Sprintf(`{"address":%q}`, address), Topic: "orders",
		Produce: func(tb testing.TB, messages []brokertest.Message) {
			p := c.Pipeline()
			for _, m := range messages {
				values := map[string]any{"body": m.Body}
				for name, value := range m.Headers {
					values["header."+name] = value
				}
				p.XAdd(tb.Context(), &client.XAddArgs{Stream: "orders", Values: values})
			}
			if _, err := p.Exec(tb.Context()); err != nil {
				tb.Fatal(err)
			}
		},
		Unsettled: func(tb testing.TB) int {
			groups, err := c.XInfoGroups(tb.Context(), "orders").Result()
			if err != nil {
				tb.Error(err)
				return -1
			}
			n, err := c.XLen(tb.Context(), "orders").Result()
			if err != nil || len(groups) == 0 {
				return int(n)
			}
			return int(groups[0].Pending + n - groups[0].EntriesRead)
		},
	}
}

func TestIngest(t *testing.T) {
	brokertest.RunIngest(t, func(t *testing.T) brokertest.Stream { return stream(t) })
}

func TestIngestIntoHookline(t *testing.T) { brokertest.RunReal(t, stream(t)) }

func BenchmarkIngest(b *testing.B) { brokertest.BenchIngest(b, stream(b)) }
