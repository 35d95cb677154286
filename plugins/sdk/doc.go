// Package sdk is what the author of a transport plugin imports, and nothing else of hookline but package transports:
//
//	func main() {
//		if err := sdk.Serve(sdk.Plugin{Name: "echo", Version: "1.0.0", New: newTransport}); err != nil {
//			os.Exit(sdk.Complain(err))
//		}
//	}
//
// An author writes New, which turns the settings into a transports.Transport, and that Transport's Deliver: one attempt,
// safe for concurrent use, never retried. The SDK owns the rest: the handshake, a goroutine for each attempt under way
// (kept and reused), sending results as they are ready, cancellation, the end when the host is gone.
//
// # What Deliver may count on
//
// ctx is canceled when the host no longer waits for the result or is gone. Request.Timeout is the budget, from the call of
// Deliver on; a result that has not come a few seconds after it is given up by the host. The request's slices are reused
// once the result is sent. A panic in Deliver becomes that attempt's fault and is written to standard error; it ends
// nothing else.
//
// # Process
//
// Standard output belongs to the handshake: what is printed there later lands in the host's log, as does standard
// error. The process has no environment. It ends when the host says so, closes, or dies: the parent is looked at four times a
// second. Serve closes a Transport that has a Close method.
package sdk
