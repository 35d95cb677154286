package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hookline/hookline/cmd/hookline/demo/authority"
	"github.com/hookline/hookline/cmd/hookline/demo/client"
)

// ErrReal: a real payload did not arrive as it was published.
var ErrReal = errors.New("demo: real payload")

// RealOptions of Real.
type RealOptions struct {
	// Dir is the demo's own directory; the server trusts its authority (CA). Required.
	Dir string
	// Server is the base address of the API and Key its admin key. Required.
	Server, Key string
	// SamplesDir holds DNSimple envelopes, one in each *.json file. Required; a folder without any is an error.
	SamplesDir string
	// Wait is how long one payload may take to arrive. Default 10 s.
	Wait time.Duration
	// Out takes a line for each file. Default os.Stdout.
	Out io.Writer
}

// The tenant and the endpoint that take real payloads.
const (
	realTenant   = "demo-real"
	realEndpoint = "byte for byte"
)

// arrival is one request at Real's receiver.
type arrival struct {
	body []byte
	err  error // the headers are not as the document says
}

// realHead tells real payloads apart. Nothing more is asked of their form: they are somebody else's, and go out as they are.
type realHead struct {
	Name              string `json:"name"`
	RequestIdentifier string `json:"request_identifier"`
}

// Real publishes every *.json file as payload to a DNSimple tenant and holds that each arrives over TLS byte for byte
// (P19): the file's JSON value, first to last byte. Other kinds of error than ErrReal mean that it could not be tried.
func Real(ctx context.Context, o RealOptions) (err error) {
	if o.Out == nil {
		o.Out = os.Stdout
	}
	if o.Wait == 0 {
		o.Wait = 10 * time.Second
	}
	files, err := filepath.Glob(filepath.Join(o.SamplesDir, "*.json"))
	if err != nil || len(files) == 0 {
		return errors.Join(fmt.Errorf("%w: SamplesDir: %q has no *.json file: give the folder of DNSimple envelopes", ErrOptions, o.SamplesDir), err)
	}
	slices.Sort(files)
	ca, err := authority.Open(filepath.Join(o.Dir, "ca"))
	if err != nil {
		return err
	}
	arrivals := make(chan arrival, 64)
	s := &realReceiver{arrivals: arrivals, done: make(chan struct{})}
	base, err := s.start(ca)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	api := client.New(o.Server, o.Key)
	defer api.Close()
	if err := realSetUp(ctx, api, base+"/real"); err != nil {
		return err
	}
	var failed []error
	for _, file := range files {
		size, took, err := oneReal(ctx, api, file, arrivals, o.Wait)
		name := filepath.Base(file)
		if err != nil {
			failed = append(failed, fmt.Errorf("%w: %s: %w", ErrReal, name, err))
			fmt.Fprintf(o.Out, "FAILED %s: %v\n", name, err)
			continue
		}
		fmt.Fprintf(o.Out, "ok     %-52s %6d bytes, byte for byte, %4d ms\n", name, size, took.Milliseconds())
	}
	fmt.Fprintf(o.Out, "%d of %d real payloads arrived byte for byte\n", len(files)-len(failed), len(files))
	return errors.Join(failed...)
}

func realSetUp(ctx context.Context, api *client.Client, url string) error {
	c := &customer{tenant: realTenant, profile: "dnsimple", name: "Real payloads",
		attributes: map[string]any{"id": 3030, "identifier": "real@example.com", "display": "Real payloads"}}
	if err := makeTenant(ctx, api, c); err != nil {
		return err
	}
	base := "/v1/tenants/" + realTenant + "/endpoints"
	var have []endpoint
	if err := client.Each(ctx, api, base, func(e endpoint) error { have = append(have, e); return nil }); err != nil {
		return err
	}
	h := hook{name: realEndpoint}
	if at := slices.IndexFunc(have, func(e endpoint) bool { return e.Description == h.name }); at >= 0 {
		path := base + "/" + have[at].ID
		if err := api.Do(ctx, http.MethodPatch, path, map[string]string{"url": url}, nil); err != nil {
			return err
		}
		return api.Do(ctx, http.MethodPost, path+":enable", nil, nil)
	}
	return api.Do(ctx, http.MethodPost, base, h.create(url, "whsec_"+rand.Text()), nil)
}

// oneReal publishes a file under a key of its own (real samples share request_identifiers, R-7) and waits for it.
func oneReal(ctx context.Context, api *client.Client, file string, arrivals <-chan arrival, wait time.Duration) (int, time.Duration, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, err
	}
	payload := bytes.TrimSpace(b)
	var e realHead
	if err := json.Unmarshal(payload, &e); err != nil {
		return 0, 0, fmt.Errorf("no envelope: %w", err)
	}
	fields := map[string]string{"type": e.Name, "idempotency_key": "real-" + rand.Text()}
	if isUUID(e.RequestIdentifier) {
		fields["id"] = e.RequestIdentifier
	}
	head, err := json.Marshal(fields)
	if err != nil {
		return 0, 0, err
	}
	in := append(head[:len(head)-1], `,"payload":`...) // the payload's bytes go in as they are
	in = append(append(in, payload...), '}')
	began := time.Now()
	if err := api.Do(ctx, http.MethodPost, "/v1/tenants/"+realTenant+"/events", json.RawMessage(in), nil); err != nil {
		return 0, 0, err
	}
	late := time.NewTimer(wait)
	defer late.Stop()
	for {
		select {
		case a := <-arrivals:
			var got realHead
			if json.Unmarshal(a.body, &got) == nil && (got.Name != e.Name || got.RequestIdentifier != e.RequestIdentifier) {
				continue // left over from an earlier run
			}
			if a.err != nil {
				return 0, 0, a.err
			}
			return len(payload), time.Since(began), sameBytes(a.body, payload)
		case <-late.C:
			return 0, 0, fmt.Errorf("did not arrive within %v", wait)
		case <-ctx.Done():
			return 0, 0, context.Cause(ctx)
		}
	}
}

func sameBytes(got, want []byte) error {
	if bytes.Equal(got, want) {
		return nil
	}
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	return fmt.Errorf("%d bytes arrived, %d were published, different from byte %d on", len(got), len(want), at)
}
