package sdk

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookline/hookline/plugins/proto"
	"github.com/hookline/hookline/transports"
)

// served hangs the service into go-plugin's server.
type served struct {
	plugin.NetRPCUnsupportedPlugin
	service *service
}

func (s *served) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	proto.RegisterTransportServer(server, s.service)
	return nil
}

func (s *served) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("sdk: this side serves")
}

// service answers the host's calls.
type service struct {
	proto.UnimplementedTransportServer
	plugin Plugin
	taken  sync.Pool    // of *proto.Taken
	under  atomic.Int64 // attempts under way, over all streams

	retiring sync.WaitGroup // of former generations

	mu      sync.Mutex
	current *generation
	drained []chan struct{} // waiting for under to become 0
}

// generation is a Transport made from one version of the settings. It is closed when it is no longer current and its last
// attempt has ended.
type generation struct {
	transport transports.Transport
	users     sync.WaitGroup
}

func (g *generation) retire() {
	g.users.Wait()
	if c, ok := g.transport.(io.Closer); ok {
		_ = c.Close()
	}
}

func newService(p Plugin) *service { return &service{plugin: p} }

// close waits for the attempts of every generation and closes them.
func (s *service) close() {
	s.mu.Lock()
	g := s.current
	s.current = nil
	s.mu.Unlock()
	if g != nil {
		g.retire()
	}
	s.retiring.Wait()
}

func (s *service) Describe(context.Context, *proto.DescribeRequest) (*proto.Description, error) {
	return &proto.Description{Name: s.plugin.Name, Version: s.plugin.Version, ConfigSchema: s.plugin.ConfigSchema, EndpointSchema: s.plugin.Endpoint.schema}, nil
}

func (s *service) Configure(_ context.Context, in *proto.Settings) (*proto.Configured, error) {
	if s.plugin.ConfigSchema != nil || s.plugin.Endpoint.open != nil {
		if err := s.plugin.check.Check(in.GetJson()); err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "settings: %s", err)
		}
	}
	t, err := s.plugin.New(in.GetJson())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if t == nil {
		return nil, status.Error(codes.Internal, "the plugin's New returned no transport and no error")
	}
	s.mu.Lock()
	old := s.current
	s.current = &generation{transport: t}
	s.mu.Unlock()
	if old != nil {
		s.retiring.Go(old.retire)
	}
	return &proto.Configured{}, nil
}

// use returns the current generation with one user more, or nil.
func (s *service) use() *generation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil {
		s.current.users.Add(1)
	}
	return s.current
}

func (s *service) Health(context.Context, *proto.HealthRequest) (*proto.HealthReport, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &proto.HealthReport{UnderWay: uint32(max(s.under.Load(), 0)), Configured: s.current != nil}, nil
}

func (s *service) Drain(ctx context.Context, _ *proto.DrainRequest) (*proto.Drained, error) {
	idle := make(chan struct{})
	s.mu.Lock()
	if s.under.Load() == 0 {
		close(idle)
	} else {
		s.drained = append(s.drained, idle)
	}
	s.mu.Unlock()
	select {
	case <-idle:
		return &proto.Drained{}, nil
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

// ended counts n attempts out.
func (s *service) ended(n int) {
	if s.under.Add(int64(-n)) > 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.under.Load() == 0 {
		for _, c := range s.drained {
			close(c)
		}
		s.drained = nil
	}
}
