package filters

// Filter is a compiled expression. It is immutable and safe for concurrent use.
type Filter struct {
	src  string
	root node
	cost int
}

// String is the expression as it was given.
func (f *Filter) String() string { return f.src }

// Cost is the worst case of one evaluation, in ns on one present-day core, whatever the event of up to 256 KiB: every
// operation at its dearest. Decoding, once an event for all filters, is not in it. Compile refuses what costs more than
// MaxCost.
func (f *Filter) Cost() int { return f.cost }

// Match says whether the filter holds for an event. An error is an *EvalError: a type that does not fit, a number out of
// range, JSON that is none. It allocates nothing but what decoding the event's JSON takes, once an event.
func (f *Filter) Match(ev *Event) (bool, error) {
	ev.fault = nil
	v := truth(ev, f.root, f.root.eval(ev))
	if v.kind != kindFault {
		return v.kind == kindTrue, nil
	}
	return false, f.located(ev.fault)
}

// located completes an error with what only the source tells.
func (f *Filter) located(e *EvalError) *EvalError {
	e.Line, e.Column, _ = position(f.src, e.span.point)
	e.Clause = excerpt(f.src, bracketed(f.src, e.span))
	return e
}
