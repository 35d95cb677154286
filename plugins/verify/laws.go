package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	wire "github.com/hookline/hookline/plugins/proto"
	"github.com/hookline/hookline/plugins/schema"
)

// laws are held in this order. Names are for ever: people exclude and count by them.
func laws() []law {
	return []law{
		{"handshake", "prints one handshake line, speaks TLS and gRPC on a unix socket within 20 s", false, handshake},
		{"by_hand", "started by a person it says so on standard error and ends with another code than 0", false, byHand},
		{"describe", "says name, version and schemas before Configure, the same each time", false, describe},
		{"order", "Deliver before Configure is FAILED_PRECONDITION", false, order},
		{"bad_config", "operator's settings that don't fit the schema are INVALID_ARGUMENT with a message", false, badConfig},
		{"bad_settings", "an endpoint's settings that don't fit the schema are that attempt's fault, nobody else's", false, badSettings},
		{"acknowledged", "an attempt that the receiver takes is acknowledged", false, acknowledged},
		{"one_result", "each of 1000 attempts gets exactly one result", false, oneResult},
		{"one_attempt", "each of 300 attempts reaches the receiver exactly once", true, oneAttempt},
		{"bytes", "a body of 256 KiB and the headers arrive as they were given", true, sameBytes},
		{"order_free", "a slow attempt holds up no other", true, orderFree},
		{"concurrency", "attempts start when they arrive, as many at once as the window allows (up to 256 are tried)", true, concurrency},
		{"blame_rejected", "a receiver that says no is rejected, not a fault", true, blameRejected},
		{"blame_unreachable", "a target where nobody listens is unreachable, not a fault", true, blameUnreachable},
		{"no_redirect", "a redirect is rejected and not followed", true, noRedirect},
		{"no_retry", "a connection that breaks is unreachable after one try", true, noRetry},
		{"deadline", "an attempt whose receiver hangs ends as timed_out at its timeout", true, deadline},
		{"cancel", "a canceled attempt still gets its result, at once", true, cancel},
		{"unknown_fields", "fields of later versions are ignored", false, unknownFields},
		{"reconfigure", "Configure while attempts are under way disturbs none", true, reconfigure},
		{"health", "Health answers within 1 s with attempts under way", true, health},
		{"broken_stream", "when the stream breaks everything under way is given up, and a new stream works", true, brokenStream},
		{"crash", "killed in the middle of attempts it leaves no process behind and starts again", false, crash},
		{"drain", "Drain waits for what is under way, then the process ends by itself", true, drain},
		{"stdout", "standard output carries the handshake and nothing else", false, stdoutOnly},
		{"no_secret_in_logs", "neither a secret setting nor a body is written to any output", false, noSecrets},
	}
}

var handshakeLine = regexp.MustCompile(`^1\|1\|unix\|[^|]{1,107}\|grpc\|[A-Za-z0-9+/]+={0,2}(\|[a-z]*)?$`)

func handshake(ctx context.Context, k *kit) error {
	w, err := k.start(ctx)
	if err != nil {
		return err
	}
	defer w.End(false)
	if line, _, _ := strings.Cut(w.Stdout(), "\n"); !handshakeLine.MatchString(line) {
		return fmt.Errorf("the handshake line %.80q is not of the form 1|1|unix|SOCKET|grpc|CERT", line)
	}
	return nil
}

func byHand(ctx context.Context, k *kit) error {
	if k.Self {
		return skip("it is this program")
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, k.Command, k.Args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return errors.New("started without the handshake's environment it keeps running: end with code 2")
	case err == nil:
		return errors.New("started by hand it ends with code 0: end with code 2")
	case !errors.As(err, &exit):
		return err
	case strings.TrimSpace(said.String()) == "":
		return errors.New("started by hand it says nothing on standard error")
	case strings.Contains(out.String(), "|grpc|"):
		return errors.New("started by hand it prints a handshake")
	}
	return nil
}

var pluginName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

func describe(ctx context.Context, k *kit) error {
	w, err := k.start(ctx)
	if err != nil {
		return err
	}
	defer w.End(false)
	limit, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	d, err := w.API.Describe(limit, &wire.DescribeRequest{})
	if err != nil {
		return fmt.Errorf("the call Describe before Configure: %w", err)
	}
	again, err := w.API.Describe(limit, &wire.DescribeRequest{})
	switch {
	case err != nil:
		return fmt.Errorf("a second Describe: %w", err)
	case !proto.Equal(d, again):
		return errors.New("two calls of Describe differ")
	case !pluginName.MatchString(d.GetName()):
		return fmt.Errorf("the name %q: want a lower-case letter, then up to 31 of a-z, 0-9 and -", d.GetName())
	case d.GetVersion() == "" || len(d.GetVersion()) > 64:
		return fmt.Errorf("the version %.80q: want 1 to 64 bytes", d.GetVersion())
	}
	for what, doc := range map[string][]byte{"config_schema": d.GetConfigSchema(), "endpoint_schema": d.GetEndpointSchema()} {
		if _, err := schema.Compile(doc); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	k.about = d
	k.secrets = append(sensitive(d.GetConfigSchema(), k.Config), sensitive(d.GetEndpointSchema(), k.Settings)...)
	return k.fits("--config", d.GetConfigSchema(), k.Config, "--settings", d.GetEndpointSchema(), k.Settings)
}

// fits makes sure that what the caller of the kit gave is what the plugin asks for.
func (k *kit) fits(flagA string, docA, a []byte, flagB string, docB, b []byte) error {
	for _, x := range []struct {
		flag     string
		doc, set []byte
	}{{flagA, docA, a}, {flagB, docB, b}} {
		s, err := schema.Compile(x.doc)
		if err == nil {
			err = s.Check(x.set)
		}
		if err != nil {
			return fmt.Errorf("the settings given by %s don't fit the plugin's schema (%w): give some that do", x.flag, err)
		}
	}
	return nil
}

func order(ctx context.Context, k *kit) error {
	w, err := k.start(ctx)
	if err != nil {
		return err
	}
	defer w.End(false)
	limit, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	stream, err := w.API.Deliver(limit)
	if err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.FailedPrecondition {
		return fmt.Errorf("the call Deliver before Configure: %v, want FAILED_PRECONDITION", err)
	}
	return nil
}

// misfit makes settings that a schema refuses; nil: it takes everything that the kit can think of.
func misfit(doc []byte) []byte {
	s, err := schema.Compile(doc)
	if err != nil {
		return nil
	}
	for _, try := range []string{`{"hookline_verify_unknown":true}`, `{}`} {
		if s.Check([]byte(try)) != nil {
			return []byte(try)
		}
	}
	return nil
}

func badConfig(ctx context.Context, k *kit) error {
	bad := misfit(k.about.GetConfigSchema())
	if bad == nil {
		return skip("its schema takes everything that was tried")
	}
	w, err := k.start(ctx)
	if err != nil {
		return err
	}
	defer w.End(false)
	_, err = w.API.Configure(ctx, &wire.Settings{Json: bad})
	if status.Code(err) != codes.InvalidArgument {
		return fmt.Errorf("the call Configure with %s: %v, want INVALID_ARGUMENT", bad, err)
	}
	if status.Convert(err).Message() == "" {
		return errors.New("the refusal has no message: name field, bound and fix")
	}
	if _, err := w.API.Configure(ctx, &wire.Settings{Json: k.Config}); err != nil {
		return fmt.Errorf("after a refusal it does not take good settings: %w", err)
	}
	return nil
}

func badSettings(ctx context.Context, k *kit) error {
	bad := misfit(k.about.GetEndpointSchema())
	if bad == nil {
		return skip("its schema takes everything that was tried")
	}
	s, err := k.session(ctx)
	if err != nil {
		return err
	}
	defer s.end()
	a, b := s.attempt("ok", "bad_settings", 5*time.Second), s.attempt("ok", "bad_settings_other", 5*time.Second)
	a.Settings = bad
	if err := s.send(a, b); err != nil {
		return err
	}
	rs, err := s.results(2, 10*time.Second)
	if err != nil {
		return err
	}
	if rs[a.Id].GetFault() == "" {
		return fmt.Errorf("an attempt with the settings %s: outcome %s, want a fault", bad, name(rs[a.Id].GetOutcome()))
	}
	return is(rs[b.Id], wire.Outcome_OUTCOME_ACKNOWLEDGED)
}
