package schedule

// Queue orders handles by due time, equal ones by handle's rank: a 4-ary heap that keeps 4 bytes a handle. Due times and
// positions live with the handles' owner, so that a million waiting deliveries cost no second copy of anything.
//
// It is not safe for concurrent use.
type Queue struct {
	heap  []uint32
	items Items
}

// Items is what owns the handles.
type Items interface {
	// Before says whether a is due before b. It must be a total order that does not change while both are queued.
	Before(a, b uint32) bool
	// Moved tells a handle's position in the queue, for Remove.
	Moved(h uint32, pos int)
}

// NewQueue makes an empty queue over items.
func NewQueue(items Items) *Queue { return &Queue{items: items} }

func (q *Queue) Len() int { return len(q.heap) }

// Peek returns the handle that is due first; ok is false when the queue is empty.
func (q *Queue) Peek() (h uint32, ok bool) {
	if len(q.heap) == 0 {
		return 0, false
	}
	return q.heap[0], true
}

// Push adds a handle that is not queued.
func (q *Queue) Push(h uint32) {
	q.heap = append(q.heap, h)
	q.up(len(q.heap) - 1)
}

// Pop removes the handle that is due first.
func (q *Queue) Pop() (h uint32, ok bool) {
	if len(q.heap) == 0 {
		return 0, false
	}
	h = q.heap[0]
	q.Remove(0)
	return h, true
}

// Remove takes out the handle at a position that Moved told.
func (q *Queue) Remove(pos int) {
	last := len(q.heap) - 1
	moved := q.heap[last]
	q.heap = q.heap[:last]
	if pos == last {
		return
	}
	q.heap[pos] = moved
	q.up(q.down(pos))
}

const arity = 4

func (q *Queue) up(i int) int {
	h := q.heap[i]
	for i > 0 {
		parent := (i - 1) / arity
		if !q.items.Before(h, q.heap[parent]) {
			break
		}
		q.set(i, q.heap[parent])
		i = parent
	}
	q.set(i, h)
	return i
}

func (q *Queue) down(i int) int {
	h, n := q.heap[i], len(q.heap)
	for {
		first := i*arity + 1
		if first >= n {
			break
		}
		least := first
		for c := first + 1; c < min(first+arity, n); c++ {
			if q.items.Before(q.heap[c], q.heap[least]) {
				least = c
			}
		}
		if !q.items.Before(q.heap[least], h) {
			break
		}
		q.set(i, q.heap[least])
		i = least
	}
	q.set(i, h)
	return i
}

func (q *Queue) set(i int, h uint32) {
	q.heap[i] = h
	q.items.Moved(h, i)
}
