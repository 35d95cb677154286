// Package bench measures hookline from outside against a bare reference, both in one run on one machine.
//
// The reference is what a person would write without an engine: a loop over 64 keep-alive net/http connections that
// signs a 1 KiB body with HMAC-SHA256 and posts it over TLS 1.3. Every row is framed by it, before and after, and told
// as a ratio of the mean of both: the absolute figures vary from machine to machine, the ratio is the point.
//
// # What runs
//
//   - the server under test: `hookline serve` with a fresh data directory for every row, and its plugins;
//   - a receiver, a publisher and the bare loop: each a process of its own, made by re-executing this binary (Main).
//     The receiver is the same one for the reference and for hookline.
//
// # Promises
//
//   - A row fails, and Run with it, when an event that was answered 202 is missing at the receiver, came twice, or is
//     not recorded as one succeeded delivery with one attempt; also when a publish is refused or the server does not
//     stop cleanly.
//   - Time runs from the first publish to the last receipt. CPU and memory are those of the server and all processes
//     below it. Disk is what the data directory occupies after an idle wait, log and views and all.
//   - No process outlives Run, and none outlives a killed bench. Traffic stays on loopback.
//
// # Concurrency
//
// Run owns every process and goroutine that it starts and waits for them before it returns. It may not run twice at the
// same time: not for safety, but because the figures would be worthless.
package bench
