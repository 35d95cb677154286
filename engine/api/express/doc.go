// Package express is a front of net/http's server for small requests that come often: it serves by itself what it
// understands completely, with the same http.Handler, and hands every other connection to net/http, together with the
// bytes it has read. net/http stays the reference and answers for everything; this way is only cheaper: no map, context,
// timer and second goroutine a request, one write an answer.
//
// # What it serves
//
// A POST over HTTP/1.1 to a path that Options.Takes names, whose head is at most 8 KiB: lines that end in CRLF, field
// names that are tokens, values without control characters, no folding; Host once; Content-Length at most once, plain
// digits up to 256 KiB; Connection absent, keep-alive or close; none of Transfer-Encoding, Expect, Upgrade, Trailer and
// Pragma. A target has unreserved characters and a few delimiters only, so nothing in it is decoded. Whatever is unlike
// that goes to net/http, which serves or refuses it: no request is judged by two parsers, and what this one would read
// otherwise than net/http it never reads (RFC 9112, section 11.2). A connection handed over does not come back.
//
// # Promises
//
//   - A handler runs when the head is complete; it reads the body from the connection as it arrives, bounded by
//     Content-Length. Requests in a row without waiting are served in order.
//   - The answer is collected, framed by Content-Length, and written in one call; one of more than 256 KiB is sent in
//     chunks as it is written. Flush and Hijack are not offered: do not name a path that needs them.
//   - Time limits are those of the http.Server: ReadHeaderTimeout from a request's first byte (of a connection's first
//     request: from its acceptance), IdleTimeout between requests, less up to an eighth of it, and also between two
//     pieces of one body, which net/http lets pause for ever.
//   - A client that leaves while its handler runs does not cancel it. Close does.
//   - A panic of the handler ends the connection, and is logged unless it is http.ErrAbortHandler.
//
// # Concurrency
//
// A Server is safe for concurrent use. It has one goroutine a connection, which ends with it or when it is handed over.
// Who calls Serve calls Shutdown or Close; both close the http.Server too.
package express
