package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/cmd/hookline/config"
	"github.com/hookline/hookline/engine/api"
	"github.com/hookline/hookline/engine/api/express"
	"github.com/hookline/hookline/engine/dashboard"
)

const serveLong = `Run the engine and its API on a data directory.

The first start makes the directory, a master key (DIR/master.key) and, unless one is
given, an admin key (DIR/admin.key, shown once). Every option may also stand in the
environment or in a YAML file; a flag wins over the environment, the environment over
the file. An unknown key is an error.

Profiles of your own stand beside the built-in ones with --profiles DIR, one *.yaml each
(hookline profiles). A mistake in one stops the start. Changes are taken up while it runs,
at once on SIGHUP; then a mistake is logged and what runs stays.

SIGTERM or SIGINT drains: nothing new is accepted, attempts under way finish, at the
latest after the longest timeout in flight plus 5 s. A second signal ends them at once; the exit
line counts how many were interrupted, those may reach a receiver twice.

Secrets have no flag: HOOKLINE_ADMIN_KEY (at least 32 characters), HOOKLINE_MASTER_KEY
(64 hex digits or base64 of 32 bytes).`

const serveExample = `  hookline serve --data /var/lib/hookline --listen 127.0.0.1:8080
  hookline serve --data ./data --allow-cidr 127.0.0.0/8 --trust-ca ./ca.pem
  HOOKLINE_DATA=./data HOOKLINE_LISTEN=127.0.0.1:9000 hookline serve
  hookline serve --config /etc/hookline.yaml

  # /etc/hookline.yaml
  data: /var/lib/hookline
  listen: 127.0.0.1:8080
  allow_cidr: [10.20.0.0/16]`

func serveCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{Use: "serve --data DIR", Short: "Run the engine and its API", Long: serveLong + "\n" + exitCodes, Example: serveExample, Args: exactly()}
	config.AddFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := config.Load(cmd.Flags(), t.environ)
		if err != nil {
			return err
		}
		return serve(cmd.Context(), t, cfg, newLogger(t, cfg), nil)
	}
	return cmd
}

func newLogger(t *terminal, cfg *config.Config) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.LogLevel)) // config knows these four
	opts := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(t.err, opts))
	}
	return slog.New(slog.NewJSONHandler(t.err, opts))
}

// running is what a companion of the server gets to know.
type running struct {
	*assembly
	url string
}

// serve runs until a signal, the end of ctx or a failure. with, when set, runs beside the server from when it is ready
// until its context ends.
func serve(ctx context.Context, t *terminal, cfg *config.Config, logger *slog.Logger, with func(context.Context, *running) error) (err error) {
	keepHeapFloor(heapFloorServe)
	dir, err := openDataDir(cfg.Data, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	if err := dir.checkWhole(); err != nil {
		return err
	}
	if err := dir.checkClock(cfg.Manual); err != nil {
		return err
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)

	pages, err := dashboard.New(dashboard.Options{PortalFrames: cfg.PortalFrames})
	if err != nil {
		return err
	}
	face, err := api.New(api.Config{Version: versionText(), Logger: logger, PublicURL: cfg.PublicURL, Pages: pages})
	if err != nil {
		return err
	}
	web, err := listen(cfg.Listen, face)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, web.Close()) }()

	a, err := starting(ctx, signals, func(ctx context.Context) (*assembly, error) { return assemble(ctx, cfg, dir, logger) })
	if err != nil || a == nil {
		return err
	}
	face.Use(a.engine)
	if a.keyMade {
		t.say("admin key (shown once, also in %s):\n%s", dir.join(adminKeyFile), a.adminKey)
	}
	t.say("hookline is ready at %s (version %s)", web.url, versionText())
	return live(ctx, t, &running{assembly: a, url: web.url}, web, signals, logger, with)
}

// starting opens the engine; a signal meanwhile ends that, and the process cleanly (nil, nil).
func starting(ctx context.Context, signals <-chan os.Signal, open func(context.Context) (*assembly, error)) (*assembly, error) {
	type opened struct {
		a   *assembly
		err error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan opened, 1)
	go func() {
		a, err := open(ctx)
		done <- opened{a, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return nil, o.err
		}
		return o.a, nil
	case <-signals:
		cancel()
		if o := <-done; o.err == nil {
			return nil, o.a.Close()
		}
		return nil, nil
	}
}

// webServer is the API's listener and server: up before the engine is, so that /readyz can say 503.
type webServer struct {
	*express.Server
	url    string
	failed chan error
}

func listen(addr string, face *api.Server) (*webServer, error) {
	l, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen: address already in use: another process has %s: end it, or choose another address with --listen", addr)
	case err != nil:
		return nil, fmt.Errorf("listen: %w", err)
	}
	w := &webServer{Server: face.Front(addr), url: "http://" + l.Addr().String(), failed: make(chan error, 1)}
	go func() { w.failed <- w.Serve(l) }()
	return w, nil
}

// sameSignal is how soon a further signal still belongs to the first: who signals a process and its whole group, as some
// supervisors and terminals do, means one stop.
const sameSignal = 200 * time.Millisecond

// live waits for the reason to stop, and stops.
func live(ctx context.Context, t *terminal, r *running, web *webServer, signals <-chan os.Signal, logger *slog.Logger, with func(context.Context, *running) error) error {
	beside, stopBeside := context.WithCancel(ctx)
	defer stopBeside()
	besideDone := make(chan error, 1)
	if with == nil {
		with = func(ctx context.Context, _ *running) error { <-ctx.Done(); return nil }
	}
	go func() { besideDone <- with(beside, r) }()
	var why error
	select {
	case s := <-signals:
		logger.Info("draining", "signal", s.String())
	case <-ctx.Done():
	case <-r.engine.Dead():
		why = r.engine.Err()
		logger.Error("the engine stopped", "error", why)
	case err := <-web.failed:
		why = fmt.Errorf("listen: %w", err)
	case err := <-besideDone:
		besideDone <- err
	}
	stopBeside()
	why = errors.Join(why, <-besideDone)
	drain, cancel := context.WithCancel(context.WithoutCancel(ctx)) // the engine knows its limit
	defer cancel()
	go func() {
		for began := time.Now(); ; {
			select {
			case <-signals:
				if time.Since(began) < sameSignal {
					continue
				}
				logger.Warn("second signal: attempts under way are interrupted")
				cancel()
				return
			case <-drain.Done():
				return
			}
		}
	}()
	interrupted, err := shutDown(drain, r, web)
	t.say("hookline stopped: %d attempts interrupted", interrupted)
	if why != nil {
		return why
	}
	return err
}

// shutDown stops taking requests, lets attempts finish, and closes everything.
func shutDown(ctx context.Context, r *running, web *webServer) (interrupted int, err error) {
	stopped := make(chan error, 1)
	go func() {
		// Requests under way end with the drain; a client that just holds its connection is cut off.
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if err := web.Shutdown(ctx); err != nil {
			err = web.Close()
			stopped <- err
			return
		}
		stopped <- nil
	}()
	interrupted, drainErr := r.engine.Drain(ctx)
	err = errors.Join(drainErr, <-stopped, r.Close())
	return interrupted, err
}
