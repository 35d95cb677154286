package jsonstrict

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// event is what a provider would send: n bytes, about half of them in names and short values.
func event(n int) []byte {
	var b strings.Builder
	b.WriteString(`{"type":"domain.registered","id":"evt_12345","data":{"domain":"example.com","records":[`)
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, `{"id":%d,"name":"host%d.example.com","type":"A","ttl":3600,"content":"192.0.2.%d","note":"made by the panel, see ticket"},`, i, i, i%256)
	}
	return []byte(strings.TrimSuffix(b.String(), ",") + `]}}`)
}

func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{1 << 10, 64 << 10} {
		text := event(n)
		b.Run(fmt.Sprintf("strict/%d", n), func(b *testing.B) {
			var s Scanner
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				s.Reset(text)
				if _, err := s.Value(64); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("encoding-json-valid/%d", n), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if !json.Valid(text) {
					b.Fatal("invalid")
				}
			}
		})
	}
	wide := []byte(`{"a":0` + manyNames(5000) + `}`)
	b.Run("strict/5000-names", func(b *testing.B) {
		var s Scanner
		b.SetBytes(int64(len(wide)))
		b.ReportAllocs()
		for b.Loop() {
			s.Reset(wide)
			if _, err := s.Value(64); err != nil {
				b.Fatal(err)
			}
		}
	})
}
