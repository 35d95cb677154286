package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/hookline/hookline/plugins/proto"
	"github.com/hookline/hookline/plugins/schema"
)

// ErrStartedByHand: a person started the plugin; only the host can.
var ErrStartedByHand = errors.New("sdk: this program is a hookline transport plugin and is started by hookline, not by hand: " +
	"set it up under transports in the configuration, or try it with: hookline plugins verify FILE")

// Plugin is a transport to be served.
type Plugin struct {
	Name         string          // what endpoints call it, e.g. "https"
	Version      string          // the plugin's own, e.g. "1.2.0"
	ConfigSchema json.RawMessage // of New's settings, JSON Schema (2020-12); nil: it has none

	// Endpoint is for a transport whose endpoints each have settings of their own; see Open. Either Endpoint, Operator or New.
	Endpoint Opener
	// Operator is for a transport that the operator sets up once, for all endpoints; see Open.
	Operator Opener

	// New makes the transport. It is called once before the first attempt and again when the settings change; settings is one
	// JSON object or empty. An error should name field, bound and fix: the operator sees it. If the Transport is an
	// io.Closer it is closed once its last attempt has ended.
	New func(settings json.RawMessage) (Transport, error)

	// MaxInFlight is how many attempts run at once, 1 to 65 536; zero: 4096.
	MaxInFlight int

	check *schema.Schema // of the operator's settings
}

const (
	defaultInFlight = 4096
	maxInFlight     = 1 << 16
)

func (p *Plugin) validate() error {
	switch {
	case p.Name == "":
		return errors.New("sdk: Plugin.Name is empty: name the transport")
	case !transportName.MatchString(p.Name):
		return fmt.Errorf("sdk: Plugin.Name is %q: want a lower-case letter, then up to 31 of a-z, 0-9 and -", p.Name)
	case p.Endpoint.err != nil:
		return fmt.Errorf("sdk: Plugin.Endpoint: %w", p.Endpoint.err)
	case p.Operator.err != nil:
		return fmt.Errorf("sdk: Plugin.Operator: %w", p.Operator.err)
	case p.constructors() != 1:
		return errors.New("sdk: give exactly one of Plugin.Endpoint, Plugin.Operator and Plugin.New")
	case p.ConfigSchema != nil && !json.Valid(p.ConfigSchema):
		return errors.New("sdk: Plugin.ConfigSchema is not JSON")
	case p.MaxInFlight < 0 || p.MaxInFlight > maxInFlight:
		return fmt.Errorf("sdk: Plugin.MaxInFlight is %d, must be 1 to %d", p.MaxInFlight, maxInFlight)
	}
	if p.MaxInFlight == 0 {
		p.MaxInFlight = defaultInFlight
	}
	return p.complete()
}

var transportName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

func (p *Plugin) constructors() (n int) {
	if p.New != nil {
		n++
	}
	if p.Endpoint.open != nil {
		n++
	}
	if p.Operator.open != nil {
		n++
	}
	return n
}

// complete makes New of an Opener.
func (p *Plugin) complete() error {
	if p.Operator.open != nil {
		p.ConfigSchema = p.Operator.schema
		open := p.Operator.open
		p.New = func(settings json.RawMessage) (Transport, error) {
			t, err := open(context.Background(), settings)
			if err != nil || t == nil {
				return nil, err
			}
			return budgeted{t}, nil
		}
	}
	check, err := schema.Compile(p.ConfigSchema)
	if err != nil {
		return fmt.Errorf("sdk: Plugin.ConfigSchema: %w", err)
	}
	p.check = check
	if p.Endpoint.open != nil {
		opener := p.Endpoint
		p.New = func(json.RawMessage) (Transport, error) { return budgeted{newEndpoints(opener)}, nil }
	}
	return nil
}

// Serve runs the plugin until the host ends it. It returns ErrStartedByHand at once when a person started the program.
// It owns standard output from its call on.
func Serve(p Plugin) error {
	if err := p.validate(); err != nil {
		return err
	}
	if os.Getenv(proto.CookieKey) != proto.CookieValue {
		return ErrStartedByHand
	}
	watching := watchParent(os.Getppid, parentPeriod, func() { os.Exit(0) })
	defer watching.stop()
	s := newService(p)
	defer s.close()
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion: proto.Version, MagicCookieKey: proto.CookieKey, MagicCookieValue: proto.CookieValue,
		},
		Plugins: plugin.PluginSet{proto.PluginName: &served{service: s}},
		Logger:  hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr, JSONFormat: true}),
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, ServerOptions()...)...)
		},
	})
	return nil
}

// Main is a plugin's whole main function: it serves, complains to standard error, and exits.
func Main(p Plugin) {
	if err := Serve(p); err != nil {
		os.Exit(Complain(err))
	}
	os.Exit(0)
}

// Complain writes an error of Serve to standard error and returns the exit code: 2 when started by hand, else 1.
func Complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	if errors.Is(err, ErrStartedByHand) {
		return 2
	}
	return 1
}

const (
	window = 8 << 20   // HTTP/2 flow control: far above what is in flight, so that it never brakes
	buffer = 128 << 10 // read and write buffers of the connection
)

// ServerOptions are the gRPC options a plugin's server runs with: the wire's codec and bounds.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ForceServerCodecV2(proto.NewCodec()),
		grpc.MaxRecvMsgSize(proto.MaxMessage), grpc.MaxSendMsgSize(proto.MaxMessage),
		grpc.InitialWindowSize(window), grpc.InitialConnWindowSize(window),
		grpc.ReadBufferSize(buffer), grpc.WriteBufferSize(buffer),
	}
}

// Register offers the plugin on a gRPC server made with ServerOptions, without a process of its own: for an author's tests.
// The returned Closer ends it; close it after the server has stopped.
func Register(server *grpc.Server, p Plugin) (io.Closer, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	s := newService(p)
	proto.RegisterTransportServer(server, s)
	return closerFunc(s.close), nil
}

type closerFunc func()

func (f closerFunc) Close() error { f(); return nil }

// parentPeriod is how often the parent is looked at.
const parentPeriod = 250 * time.Millisecond
