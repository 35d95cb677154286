package kafka

import (
	"net"
	"sync"
)

// dialer makes Sarama's connections and can cut them all, for calls that cannot be canceled. It is safe for concurrent use.
type dialer struct {
	mu   sync.Mutex
	cut  bool
	open map[*kept]struct{}
}

func newDialer() *dialer { return &dialer{open: map[*kept]struct{}{}} }

// kept is a connection that is forgotten when closed.
type kept struct {
	net.Conn
	of *dialer
}

func (k *kept) Close() error {
	k.of.mu.Lock()
	delete(k.of.open, k)
	k.of.mu.Unlock()
	return k.Conn.Close()
}

// Dial is what Sarama calls.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{Timeout: connectTimeout}).Dial(network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	k := &kept{c, d}
	d.open[k] = struct{}{}
	return k, nil
}

// cutAll ends every connection, and those to come.
func (d *dialer) cutAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = true
	for k := range d.open {
		_ = k.Conn.Close()
	}
}
