package demo

import (
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// fate is what happens to one request at a receiver.
type fate int

const (
	fine fate = iota
	failing
	slow
	hangingUp
)

// fateOf decides the n-th request at a hook: a function of its arguments alone, so that a run can be told again.
func fateOf(seed uint64, key string, n uint64, t temper) (fate, time.Duration) {
	h := fnv.New64a()
	h.Write([]byte(key))
	r := rand.New(rand.NewPCG(seed^h.Sum64(), n))
	switch d := r.IntN(1000); {
	case d < t.fail:
		return failing, 0
	case d < t.fail+t.slow:
		return slow, 500*time.Millisecond + time.Duration(r.IntN(1500))*time.Millisecond
	case d < t.fail+t.slow+t.hangUp:
		return hangingUp, 0
	}
	return fine, 0
}
