package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// followAgain is how long a follower waits before it calls a server again that went away.
const followAgain = time.Second

func logFollowCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "follow", Short: "Print records of a running server as they become durable", Args: exactly(),
		Long: `Print records as they become durable, one JSON object a line, until interrupted. When the
server goes away it is called again, and the next record is the one after the last printed.`,
		Example: `  hookline log follow
  hookline log follow --after 0 --tenant acme --type attempt.finished`,
	}
	remoteFlags(cmd)
	fs := cmd.Flags()
	fs.String("after", "", "begin behind this `SEQ` instead of at the head; 0 = from the first record")
	fs.String("tenant", "", "only this `TENANT`'s")
	fs.String("type", "", "only this `TYPE`, e.g. attempt.finished")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		r, err := connect(cmd, t)
		if err != nil {
			return err
		}
		r.http.Timeout = 0 // a stream has no end
		q := url.Values{}
		for _, name := range []string{"after", "tenant", "type"} {
			if v, _ := fs.GetString(name); v != "" {
				q.Set(name, v)
			}
		}
		return r.follow(cmd.Context(), "/v1/stream?"+q.Encode())
	}
	return cmd
}

// follow prints a stream's data until ctx ends. Only what it is refused ends it otherwise, or a server that it never saw.
func (r *remote) follow(ctx context.Context, path string) error {
	last := ""
	for {
		err := r.followOnce(ctx, path, &last)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && (last == "" || !errors.Is(err, errAway)) {
			return err
		}
		r.t.warn("the server went away; trying again after seq " + last)
		select {
		case <-time.After(followAgain):
		case <-ctx.Done():
			return nil
		}
	}
}

var errAway = errors.New("the server does not answer")

func (r *remote) followOnce(ctx context.Context, path string, last *string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	if *last != "" {
		req.Header.Set("Last-Event-ID", *last)
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", r.base, errAway, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusServiceUnavailable {
		return fmt.Errorf("%s: %w", r.base, errAway) // it starts
	}
	if resp.StatusCode != http.StatusOK {
		answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		if err != nil {
			return err
		}
		return refusal(resp.StatusCode, answer)
	}
	lines := bufio.NewReader(resp.Body)
	for id := ""; ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return nil // the stream ended: the next call goes on
		}
		line = strings.TrimSuffix(line, "\n")
		if text, ok := strings.CutPrefix(line, "id: "); ok {
			id = text
		} else if text, ok := strings.CutPrefix(line, "data: "); ok {
			if _, err := fmt.Fprintln(r.t.out, text); err != nil {
				return err
			}
		} else if line == "" && id != "" {
			*last = id // of a message that came whole
		}
	}
}
