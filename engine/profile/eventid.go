package profile

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"strings"
)

// maxEventID is the longest event id in bytes, whatever the form.
const maxEventID = 128

// idForm is what event ids look like: how one is made of 128 random bits and which given ones are taken.
type idForm struct {
	make  func(bits [16]byte) string
	check func(id string) bool
	words string
}

var idForms = map[string]idForm{
	"evt":  {makeEvt, isEvt, "evt_ followed by letters and digits"},
	"uuid": {makeUUID, isUUID, "a UUID such as 6f1a3c0e-9d52-4b7e-8a41-2f0c5d9e7b63"},
	"any":  {makeEvt, isAny, "made of A-Z, a-z, 0-9, _ and -"},
}

// crockford is Crockford's base32 in lower case.
var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// NewEventID mints an id in the profile's form (O-6, D-6): unique by its random bits (122 in a UUID, else 128), without
// a clock or a counter.
func (p *Profile) NewEventID() string {
	r := p.random.Get().(*randomness)
	var bits [16]byte
	r.read(bits[:])
	p.random.Put(r)
	return p.ids.make(bits)
}

// CheckEventID says whether a given id has the profile's form and at most 128 bytes.
func (p *Profile) CheckEventID(id string) error {
	if len(id) <= maxEventID && p.ids.check(id) {
		return nil
	}
	return &FieldError{Field: "id", Message: fmt.Sprintf("event id %.140q does not fit profile %s: it must be %s, at most %d bytes; leave it out to have one made",
		id, p.Name, p.ids.words, maxEventID)}
}

func makeEvt(bits [16]byte) string {
	var out [4 + 26]byte
	copy(out[:], "evt_")
	crockford.Encode(out[4:], bits[:])
	return string(out[:])
}

func isEvt(id string) bool {
	rest, ok := strings.CutPrefix(id, "evt_")
	return ok && rest != "" && all(rest, alphanumeric)
}

// makeUUID makes a version 4 UUID (RFC 9562, section 5.4).
func makeUUID(bits [16]byte) string {
	bits[6] = bits[6]&0x0f | 0x40
	bits[8] = bits[8]&0x3f | 0x80
	var out [36]byte
	hex.Encode(out[0:8], bits[0:4])
	hex.Encode(out[9:13], bits[4:6])
	hex.Encode(out[14:18], bits[6:8])
	hex.Encode(out[19:23], bits[8:10])
	hex.Encode(out[24:36], bits[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

// isUUID takes any version, in upper or lower case.
func isUUID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (id[i] == '-') || !dash && !hexadecimal(id[i]) {
			return false
		}
	}
	return true
}

func isAny(id string) bool {
	return id != "" && all(id, func(c byte) bool { return alphanumeric(c) || c == '_' || c == '-' })
}

func all(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func hexadecimal(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// randomness is a stock of random bytes: one system call fills many ids.
type randomness struct {
	stock [1024]byte
	used  int // bytes of stock handed out; 0 = never filled
}

func (r *randomness) read(dst []byte) {
	if r.used == 0 || r.used+len(dst) > len(r.stock) {
		rand.Read(r.stock[:])
		r.used = 0
	}
	n := copy(dst, r.stock[r.used:])
	clear(r.stock[r.used : r.used+n])
	r.used += n
}
