package kafka

import "hash"

// murmur2 is the hash by which Kafka's own clients choose a key's partition, so that a key written by hookline goes where
// a key written by others goes. (Sarama's default is FNV-1a.) It is MurmurHash2 with 32 bits and seed 0x9747b28c, its top bit
// cleared as those clients do before the division.
type murmur2 struct{ key []byte }

var _ hash.Hash32 = (*murmur2)(nil)

func newMurmur2() hash.Hash32 { return &murmur2{} }

func (m *murmur2) Write(p []byte) (int, error) { m.key = append(m.key, p...); return len(p), nil }
func (m *murmur2) Reset()                      { m.key = m.key[:0] }
func (m *murmur2) Size() int                   { return 4 }
func (m *murmur2) BlockSize() int              { return 4 }

func (m *murmur2) Sum(b []byte) []byte {
	s := m.Sum32()
	return append(b, byte(s>>24), byte(s>>16), byte(s>>8), byte(s))
}

func (m *murmur2) Sum32() uint32 {
	const mix = 0x5bd1e995
	rest := m.key
	h := uint32(0x9747b28c) ^ uint32(len(rest))
	for ; len(rest) >= 4; rest = rest[4:] {
		k := uint32(rest[0]) | uint32(rest[1])<<8 | uint32(rest[2])<<16 | uint32(rest[3])<<24
		k *= mix
		k ^= k >> 24
		k *= mix
		h = h*mix ^ k
	}
	for i := len(rest) - 1; i >= 0; i-- {
		h ^= uint32(rest[i]) << (8 * i)
	}
	if len(rest) > 0 {
		h *= mix
	}
	h ^= h >> 13
	h *= mix
	return (h ^ h>>15) & 0x7fffffff
}
