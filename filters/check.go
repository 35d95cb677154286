package filters

import "slices"

// Catalogue is what somebody knows of event types, to check filters against. It must not change while a check runs.
type Catalogue interface {
	// EventTypes lists the event types there are.
	EventTypes() []string
	// DataSchema is the JSON Schema of an event type's data, as encoding/json decodes it (maps, slices, true and false);
	// nil if there is none.
	DataSchema(eventType string) any
}

// Question is a filter to check.
type Question struct {
	Filter    string
	Types     Types     // those of its subscription; the zero value stands for every type
	Catalogue Catalogue // nil: types and members are not checked
}

// Report is what a check found. Either Filter or Err is nil.
type Report struct {
	Filter   *Filter
	Err      *Error
	Warnings []Warning // what is allowed and most likely a mistake, in the order of their places
	Cost     int       // in ns, see Filter.Cost
	Parts    []Part    // the clauses and their share of the cost, in the order written
}

// Warning is a mistake by what the catalogue says of the event types, or by the filter's own logic. A filter with warnings
// is a filter; who is strict refuses it.
type Warning struct {
	Error
	Types []string // the event types it holds for; empty where it does not depend on them
}

// maxChecked bounds how many types of a catalogue a filter is checked against.
const maxChecked = 1000

// Check compiles a filter and looks for what is most likely a mistake: members that no event of the types has, values of
// kinds that they never are, event types that do not exist, clauses that contradict each other or fail where a member is
// missing. It takes less than 10 ms for any text, and some ms more for a large catalogue.
func Check(q Question) Report {
	c := compiler{src: q.Filter}
	f, err := c.compile()
	known := knowledge{catalogue: q.Catalogue, left: maxSchemaSteps}
	known.choose(q.Types)
	if err != nil {
		if err.name != "" {
			known.suggestFor(err, &c)
		}
		return Report{Err: err}
	}
	out := Report{Filter: f, Cost: f.cost}
	for _, n := range clauses(nil, f.root) {
		out.Parts = append(out.Parts, c.part(n))
	}
	a := adviser{compiler: &c, known: &known, types: q.Types}
	a.advise(f.root)
	slices.SortStableFunc(a.found, func(a, b Warning) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	out.Warnings = a.found
	return out
}

// CheckTypes looks for entries of a selection that select no event type of the catalogue. An error is one of ParseTypes.
func CheckTypes(entries []string, catalogue Catalogue) ([]string, error) {
	if _, err := ParseTypes(entries); err != nil || catalogue == nil {
		return nil, err
	}
	known := catalogue.EventTypes()
	var warnings []string
	for _, e := range entries {
		one, err := ParseTypes([]string{e})
		if err != nil {
			return nil, err
		}
		if len(known) == 0 || slices.ContainsFunc(known, one.Match) {
			continue
		}
		message := "no event type of the catalogue is selected by " + e
		if near := nearest(e, known); near != "" {
			message += "; did you mean " + near + "?"
		}
		warnings = append(warnings, message)
	}
	return warnings, nil
}

// knowledge is the part of a catalogue that concerns one filter.
type knowledge struct {
	catalogue Catalogue
	all       []string          // every type
	types     []string          // those that the filter may see
	schemas   map[string]schema // of those that have one, once asked for
	paths     []string          // that they declare, once asked for
	left      int               // steps through schemas
}

func (k *knowledge) choose(types Types) {
	if k.catalogue == nil {
		return
	}
	k.all = slices.Clone(k.catalogue.EventTypes())
	slices.Sort(k.all)
	for _, t := range k.all {
		if (types.entries == nil || types.Match(t)) && len(k.types) < maxChecked {
			k.types = append(k.types, t)
		}
	}
}

// load asks for the schemas, once something is asked of them.
func (k *knowledge) load() {
	if k.schemas != nil || k.catalogue == nil {
		return
	}
	k.schemas = map[string]schema{}
	for _, t := range k.types {
		if doc := k.catalogue.DataSchema(t); doc != nil {
			k.schemas[t] = schema{doc, &k.left}
		}
	}
}

// only leaves the types that a condition on the type admits. Where it admits none, it is the mistake.
func (k *knowledge) only(admits func(eventType string) bool) {
	left := slices.DeleteFunc(slices.Clone(k.types), func(t string) bool { return !admits(t) })
	if len(left) > 0 {
		k.types = left
	}
}

// complete says whether every type that the filter may see has a schema.
func (k *knowledge) complete() bool {
	k.load()
	for _, t := range k.types {
		if _, ok := k.schemas[t]; !ok {
			return false
		}
	}
	return len(k.types) > 0
}

// declared are the paths of all the types' schemas.
func (k *knowledge) declared() []string {
	if k.load(); k.paths == nil {
		k.paths = []string{}
		for _, t := range k.types {
			if s, ok := k.schemas[t]; ok && len(k.paths) < maxSuggested {
				k.paths = append(k.paths, s.paths()...)
			}
		}
		slices.Sort(k.paths)
		k.paths = slices.Compact(k.paths)
	}
	return k.paths
}

// suggestFor finds what an unknown name was meant to be: a member that was written without data.
func (k *knowledge) suggestFor(e *Error, c *compiler) {
	if k.catalogue == nil {
		return
	}
	written := e.name
	for at := int(e.at) + len([]rune(e.name)); at < len(c.chars) && (c.chars[at] == '.' || isWord(c.chars[at])); at++ {
		written += string(c.chars[at])
	}
	if near := nearestPath("data."+written, k.declared()); near != "" {
		e.Suggestion = "did you mean " + near + "?"
	}
}

func isWord(r rune) bool {
	return r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}
