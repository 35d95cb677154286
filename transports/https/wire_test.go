package https

import (
	"bufio"
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

func newBufio(b []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(b)) }

// However the bytes of TLS records are cut, each read ends at or before the end of a record, nothing is lost, and
// between tells where records end.
func TestWireRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		ends := map[int]bool{0: true}
		for range rapid.IntRange(1, 6).Draw(t, "records") {
			n := rapid.IntRange(0, 40).Draw(t, "length")
			stream = append(stream, 23, 3, 3, byte(n>>8), byte(n))
			stream = append(stream, make([]byte, n)...)
			ends[len(stream)] = true
		}
		w := &wire{records: true}
		at := 0
		for at < len(stream) {
			n := w.record(stream[at : at+rapid.IntRange(1, len(stream)-at).Draw(t, "read")])
			if n == 0 {
				t.Fatalf("stands still at %d", at)
			}
			for i := at + 1; i < at+n; i++ {
				if ends[i] {
					t.Fatalf("a read from %d to %d passes the end of a record at %d", at, at+n, i)
				}
			}
			at += n
			if w.between() != ends[at] {
				t.Fatalf("at %d between says %t, want %t", at, w.between(), ends[at])
			}
		}
	})
}
