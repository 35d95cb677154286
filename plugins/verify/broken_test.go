package verify_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/hookline/hookline/plugins/plugintest"
	"github.com/hookline/hookline/plugins/sdk"
	"github.com/hookline/hookline/plugins/verify"
)

func TestMain(m *testing.M) {
	plugintest.ServeLiar()
	plugintest.Main(sdk.Plugin{Name: "careless", Version: "1", Operator: sdk.Open(careless)})
	goleak.VerifyTestMain(m)
}

// flaw is what a careless plugin does wrong.
type flaw struct {
	Flaw string `json:"flaw,omitempty" doc:"which" sensitive:"true"`
}

type sender struct{ flaw string }

func careless(_ context.Context, f flaw) (sdk.Transport, error) { return &sender{f.Flaw}, nil }

func (s *sender) Deliver(ctx context.Context, req *sdk.Request) (sdk.Result, error) {
	if s.flaw == "deaf-to-cancel" {
		ctx = context.WithoutCancel(ctx)
	}
	switch s.flaw {
	case "writes-to-stdout":
		_, _ = os.NewFile(1, "stdout").WriteString("hello\n")
	case "logs-its-settings":
		fmt.Fprintln(os.Stderr, "my flaw is", s.flaw)
	case "logs-its-bodies":
		fmt.Fprintf(os.Stderr, "%s\n", req.Body)
	}
	tries := 1
	if s.flaw == "tries-again" {
		tries = 2
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if s.flaw != "follows-redirects" {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	for {
		out, err := http.NewRequestWithContext(ctx, "POST", req.Target, strings.NewReader(string(req.Body)))
		if err != nil {
			return sdk.Result{}, err
		}
		for _, h := range req.Headers {
			out.Header.Set(h.Name, h.Value)
		}
		in, err := client.Do(out)
		if tries--; err != nil && tries > 0 {
			continue
		}
		if err != nil {
			if ctx.Err() != nil || s.flaw == "blames-itself" {
				return sdk.Result{}, err
			}
			return sdk.Result{}, sdk.Failed(sdk.Unreachable, sdk.KindConnectionReset, "gone")
		}
		_ = in.Body.Close()
		if in.StatusCode != 200 && s.flaw != "is-always-content" {
			return sdk.Result{Outcome: sdk.Rejected, Kind: sdk.KindStatus, Status: in.StatusCode}, nil
		}
		return sdk.Result{Outcome: sdk.Acknowledged, Status: in.StatusCode}, nil
	}
}

// The kit finds what is wrong, and names the law.
func TestBrokenPluginsAreFound(t *testing.T) {
	for flaw, law := range map[string]string{
		"writes-to-stdout": "stdout", "logs-its-settings": "no_secret_in_logs", "logs-its-bodies": "no_secret_in_logs", "tries-again": "no_retry",
		"follows-redirects": "no_redirect", "blames-itself": "blame_unreachable", "is-always-content": "blame_rejected", "deaf-to-cancel": "cancel",
	} {
		c := plugintest.Config("careless", nil)
		o := verify.Options{Self: true, Args: c.Args, Config: []byte(`{"flaw":"` + flaw + `"}`), Only: law}
		broken(t, flaw, law, o)
	}
	for lie, law := range map[string]string{"wrong_id": "acknowledged", "twice": "one_result", "no_window": "acknowledged", "hang_in_describe": "describe"} {
		o := verify.Options{Self: true, Args: plugintest.Liar(lie).Args, Target: "x", Only: law}
		broken(t, lie, law, o)
	}
}

func broken(t *testing.T, flaw, law string, o verify.Options) {
	t.Helper()
	rep, err := verify.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range rep.Laws {
		if v.Law == law && v.Result == "failed" && v.Detail != "" {
			return
		}
	}
	t.Errorf("%s: the law %s is not broken: %+v", flaw, law, rep.Laws)
}
