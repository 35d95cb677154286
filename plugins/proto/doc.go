// Package proto is the wire between the host and a transport plugin: transport.proto is the specification and stands for
// any language; the generated code is for tests and for the rare calls; Codec is how our own two sides speak the same bytes
// on the hot stream.
//
// Codec encodes Attempts and Results straight from and to the types of package transports, byte for byte what protobuf
// would make of Batch and ResultBatch (a test compares them), and leaves every other message to protobuf. Encoding makes
// one copy of a body, into the buffer gRPC writes; decoding makes one, out of the buffer gRPC read.
//
// Decoding never panics and bounds what it accepts; errors wrap ErrMalformed. Nothing here starts a goroutine.
//
// The generated files are made by generate.sh.
package proto

//go:generate ./generate.sh
