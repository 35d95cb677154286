package host

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/hookline/hookline/plugins/proto"
)

// process is a started plugin with its stream open.
type process struct {
	client *plugin.Client
	run    *run
	api    proto.TransportClient
	stream grpc.ClientStream
	desc   Description
	window uint32

	ctx     context.Context // of the stream; ends when the process has failed or is ended
	cancel  context.CancelCauseFunc
	drained chan struct{} // closed when the receiver has read everything
	failed  chan error    // capacity 1, the first failure
}

// fail reports a failure; the first one counts. Safe from any goroutine.
func (p *process) fail(err error) {
	select {
	case p.failed <- err:
	default:
	}
}

// dialer makes go-plugin hand out the connection itself.
type dialer struct{ plugin.NetRPCUnsupportedPlugin }

func (dialer) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("host: this side calls")
}

func (dialer) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return c, nil
}

const (
	flowWindow = 8 << 20   // HTTP/2 flow control: far above what is in flight, so that it never brakes
	ioBuffer   = 128 << 10 // read and write buffers of the connection
)

// DialOptions are the gRPC options a host calls with: the wire's codec and bounds.
func DialOptions(codec *proto.Codec) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(codec),
			grpc.MaxCallRecvMsgSize(proto.MaxMessage), grpc.MaxCallSendMsgSize(proto.MaxMessage)),
		grpc.WithInitialWindowSize(flowWindow), grpc.WithInitialConnWindowSize(flowWindow),
		grpc.WithReadBufferSize(ioBuffer), grpc.WithWriteBufferSize(ioBuffer),
		grpc.WithDisableRetry(), grpc.WithNoProxy(), grpc.WithDisableServiceConfig(),
	}
}

// launch starts the plugin and opens its stream. On an error nothing is left running. It must be called on the
// supervisor's thread, since the kernel ends the process with the thread that started it.
func (h *Host) launch(ctx context.Context) (*process, error) {
	p, err := h.startUp(ctx, func(ctx context.Context, p *process) error { return p.open(ctx, &h.cfg) })
	if err != nil {
		return nil, fmt.Errorf("host: starting plugin %s: %w", h.cfg.Name, err)
	}
	return p, nil
}

// startUp starts the plugin, connects and calls then, all within the start's limit. On an error nothing is left running.
func (l *launcher) startUp(ctx context.Context, then func(context.Context, *process) error) (*process, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, l.cfg.StartTimeout, fmt.Errorf("it did not get ready within %s", l.cfg.StartTimeout))
	defer cancel()
	p := &process{drained: make(chan struct{}), failed: make(chan error, 1)}
	var mu sync.Mutex // RunnerFunc runs inside Client, the kill below on another goroutine
	p.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion: proto.Version, MagicCookieKey: proto.CookieKey, MagicCookieValue: proto.CookieValue,
		},
		Plugins: plugin.PluginSet{proto.PluginName: dialer{}},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, _ string) (runner.Runner, error) {
			mu.Lock()
			defer mu.Unlock()
			p.run = newRun(l.image, l.cfg.Args, cmd.Env)
			p.run.tap, p.run.limited, p.run.memory = l.tap, l.cfg.Confine || l.cfg.Memory > 0, l.cfg.Memory
			return p.run, nil
		},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     l.cfg.StartTimeout,
		Logger:           newHCLog(l.log, l.image.name),
		Stderr:           l.output("stderr"),
		SyncStderr:       l.output("stderr"),
		SyncStdout:       l.output("stdout"),
		GRPCDialOptions:  DialOptions(l.codec),
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: l.dir.path},
	})
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if p.run != nil {
			_ = p.run.Kill(ctx)
		}
	})
	defer stop()
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	err := p.connect()
	if err == nil {
		err = then(ctx, p)
	}
	if err != nil {
		p.end(false)
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("%w (%w)", cause, err)
		}
		return nil, err
	}
	return p, nil
}

// connect waits for the handshake and dials.
func (p *process) connect() error {
	rpc, err := p.client.Client()
	if err != nil {
		return err
	}
	raw, err := rpc.Dispense(proto.PluginName)
	if err != nil {
		return err
	}
	conn, ok := raw.(*grpc.ClientConn)
	if !ok {
		return fmt.Errorf("go-plugin dispensed a %T", raw)
	}
	p.api = proto.NewTransportClient(conn)
	return nil
}

// open asks, configures, and waits for the window.
func (p *process) open(ctx context.Context, cfg *Config) error {
	d, err := p.api.Describe(ctx, &proto.DescribeRequest{})
	if err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	if d.GetName() != cfg.Name {
		return fmt.Errorf("it calls itself %q: configure it under that name", d.GetName())
	}
	p.desc = Description{Name: d.GetName(), Version: d.GetVersion(), ConfigSchema: d.GetConfigSchema(), EndpointSchema: d.GetEndpointSchema(), Capabilities: d.GetCapabilities()}
	if _, err := p.api.Configure(ctx, &proto.Settings{Json: cfg.Settings}); err != nil {
		return fmt.Errorf("it refuses its settings: %s", status.Convert(err).Message())
	}
	stop := context.AfterFunc(ctx, func() { p.cancel(context.Cause(ctx)) })
	defer stop()
	if p.stream, err = p.api.Deliver(p.ctx); err != nil {
		return fmt.Errorf("deliver: %w", err)
	}
	var first proto.Results
	if err := p.stream.RecvMsg(&first); err != nil {
		return fmt.Errorf("deliver: %w", err)
	}
	if first.Window == 0 {
		return errors.New("its first message carries no window")
	}
	p.window = first.Window
	return nil
}

// endPatience is how long a plugin may take to end by itself.
const endPatience = 2 * time.Second

// end ends the process and waits for it: by asking first if graceful, else at once. Nothing of it is left then.
func (p *process) end(graceful bool) {
	if p.run != nil {
		if graceful {
			t := time.AfterFunc(endPatience, func() { _ = p.run.Kill(context.Background()) })
			defer t.Stop()
		} else {
			_ = p.run.Kill(context.Background()) // first: go-plugin's own way asks a process that may be stopped, without a limit
		}
	}
	if graceful && p.api != nil {
		ctx, cancel := context.WithTimeout(context.Background(), endPatience)
		_, _ = p.api.Drain(ctx, &proto.DrainRequest{}) // what it cannot finish in time ends with it
		cancel()
	}
	p.client.Kill()
	p.cancel(errors.New("host: the plugin has ended"))
}
