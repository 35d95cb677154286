package blackbox

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	// soon bounds what the product owes at once; generous, because two tests share two cores.
	soon = 5 * time.Second
	// late bounds what may take a retry of our own, a restart or a drain.
	late = 30 * time.Second
)

// poll asks cond until it is content or within has passed; the last complaint is the failure's text.
func poll(t testing.TB, within time.Duration, cond func() string) {
	t.Helper()
	deadline := time.Now().Add(within)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		complaint := cond()
		if complaint == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, complaint)
		}
		<-tick.C
	}
}

// stays asks cond for the whole of d and fails at the first complaint: for absences under the real clock.
func stays(t testing.TB, d time.Duration, cond func() string) {
	t.Helper()
	deadline := time.Now().Add(d)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(deadline) {
		if complaint := cond(); complaint != "" {
			t.Fatal(complaint)
		}
		<-tick.C
	}
}

// equal fails the test unless got is want.
func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// row is its arguments in one line, to compare several things at once.
func row(v ...any) string { return strings.TrimSuffix(fmt.Sprintln(v...), "\n") }
