// Package rabbitmq is the transport to RabbitMQ (AMQP 0-9-1).
//
// A target is "amqp:EXCHANGE/ROUTING-KEY", or "amqp:/QUEUE" by the default exchange. A message's body is the body, byte for
// byte; message-id is the event's id, content-type the header of that name, the other headers are headers; it is persistent
// and mandatory. Acknowledged means that the broker confirmed it. A nack, a message that no queue takes, and an exchange that
// does not exist or may not be written to are rejected.
//
// amqp091-go is used directly: a watermill-amqp does not resolve where this was built.
package rabbitmq

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/hookline/hookline/plugins/brokers"
	"github.com/hookline/hookline/plugins/sdk"
	"github.com/hookline/hookline/transports"
)

// Plugin is the transport as a plugin.
func Plugin(version string) sdk.Plugin {
	return sdk.Plugin{Name: "rabbitmq", Version: version, ConfigSchema: Schema(), New: New}
}

// Transport publishes with confirms.
type Transport struct {
	attempts brokers.Attempts
	targets  *brokers.Targets
	pool     *pool
}

var (
	_ transports.Transport = (*Transport)(nil)
	_ io.Closer            = (*Transport)(nil)
)

// New has the shape of sdk.Plugin's New. The server need not be there yet.
func New(settings json.RawMessage) (transports.Transport, error) {
	s, err := parse(settings)
	if err != nil {
		return nil, err
	}
	targets, err := brokers.NewTargets("amqp", "addresses", s.Addresses)
	if err != nil {
		return nil, err
	}
	tlsConfig, err := s.TLS.Config()
	if err != nil {
		return nil, err
	}
	t := &Transport{targets: targets, pool: newPool(s.Channels, func() (*amqp.Connection, error) { return s.dial("hookline", tlsConfig) })}
	t.attempts.Judge, t.attempts.Secrets = judge, []string{s.Password}
	if s.Password == "guest" {
		t.attempts.Secrets = nil // no secret, and a word of error texts
	}
	return t, nil
}

// Close ends the connection and waits for what was left under way.
func (t *Transport) Close() error {
	t.pool.close()
	t.attempts.Wait()
	return nil
}

// Deliver implements transports.Transport.
func (t *Transport) Deliver(ctx context.Context, req *transports.Request) (transports.Result, error) {
	address, err := t.targets.Address(req.Target)
	exchange, key, ok := strings.Cut(strings.Clone(address), "/")
	if err == nil && (!ok || exchange == "" && key == "") {
		err = fmt.Errorf("%w: write amqp:EXCHANGE/ROUTING-KEY, or amqp:/QUEUE", brokers.ErrTarget)
	}
	m := amqp.Publishing{
		DeliveryMode: amqp.Persistent, MessageId: strings.Clone(req.EventID), Body: append([]byte(nil), req.Body...),
		Headers: make(amqp.Table, len(req.Headers)),
	}
	for _, h := range req.Headers {
		if h.Name == "content-type" {
			m.ContentType = strings.Clone(h.Value)
		} else {
			m.Headers[strings.Clone(h.Name)] = strings.Clone(h.Value)
		}
	}
	// Writing to a connection cannot be canceled: the message is a copy and may be left behind.
	return t.attempts.RunAside(ctx, req, func(ctx context.Context) error {
		if err != nil {
			return err
		}
		return t.pool.publish(ctx, exchange, key, m)
	})
}

// errNo is the broker's no.
var errNo = errors.New("rabbitmq: the broker refused the message")

func judge(err error) (transports.Outcome, transports.ErrorKind) {
	var answer *amqp.Error
	switch {
	case errors.Is(err, errNo):
		return transports.Rejected, transports.KindStatus
	case errors.Is(err, amqp.ErrCredentials), errors.Is(err, amqp.ErrVhost), errors.Is(err, amqp.ErrSASL):
		return transports.Unreachable, transports.KindAuthToken
	case errors.As(err, &answer):
		switch answer.Code {
		case amqp.NotFound, amqp.AccessRefused, amqp.PreconditionFailed, amqp.NoRoute, amqp.ContentTooLarge, amqp.NotAllowed, amqp.NotImplemented:
			return transports.Rejected, transports.KindStatus
		}
		return transports.Unreachable, transports.KindConnectionReset
	}
	return 0, ""
}
