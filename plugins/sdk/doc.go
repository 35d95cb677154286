// Package sdk is what the author of a transport plugin imports. README.md is the guide: from nothing to a verified plugin.
// A plugin is a settings struct, a function that opens a transport with them, and that Transport's Deliver:
//
//	type Settings struct {
//		Token string `json:"token" sensitive:"true" min:"8"`
//	}
//
//	func main() {
//		sdk.Main(sdk.Plugin{Name: "relay", Version: "1.0.0", Endpoint: sdk.Open(open)})
//	}
//
// The SDK owns the rest: the handshake, the settings' schema and its checks, one transport for each endpoint's settings,
// a goroutine for each attempt under way (kept and reused), sending results as they are ready, cancellation, the end when
// the host is gone. It stands on packages transports, plugins/proto and plugins/schema and on nothing else of hookline.
//
// # What Deliver may count on
//
// It is safe to assume that nobody else makes the same attempt now; Deliver itself must be safe for concurrent use. ctx is
// canceled when the host no longer waits for the result or is gone, and (with Plugin.Endpoint or Plugin.Operator) ends with
// Request.Timeout; a result that has not come a few seconds after that is given up by the host. The request's slices are
// reused once the result is sent. A panic in Deliver becomes that attempt's fault and is written to standard error; it ends
// nothing else.
//
// # Process
//
// Standard output belongs to the handshake: what is printed there later lands in the host's log, as does standard
// error. The process has no environment, and may not see the file system (the host closes it where the kernel can). It
// ends when the host says so, closes, or dies: the parent is looked at four times a second. Serve closes a Transport that
// has a Close method.
package sdk
