package eventlog

import "encoding/binary"

// epochVersion is the first byte of an epoch record's facts.
const epochVersion = 1

const epochFixed = 14 // version, number, tag, owner length

// AppendEpochFacts appends the facts of an epoch record (TypeEpochStarted) to dst.
func AppendEpochFacts(dst []byte, e Epoch) []byte {
	dst = append(dst, epochVersion)
	dst = binary.BigEndian.AppendUint64(dst, e.Number)
	dst = binary.BigEndian.AppendUint32(dst, e.Tag)
	dst = append(dst, byte(len(e.Owner)))
	return append(dst, e.Owner...)
}

// DecodeEpochFacts reads the facts of an epoch record. Its error wraps ErrCorrupt.
func DecodeEpochFacts(facts []byte) (Epoch, error) {
	if len(facts) < epochFixed || facts[0] != epochVersion ||
		facts[13] > MaxOwner || len(facts) != epochFixed+int(facts[13]) {
		return Epoch{}, &CorruptError{What: "facts of an epoch record: unknown version or length"}
	}
	return Epoch{
		Number: binary.BigEndian.Uint64(facts[1:]),
		Tag:    binary.BigEndian.Uint32(facts[9:]),
		Owner:  string(facts[epochFixed:]),
	}, nil
}
