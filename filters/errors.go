package filters

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrCompile is wrapped by every error of Compile.
	ErrCompile = errors.New("filters: not a filter")
	// ErrEvaluate is wrapped by every error of Match.
	ErrEvaluate = errors.New("filters: cannot evaluate")
)

// Error says why an expression is no filter, and where.
type Error struct {
	Line       int    // from 1
	Column     int    // from 1, in characters
	Message    string // what is wrong, with its bound
	Suggestion string // how to mend it; may be empty
	line       string // its text
	name       string // the unknown name it is about, if it is
	at         int32  // where that is, in characters
}

// Error is the message with its place, the fix, and the line with a caret under the place.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "line %d, column %d: %s", e.Line, e.Column, e.Message)
	if e.Suggestion != "" {
		b.WriteString("; " + e.Suggestion)
	}
	if e.line != "" {
		b.WriteString("\n    " + e.line + "\n    " + strings.Repeat(" ", e.Column-1) + "^")
	}
	return b.String()
}

// Text is the line it is about with a caret below the place; empty where the place says nothing.
func (e *Error) Text() string {
	if e.line == "" {
		return ""
	}
	return e.line + "\n" + strings.Repeat(" ", e.Column-1) + "^"
}

func (e *Error) Unwrap() error { return ErrCompile }

// EvalError says why a filter could not be evaluated against one event, and what was seen. It shows up to 60 bytes of
// the event's values: treat it like the event.
type EvalError struct {
	Line    int    // from 1
	Column  int    // from 1, in characters
	Clause  string // the part of the expression that failed
	Message string // what was seen and what was needed
	span    span
}

func (e *EvalError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s: %s", e.Line, e.Column, e.Clause, e.Message)
}

func (e *EvalError) Unwrap() error { return ErrEvaluate }
