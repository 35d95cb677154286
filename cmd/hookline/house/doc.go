// Package house holds the project's layering: who may import whom, which third-party module belongs to which room, how
// long a file may get, that packages say what they promise, and where clocks and chance are forbidden. It is a test
// only; its messages name the fix.
package house
