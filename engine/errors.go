package engine

import (
	"errors"
	"fmt"

	"github.com/hookline/hookline/engine/profile"
)

// Code classes an Error. The API maps each to one HTTP status, in one place.
type Code int

const (
	CodeMalformed   Code = iota + 1 // 400: not JSON, duplicate key, not UTF-8, too deep
	CodeNotFound                    // 404
	CodeConflict                    // 409
	CodeGone                        // 410: a retention rule removed it
	CodeTooLarge                    // 413
	CodeInvalid                     // 422: a field, by name
	CodeRateLimited                 // 429
	CodeUnavailable                 // 503: store or view not available; nothing was accepted
	CodeDiskLow                     // 507: nothing was accepted
)

// Error is an answer to a caller: what is wrong, where, the bound and the fix.
type Error struct {
	Code   Code
	Detail string
	Fields []FieldError
}

// FieldError names one field.
type FieldError struct {
	Location string `json:"location" doc:"path of the field, e.g. url or events[3].type"`
	Message  string `json:"message" doc:"what is wrong, the bound and the fix"`
}

func (e *Error) Error() string {
	if len(e.Fields) > 0 {
		return fmt.Sprintf("%s: %s: %s", e.Detail, e.Fields[0].Location, e.Fields[0].Message)
	}
	return e.Detail
}

// Invalid is a 422 that names a field.
func Invalid(location, format string, args ...any) *Error {
	msg := fmt.Sprintf(format, args...)
	return &Error{Code: CodeInvalid, Detail: location + ": " + msg, Fields: []FieldError{{Location: location, Message: msg}}}
}

// invalidField is Invalid for an error of a room that names the field itself.
func invalidField(location string, err error) *Error {
	if fe := (*profile.FieldError)(nil); errors.As(err, &fe) && fe.Field != "" {
		location = fe.Field
	}
	return Invalid(location, "%s", err)
}

// Malformed is a 400.
func Malformed(location, format string, args ...any) *Error {
	msg := fmt.Sprintf(format, args...)
	e := &Error{Code: CodeMalformed, Detail: msg}
	if location != "" {
		e.Fields = []FieldError{{Location: location, Message: msg}}
	}
	return e
}

func notFound(what, id string) *Error {
	return &Error{Code: CodeNotFound, Detail: fmt.Sprintf("no %s %q here", what, id)}
}

// gone is a 410: what was asked for was there.
func gone(format string, args ...any) *Error {
	return &Error{Code: CodeGone, Detail: fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) *Error {
	return &Error{Code: CodeConflict, Detail: fmt.Sprintf(format, args...)}
}
