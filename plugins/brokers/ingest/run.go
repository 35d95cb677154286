package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// Open makes the Subscriber of one source from the connection's settings. The Subscriber connects in Subscribe, so that a
// broker that is away is waited for; settings that are wrong are an error here.
type Open func(broker json.RawMessage, s Source, logger *slog.Logger) (message.Subscriber, error)

// Main runs `ingest --config FILE` until SIGTERM or SIGINT and returns the exit code: 0 clean, 1 error, 2 usage.
func Main(args []string, open Open, stderr io.Writer) int {
	flags := flag.NewFlagSet("ingest", flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("config", "", "the configuration, JSON (required)")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if *file == "" || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "ingest: give --config FILE and nothing else")
		return 2
	}
	cfg, err := Load(*file)
	if err != nil {
		fmt.Fprintln(stderr, "ingest:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	if err := Run(ctx, cfg, open, logger); err != nil && ctx.Err() == nil {
		fmt.Fprintln(stderr, "ingest:", err)
		return 1
	}
	return 0
}

// Run carries all sources until ctx ends.
func Run(ctx context.Context, cfg *Config, open Open, logger *slog.Logger) error {
	client, err := NewClient(&cfg.Hookline)
	if err != nil {
		return err
	}
	defer client.Close()
	pumps := make([]*Pump, 0, len(cfg.Sources))
	defer func() {
		for _, p := range pumps {
			_ = p.Subscriber.Close()
			_ = p.Park.Close()
		}
	}()
	for _, s := range cfg.Sources {
		park, err := OpenPark(s.Park)
		if err != nil {
			return fmt.Errorf("park of topic %s: %w", s.Topic, err)
		}
		sub, err := open(cfg.Broker, s, logger)
		if err != nil {
			return errors.Join(fmt.Errorf("topic %s: %w", s.Topic, err), park.Close())
		}
		pumps = append(pumps, &Pump{Source: s, Subscriber: sub, Client: client, Park: park, Logger: logger})
	}
	var wg sync.WaitGroup
	for _, p := range pumps {
		wg.Go(func() { _ = p.Run(ctx) })
	}
	wg.Go(func() { report(ctx, pumps, logger) })
	wg.Wait()
	return context.Cause(ctx)
}

const reportEvery = 30 * time.Second

// report says what was carried, when there was something.
func report(ctx context.Context, pumps []*Pump, logger *slog.Logger) {
	last := make([]Stats, len(pumps))
	t := time.NewTicker(reportEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		for i, p := range pumps {
			if now := p.Stats(); now != last[i] {
				last[i] = now
				logger.Info("carried", "topic", p.Source.Topic, "tenant", p.Source.Tenant, "accepted", now.Accepted, "duplicates", now.Duplicates, "parked", now.Parked, "waits", now.Waits)
			}
		}
	}
}
