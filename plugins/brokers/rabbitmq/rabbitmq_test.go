package rabbitmq_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookline/hookline/plugins/brokers/brokertest"
	"github.com/hookline/hookline/plugins/brokers/brokertest/servers"
	"github.com/hookline/hookline/plugins/brokers/rabbitmq"
	"github.com/hookline/hookline/plugins/plugintest"
	"github.com/hookline/hookline/transports"
)

func TestMain(m *testing.M) {
	plugintest.Main(rabbitmq.Plugin("1.0.0"))
	os.Exit(m.Run())
}

func channel(tb testing.TB, address string) *amqp.Channel {
	tb.Helper()
	conn, err := amqp.Dial("amqp://guest:guest@" + address + "/")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		tb.Fatal(err)
	}
	return ch
}

func declare(tb testing.TB, ch *amqp.Channel, queue string, args amqp.Table) {
	tb.Helper()
	if _, err := ch.QueueDeclare(queue, true, false, false, false, args); err != nil {
		tb.Fatal(err)
	}
}

func broker(tb testing.TB, address string) brokertest.Broker {
	ch := channel(tb, address)
	declare(tb, ch, "in.a", nil)
	declare(tb, ch, "in.full", amqp.Table{"x-max-length": 0, "x-overflow": "reject-publish"})
	var all []brokertest.Message
	return brokertest.Broker{
		Plugin: rabbitmq.Plugin("1.0.0"), Settings: fmt.Sprintf(`{"address":%q,"addresses":["/in.*","nowhere/*"]}`, address), Secret: "pa55word",
		Elsewhere: func(address string) string {
			return fmt.Sprintf(`{"address":%q,"addresses":["/in.*"],"user":"u","password":"pa55word"}`, address)
		},
		Target: "amqp:/in.a", Rejected: []string{"amqp:/in.full", "amqp:/in.nobody", "amqp:nowhere/key"}, Forbidden: "amqp:/out.a",
		Read: func(t *testing.T) []brokertest.Message {
			for {
				d, ok, err := ch.Get("in.a", true)
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					return all
				}
				m := brokertest.Message{ID: d.MessageId, Body: d.Body, Headers: map[string]string{"content-type": d.ContentType}}
				for name, value := range d.Headers {
					m.Headers[name] = value.(string)
				}
				if d.DeliveryMode != amqp.Persistent {
					t.Errorf("delivery mode %d", d.DeliveryMode)
				}
				all = append(all, m)
			}
		},
	}
}

func stream(tb testing.TB, r servers.Rabbit, queue string) brokertest.Stream {
	ch := channel(tb, r.Address)
	declare(tb, ch, queue, nil)
	if err := ch.Confirm(false); err != nil {
		tb.Fatal(err)
	}
	return brokertest.Stream{
		Open: rabbitmq.OpenIngest, Broker: fmt.Sprintf(`{"address":%q}`, r.Address), Topic: queue,
		Produce: func(tb testing.TB, messages []brokertest.Message) {
			var last *amqp.DeferredConfirmation
			for _, m := range messages {
				headers := amqp.Table{}
				for name, value := range m.Headers {
					headers[name] = value
				}
				c, err := ch.PublishWithDeferredConfirm("", queue, false, false, amqp.Publishing{MessageId: m.ID, Headers: headers, Body: m.Body})
				if err != nil {
					tb.Fatal(err)
				}
				last = c
			}
			last.Wait()
		},
		Unsettled: func(tb testing.TB) int { return r.Messages(tb, queue) },
	}
}

// One server for all: it takes seconds to start.
func TestRabbitMQ(t *testing.T) {
	r := servers.RabbitMQ(t)
	address := r.Address
	t.Run("Transport", func(t *testing.T) { brokertest.Run(t, broker(t, address)) })
	t.Run("WrongPassword", func(t *testing.T) { wrongPassword(t, address) })
	n := 0
	fresh := func(t *testing.T) brokertest.Stream {
		n++
		return stream(t, r, fmt.Sprint("orders", n))
	}
	t.Run("Ingest", func(t *testing.T) { brokertest.RunIngest(t, fresh) })
	t.Run("IngestIntoHookline", func(t *testing.T) { brokertest.RunReal(t, fresh(t)) })
}

// A refused password is no answer of a receiver; it is not told to anybody.
func wrongPassword(t *testing.T, address string) {
	tr, err := rabbitmq.New(json.RawMessage(fmt.Sprintf(`{"address":%q,"addresses":["*"],"user":"u","password":"wr0ng"}`, address)))
	if err != nil {
		t.Fatal(err)
	}
	defer tr.(*rabbitmq.Transport).Close()
	res, err := tr.Deliver(t.Context(), &transports.Request{Target: "amqp:/a", Body: []byte("{}"), Timeout: 10 * time.Second})
	if err != nil || res.Outcome != transports.Unreachable || res.Kind != transports.KindAuthToken || strings.Contains(res.Error, "wr0ng") {
		t.Errorf("%v %s %s %v", res.Outcome, res.Kind, res.Error, err)
	}
}

func BenchmarkRabbitMQ(b *testing.B) { brokertest.Bench(b, broker(b, servers.RabbitMQ(b).Address)) }

func BenchmarkIngest(b *testing.B) {
	brokertest.BenchIngest(b, stream(b, servers.RabbitMQ(b), "orders"))
}
