package redis_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"

	"github.com/hookline/hookline/plugins/brokers/brokertest"
	"github.com/hookline/hookline/plugins/brokers/brokertest/servers"
	"github.com/hookline/hookline/plugins/brokers/redis"
	"github.com/hookline/hookline/plugins/plugintest"
	"github.com/hookline/hookline/transports"
)

func TestMain(m *testing.M) {
	plugintest.Main(redis.Plugin("1.0.0"))
	os.Exit(m.Run())
}

func broker(tb testing.TB) brokertest.Broker {
	address := servers.Redis(tb)
	c := client.NewClient(&client.Options{Addr: address})
	tb.Cleanup(func() { c.Close() })
	if err := c.Set(tb.Context(), "in.text", "no stream", 0).Err(); err != nil {
		tb.Fatal(err)
	}
	return brokertest.Broker{
		Plugin: redis.Plugin("1.0.0"), Settings: fmt.Sprintf(`{"address":%q,"streams":["in.*"]}`, address), Secret: "pa55word",
		Elsewhere: func(address string) string {
			return fmt.Sprintf(`{"address":%q,"streams":["in.*"],"password":"pa55word"}`, address)
		},
		Target: "redis:in.a", Rejected: []string{"redis:in.text"}, Forbidden: "redis:out.a",
		Read: func(t *testing.T) []brokertest.Message {
			entries, err := c.XRange(t.Context(), "in.a", "-", "+").Result()
			if err != nil {
				t.Fatal(err)
			}
			var all []brokertest.Message
			for _, e := range entries {
				m := brokertest.Message{Headers: map[string]string{}}
				for name, value := range e.Values {
					switch header, ok := strings.CutPrefix(name, "header."); {
					case ok:
						m.Headers[header] = value.(string)
					case name == "event_id":
						m.ID = value.(string)
					case name == "body":
						m.Body = []byte(value.(string))
					default:
						t.Errorf("field %s", name)
					}
				}
				all = append(all, m)
			}
			return all
		},
	}
}

func TestRedis(t *testing.T) { brokertest.Run(t, broker(t)) }

// A refused password is no answer of a receiver; it is not told to anybody.
func TestWrongPassword(t *testing.T) {
	address := servers.Redis(t, "--requirepass", "right")
	for name, kind := range map[string]string{"wrong": `,"password":"wr0ng"`, "none": ""} {
		tr, err := redis.New(json.RawMessage(fmt.Sprintf(`{"address":%q,"streams":["*"]%s}`, address, kind)))
		if err != nil {
			t.Fatal(err)
		}
		defer tr.(*redis.Transport).Close()
		res, err := tr.Deliver(t.Context(), &transports.Request{Target: "redis:a", Body: []byte("{}"), Timeout: 5 * time.Second})
		if err != nil || res.Outcome != transports.Unreachable || res.Kind != transports.KindAuthToken || strings.Contains(res.Error, "wr0ng") {
			t.Errorf("%s: %v %s %s %v", name, res.Outcome, res.Kind, res.Error, err)
		}
	}
}

// max_len bounds the stream, about.
func TestMaxLen(t *testing.T) {
	b := broker(t)
	tr, err := redis.New(json.RawMessage(strings.TrimSuffix(b.Settings, "}") + `,"max_len":100}`))
	if err != nil {
		t.Fatal(err)
	}
	defer tr.(*redis.Transport).Close()
	for range 1000 {
		if res, err := tr.Deliver(t.Context(), &transports.Request{Target: b.Target, Body: []byte("{}"), Timeout: 5 * time.Second}); err != nil || res.Outcome != transports.Acknowledged {
			t.Fatalf("%v %s %v", res.Outcome, res.Error, err)
		}
	}
	if n := len(b.Read(t)); n < 100 || n > 300 {
		t.Errorf("%d entries, want about 100", n)
	}
}

func BenchmarkRedis(b *testing.B) { brokertest.Bench(b, broker(b)) }
