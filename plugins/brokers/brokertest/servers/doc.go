// Package servers starts brokers for tests, each on a free port of loopback, ended with the test: NATS embedded from its own
// Go module, Redis and RabbitMQ as processes of Debian's packages, Kafka as franz-go's kfake, which is a double and not Kafka.
//
// Where a program is missing it is installed if this is root's machine with apt-get, else the test is skipped: no broker is
// needed to work on hookline. `make test` says at its end what was skipped.
package servers
