// Package api is the HTTP face: what API.md fixes, in OpenAPI 3.1 at /openapi.json, and DNSimple's REST face at /v2.
//
// # Promises
//
//   - A request without a valid key is answered 401 before its body is looked at. Only /healthz, /readyz, /openapi.json
//     and the pages for browsers (/, /portal, /ui/) need none.
//   - Bodies are read strictly, all of them by the one scanner of jsonstrict: unknown fields, duplicate names at any
//     level, text that is not UTF-8, wrong types and what follows the value are errors that name the field, the bound
//     and the fix. So are unknown query parameters. What API.md names and a later version builds is refused by name
//     ("not available yet"), never ignored.
//   - `data` and `payload` reach the engine as slices of the request's bytes: never copied, decoded or re-encoded here.
//   - Every refusal is an RFC 9457 problem (application/problem+json), unknown routes and methods included; only /v2
//     answers in DNSimple's own form. Errors of the engine become a status in one place, problem.go.
//   - X-Log-Seq is on every answer; X-Min-Seq is waited for at most 2 s.
//   - Process logs hold neither payloads nor secrets (O-22): the access log, at level debug, has method, route, status,
//     sizes and time, not even a query.
//
// # How it is built
//
// One table (table.go) lists the operations: it routes on net/http's ServeMux and is turned into the OpenAPI document,
// whose schemas huma derives from the Go types. huma does not decode or validate here: its decoder is encoding/json,
// which takes duplicate names and names in any case, and its errors have another shape.
//
// Publishes come in large numbers and are small: package express serves them without net/http's cost, and hands over to
// it everything else. Front puts both together.
//
// # Concurrency
//
// A Server is safe for concurrent use and starts no goroutine; what Front and HTTPServer return does. Until Use has given
// it a Service it answers 503 on everything that needs one. Whoever made the Service closes it, after those have been
// shut down.
package api
