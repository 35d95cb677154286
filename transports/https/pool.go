package https

import (
	"sync"
	"time"
)

// pool holds every connection of a Transport, idle and busy.
//
// Idle ones stand in two lists at once, both newest first: their host's (LIFO reuse, so that few connections stay warm)
// and the common one (the longest idle is evicted first, whosever it is).
type pool struct {
	maxIdle, maxPerHost int

	mu     sync.Mutex
	closed bool
	hosts  map[string]*hostList
	all    connList // by field all
	busy   map[*conn]struct{}
	timer  *time.Timer // runs sweep while something idles
}

type hostList struct{ connList }

type links struct{ newer, older *conn }

// connList is a doubly linked list through the links that of picks.
type connList struct {
	of             func(*conn) *links
	newest, oldest *conn
	n              int
}

func (l *connList) push(c *conn) {
	k := l.of(c)
	k.newer, k.older = nil, l.newest
	if l.newest != nil {
		l.of(l.newest).newer = c
	} else {
		l.oldest = c
	}
	l.newest = c
	l.n++
}

func (l *connList) remove(c *conn) {
	k := l.of(c)
	if k.newer != nil {
		l.of(k.newer).older = k.older
	} else {
		l.newest = k.older
	}
	if k.older != nil {
		l.of(k.older).newer = k.newer
	} else {
		l.oldest = k.newer
	}
	k.newer, k.older = nil, nil
	l.n--
}

func newPool(maxIdle, maxPerHost int) *pool {
	return &pool{
		maxIdle: maxIdle, maxPerHost: maxPerHost,
		hosts: make(map[string]*hostList),
		all:   connList{of: func(c *conn) *links { return &c.inAll }},
		busy:  make(map[*conn]struct{}),
	}
}

// take hands out the most recently used idle connection of a host, now busy, or nil. Whether it still lives is the
// caller's question.
func (p *pool) take(key string, now time.Time) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hosts[key]
	if h == nil || p.closed {
		return nil
	}
	// The limit differs from connection to connection (announced timeouts), so the newest may be over while others are not.
	for c := h.newest; c != nil; c = c.inHost.older {
		if now.Before(c.idleUntil) {
			p.unlink(c)
			p.busy[c] = struct{}{}
			return c
		}
	}
	return nil
}

// add makes a fresh connection busy; false when the pool is closed.
func (p *pool) add(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.busy[c] = struct{}{}
	return true
}

// put takes a busy connection back to idle until c.idleUntil, or closes it where there is no room.
func (p *pool) put(c *conn) {
	var victims [2]*conn
	p.mu.Lock()
	delete(p.busy, c)
	if p.closed || p.maxIdle == 0 || p.maxPerHost == 0 {
		p.mu.Unlock()
		c.close()
		return
	}
	h := p.hosts[c.key]
	if h == nil {
		h = &hostList{connList{of: func(c *conn) *links { return &c.inHost }}}
		p.hosts[c.key] = h
	}
	if h.n >= p.maxPerHost {
		victims[0] = h.oldest
		p.unlink(h.oldest)
		p.hosts[c.key] = h
	}
	if p.all.n >= p.maxIdle {
		victims[1] = p.all.oldest
		p.unlink(p.all.oldest)
		p.hosts[c.key] = h
	}
	h.push(c)
	p.all.push(c)
	if p.all.n == 1 {
		p.arm(time.Until(c.idleUntil))
	}
	p.mu.Unlock()
	for _, v := range victims {
		if v != nil {
			v.close()
		}
	}
}

// drop closes a busy connection.
func (p *pool) drop(c *conn) {
	p.mu.Lock()
	delete(p.busy, c)
	p.mu.Unlock()
	c.close()
}

// unlink removes an idle connection from both lists; p.mu is held.
func (p *pool) unlink(c *conn) {
	p.all.remove(c)
	h := p.hosts[c.key]
	h.remove(c)
	if h.n == 0 {
		delete(p.hosts, c.key)
	}
}

// arm runs sweep in d; p.mu is held.
func (p *pool) arm(d time.Duration) {
	d = max(d, sweepEvery)
	if p.timer == nil {
		p.timer = time.AfterFunc(d, p.sweep)
		return
	}
	p.timer.Reset(d)
}

// sweepEvery is the least time between two looks at what idles.
const sweepEvery = 500 * time.Millisecond

// sweep closes what has idled too long.
func (p *pool) sweep() {
	p.close(func(c *conn, now time.Time) bool { return !now.Before(c.idleUntil) })
}

// closeIdle closes everything idle.
func (p *pool) closeIdle() {
	p.close(func(*conn, time.Time) bool { return true })
}

func (p *pool) close(which func(*conn, time.Time) bool) {
	var victims []*conn
	p.mu.Lock()
	now := time.Now()
	for c := p.all.oldest; c != nil; {
		next := c.inAll.newer
		if which(c, now) {
			p.unlink(c)
			victims = append(victims, c)
		}
		c = next
	}
	if p.all.n > 0 {
		p.arm(sweepEvery)
	}
	p.mu.Unlock()
	for _, c := range victims {
		c.close()
	}
}

// shutdown refuses new connections, closes the idle ones and makes the busy ones fail at once.
func (p *pool) shutdown() {
	p.mu.Lock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
	for c := range p.busy {
		c.interrupt()
	}
	p.mu.Unlock()
	p.closeIdle()
}
