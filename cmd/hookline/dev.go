package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/cmd/hookline/config"
	"github.com/hookline/hookline/cmd/hookline/demo"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/feed"
)

const (
	devData = "data/dev"
	devDemo = "demo" // inside the data directory
)

const devLong = `Run the engine with invented customers of both seed profiles, receivers on loopback that
fail now and then, and a generator of about five events a second. Each attempt is a line.

Everything stays in ./data/dev and goes on where it was at the next start; the admin key is
in ./data/dev/admin.key. It takes the options of serve; loopback targets are allowed and the
demo's own authority is trusted.

With --real DIR it publishes each *.json file of DIR (DNSimple envelopes) as payload, shows
that it arrives byte for byte, and ends.`

func devCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{Use: "dev", Short: "See it live with invented customers", Long: devLong, Args: exactly(),
		Example: "  hookline dev\n  hookline dev --rate 50 --listen 127.0.0.1:9000\n  hookline dev --real ./envelopes"}
	config.AddFlags(cmd.Flags())
	fs := cmd.Flags()
	fs.Float64("rate", 0, "events a second, 0.1 to 1000, default 5")
	fs.Uint64("seed", 0, "of what happens and fails, for runs that compare")
	fs.String("real", "", "publish the real payloads of `DIR`, check them byte for byte, and end")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		environ := t.environ
		for name, value := range map[string]string{"HOOKLINE_DATA": devData, "HOOKLINE_LOG_LEVEL": "warn", "HOOKLINE_LOG_FORMAT": "text"} {
			if t.getenv(name) == "" {
				environ = append(slices.Clip(environ), name+"="+value)
			}
		}
		cfg, err := config.Load(cmd.Flags(), environ)
		if err != nil {
			return err
		}
		d := &dev{t: t, cfg: cfg, dir: filepath.Join(cfg.Data, devDemo)}
		d.rate, _ = fs.GetFloat64("rate")
		d.seed, _ = fs.GetUint64("seed")
		d.real, _ = fs.GetString("real")
		return d.run(cmd.Context())
	}
	return cmd
}

// dev is a server and the life around it.
type dev struct {
	t    *terminal
	cfg  *config.Config
	dir  string
	rate float64
	seed uint64
	real string
	live *demo.Live
	demo *demo.Demo
}

func (d *dev) run(ctx context.Context) (err error) {
	if strings.HasSuffix(d.cfg.Listen, ":0") {
		return usagef("--listen %s: dev needs a port that stays the same", d.cfg.Listen)
	}
	key, err := d.key()
	if err != nil {
		return err
	}
	ca, err := demo.CA(d.dir)
	if err != nil {
		return err
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return err
	}
	d.cfg.TrustCA = append(append(d.cfg.TrustCA, '\n'), pem...)
	d.cfg.AllowCIDR = append(d.cfg.AllowCIDR, netip.MustParsePrefix("127.0.0.0/8"))
	color := false
	if f, ok := d.t.out.(*os.File); ok {
		color = demo.Color(f)
	}
	d.live = demo.NewLive(d.t.out, color)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if d.real == "" {
		// The receivers serve before the server delivers, and until it has drained.
		d.demo, err = demo.Open(demo.Options{Dir: d.dir, Server: "http://" + d.cfg.Listen, Key: key, Rate: d.rate, Seed: d.seed, Out: d.t.out, Live: d.live})
		if err != nil {
			if errors.Is(err, demo.ErrOptions) {
				return &usageError{err}
			}
			return err
		}
		defer func() { err = errors.Join(err, d.demo.Close()) }()
	}
	return serve(ctx, d.t, d.cfg, newLogger(d.t, d.cfg), func(ctx context.Context, r *running) error {
		if d.real != "" {
			defer stop()
			return demo.Real(ctx, demo.RealOptions{Dir: d.dir, Server: r.url, Key: key, SamplesDir: d.real, Out: d.t.out})
		}
		return d.around(ctx, r)
	})
}

// key is what the demo publishes with: the one given, or the directory's own, made here before the server needs it.
func (d *dev) key() (string, error) {
	dir := &dataDir{path: d.cfg.Data}
	if err := os.MkdirAll(dir.path, 0o700); err != nil {
		return "", fmt.Errorf("data directory: %w", err)
	}
	key, _, err := dir.adminKey(d.cfg.AdminKey, !dir.exists(logDir))
	if err == nil && key == "" {
		err = fmt.Errorf("the key of %s was given at an earlier start: give it again by HOOKLINE_ADMIN_KEY", dir.path)
	}
	return key, err
}

// around publishes, and tells of each attempt, until ctx ends.
func (d *dev) around(ctx context.Context, r *running) error {
	d.t.say("dashboard: %s  (asks for the admin key, in %s)", r.url, filepath.Join(d.cfg.Data, adminKeyFile))
	d.t.say("portal:    a tenant's page in the dashboard has a button \"Portal link\"")
	d.t.say("reference: %s/openapi.json", r.url)
	d.t.say("metrics:   curl -H \"Authorization: Bearer $(cat %s)\" %s/metrics", filepath.Join(d.cfg.Data, adminKeyFile), r.url)
	d.t.say("Ctrl-C ends it; it goes on where it was at the next start.")
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	told := make(chan error, 1)
	go func() { told <- d.tell(ctx, r.log) }()
	err := d.demo.Run(ctx)
	stop()
	return errors.Join(err, <-told)
}

// tell subscribes to the log from its head on and writes a line for each attempt.
func (d *dev) tell(ctx context.Context, log eventlog.Log) error {
	head, err := log.Head(ctx)
	if err != nil {
		return err
	}
	f := feed.New(log, feed.Options{After: head.Seq})
	batches, err := f.Subscribe(ctx, feed.Topic)
	if err != nil {
		return err
	}
	for m := range batches {
		b, err := feed.Decode(m)
		if err == nil {
			err = d.live.Batch(&b)
		}
		if err != nil {
			return errors.Join(err, f.Close())
		}
		m.Ack()
	}
	return errors.Join(f.Err(), f.Close())
}
