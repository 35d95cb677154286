package main

import (
	"fmt"
	"strings"

	"github.com/hookline/hookline/engine"
)

// checked shows what a check found, for people.
func (t *terminal) checked(c *engine.FilterChecked) {
	for i := range c.Errors {
		t.say("error: %s", remarkText(&c.Errors[i]))
	}
	for i := range c.Warnings {
		t.say("warning: %s", remarkText(&c.Warnings[i]))
	}
	if len(c.Clauses) == 0 {
		return
	}
	t.say("cost: at most %d us an event of %d us allowed", c.CostUS, c.MaxCostUS)
	if len(c.Clauses) > 1 {
		for _, part := range c.Clauses {
			t.say("  %5d us  %s", part.CostUS, printable(part.Text))
		}
	}
	if c.Explanation != nil {
		t.say("%s", printable(c.Explanation.Text))
	}
}

// remarkText is an error or a warning with its line and a caret.
func remarkText(r *engine.FilterRemark) string {
	var b strings.Builder
	if r.Line > 0 {
		fmt.Fprintf(&b, "line %d, column %d: ", r.Line, r.Column)
	}
	b.WriteString(printable(r.Message))
	if r.Suggestion != "" {
		b.WriteString("; " + printable(r.Suggestion))
	}
	if len(r.EventTypes) > 0 {
		shown := r.EventTypes
		if len(shown) > 5 {
			shown = append(shown[:5:5], fmt.Sprintf("%d more", len(r.EventTypes)-5))
		}
		b.WriteString(" (" + strings.Join(shown, ", ") + ")")
	}
	if r.Text != "" {
		for line := range strings.Lines(r.Text) {
			b.WriteString("\n    " + printable(strings.TrimRight(line, "\n")))
		}
	}
	return b.String()
}

// explained shows an explanation: the sentence, then the clauses one by one.
func (t *terminal) explained(x *engine.FilterExplanation, indent string) {
	t.say("%s%s", indent, printable(x.Text))
	if len(x.Clauses) < 2 {
		return
	}
	for _, c := range x.Clauses {
		t.say("%s  line %d, column %d: %s is %t", indent, c.Line, c.Column, printable(c.Text), c.Result)
		for _, s := range c.Seen {
			t.say("%s    %s is %s", indent, printable(s.Path), printable(s.Value))
		}
	}
}
