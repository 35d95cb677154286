// Package brokers is what the transports to message brokers share: strict settings, which addresses customers may name, and
// who is to blame when a message was not taken.
//
// The module stands apart from hookline's so that the core's go.mod names no broker client. Each folder below is one
// transport (nats, redis, kafka, rabbitmq, sink), each program in cmd links one client only; package ingest is the way back,
// from a broker to POST events:batch.
//
// # Promises of every transport here
//
// One attempt is one message sent once: the clients' own retries are off. Acknowledged means that the broker said so; a
// broker's no is Rejected, a broker out of reach Unreachable, silence TimedOut. A faulty setting is refused by New. A broker
// that is down does not keep a transport from starting: its attempts are Unreachable until it is there. Endpoints' targets
// come from customers, so only addresses opened by the operator's settings are written to. Error texts hold no secret and no
// payload. Everything is safe for concurrent use; Close ends the connections and waits for what was left under way.
package brokers
