package proto

import _ "embed"

//go:embed transport.proto
var specification string

// Specification is the text of transport.proto, for those who write a plugin in another language.
func Specification() string { return specification }
