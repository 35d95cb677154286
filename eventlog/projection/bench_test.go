package projection

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/hookline/hookline/eventlog"
)

// BenchmarkCommit is what one store commit costs, by the number of keys in it: a live follower makes one for whatever
// the log has.
func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{6, 60, 600} {
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			s := openStore(b, Options{Dir: b.TempDir()})
			var w Batch
			key, value := []byte{'f', 8: 0}, make([]byte, 20)
			b.ReportAllocs()
			seq := eventlog.Seq(0)
			for b.Loop() {
				for range n {
					seq++
					binary.BigEndian.PutUint64(key[1:], uint64(seq)*0x9e3779b97f4a7c15)
					w.Set(key, value)
				}
				if err := s.commit("v", &w, checkpoint{seq: seq}); err != nil {
					b.Fatal(err)
				}
				w.reset()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(seq), "ns/key")
		})
	}
}
