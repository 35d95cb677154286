package bench

import (
	"bytes"
	"strconv"
)

// Every event of the bench says which run of a row it belongs to and its number there: with that the receiver can tell
// a missing one from a duplicate without the server's help.

const (
	idDigits = 26 // of an event id in OSIR's form, after evt_
	runMark  = `"data":{"run":"`
	numMark  = `","n":"`
	padMark  = `","pad":"`
	runWidth = 4
	numWidth = 10
)

// appendType writes the event type of number n among so many types. All types are equally long.
func appendType(dst []byte, n uint64, types int, unmatched bool) []byte {
	prefix := "bench.t"
	if unmatched {
		prefix = "bench.u"
	}
	dst = append(dst, prefix...)
	return appendPadded(dst, n%uint64(types), 4)
}

func appendPadded(dst []byte, v uint64, width int) []byte {
	var digits [20]byte
	s := strconv.AppendUint(digits[:0], v, 10)
	for range width - len(s) {
		dst = append(dst, '0')
	}
	return append(dst, s...)
}

// dataSize is how long an event's data must be for OSIR's rendered body to be size bytes.
func dataSize(size int) int {
	envelope := len(`{"id":"evt_","type":"bench.t0000","created":1700000000,"data":}`) + idDigits
	return size - envelope
}

// minSize is the smallest body that can carry the numbers.
var minSize = len(appendData(nil, 0, 0, 0)) + 1024 - dataSize(1024)

// appendData writes an event's data, size bytes long (longer where the numbers need it).
func appendData(dst []byte, run uint32, n uint64, size int) []byte {
	start := len(dst)
	dst = append(dst, runMark[len(`"data":`):]...)
	dst = appendPadded(dst, uint64(run), runWidth)
	dst = append(dst, numMark...)
	dst = appendPadded(dst, n, numWidth)
	dst = append(dst, padMark...)
	for range size - (len(dst) - start) - len(`"}`) {
		dst = append(dst, 'x')
	}
	return append(dst, `"}`...)
}

// appendBody writes the whole body as OSIR's profile renders it: what the bare loop sends.
func appendBody(dst []byte, run uint32, n uint64, size int) []byte {
	dst = append(dst, `{"id":"evt_`...)
	dst = appendPadded(dst, uint64(run)*1e10+n, idDigits)
	dst = append(dst, `","type":"`...)
	dst = appendType(dst, n, 1, false)
	dst = append(dst, `","created":1700000000,"data":`...)
	dst = appendData(dst, run, n, dataSize(size))
	return append(dst, '}')
}

// parseBody finds the numbers in a received body.
func parseBody(body []byte) (run uint32, n uint64, ok bool) {
	i := bytes.Index(body, []byte(runMark))
	if i < 0 {
		return 0, 0, false
	}
	b := body[i+len(runMark):]
	if len(b) < runWidth+len(numMark)+numWidth || string(b[runWidth:runWidth+len(numMark)]) != numMark {
		return 0, 0, false
	}
	r, ok1 := digits(b[:runWidth])
	n, ok2 := digits(b[runWidth+len(numMark):][:numWidth])
	return uint32(r), n, ok1 && ok2
}

func digits(b []byte) (v uint64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + uint64(c-'0')
	}
	return v, true
}
