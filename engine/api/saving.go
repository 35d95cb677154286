package api

import (
	"github.com/hookline/hookline/engine"
)

// saving is what a request says about a subscription: its filter is checked against the catalogue before it is saved.
type saving struct {
	filter engine.Optional[string]
	types  engine.Optional[[]string]
	// now says what it has, where a patch leaves it; nil for a new one. An error is told by the change itself.
	now func() (filter *string, types []string, err error)
}

func strictParameter() []parameter {
	return []parameter{{name: "strict", doc: "true refuses a filter or event types that are most likely a mistake by the catalogue; else `filter_warnings` says so", enum: []string{"true", "false"}}}
}

// check returns what is most likely a mistake; where strict is asked for it is an error. What is refused anyway is left to
// the change.
func (s *saving) check(c *call) ([]engine.FilterRemark, error) {
	if !s.filter.Set && !s.types.Set {
		return nil, nil
	}
	in := engine.FilterInput{Tenant: c.tenant(), Filter: s.filter.Value, HasFilter: true, EventTypes: s.types.Value}
	if s.now != nil && !(s.filter.Set && s.types.Set) {
		filter, types, err := s.now()
		if err != nil {
			return nil, nil
		}
		if !s.filter.Set && filter != nil {
			in.Filter = *filter
		}
		if !s.types.Set {
			in.EventTypes = types
		}
	}
	whole := in.Filter == ""
	if whole {
		in.Filter = "true" // every event of the types
	}
	checked, err := c.svc.CheckFilter(c.r.Context(), in)
	if err != nil || !checked.Valid {
		return nil, nil
	}
	var found []engine.FilterRemark
	for _, r := range checked.Warnings {
		if !whole || r.Line == 0 {
			found = append(found, r)
		}
	}
	if len(found) == 0 || c.values["strict"] != "true" {
		return found, nil
	}
	faults := make([]engine.FieldError, len(found))
	for i, r := range found {
		faults[i] = engine.FieldError{Location: "filter", Message: r.String()}
		if r.Line == 0 {
			faults[i].Location = "event_types"
		}
	}
	return nil, invalid(faults)
}
