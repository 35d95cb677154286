package profile

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/tidwall/gjson"
	"go.yaml.in/yaml/v3"
)

// Input is what a body is made of.
type Input struct {
	ID         string
	Type       string
	OccurredAt time.Time
	Data       json.RawMessage // goes in byte for byte
	Actor      json.RawMessage // byte for byte; empty = the profile's default
	Tenant     string          // its id
	Attributes json.RawMessage // the tenant's, as CheckTenant took them
}

// source is where a piece of a body comes from.
type source uint8

const (
	fromText      source = iota // the piece's own bytes
	fromID                      // as a JSON string
	fromType                    // as a JSON string
	fromUnix                    // occurred_at in whole Unix seconds, rounded down (O-6)
	fromTime                    // occurred_at in RFC 3339, UTC, with ms, as a JSON string
	fromTenant                  // its id, without quotes
	fromData                    // raw
	fromActor                   // raw
	fromAttribute               // raw member of the tenant's attributes
)

type piece struct {
	source source
	text   string // of fromText, or the attribute's name
}

// template is a body, compiled: literal pieces and sources, in order.
type template struct {
	pieces     []piece
	fixed      int    // bytes of all literal pieces
	dataMember string // the member that holds the event's data; "" = none
}

var (
	plainSources = map[string]source{"id": fromID, "type": fromType, "occurred_at.unix": fromUnix, "occurred_at.rfc3339": fromTime,
		"data": fromData, "actor": fromActor}
	sourceNames      = []string{"id", "type", "occurred_at.unix", "occurred_at.rfc3339", "tenant.id", "data", "actor"}
	attributesSource = regexp.MustCompile(`^tenant\.attributes\.\{([A-Za-z0-9_-]+(?:,[A-Za-z0-9_-]+)*)\}$`)
)

const maxLevels = 4 // of members in members

// read compiles an ordered list of `field: source`, or the word data: the event's data is the body.
func (t *template) read(at place) error {
	if at.node.Kind == yaml.ScalarNode && at.node.Value == "data" {
		t.pieces = []piece{{source: fromData}}
		return nil
	}
	return t.members(at, "", 1)
}

func (t *template) members(at place, above string, level int) error {
	open := "{"
	err := at.pairs(1, maxFields, func(name string, value place) error {
		if !memberPattern.MatchString(name) {
			return value.errorf("is no field name; use 1 to 64 of A-Z, a-z, 0-9, _ and -")
		}
		t.literal(open + `"` + name + `":`)
		open = ","
		return t.source(above+name, value, level)
	})
	t.literal("}")
	return err
}

func (t *template) source(path string, value place, level int) error {
	if value.mappingNode() {
		return t.made(path, value, level)
	}
	from, err := value.scalar("!!str")
	if err != nil {
		return err
	}
	if from == "tenant.id" {
		t.literal(`"`)
		t.pieces = append(t.pieces, piece{source: fromTenant})
		t.literal(`"`)
		return nil
	}
	if s, ok := plainSources[from]; ok {
		if s == fromData {
			if t.dataMember != "" {
				return value.errorf("takes data, as %s does; data stands once in a body", t.dataMember)
			}
			t.dataMember = path
		}
		t.pieces = append(t.pieces, piece{source: s})
		return nil
	}
	m := attributesSource.FindStringSubmatch(from)
	if m == nil {
		return value.errorf("unknown source %.60q%s", from, meant(from, sourceNames)+"; sources are "+strings.Join(sourceNames, ", ")+
			`, tenant.attributes.{name,...}, {literal: "text"}, {text: "...{tenant.id}..."}, {json: value} and {members: [...]}`)
	}
	open := "{"
	for _, attribute := range strings.Split(m[1], ",") {
		t.literal(open + `"` + attribute + `":`)
		t.pieces = append(t.pieces, piece{source: fromAttribute, text: attribute})
		open = ","
	}
	t.literal("}")
	return nil
}

// made reads a value that the profile itself gives: a text, any JSON, or an object of further sources.
func (t *template) made(path string, value place, level int) error {
	var constant string
	var around pattern
	forms := []field{
		may("literal", func(at place) error {
			err := text(&constant, 256)(at)
			t.literal(string(appendString(nil, constant)))
			return err
		}),
		may("text", func(at place) error {
			if err := readPattern(&around, "tenant.id")(at); err != nil {
				return err
			}
			t.literal(`"`)
			for _, p := range around {
				if p.place == "" {
					quoted := appendString(nil, p.text)
					t.literal(string(quoted[1 : len(quoted)-1]))
					continue
				}
				t.pieces = append(t.pieces, piece{source: fromTenant})
			}
			t.literal(`"`)
			return nil
		}),
		may("json", func(at place) error {
			raw, err := at.json(nil)
			t.literal(string(raw))
			return err
		}),
		may("members", func(at place) error {
			if level == maxLevels {
				return at.errorf("is nested deeper than %d levels", maxLevels)
			}
			return t.members(at, path+".", level+1)
		}),
	}
	if err := value.mapping(forms...); err != nil {
		return err
	}
	if len(value.node.Content) != 2 {
		return value.errorf("must be one of literal, text, json and members")
	}
	return nil
}

// literal joins to a literal piece before it.
func (t *template) literal(text string) {
	t.fixed += len(text)
	if n := len(t.pieces); n > 0 && t.pieces[n-1].source == fromText {
		t.pieces[n-1].text += text
		return
	}
	t.pieces = append(t.pieces, piece{text: text})
}

func (t *template) attributes() (all []string) {
	for _, p := range t.pieces {
		if p.source == fromAttribute {
			all = append(all, p.text)
		}
	}
	return all
}

// Render appends the body of an event to dst: members in the profile's order, no space between them, data and actor
// byte for byte (O-6, O-7, D-3). It allocates at most once, and once more for an attribute with escapes. It fails only
// if data, or an attribute that CheckTenant would have asked for, is not there.
func (p *Profile) Render(dst []byte, in *Input) ([]byte, error) {
	const quotesAndTime = 32
	size := p.payload.fixed + quotesAndTime + len(in.ID) + len(in.Type) + len(in.Data) + max(len(in.Actor), len(p.actor.standard)) + len(in.Attributes) + len(in.Tenant)
	if cap(dst)-len(dst) < size {
		dst = append(make([]byte, 0, len(dst)+size), dst...)
	}
	for i := range p.payload.pieces {
		piece := &p.payload.pieces[i]
		switch piece.source {
		case fromText:
			dst = append(dst, piece.text...)
		case fromID:
			dst = appendString(dst, in.ID)
		case fromType:
			dst = appendString(dst, in.Type)
		case fromUnix:
			dst = strconv.AppendInt(dst, in.OccurredAt.Unix(), 10)
		case fromTime:
			dst = in.OccurredAt.UTC().AppendFormat(dst, `"2006-01-02T15:04:05.000Z"`)
		case fromTenant:
			dst = append(dst, in.Tenant...)
		case fromData:
			if len(in.Data) == 0 {
				return nil, &FieldError{Field: "data", Message: "data is missing; give a JSON object"}
			}
			dst = append(dst, in.Data...)
		case fromActor:
			dst = append(dst, p.Actor(in.Actor)...)
		case fromAttribute:
			value := gjson.Get(view(in.Attributes), piece.text)
			if !value.Exists() {
				return nil, &FieldError{Field: "attributes." + piece.text, Message: "attribute " + piece.text + " of the tenant is missing; patch the tenant"}
			}
			dst = append(dst, value.Raw...)
		}
	}
	return dst, nil
}

// Data is what a filter sees as data of a body that the publisher rendered itself: the member that Render fills from
// data, or the whole body where there is none. The result aliases body.
func (p *Profile) Data(body []byte) json.RawMessage {
	if p.payload.dataMember == "" {
		return body
	}
	value := gjson.Get(view(body), p.payload.dataMember)
	if !value.Exists() || value.Index == 0 {
		return body
	}
	return body[value.Index : value.Index+len(value.Raw)]
}

// view reads bytes as a string without a copy, for as long as nobody writes to them.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
