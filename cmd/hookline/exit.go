package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/cmd/hookline/config"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/pebblelog"
)

// Exit codes, as API.md has them.
const (
	exitOK      = 0
	exitError   = 1
	exitUsage   = 2
	exitCorrupt = 3
	exitDisk    = pebblelog.ExitDisk
	exitFenced  = 5
)

// usageError is a command line that cannot be meant.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// errSilent ends with code 1 (or what it wraps) without a word: everything has been said.
type errSilent struct{ code int }

func (e errSilent) Error() string { return fmt.Sprintf("exit code %d", e.code) }

func exitCode(err error) int {
	var usage *usageError
	var silent errSilent
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &silent):
		return silent.code
	case errors.As(err, &usage), errors.Is(err, config.ErrConfig):
		return exitUsage
	case errors.Is(err, eventlog.ErrCorrupt):
		return exitCorrupt
	case errors.Is(err, pebblelog.ErrDisk):
		return exitDisk
	case errors.Is(err, eventlog.ErrFenced):
		return exitFenced
	}
	return exitError
}

// explain tells a person what went wrong, and after a usage error where to read on.
func explain(w io.Writer, cmd *cobra.Command, err error) {
	var silent errSilent
	if errors.As(err, &silent) {
		return
	}
	fmt.Fprintf(w, "hookline: %s\n", strings.TrimPrefix(strings.TrimSpace(err.Error()), "eventlog: "))
	if exitCode(err) == exitUsage && cmd != nil {
		fmt.Fprintf(w, "Try: %s --help\n", cmd.CommandPath())
	}
}
