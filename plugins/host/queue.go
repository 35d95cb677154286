package host

// queue is a first-in first-out ring of calls.
type queue struct {
	ring    []*call // length a power of two; nil entries were removed
	head, n int     // n counts removed entries too
	gone    int
}

func (q *queue) len() int { return q.n - q.gone }

func (q *queue) push(c *call) {
	if q.n == len(q.ring) {
		bigger := make([]*call, max(2*len(q.ring), 64))
		for i := range q.n {
			bigger[i] = q.ring[(q.head+i)&(len(q.ring)-1)]
		}
		q.ring, q.head = bigger, 0
	}
	q.ring[(q.head+q.n)&(len(q.ring)-1)] = c
	q.n++
}

// peek is the oldest call, or nil.
func (q *queue) peek() *call {
	for q.n > 0 {
		if c := q.ring[q.head]; c != nil {
			return c
		}
		q.skip()
		q.gone--
	}
	return nil
}

// pop removes the oldest call, which peek has shown.
func (q *queue) pop() {
	q.ring[q.head] = nil
	q.skip()
}

func (q *queue) skip() {
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.n--
}

// remove takes a call out wherever it is.
func (q *queue) remove(c *call) {
	for i := range q.n {
		if at := &q.ring[(q.head+i)&(len(q.ring)-1)]; *at == c {
			*at = nil
			q.gone++
			return
		}
	}
}

// at is the i-th entry, nil where one was removed.
func (q *queue) at(i int) *call { return q.ring[(q.head+i)&(len(q.ring)-1)] }
