package seal

import (
	"crypto/rand"
	"testing"
)

func BenchmarkSeal1KiB(b *testing.B) {
	s, _ := NewMemory().Sealer("t")
	plain, dst := make([]byte, 1024), make([]byte, 0, 2048)
	b.SetBytes(1024)
	b.ReportAllocs()
	for b.Loop() {
		dst = s.Seal(dst[:0], plain, Context{Tenant: "t", Type: 3})
	}
}

func BenchmarkUnseal1KiB(b *testing.B) {
	k := NewMemory()
	s, _ := k.Sealer("t")
	sealed := s.Seal(nil, make([]byte, 1024), Context{Tenant: "t", Type: 3})
	dst := make([]byte, 0, 2048)
	b.SetBytes(1024)
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = k.Unseal(dst[:0], sealed, Context{Tenant: "t", Type: 3}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSealer(b *testing.B) {
	k := NewMemory()
	for b.Loop() {
		if _, err := k.Sealer("t"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	k := NewMemory()
	p := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Hash("t", "dedupe", p, p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNonce(b *testing.B) {
	var n [12]byte
	for b.Loop() {
		_, _ = rand.Read(n[:])
	}
}
