package profile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

var (
	// ErrInvalid is wrapped by every error about a profile's file.
	ErrInvalid = errors.New("profile: invalid")
	// ErrField is wrapped by every error about a value that a profile does not take: an id, an attribute, an actor.
	ErrField = errors.New("profile: value not taken")
)

// Error is a fault in a profile's file.
type Error struct {
	File    string
	Line    int    // from 1; 0 = the file as a whole
	Field   string // its path, e.g. events[3].name; "" = the file as a whole
	Message string // what is wrong, the bound and the fix
}

func (e *Error) Error() string {
	where := e.File
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	if e.Field != "" {
		where += ": " + e.Field
	}
	return where + ": " + e.Message
}

func (e *Error) Unwrap() error { return ErrInvalid }

// Errors are all faults of a file, by line.
type Errors []*Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i := range e {
		lines[i] = e[i].Error()
	}
	return strings.Join(lines, "\n")
}

func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i := range e {
		all[i] = e[i]
	}
	return all
}

// faults flattens what reading joined. nil when there is none.
func faults(err error) error {
	var all Errors
	var walk func(error)
	walk = func(err error) {
		switch e := err.(type) {
		case nil:
		case *Error:
			all = append(all, e)
		case interface{ Unwrap() []error }:
			for _, one := range e.Unwrap() {
				walk(one)
			}
		default:
			all = append(all, &Error{Message: err.Error()})
		}
	}
	walk(err)
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b *Error) int { return cmp.Compare(a.Line, b.Line) })
	return all
}

// FieldError names the field of a request that a profile refuses.
type FieldError struct {
	Field   string // e.g. attributes.identifier, actor.id, id
	Message string // complete without Field
}

func (e *FieldError) Error() string { return e.Message }

func (e *FieldError) Unwrap() error { return ErrField }
