package servers

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis starts a server that keeps nothing on disk and returns its host:port. more are arguments, e.g. "--requirepass", "x".
func Redis(tb testing.TB, more ...string) string {
	tb.Helper()
	path := needs(tb, "redis-server", "redis-server")
	port := freePort(tb)
	args := append([]string{"--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", tb.TempDir()}, more...)
	address := "127.0.0.1:" + port
	client := redis.NewClient(&redis.Options{Addr: address, MaxRetries: -1})
	defer client.Close()
	process(tb, 20*time.Second, exec.Command(path, args...), func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := client.Ping(ctx).Err()
		if err != nil && redis.HasErrorPrefix(err, "NOAUTH") {
			return nil
		}
		return err
	})
	return address
}
