package profile

import (
	"errors"
	"fmt"
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

// FieldError names the field of a request that a profile refuses.
type FieldError struct {
	Field   string // e.g. attributes.identifier, actor.id, id
	Message string // complete without Field
}

func (e *FieldError) Error() string { return e.Message }

func (e *FieldError) Unwrap() error { return ErrField }
