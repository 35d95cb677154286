// Package demo is the life around the engine in `hookline dev`: two providers' customers with endpoints on loopback, and
// the events that happen to them.
//
//   - Customers: demo tenants of both seed profiles. Each has a receiver over real TLS on loopback, trusted through an
//     authority of the demo's own, that checks what arrives by the provider's document (OSIR: the signature over the raw
//     body, O-9 to O-11; DNSimple: the envelope, D-3 to D-8) and fails now and then: 500, slow, hang-up.
//   - A generator publishes about five events a second, in bursts, through the HTTP API like any provider would.
//   - Live writes a line an attempt, from the log's own records.
//   - Real publishes files of real payloads and shows that each arrives byte for byte.
//
// # Promises
//
//   - Authority, ports and tenant ids stay the same over restarts of the demo and of the server; what is there already is
//     found, not made twice. State that the engine or a person changed (disabled, suppressed) is left alone.
//   - The generator repeats what may not have been taken, under the same idempotency key: a restart of the server
//     neither loses nor doubles an event.
//   - With the same seed the n-th request at an endpoint meets the same fate.
//   - Traffic stays on loopback.
//
// # Concurrency
//
// A Demo serves from Open to Close; Run may be called once. Live is safe for concurrent use. Whoever opened a Demo closes
// it, which waits for every goroutine.
package demo
