// Package blackbox tests the hookline binary from outside: as an operator, a provider and a customer's receiver see it.
//
// It holds no code of the product and imports none. TestMain builds the binary once (or takes HOOKLINE_BIN), every test
// starts it as a process of its own on a fresh data directory, talks to it by HTTP and by its command line, and lets it
// deliver to receivers inside the test process, over real TLS on loopback with a certificate authority made for the run.
// What is expected comes from the published contract only: the requirement numbers (O-, D-, R-, P-) and the promises stand
// at the test that proves them.
//
// Time. Most tests run under the manual clock: an advance returns once everything due has been attempted and is durable,
// so that "nothing was sent" is a fact and not a pause. Tests about latency, crashes and drains use the real clock.
//
// Processes. Each server is started in its own process group and ended with its test; a test that kills a server looks for
// what the server left behind. Receivers and clients are closed by the test that made them; TestMain reports goroutines
// that outlive them.
//
// Judges. DNSimple's own clients, for Go and for Node, walk the /v2 face and parse what was delivered. They stand in
// modules of their own below testdata, pinned by go.sum and package-lock.json, and are fetched by the test that needs them.
//
// Environment:
//
//	HOOKLINE_BIN      the binary to test instead of a fresh build
//	HOOKLINE_SLOW=1   also the cases that wait for a provider's real 30 s
//	HOOKLINE_TORTURE  number of kill -9 cycles under load (default 5)
//	HOOKLINE_NEEDS_ALL  any value: tests that need Node fail without it rather than skip (make test sets it)
//	HOOKLINE_SCREENSHOTS  folder for pictures of every screen the browser tests come to
//	HOOKLINE_SAMPLES  directory of real DNSimple bodies to publish and compare, beside our own examples
package blackbox
