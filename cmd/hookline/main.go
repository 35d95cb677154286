// Hookline sends a provider's events to its customers' endpoints, and can prove what it did.
//
// This package is the wiring: it alone knows who implements which contract. Commands either run the engine here (serve,
// dev), speak the API of a running one (publish, tenants, endpoints, ...), or read a data directory that no server holds
// (log). `hookline plugin https` is the HTTPS transport in a process of its own, started by serve from this same binary.
//
// Exit codes: 0 all is well, 1 error (also: the data directory is in use), 2 wrong usage or configuration, 3 the log is
// corrupt, 4 the disk failed, 5 fenced: somebody else writes the log now.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/hookline/hookline/cmd/hookline/bench"
)

// version is set by the linker: -ldflags "-X main.version=v1.2.3". Without it the build's own information is taken.
var version string

// versionText is what this program calls itself.
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

func main() {
	if code, handled := bench.Main(os.Args[1:]); handled {
		os.Exit(code)
	}
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot(&terminal{environ: environ, in: stdin, out: stdout, err: stderr})
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	explain(stderr, cmd, err)
	return exitCode(err)
}

// terminal is what a command talks to.
type terminal struct {
	environ []string
	in      io.Reader
	out     io.Writer
	err     io.Writer
}

func (t *terminal) say(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

func (t *terminal) warn(format string, args ...any) {
	fmt.Fprintf(t.err, "hookline: "+format+"\n", args...)
}

// getenv reads the environment the command was started with; "" when the variable is not set.
func (t *terminal) getenv(name string) string {
	value := ""
	for _, entry := range t.environ {
		if len(entry) > len(name) && entry[len(name)] == '=' && entry[:len(name)] == name {
			value = entry[len(name)+1:]
		}
	}
	return value
}
