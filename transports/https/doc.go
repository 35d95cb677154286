// Package https is the HTTPS transport: one POST to one target, at most once, and an honest word on what became of it.
//
// # Promises
//
//   - Exactly the bytes given: the body as it is with a Content-Length, never chunked, never compressed; the header
//     fields as they are, after Host and before Content-Length. No Expect, no Accept-Encoding, no proxy, no cookies.
//   - At most one request an attempt. Nothing is ever sent again: a pooled connection is replaced by a fresh one only
//     while not a single byte of the attempt has left this machine (see "Reuse").
//   - 3xx is Rejected (kind redirect), 101 is Rejected; their bodies are not read.
//   - The receiver's status decides (PROVIDERS O-13). Once a whole response head is read in time the Result stands: a
//     body that is then cut, dripped past the deadline, framed wrongly or longer than transports.MaxResponseBody only
//     makes it Truncated. Bodies are kept as they came, a gzip bomb stays small.
//   - The budget is Request.Timeout, or ctx's deadline where that comes first; connect, TLS, request and response share it.
//   - Every address is checked after DNS and right before it is connected to (Policy), whichever way it was written.
//   - An error (never a Result) is our own doing: canceled, closed, out of descriptors, a request that cannot be sent.
//     Interrupted ones wrap transports.ErrInterrupted.
//
// # Reuse
//
// A server that closes an idle connection just as we write on it costs the customer a failed attempt, and sending again
// could make a duplicate that DESIGN promise 4 does not name. So the race is made small instead:
//
//   - A connection idles at most Options.IdleTimeout (default 4 s: most servers that say nothing wait 5 s or longer). A
//     server that announces "Keep-Alive: timeout=N" (RFC 2068 section 19.7.1.1) is taken at its word less one second,
//     up to Options.MaxAnnouncedIdle (30 s).
//   - Right before the write the socket is peeked at without blocking: an end, an error or unasked-for data means the
//     connection is dropped and another one taken.
//   - If the write itself fails before the kernel took any byte, the receiver can have seen nothing, and a fresh
//     connection is used within the same budget. After the first byte every failure is the attempt's result.
//
// # Concurrency
//
// A Transport is safe for concurrent use and runs no goroutine of its own: an attempt lives on its caller's, idle
// connections have none, one timer closes what idled too long. Whoever made the Transport calls Close, which interrupts
// the attempts under way and waits for them.
package https
