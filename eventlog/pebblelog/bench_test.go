package pebblelog

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/hookline/hookline/eventlog"
)

// body is 1 KiB that does not compress, as a sealed section is.
func body(rng *rand.ChaCha8) []byte {
	p := make([]byte, 1024)
	_, _ = rng.Read(p)
	return p
}

func benchRecords(n int, data []byte) []eventlog.Record {
	rs := make([]eventlog.Record, n)
	for i := range rs {
		rs[i] = eventlog.Record{
			Type: 7, Tenant: "tenant-1", Facts: data[:120:120], Sections: []eventlog.Section{{Data: data}},
		}
	}
	return rs
}

func benchOpen(b *testing.B) (*Log, eventlog.Writer) {
	b.Helper()
	l, err := Open(Options{Dir: b.TempDir(), ScrubRate: -1, Now: func() int64 { return 0 }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	w, err := l.Acquire(context.Background(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	return l, w
}

// fillLog appends n records in batches.
func fillLog(b *testing.B, w eventlog.Writer, n, batch int) {
	b.Helper()
	data := body(rand.NewChaCha8([32]byte{1}))
	var last *eventlog.Commit
	for range n / batch {
		last = w.Append(benchRecords(batch, data))
	}
	if err := last.Wait(context.Background()); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 64, 1000} {
		for _, pipelined := range []bool{false, true} {
			if !pipelined && size > 1 {
				continue
			}
			b.Run(fmt.Sprintf("batch=%d/pipelined=%t", size, pipelined), func(b *testing.B) {
				_, w := benchOpen(b)
				data := body(rand.NewChaCha8([32]byte{1}))
				records := benchRecords(size, data)
				b.ReportAllocs()
				b.SetBytes(int64(size) * 1024)
				var last *eventlog.Commit
				for b.Loop() {
					last = w.Append(records) // nobody reads them after Append has encoded them
					if !pipelined {
						if err := last.Wait(context.Background()); err != nil {
							b.Fatal(err)
						}
					}
				}
				if err := last.Wait(context.Background()); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "records/s")
			})
		}
	}
}

func BenchmarkReadBatches(b *testing.B) {
	for _, size := range []int{1, 64} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			l, w := benchOpen(b)
			fillLog(b, w, 128*1024, size)
			if err := l.db.Flush(); err != nil {
				b.Fatal(err)
			}
			n := 0
			for b.Loop() {
				for batch, err := range l.ReadBatches(context.Background(), 0) {
					if err != nil {
						b.Fatal(err)
					}
					n += len(batch.Records)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkRead(b *testing.B) {
	l, w := benchOpen(b)
	fillLog(b, w, 64*1024, 64)
	n := 0
	for b.Loop() {
		for _, err := range l.Read(context.Background(), 0) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkGet(b *testing.B) {
	l, w := benchOpen(b)
	const n = 128 * 1024
	fillLog(b, w, n, 64)
	if err := l.db.Flush(); err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Get(context.Background(), eventlog.Seq(rng.IntN(n)+1)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	l, w := benchOpen(b)
	fillLog(b, w, 256*1024, 64)
	var bytes int64
	for b.Loop() {
		r, err := l.Verify(context.Background(), nil)
		if err != nil {
			b.Fatal(err)
		}
		bytes += r.Bytes
	}
	b.ReportMetric(float64(bytes)/b.Elapsed().Seconds()/(1<<20), "MiB/s")
}
