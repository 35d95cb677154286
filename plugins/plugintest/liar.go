package plugintest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/hookline/hookline/plugins/host"
	"github.com/hookline/hookline/plugins/proto"
)

const liarArgument = "-hookline-test-liar"

// ServeLiar serves a plugin named "liar" that breaks the protocol in one way, if this process was started for that; else it
// returns. Call it at the beginning of TestMain.
func ServeLiar() {
	if len(os.Args) < 3 || os.Args[1] != liarArgument {
		return
	}
	lie, arg, _ := strings.Cut(os.Args[2], " ")
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{ProtocolVersion: proto.Version, MagicCookieKey: proto.CookieKey, MagicCookieValue: proto.CookieValue},
		Plugins:         plugin.PluginSet{proto.PluginName: &liar{lie: lie, arg: arg}},
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, grpc.MaxSendMsgSize(64<<20))...)
		},
	})
	os.Exit(0)
}

// Liar is what hosts one; lie is one that answer, Describe and Deliver name, with an argument after a blank where it takes one.
func Liar(lie string) host.Config {
	return host.Config{Name: "liar", Self: true, Args: []string{liarArgument, lie}, StartTimeout: 5 * time.Second}
}

type liar struct {
	plugin.NetRPCUnsupportedPlugin
	proto.UnimplementedTransportServer
	lie, arg string
}

func (l *liar) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	proto.RegisterTransportServer(s, l)
	return nil
}

func (*liar) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("this side serves")
}

func (l *liar) Describe(ctx context.Context, _ *proto.DescribeRequest) (*proto.Description, error) {
	if l.lie == "hang_in_describe" {
		select {}
	}
	return &proto.Description{Name: "liar", Version: "1"}, nil
}

func (*liar) Configure(context.Context, *proto.Settings) (*proto.Configured, error) {
	return &proto.Configured{}, nil
}

func (*liar) Health(context.Context, *proto.HealthRequest) (*proto.HealthReport, error) {
	return &proto.HealthReport{Configured: true}, nil
}

func (*liar) Drain(context.Context, *proto.DrainRequest) (*proto.Drained, error) {
	return &proto.Drained{}, nil
}

func (l *liar) Deliver(s grpc.BidiStreamingServer[proto.Batch, proto.ResultBatch]) error {
	first := &proto.ResultBatch{Window: 16}
	if l.lie == "no_window" {
		first.Window = 0
	}
	if err := s.Send(first); err != nil {
		return err
	}
	for {
		b, err := s.Recv()
		if err != nil {
			return err
		}
		for _, a := range b.GetAttempts() {
			if err := s.Send(l.answer(a.GetId())); err != nil {
				return err
			}
		}
	}
}

func (l *liar) answer(id uint64) *proto.ResultBatch {
	yes := &proto.Result{Id: id, Outcome: proto.Outcome_OUTCOME_ACKNOWLEDGED}
	out := &proto.ResultBatch{Results: []*proto.Result{yes}}
	switch l.lie {
	case "wrong_id":
		yes.Id = 1 << 60
	case "twice":
		out.Results = append(out.Results, yes)
	case "too_many":
		for i := range uint64(1 << 20) {
			out.Results = append(out.Results, &proto.Result{Id: i})
		}
	case "giant":
		yes.Body = make([]byte, 32<<20)
	case "flood":
		go func() {
			for i := 0; ; i++ {
				fmt.Fprintln(os.Stderr, i, strings.Repeat("x", 100))
			}
		}()
	case "hoard":
		var all [][]byte
		for range 64 {
			b := make([]byte, 64<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			all = append(all, b)
		}
		yes.Error = fmt.Sprint(len(all))
	case "read_keys":
		_, err := os.ReadFile(l.arg)
		werr := os.WriteFile(l.arg+".mine", nil, 0o600)
		yes.Error = fmt.Sprint("read: ", err, "; write: ", werr)
	}
	return out
}
