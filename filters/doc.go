// Package filters is the routing language: which subscriptions an event belongs to. A subscription selects event types
// and may hold a filter, a boolean expression over the event. README.md is the guide for those who write filters.
//
// # What it promises
//
//   - Expressions are written in a subset of expr (github.com/expr-lang/expr), parsed by expr's own parser and meaning
//     what they mean there; a property test runs random programs in both. The subset has no loops, no closures, no
//     string building and no regular expression made at run time, so the worst case of a filter is known when it is
//     compiled (Filter.Cost) and bounded (MaxCost).
//   - Nothing a filter's author or an event holds can stop the process: source, nesting, patterns and evaluation are
//     bounded before they cost anything.
//   - A missing path is nil, not an error. Numbers compare by their decimal value, however large. A failure to evaluate
//     is an *EvalError that says what was seen, never a silent no.
//   - Compile errors (*Error) carry line, column, caret and a fix.
//   - Index.Route gives exactly what evaluating every subscription would give, failures included, in the order of their
//     keys. What it costs follows what matches: filters are looked up by facts that they need (a member equals a constant,
//     is in a list, begins or ends so, is there), and only those whose facts are true of the event are asked.
//
// # Why expr's virtual machine is not used
//
// Expressions are compiled to a small tree of our own over the event's raw JSON instead of to expr's bytecode over
// decoded maps: it reads only the members that are looked at, allocates nothing on the way to an answer, compares large
// integers exactly (expr compares them as float64), and every operation in it has a cost that we know. Match and Explain
// run this one tree.
//
// # Concurrency
//
// A Filter, Types and an Index are immutable and safe for concurrent use. An Event decodes its JSON at most once, when a
// filter first looks at it, and belongs to one goroutine at a time. Nothing needs closing.
package filters
