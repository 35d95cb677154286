// Command example is a whole transport plugin: it posts events over HTTP with a bearer token. It is what
// `hookline plugins init --lang go` writes, and what README.md in the folder above walks through.
package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"

	"github.com/hookline/hookline/plugins/sdk"
)

// Settings are what the owner of an endpoint sets. The tags make the form, the checks and the masking.
type Settings struct {
	Token  string `json:"token" doc:"sent as bearer token" sensitive:"true" min:"8" max:"200" pattern:"^[!-~]+$"`
	Prefix string `json:"prefix,omitempty" doc:"put before the path of every target" default:"" pattern:"^(/[A-Za-z0-9_-]+)*$"`
}

func main() {
	sdk.Main(sdk.Plugin{Name: "example", Version: "1.0.0", Endpoint: sdk.Open(open)})
}

// relay makes attempts for one version of an endpoint's settings.
type relay struct {
	settings Settings
	client   *http.Client
}

// open is called when the first attempt with these settings comes. ctx covers the opening only.
func open(_ context.Context, settings Settings) (sdk.Transport, error) {
	return &relay{settings, &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a redirect is an answer
	}}, nil
}

// Deliver makes one attempt: never a second one, and not longer than ctx, which ends with the attempt's timeout.
func (r *relay) Deliver(ctx context.Context, req *sdk.Request) (sdk.Result, error) {
	method := req.Method
	if method == "" {
		method = http.MethodPost
	}
	out, err := http.NewRequestWithContext(ctx, method, req.Target, bytes.NewReader(req.Body))
	if err != nil {
		return sdk.Result{}, sdk.Failed(sdk.Unreachable, sdk.KindProtocol, "the target is no URL")
	}
	out.GetBody = nil // net/http would send the body again after a lost connection
	out.URL.Path = r.settings.Prefix + out.URL.Path
	for _, h := range req.Headers {
		out.Header.Add(h.Name, h.Value)
	}
	out.Header.Set("Authorization", "Bearer "+r.settings.Token)
	in, err := r.client.Do(out)
	if err != nil {
		return sdk.Result{}, r.blame(ctx, err)
	}
	defer in.Body.Close()
	res := sdk.Result{Outcome: sdk.Rejected, Kind: sdk.KindStatus, Status: in.StatusCode}
	if in.StatusCode == http.StatusOK {
		res.Outcome, res.Kind = sdk.Acknowledged, ""
	}
	for name, values := range in.Header {
		for _, v := range values {
			res.Headers = append(res.Headers, sdk.Header{Name: strings.ToLower(name), Value: v})
		}
	}
	res.Body, err = io.ReadAll(io.LimitReader(in.Body, 64<<10))
	res.Truncated = err != nil || len(res.Body) == 64<<10
	return res, nil
}

// blame says whose fault it is that no answer came. What is returned as it is counts as the plugin's own.
func (r *relay) blame(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err() // the timeout, or nobody waits any more: the SDK knows which
	}
	kind := sdk.KindConnectionReset
	if errors.Is(err, syscall.ECONNREFUSED) {
		kind = sdk.KindConnectRefused
	}
	return sdk.Failed(sdk.Unreachable, kind, err.Error())
}

// Close is called when the settings have not been used for a while.
func (r *relay) Close() error {
	r.client.CloseIdleConnections()
	return nil
}
