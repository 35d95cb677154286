// Package profile holds a provider's rules as data: which event types there are, how a body and its headers are made
// and signed, which answer acknowledges a delivery, when it is attempted again and what becomes of an endpoint that
// fails. No code path is named after a provider: OSIR, DNSimple and the others that are built in are YAML files, read
// like any other. README.md beside this file describes the format.
//
// It promises that a Profile never changes after Load and that everything on it is safe for concurrent use; that a
// body rendered from the same Input is the same bytes, with the event's data in it byte for byte; and that a mistake in
// a file is an error that names file, line, field and fix. Load reads what logs hold, for ever; Lint is stricter and for
// what somebody just wrote. Nobody closes anything.
package profile

import (
	"embed"
	"sync"
	"time"

	"github.com/hookline/hookline/engine/schedule"
)

// Profile is one version of a provider's rules. Its fields are read only.
type Profile struct {
	Name        string // [a-z0-9_-]{1,64}
	Version     uint32 // its author's own count, from 1; the log counts for itself
	Title       string
	Description string
	Content     []byte   // the file as given
	Hash        [32]byte // SHA-256 of Content

	// Strict refuses, at publish, types that the catalogue does not have and data that does not fit its type's schema.
	Strict    bool
	HTTPSOnly bool              // only https: targets, whatever the operator allows
	Timeout   time.Duration     // of one attempt, whole ms, 1 s to 60 s
	Schedule  schedule.Schedule // of a delivery

	DisableAfterExhausted bool   // an exhausted delivery disables its endpoint (O-15)
	SuppressAfter         int    // consecutive failed attempts that suppress an endpoint (D-13); 0 = never
	WarnAt                []byte // percent of the way to being disabled or suppressed at which a warning is due, rising; nil = never
	GoneDisables          bool   // status 410 is Gone and disables the endpoint

	// RetryAfterCap is the longest wait, in whole ms, that a receiver's Retry-After may ask for (RFC 9110, section
	// 10.2.3); 0 = Retry-After is not honoured, as with both seeds.
	RetryAfterCap time.Duration

	EventTypes []EventType // the catalogue, in the file's order

	byName      map[string]int // into EventTypes
	closed      bool           // only types of the catalogue may be published
	acknowledge []int          // statuses
	ids         idForm
	payload     template
	attributes  []member
	actor       actorRule
	operational operational
	headers     []header
	schemes     []scheme
	handshake   *Handshake
	random      sync.Pool // of *randomness
}

//go:embed osir.yaml dnsimple.yaml standard.yaml cloudevents.yaml github.yaml stripe.yaml
var files embed.FS

// Default is the profile of tenants for which none is named.
const Default = "standard"

// builtin are the names of the profiles that come with hookline, in the order in which they are told.
var builtin = [...]string{"osir", "dnsimple", "standard", "cloudevents", "github", "stripe"}

// Builtin returns the profiles that come with hookline, each call anew.
func Builtin() []*Profile {
	var all []*Profile
	for _, name := range builtin {
		content, err := files.ReadFile(name + ".yaml")
		if err != nil {
			panic(err) // the file is part of the binary
		}
		p, err := Load(name+".yaml", content)
		if err != nil {
			panic(err) // ditto; a test loads every one
		}
		all = append(all, p)
	}
	return all
}
