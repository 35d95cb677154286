package profile

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
	"sync"

	"github.com/hookline/hookline/transports"
)

// hmacScheme signs with HMAC (RFC 2104). The key is the UTF-8 bytes of the secret as shown, prefix included (O-10).
type hmacScheme struct {
	header, hash, encoding, prefix, form string
	signs                                pattern
	source                               string // of signs
}

func (p *Profile) readHMAC(at place, rest ...field) error {
	s := &hmacScheme{hash: "sha256", encoding: "hex", form: "single"}
	given := false
	err := at.mapping(append(rest,
		need("header", matching(&s.header, headerPattern, "a lower-case header name")),
		may("hash", choice(&s.hash, "sha256", "sha512")),
		may("encoding", choice(&s.encoding, "hex", "base64")),
		may("signs", func(at place) error {
			given, s.source = true, at.node.Value
			return readPattern(&s.signs, "id", "timestamp", "body")(at)
		}),
		may("prefix", printable(&s.prefix, 64)),
		may("form", choice(&s.form, "single", "timestamped")))...)
	if err != nil {
		return err
	}
	if !given {
		s.source = map[string]string{"single": "{body}", "timestamped": "{timestamp}.{body}"}[s.form]
		if s.signs, err = parsePattern(at, s.source, []string{"timestamp", "body"}); err != nil {
			return err
		}
	}
	switch {
	case !s.signs.has("body"):
		return at.errorf("signs %q, which leaves the body out; add {body}", s.source)
	case s.form == "timestamped" && !s.signs.has("timestamp"):
		return at.errorf("signs %q, though its form sends a timestamp; add {timestamp}", s.source)
	case s.form == "timestamped" && s.prefix != "":
		return at.errorf("prefix %q does not go with form: timestamped; leave it out", s.prefix)
	}
	p.schemes = append(p.schemes, s)
	return nil
}

func (s *hmacScheme) describe() Signature {
	return Signature{Scheme: "hmac", Headers: []string{s.header}, Hash: s.hash, Encoding: s.encoding, Signs: s.source,
		Prefix: s.prefix, Form: s.form, Overlaps: s.form == "timestamped"}
}

// bind keeps the hash state of each secret, so that a signature costs the hashing of what is signed and one small
// allocation.
func (s *hmacScheme) bind(secrets []string) binding {
	b := &hmacBinding{hmacScheme: s}
	if s.form == "single" {
		secrets = secrets[:1]
	}
	for _, secret := range secrets {
		b.macs = append(b.macs, newMAC(s.hash, []byte(secret)))
	}
	return b
}

type hmacBinding struct {
	*hmacScheme
	macs []*sync.Pool // of *mac, one for each secret
}

// mac is the hash state of a key and room for its results.
type mac struct {
	hash.Hash
	sum  [sha512.Size]byte
	text [2*sha512.Size + 256]byte
}

func newMAC(name string, key []byte) *sync.Pool {
	of := sha256.New
	if name == "sha512" {
		of = sha512.New
	}
	return &sync.Pool{New: func() any { return &mac{Hash: hmac.New(of, key)} }}
}

// over computes the sum of what a pattern says about an attempt.
func (m *mac) over(signs pattern, a *Attempt) []byte {
	m.Reset()
	write := func(b []byte) { m.Write(b) }
	if tail := signs.append(m.text[:0], a, write); len(tail) > 0 {
		m.Write(tail)
	}
	return m.Sum(m.sum[:0])
}

func appendEncoded(dst []byte, encoding string, sum []byte) []byte {
	if encoding == "base64" {
		return base64.StdEncoding.AppendEncode(dst, sum)
	}
	return hex.AppendEncode(dst, sum)
}

func (b *hmacBinding) append(dst []transports.Header, a *Attempt) []transports.Header {
	if b.form == "timestamped" {
		return append(dst, transports.Header{Name: b.header, Value: b.timestamped(a)})
	}
	m := b.macs[0].Get().(*mac)
	sum := m.over(b.signs, a)
	value := string(appendEncoded(append(m.text[:0], b.prefix...), b.encoding, sum))
	b.macs[0].Put(m)
	return append(dst, transports.Header{Name: b.header, Value: value})
}

// timestamped is t=SECONDS,v1=SIGNATURE, with one v1 for each secret.
func (b *hmacBinding) timestamped(a *Attempt) string {
	var out strings.Builder
	out.WriteString("t=" + strconv.FormatInt(a.At.Unix(), 10))
	for _, pool := range b.macs {
		m := pool.Get().(*mac)
		sum := m.over(b.signs, a)
		out.WriteString(",v1=")
		out.Write(appendEncoded(m.text[:0], b.encoding, sum))
		pool.Put(m)
	}
	return out.String()
}
