package profile

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tidwall/gjson"
)

// member is a required member of a JSON object and its kind, "string" or "integer".
type member struct{ name, kind string }

// actorRule is what an event's actor must look like. Without members anything goes, and the body has no place for it.
type actorRule struct {
	members  []member
	standard json.RawMessage // for an event without actor
}

func readMembers(dst *[]member) func(place) error {
	return func(at place) error {
		return at.pairs(1, maxFields, func(name string, value place) error {
			m := member{name: name}
			if !memberPattern.MatchString(name) {
				return value.errorf("is no field name; use 1 to 64 of A-Z, a-z, 0-9, _ and -")
			}
			err := choice(&m.kind, "string", "integer")(value)
			*dst = append(*dst, m)
			return err
		})
	}
}

func (p *Profile) readTenant(at place) error {
	return at.mapping(need("attributes", readMembers(&p.attributes)))
}

func (a *actorRule) read(at place) error {
	var standard string
	err := at.mapping(
		need("members", readMembers(&a.members)),
		need("default", text(&standard, 1024)),
	)
	if err != nil {
		return err
	}
	a.standard = json.RawMessage(standard)
	if err := checkObject("default", a.standard, a.members, true); err != nil {
		return at.member("default", at.node).errorf("%s", err)
	}
	return nil
}

// CheckTenant says whether a tenant has the attributes that the profile's bodies are made of (DNSimple: id, an integer,
// identifier and display; D-8). Others may stand beside them. The error is a *FieldError.
func (p *Profile) CheckTenant(attributes json.RawMessage) error {
	if len(p.attributes) == 0 {
		return nil
	}
	return checkObject("attributes", attributes, p.attributes, false)
}

// CheckActor says whether a given actor fits: for DNSimple an object of exactly id, entity and pretty, all strings
// (D-8). None given is fine; a profile whose bodies hold no actor takes any. The error is a *FieldError.
func (p *Profile) CheckActor(actor json.RawMessage) error {
	if len(actor) == 0 || len(p.actor.members) == 0 {
		return nil
	}
	return checkObject("actor", actor, p.actor.members, true)
}

// Actor is the actor that stands in a body: the given one, else the profile's default.
func (p *Profile) Actor(given json.RawMessage) json.RawMessage {
	if len(given) == 0 {
		return p.actor.standard
	}
	return given
}

// checkObject demands every member of its kind, and with exact no others. Values are not repeated in errors: they may
// be personal.
func checkObject(what string, raw json.RawMessage, members []member, exact bool) error {
	object := gjson.ParseBytes(raw)
	if !object.IsObject() || !json.Valid(raw) {
		return &FieldError{Field: what, Message: fmt.Sprintf("%s must be a JSON object with %s", what, list(members))}
	}
	var err error
	found := 0
	object.ForEach(func(key, value gjson.Result) bool {
		i := slices.IndexFunc(members, func(m member) bool { return m.name == key.Str })
		switch {
		case i >= 0 && members[i].fits(value):
			found++
		case i >= 0:
			err = &FieldError{Field: what + "." + key.Str, Message: fmt.Sprintf("%s.%s is not %s", what, key.Str, article(members[i].kind))}
		case exact:
			err = &FieldError{Field: what, Message: fmt.Sprintf("%s has an unknown member %.60q; it holds %s and nothing else", what, key.Str, list(members))}
		}
		return err == nil
	})
	if err != nil || found >= len(members) {
		return err
	}
	for _, m := range members {
		if !object.Get(m.name).Exists() {
			return &FieldError{Field: what + "." + m.name, Message: fmt.Sprintf("%s.%s is missing; give %s", what, m.name, article(m.kind))}
		}
	}
	return nil
}

func (m member) fits(v gjson.Result) bool {
	if m.kind == "string" {
		return v.Type == gjson.String
	}
	var n int64
	return v.Type == gjson.Number && json.Unmarshal([]byte(v.Raw), &n) == nil
}

func article(kind string) string {
	if kind == "integer" {
		return "an integer"
	}
	return "a string"
}

func list(members []member) string {
	text := ""
	for i, m := range members {
		switch {
		case i > 0 && i == len(members)-1:
			text += " and "
		case i > 0:
			text += ", "
		}
		text += m.name + " (" + m.kind + ")"
	}
	return text
}
