// Package transporttest is the conformance suite of transports that speak HTTP over TLS, and the receivers it needs: real
// sockets on loopback, scripted at the level of bytes.
//
// Run is called twice for the HTTPS transport: with the transport in process, and through a plugin in a child process,
// so that the process boundary changes nothing a customer could see. Everything a Receiver or Run starts ends with the
// test.
package transporttest
