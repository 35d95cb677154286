// Package nats is the transport to NATS: core and JetStream.
//
// A target is "nats:SUBJECT". The message's data is the body, byte for byte; its headers are the attempt's; Nats-Msg-Id is the
// event's id, so that a stream drops the second copy of an attempt that was repeated (within its duplicate window).
//
// In mode jetstream, acknowledged means that a stream has stored the message; a stream's no, and no stream at all, are
// rejected. In mode core it means that the server has the message (it answered a PING sent after it): core NATS tells nobody
// whether a subscriber was there.
//
// nats.go is used directly, not through Watermill: watermill-nats v2.1.3 puts a core message into a buffer and reports success
// (pkg/nats, conn.PublishMsg), and its JetStream publishers take neither a deadline nor a message id
// (pkg/jetstream publishes with context.Background and no Nats-Msg-Id).
package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hookline/hookline/plugins/brokers"
	"github.com/hookline/hookline/plugins/sdk"
	"github.com/hookline/hookline/transports"
)

// Plugin is the transport as a plugin.
func Plugin(version string) sdk.Plugin {
	return sdk.Plugin{Name: "nats", Version: version, ConfigSchema: Schema(), New: New}
}

// Transport publishes to NATS.
type Transport struct {
	attempts brokers.Attempts
	targets  *brokers.Targets
	conn     *conn
	js       jetstream.JetStream // nil in mode core
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
	targets, err := brokers.NewTargets("nats", "subjects", s.Subjects)
	if err != nil {
		return nil, err
	}
	t := &Transport{targets: targets}
	t.attempts.Judge, t.attempts.Secrets = judge, []string{s.Password, s.Token, s.Creds}
	if t.conn, err = dial(&s.Connection, "hookline"); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	if s.Mode == modeJetStream {
		if t.js, err = jetstream.New(t.conn.Conn); err != nil {
			t.conn.close()
			return nil, err
		}
	}
	return t, nil
}

// Close ends the connection.
func (t *Transport) Close() error {
	t.conn.close()
	return nil
}

// Deliver implements transports.Transport.
func (t *Transport) Deliver(ctx context.Context, req *transports.Request) (transports.Result, error) {
	return t.attempts.Run(ctx, req, func(ctx context.Context) error {
		subject, err := t.targets.Address(req.Target)
		if err != nil {
			return err
		}
		if strings.ContainsAny(subject, "*>") {
			return fmt.Errorf("%w: a subject to write to has no wildcards", brokers.ErrTarget)
		}
		m := &nats.Msg{Subject: subject, Data: req.Body, Header: make(nats.Header, len(req.Headers)+1)}
		for _, h := range req.Headers {
			if !strings.HasPrefix(h.Name, "nats-") { // those are orders to the server
				m.Header[h.Name] = append(m.Header[h.Name], h.Value)
			}
		}
		if req.EventID != "" {
			m.Header[nats.MsgIdHdr] = []string{req.EventID}
		}
		waiting, done := t.conn.during(ctx)
		defer done()
		if t.js != nil {
			_, err = t.js.PublishMsg(waiting, m, jetstream.WithRetryAttempts(0))
		} else {
			err = t.publishCore(waiting, m)
		}
		if err != nil && ctx.Err() == nil && errors.Is(context.Cause(waiting), errLost) {
			return errLost
		}
		if errors.Is(err, nats.ErrReconnectBufExceeded) {
			return fmt.Errorf("no connection: %w", t.conn.reason(waiting, err))
		}
		return err
	})
}

// publishCore sends and waits until the server has read the message. A refusal by its permissions comes before the answer
// to the PING.
func (t *Transport) publishCore(ctx context.Context, m *nats.Msg) error {
	before := t.conn.LastError()
	if err := t.conn.PublishMsg(m); err != nil {
		return err
	}
	if err := t.conn.FlushWithContext(ctx); err != nil {
		return err
	}
	if now := t.conn.LastError(); now != before && errors.Is(now, nats.ErrPermissionViolation) && strings.Contains(now.Error(), `"`+m.Subject+`"`) {
		return now
	}
	return nil
}

func judge(err error) (transports.Outcome, transports.ErrorKind) {
	var api *jetstream.APIError
	switch {
	case errors.As(err, &api), errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrPermissionViolation),
		errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrBadSubject):
		return transports.Rejected, transports.KindStatus
	case errors.Is(err, jetstream.ErrInvalidJSAck):
		return transports.Rejected, transports.KindProtocol
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked), errors.Is(err, nats.ErrAccountAuthExpired):
		return transports.Unreachable, transports.KindAuthToken
	case errors.Is(err, errLost):
		return transports.Unreachable, transports.KindConnectionReset
	case errors.Is(err, nats.ErrNoServers):
		return transports.Unreachable, transports.KindConnectRefused
	}
	return 0, ""
}
