// Package brokertest is the conformance suite of the transports to brokers. Run is the same for all and runs twice: with the
// transport in this process and, by plugins/plugintest, in a child process behind the wire. Nothing that it starts outlives
// the test.
package brokertest
