package brokertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookline/hookline/plugins/plugintest"
	"github.com/hookline/hookline/plugins/sdk"
	"github.com/hookline/hookline/transports"
)

// Message is what a consumer of the broker got.
type Message struct {
	ID      string
	Headers map[string]string
	Body    []byte
}

// Broker is a transport and the server behind it.
type Broker struct {
	Plugin    sdk.Plugin
	Settings  string                       // towards a server that runs
	Elsewhere func(address string) string  // the same towards another host:port, with Secret in it; nil: there is none
	Secret    string                       // a password in what Elsewhere returns
	Target    string                       // an address that is opened and takes everything
	Rejected  []string                     // opened addresses where the broker says no
	Forbidden string                       // an address that is not opened
	Read      func(t *testing.T) []Message // all that is at Target, oldest first
}

// Run proves the promises of package brokers, one subtest a promise. The test program must have called plugintest.Main
// with the plugin.
func Run(t *testing.T, b Broker) {
	for _, way := range []struct {
		name  string
		start func(t *testing.T, settings string) transports.Transport
	}{
		{"inprocess", func(t *testing.T, settings string) transports.Transport {
			tr, err := b.Plugin.New(json.RawMessage(settings))
			if err != nil {
				t.Fatal(err)
			}
			if c, ok := tr.(io.Closer); ok {
				t.Cleanup(func() {
					if err := c.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			return tr
		}},
		{"plugin", func(t *testing.T, settings string) transports.Transport {
			return plugintest.Start(t, plugintest.Config(b.Plugin.Name, json.RawMessage(settings)))
		}},
	} {
		t.Run(way.name, func(t *testing.T) {
			s := &suite{Broker: b, start: way.start}
			t.Run("Mapping", s.mapping)
			t.Run("Sizes", s.sizes)
			t.Run("OnceEach", s.onceEach)
			t.Run("Rejected", s.rejected)
			t.Run("Forbidden", s.forbidden)
			if b.Elsewhere != nil {
				t.Run("Unreachable", s.unreachable)
				t.Run("Silent", s.silent)
				t.Run("Canceled", s.canceled)
			}
		})
	}
	t.Run("Settings", func(t *testing.T) { badSettings(t, b) })
}

type suite struct {
	Broker
	start func(t *testing.T, settings string) transports.Transport
}

// request is an attempt of an event with an id of its own.
func request(target, id string, body []byte) *transports.Request {
	return &transports.Request{
		Target: target, EventID: id, Body: body, Timeout: 20 * time.Second,
		Headers: []transports.Header{{Name: "content-type", Value: "application/json"}, {Name: "webhook-signature", Value: "v1,bm9uZQ=="}},
	}
}

func (s *suite) deliver(t *testing.T, tr transports.Transport, req *transports.Request) transports.Result {
	t.Helper()
	res, err := tr.Deliver(t.Context(), req)
	if err != nil {
		t.Fatalf("error %v, want a result", err)
	}
	if (res.Outcome == transports.Acknowledged) != (res.Error == "") {
		t.Errorf("%s with error text %q", res.Outcome, res.Error)
	}
	if s.Secret != "" && strings.Contains(res.Error, s.Secret) {
		t.Errorf("the error text holds the password: %q", res.Error)
	}
	return res
}

func (s *suite) acknowledged(t *testing.T, tr transports.Transport, req *transports.Request) {
	t.Helper()
	if res := s.deliver(t, tr, req); res.Outcome != transports.Acknowledged {
		t.Fatalf("%s %s: %s", res.Outcome, res.Kind, res.Error)
	}
}

// find returns the messages whose id begins so.
func (s *suite) find(t *testing.T, prefix string) []Message {
	t.Helper()
	var found []Message
	for _, m := range s.Read(t) {
		if strings.HasPrefix(m.ID, prefix) {
			found = append(found, m)
		}
	}
	return found
}

// name makes ids that no other subtest uses.
func name(t *testing.T) string {
	return strings.NewReplacer("/", "_", "#", "_").Replace(t.Name()) + "_"
}

// The body is the bytes, the headers are the headers, the event's id is where the system has a place for it.
func (s *suite) mapping(t *testing.T) {
	tr := s.start(t, s.Settings)
	body := []byte(" {\"b\" : 1,\n\"a\":\"\\u00e9\u00e9\"}\t")
	s.acknowledged(t, tr, request(s.Target, name(t), body))
	got := s.find(t, name(t))
	if len(got) != 1 {
		t.Fatalf("%d messages, want 1", len(got))
	}
	if !bytes.Equal(got[0].Body, body) {
		t.Errorf("body %q, want %q", got[0].Body, body)
	}
	want := map[string]string{"content-type": "application/json", "webhook-signature": "v1,bm9uZQ=="}
	if !maps.Equal(got[0].Headers, want) {
		t.Errorf("headers %v, want %v", got[0].Headers, want)
	}
}

// Nothing, one byte, every byte value, and the largest event pass unchanged.
func (s *suite) sizes(t *testing.T) {
	tr := s.start(t, s.Settings)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	bodies := [][]byte{{}, {'1'}, all, bytes.Repeat([]byte("0123456789abcdef"), 16<<10)}
	for i, body := range bodies {
		s.acknowledged(t, tr, request(s.Target, fmt.Sprint(name(t), i), body))
	}
	got := s.find(t, name(t))
	if len(got) != len(bodies) {
		t.Fatalf("%d messages, want %d", len(got), len(bodies))
	}
	for i, m := range got {
		if !bytes.Equal(m.Body, bodies[i]) {
			t.Errorf("body %d has %d bytes and differs, want %d bytes", i, len(m.Body), len(bodies[i]))
		}
	}
}

// Many attempts at once: each message is there once.
func (s *suite) onceEach(t *testing.T) {
	const callers, each = 32, 20
	tr := s.start(t, s.Settings)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("%s%d-%d", name(t), c, i)
				res, err := tr.Deliver(t.Context(), request(s.Target, id, []byte(id)))
				if err != nil || res.Outcome != transports.Acknowledged {
					t.Errorf("%s: %v %s %v", id, res.Outcome, res.Error, err)
				}
			}
		})
	}
	wg.Wait()
	count := map[string]int{}
	for _, m := range s.find(t, name(t)) {
		count[m.ID]++
		if string(m.Body) != m.ID {
			t.Errorf("message %s has the body of %s", m.ID, m.Body)
		}
	}
	if len(count) != callers*each {
		t.Errorf("%d events arrived, want %d", len(count), callers*each)
	}
	for id, n := range count {
		if n != 1 {
			t.Errorf("event %s arrived %d times", id, n)
		}
	}
}

// What the broker refuses is the receiver's no.
func (s *suite) rejected(t *testing.T) {
	tr := s.start(t, s.Settings)
	for _, target := range s.Broker.Rejected {
		if res := s.deliver(t, tr, request(target, name(t), []byte("{}"))); res.Outcome != transports.Rejected {
			t.Errorf("%s: %s %s: %s; want rejected", target, res.Outcome, res.Kind, res.Error)
		}
	}
}

// What the operator did not open is not written to.
func (s *suite) forbidden(t *testing.T) {
	tr := s.start(t, s.Settings)
	scheme, _, _ := strings.Cut(s.Target, ":")
	for _, target := range []string{s.Broker.Forbidden, "", scheme + ":", "https://receiver.example/", s.Target + "\r\nx", s.Target + strings.Repeat("x", 300)} {
		res := s.deliver(t, tr, request(target, name(t), []byte("{}")))
		if res.Outcome != transports.Unreachable || res.Kind != transports.KindRefusedAddress {
			t.Errorf("%q: %s %s: %s; want unreachable, refused_address", target, res.Outcome, res.Kind, res.Error)
		}
	}
}

// listener is an address; with hold it takes connections and says nothing, else nobody is there.
func listener(t *testing.T, hold bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if !hold {
		l.Close()
		return l.Addr().String()
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, c); c.Close() }()
		}
	}()
	return l.Addr().String()
}

// A broker that is not there keeps nothing from starting; its attempts are unreachable, soon.
func (s *suite) unreachable(t *testing.T) {
	tr := s.start(t, s.Elsewhere(listener(t, false)))
	for range 3 {
		if res := s.deliver(t, tr, request(s.Target, name(t), []byte("{}"))); res.Outcome != transports.Unreachable {
			t.Errorf("%s %s: %s; want unreachable", res.Outcome, res.Kind, res.Error)
		}
	}
}

// A server that says nothing costs the timeout, not more.
func (s *suite) silent(t *testing.T) {
	tr := s.start(t, s.Elsewhere(listener(t, true)))
	req := request(s.Target, name(t), []byte("{}"))
	req.Timeout = 300 * time.Millisecond
	start := time.Now()
	res := s.deliver(t, tr, req)
	if res.Outcome != transports.TimedOut && res.Outcome != transports.Unreachable {
		t.Errorf("%s %s: %s; want timed_out or unreachable", res.Outcome, res.Kind, res.Error)
	}
	if took := time.Since(start); took > req.Timeout+2*time.Second {
		t.Errorf("took %s with a timeout of %s", took, req.Timeout)
	}
}

// A canceled attempt is nobody's fault and ends at once.
func (s *suite) canceled(t *testing.T) {
	tr := s.start(t, s.Elsewhere(listener(t, true)))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	start := time.Now()
	res, err := tr.Deliver(ctx, request(s.Target, name(t), []byte("{}")))
	if err == nil && res.Outcome != transports.Unreachable { // a client may know at once that nobody is there
		t.Errorf("%s, want an error", res.Outcome)
	}
	if err != nil && !errors.Is(err, transports.ErrInterrupted) && !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

// Settings are read strictly, the schema is one, and passwords are marked.
func badSettings(t *testing.T, b Broker) {
	for _, bad := range []string{``, `{}`, `[]`, `{"no_such_field":1}`, strings.TrimSuffix(b.Settings, "}") + `,"no_such_field":1}`, b.Settings + b.Settings} {
		if tr, err := b.Plugin.New(json.RawMessage(bad)); err == nil {
			t.Errorf("taken: %s", bad)
			if c, ok := tr.(io.Closer); ok {
				c.Close()
			}
		}
	}
	var schema struct {
		Type                 string
		AdditionalProperties *bool
		Properties           map[string]struct{ WriteOnly bool }
	}
	if err := json.Unmarshal(b.Plugin.ConfigSchema, &schema); err != nil {
		t.Fatal(err)
	}
	if schema.Type != "object" || schema.AdditionalProperties == nil || *schema.AdditionalProperties {
		t.Errorf("the schema is not that of a closed object: %s", b.Plugin.ConfigSchema)
	}
	for name, p := range schema.Properties {
		if secret := strings.Contains(name, "password") || strings.Contains(name, "token") || name == "creds"; secret != p.WriteOnly {
			t.Errorf("%s: writeOnly is %t", name, p.WriteOnly)
		}
	}
	var given map[string]any
	if err := json.Unmarshal([]byte(b.Settings), &given); err != nil {
		t.Fatal(err)
	}
	for name := range given {
		if _, ok := schema.Properties[name]; !ok {
			t.Errorf("the schema does not know %s", name)
		}
	}
}
