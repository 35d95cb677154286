package transporttest

import (
	"net"
	"sync"
	"testing"
)

// listen accepts TCP connections and gives each to serve, which may do anything below TLS; stopped closes when the test
// ends, and so do the connections. It returns the address.
func listen(tb testing.TB, serve func(c net.Conn, stopped <-chan struct{})) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	stopped := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				serve(c, stopped)
				_ = c.Close()
			})
		}
	})
	tb.Cleanup(func() {
		close(stopped)
		_ = l.Close()
		wg.Wait()
	})
	return l.Addr().String()
}
