// Package ingest is the way from a broker into hookline: a Watermill Subscriber's messages become events by
// POST /v1/tenants/{tenant}/events:batch.
//
// # Promises
//
// A message is acknowledged at the broker only after hookline's 202, which comes after the durable append, or after it was
// parked with its reason (a fsynced line in a file). The idempotency key is the broker's message id, so a message that comes
// again within hookline's 24 h window is one event. A topic's messages are sent in the order in which the Subscriber gives
// them, one batch at a time, a batch being what is ready (at most 1 000 events, 4 MiB): so order per key is the broker's.
// While hookline cannot take events nothing is acknowledged, and the window of unacknowledged messages brakes the broker.
//
// A message is poison where hookline refuses it for what it is (400, 409, 413, 422) or where it cannot become an event. A wrong
// key, a wrong tenant, an overloaded or absent server is not the message's fault: it waits.
//
// # Concurrency
//
// A Pump runs in the goroutine that calls Run, with one more that gathers the next batch, and ends with ctx. Messages under way
// at the end stay unacknowledged and come again.
//
// The Subscribers of package brokers do not wait for an Ack before the next message, as Watermill's own do (one message
// a round trip would be some thousand events a second at most), but settle them in order, many at once; see Subscription.
package ingest
