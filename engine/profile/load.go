package profile

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hookline/hookline/engine/schedule"
)

// Bounds of a profile's file.
const (
	maxContent = 1 << 20
	maxTypes   = 2000
	maxFields  = 32
	minTimeout = time.Second
	maxTimeout = 60 * time.Second
)

var (
	namePattern   = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)
	memberPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	typePattern   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64})*(:[A-Za-z0-9_-]{1,64})?$`)
	headerPattern = regexp.MustCompile(`^[a-z0-9!#$%&'*+.^_|~-]{1,64}$`)
)

// Load reads a profile as logs hold it. file is what errors call it. An error is Errors: all that is wrong, each with
// line, field and fix.
func Load(file string, content []byte) (*Profile, error) { return load(file, content, false) }

// Lint reads a profile that somebody just wrote: Load, and every example must fit its schema too.
func Lint(file string, content []byte) (*Profile, error) { return load(file, content, true) }

func load(file string, content []byte, examples bool) (*Profile, error) {
	p := &Profile{Content: bytes.Clone(content), Hash: sha256.Sum256(content), Timeout: 30 * time.Second, Version: 1}
	root, err := document(file, content)
	if err != nil {
		return nil, faults(err)
	}
	var entries []entry
	var catalogue error // in the parts that it is made of
	defs := definitions{}
	var form, unknown string
	var payload, signature place
	err = root.mapping(
		need("name", matching(&p.Name, namePattern, "a-z, 0-9, _ and -, at most 64")),
		may("version", number(&p.Version, 1, 1_000_000)),
		need("title", text(&p.Title, 100)),
		may("description", text(&p.Description, 2000)),
		may("https_only", boolean(&p.HTTPSOnly)),
		may("timeout", p.readTimeout),
		need("event_id", choice(&form, "evt", "uuid", "any")),
		need("payload", func(at place) error { payload = at; return p.payload.read(at) }),
		may("tenant", p.readTenant),
		may("actor", p.actor.read),
		need("headers", p.readHeaders),
		need("signature", func(at place) error { signature = at; return p.readSignature(at) }),
		need("acknowledge", p.readAcknowledge),
		need("schedule", p.readSchedule),
		may("handshake", p.readHandshake),
		may("retry_after", p.readRetryAfter),
		may("gone", p.readGone),
		may("failure_policy", p.readFailure),
		past("failure", p.readFailure), // its name in the first versions of the seeds
		may("operational_events", p.readOperational),
		may("unknown_types", choice(&unknown, "deliver", "refuse")),
		may("strict", boolean(&p.Strict)),
		may("schemas", noting(&catalogue, defs.read)),
		need("events", noting(&catalogue, p.readEvents(&entries))),
	)
	if signature.node != nil {
		err = errors.Join(err, p.checkHeaders(signature))
	}
	if catalogue == nil {
		err = errors.Join(err, p.complete(entries, defs, examples))
	}
	if err != nil {
		return nil, faults(err)
	}
	p.ids, p.closed = idForms[form], p.Strict || unknown == "refuse"
	p.random.New = func() any { return new(randomness) }
	for _, name := range p.payload.attributes() {
		if !slices.ContainsFunc(p.attributes, func(m member) bool { return m.name == name }) {
			return nil, faults(payload.errorf("takes tenant.attributes.%s, which tenant.attributes does not require; add it there", name))
		}
	}
	return p, nil
}

// noting keeps the errors of several fields beside telling them.
func noting(kept *error, read func(place) error) func(place) error {
	return func(at place) error {
		err := read(at)
		*kept = errors.Join(*kept, err)
		return err
	}
}

// matching reads a text of a form that is told in words.
func matching(dst *string, form *regexp.Regexp, words string) func(place) error {
	return func(at place) error {
		v, err := at.scalar("!!str")
		if err == nil && !form.MatchString(v) {
			return at.errorf("is %.60q; use %s", v, words)
		}
		*dst = v
		return err
	}
}

func (p *Profile) readTimeout(at place) error {
	if err := duration(&p.Timeout)(at); err != nil {
		return err
	}
	if p.Timeout < minTimeout || p.Timeout > maxTimeout || p.Timeout%time.Millisecond != 0 {
		return at.errorf("is %s; give 1s to 60s in whole milliseconds", schedule.Format(p.Timeout))
	}
	return nil
}

// Headers that would make a client or server do something else than we think.
var forbiddenHeaders = []string{"connection", "content-encoding", "content-length", "expect", "host", "idempotency-key", "keep-alive",
	"te", "trailer", "transfer-encoding", "upgrade", "x-idempotency-key"}

func (p *Profile) readHeaders(at place) error {
	return at.pairs(1, maxFields, func(name string, value place) error {
		if !headerPattern.MatchString(name) {
			return value.errorf("is no header name; use lower-case letters, digits and -")
		}
		if slices.Contains(forbiddenHeaders, name) {
			return value.errorf("is set by the transport or must not be sent; leave it out")
		}
		var v string
		if err := printable(&v, 256)(value); err != nil {
			return err
		}
		h := header{name: name}
		err := readPattern(&h.value, "id", "type", "timestamp")(value)
		p.headers = append(p.headers, h)
		return err
	})
}

// printable reads a text that may stand in a header.
func printable(dst *string, most int) func(place) error {
	return func(at place) error {
		v, err := at.scalar("!!str")
		if err == nil && (v == "" || len(v) > most || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' })) {
			return at.errorf("must be 1 to %d printable ASCII characters", most)
		}
		*dst = v
		return err
	}
}

func (p *Profile) readAcknowledge(at place) error {
	return at.mapping(need("status", func(at place) error {
		return at.list(1, 100, func(item place) error {
			var status int
			if item.node.Value == "2xx" {
				for status = 200; status < 300; status++ {
					p.acknowledge = append(p.acknowledge, status)
				}
				return nil
			}
			if err := number(&status, 200, 299)(item); err != nil {
				return err
			}
			p.acknowledge = append(p.acknowledge, status)
			return nil
		})
	}))
}

func (p *Profile) readSchedule(at place) error {
	s := &p.Schedule
	err := at.mapping(
		need("waits", func(at place) error {
			return at.list(1, schedule.MaxWaits, func(item place) error {
				var wait time.Duration
				err := duration(&wait)(item)
				s.Waits = append(s.Waits, wait)
				return err
			})
		}),

		may("jitter", share(&s.Jitter)),
		may("limit", duration(&s.Limit)),
	)
	if err != nil {
		return err
	}
	var bad *schedule.Error
	if err := s.Validate(); errors.As(err, &bad) {
		return at.member(bad.Field, at.node).errorf("%s", bad.Message)
	}
	return nil
}
