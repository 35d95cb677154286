package state

// List is a first-in-first-out list of deliveries, linked through their own entries: what waits in an endpoint's lane.
type List struct {
	head, tail uint32
	n          int
}

// Len is how many wait in it.
func (l *List) Len() int { return l.n }

// Push appends a delivery that is nowhere to a lane.
func (p *Pending) Push(l *List, h uint32) { p.push(l, h, ready) }

// Park appends a delivery that is nowhere to the list of those overdue since before the start.
func (p *Pending) Park(l *List, h uint32) { p.push(l, h, parked) }

func (p *Pending) push(l *List, h uint32, where place) {
	d := p.At(h)
	d.where, d.next, d.pos = where, None, None
	if l.n == 0 {
		l.head = h
	} else {
		p.At(l.tail).next = h
		d.pos = l.tail
	}
	l.tail = h
	l.n++
}

// Shift takes the oldest out. The caller moves it on, as after PopDue.
func (p *Pending) Shift(l *List) (uint32, bool) {
	if l.n == 0 {
		return None, false
	}
	h := l.head
	p.Unlink(l, h)
	return h, true
}

// Fly marks one that was taken: its attempt is under way.
func (p *Pending) Fly(h uint32) { p.At(h).where = flying }

// Unlink takes a delivery out of the list it waits in.
func (p *Pending) Unlink(l *List, h uint32) { p.unlink(l, h) }

func (p *Pending) unlink(l *List, h uint32) {
	d := p.At(h)
	if d.pos == None {
		l.head = d.next
	} else {
		p.At(d.pos).next = d.next
	}
	if d.next == None {
		l.tail = d.pos
	} else {
		p.At(d.next).pos = d.pos
	}
	d.where = nowhere
	l.n--
}
