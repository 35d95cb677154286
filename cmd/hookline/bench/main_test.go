package bench

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// The test binary is the bench's workers, and, asked so, a server to measure.
func TestMain(m *testing.M) {
	if code, ok := Main(os.Args[1:]); ok {
		os.Exit(code)
	}
	if code, ok := pretend(os.Args[1:]); ok {
		os.Exit(code)
	}
	goleak.VerifyTestMain(m)
}
