package engine

import "fmt"

// FilterChecked answers a check of a filter.
type FilterChecked struct {
	Valid       bool               `json:"valid" doc:"whether it may be saved"`
	Errors      []FilterRemark     `json:"errors" doc:"why it may not"`
	Warnings    []FilterRemark     `json:"warnings" doc:"what is most likely a mistake, by the catalogue or by itself; errors where strict is asked for"`
	CostUS      int                `json:"cost_us" doc:"the worst case of one evaluation, in microseconds, decoding not counted; 0 for what is no filter"`
	MaxCostUS   int                `json:"max_cost_us" doc:"the most that is allowed"`
	Clauses     []FilterCost       `json:"clauses" doc:"the parts that and, or, not join, with their share of the cost"`
	Explanation *FilterExplanation `json:"explanation" doc:"what it makes of the event; null without one"`
}

// FilterRemark is an error or a warning about a place in a filter.
type FilterRemark struct {
	Line       int      `json:"line" doc:"from 1; 0 where it is not about a place in the filter"`
	Column     int      `json:"column" doc:"from 1, in characters"`
	Message    string   `json:"message"`
	Suggestion string   `json:"suggestion" doc:"what to write instead; may be empty"`
	Text       string   `json:"text" doc:"the line with a caret below the place, or the clause"`
	EventTypes []string `json:"event_types,omitempty" doc:"the event types that a warning holds for"`
}

// String is the remark in one line, with its place.
func (r *FilterRemark) String() string {
	text := r.Message
	if r.Line > 0 {
		text = fmt.Sprintf("line %d, column %d: %s", r.Line, r.Column, text)
	}
	if r.Suggestion != "" {
		text += "; " + r.Suggestion
	}
	return text
}

// FilterCost is a clause and its share of the cost.
type FilterCost struct {
	Text   string `json:"text"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	CostUS int    `json:"cost_us"`
}

// FilterExplained answers an explain.
type FilterExplained struct {
	Valid         bool                    `json:"valid" doc:"false where the filter is none: errors says why"`
	Errors        []FilterRemark          `json:"errors"`
	Explanation   *FilterExplanation      `json:"explanation" doc:"of the filter; null where subscriptions are explained"`
	Subscriptions []SubscriptionExplained `json:"subscriptions" doc:"of the tenant, oldest first, at most 1000; empty where a filter is given"`
	Truncated     bool                    `json:"truncated" doc:"there are more subscriptions"`
}

// SubscriptionExplained is what one subscription makes of an event.
type SubscriptionExplained struct {
	SubscriptionID string            `json:"subscription_id"`
	EndpointID     string            `json:"endpoint_id"`
	Mode           string            `json:"mode" enum:"live,shadow" doc:"shadow: it delivers nothing"`
	Explanation    FilterExplanation `json:"explanation"`
}

// FilterExplanation is a verdict and what it rests on.
type FilterExplanation struct {
	Matched bool           `json:"matched"`
	Text    string         `json:"text" doc:"the whole in a sentence"`
	Error   *FilterRemark  `json:"error" doc:"where it could not be evaluated: then it neither matched nor said no; else null"`
	Clauses []FilterClause `json:"clauses" doc:"those that decided"`
}

// FilterClause is a clause that decided, and what it saw.
type FilterClause struct {
	Text   string       `json:"text" doc:"as written"`
	Line   int          `json:"line"`
	Column int          `json:"column"`
	Result bool         `json:"result"`
	Seen   []FilterSeen `json:"seen" doc:"the members it looks at"`
}

// FilterSeen is a member of the event as a clause saw it.
type FilterSeen struct {
	Path  string `json:"path"`
	Value string `json:"value" doc:"its JSON, up to 60 bytes; nil if it is not there"`
}
