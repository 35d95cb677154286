package profile

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/hookline/hookline/transports"
)

// Signature is one scheme by which a profile signs. A profile may have several side by side, while its receivers move
// from one to another.
type Signature struct {
	Scheme   string   // none, hmac or standard_webhooks
	Headers  []string // that it adds
	Hash     string   // of hmac: sha256 or sha512
	Encoding string   // of hmac: hex or base64
	Signs    string   // over what, e.g. {timestamp}.{body}
	Prefix   string   // of hmac: before the signature
	Form     string   // of hmac: single (the signature alone) or timestamped (t=...,v1=...)
	Version  string   // of standard_webhooks: v1 or v1a, what a secret is made for
	Overlaps bool     // it can carry the signatures of two secrets while one replaces the other
}

// scheme makes the headers of a signature.
type scheme interface {
	describe() Signature
	// bind makes the signer of secrets, the current one first. A scheme that can carry one only uses that.
	bind(secrets []string) binding
}

// binding appends the headers of an attempt. It is safe for concurrent use.
type binding interface {
	append(dst []transports.Header, a *Attempt) []transports.Header
}

const maxSignatures = 4

// readSignature reads one scheme, or a list of them.
func (p *Profile) readSignature(at place) error {
	if at.node.Kind == yaml.SequenceNode {
		return at.list(1, maxSignatures, p.readScheme)
	}
	return p.readScheme(at)
}

func (p *Profile) readScheme(at place) error {
	word := &choosing{words: []string{"none", "hmac", "standard_webhooks"}, past: []string{"hmac_sha256_hex"}}
	if at.mappingNode() { // what other fields there are is the scheme's
		for i := 0; i+1 < len(at.node.Content); i += 2 {
			if at.node.Content[i].Value == "scheme" {
				if err := word.read(at.member("scheme", at.node.Content[i+1])); err != nil {
					return err
				}
			}
		}
	}
	ignore := need("scheme", func(place) error { return nil })
	switch word.chosen {
	case "hmac", "hmac_sha256_hex":
		return p.readHMAC(at, ignore)
	case "standard_webhooks":
		return p.readStandardWebhooks(at, ignore)
	case "none":
		return at.mapping(ignore)
	}
	return at.mapping(ignore, may("header", func(place) error { return nil }))
}

// choosing is choice with words that are read but not told.
type choosing struct {
	words, past []string
	chosen      string
}

func (c *choosing) read(at place) error {
	if at.node.Kind == yaml.ScalarNode && slices.Contains(c.past, at.node.Value) {
		c.chosen = at.node.Value
		return nil
	}
	return choice(&c.chosen, c.words...)(at)
}

// Signatures describes the schemes; a profile that does not sign has one, "none" (D-15).
func (p *Profile) Signatures() []Signature {
	if len(p.schemes) == 0 {
		return []Signature{{Scheme: "none"}}
	}
	all := make([]Signature, len(p.schemes))
	for i, s := range p.schemes {
		all[i] = s.describe()
	}
	return all
}

// Overlaps says whether a new secret may stand beside the one before it for a while: some scheme can carry both. Where
// none can, a new secret takes the place of the old one at once.
func (p *Profile) Overlaps() bool {
	return slices.ContainsFunc(p.schemes, func(s scheme) bool { return s.describe().Overlaps })
}

// checkHeaders checks what headers and signatures say together: none is set twice, and what is signed is told.
func (p *Profile) checkHeaders(at place) error {
	seen, timestamp := map[string]bool{}, false
	for _, h := range p.headers {
		seen[h.name] = true
		timestamp = timestamp || h.value.has("timestamp")
	}
	for _, s := range p.schemes {
		for _, name := range s.describe().Headers {
			if seen[name] {
				return at.errorf("sets header %s, which is set already; choose another name", name)
			}
			seen[name] = true
		}
		if h, ok := s.(*hmacScheme); ok && h.form == "single" && h.signs.has("timestamp") && !timestamp {
			return at.errorf("signs a timestamp that no header tells; take form: timestamped, or add a header with {timestamp}")
		}
	}
	return nil
}
