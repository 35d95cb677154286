package profile

import (
	"bytes"
	_ "embed" // of the file to start from
	"fmt"
)

//go:embed start.yaml
var start []byte

// Start is a commented profile to begin with, under a name of [a-z0-9_-]{1,64}. It lints clean.
func Start(name string) ([]byte, error) {
	if !namePattern.MatchString(name) {
		return nil, fmt.Errorf("%w: name %.80q: use a-z, 0-9, _ and -, at most 64", ErrInvalid, name)
	}
	for _, taken := range builtin {
		if name == taken {
			return nil, fmt.Errorf("%w: %s is built in; choose another name", ErrInvalid, name)
		}
	}
	return bytes.ReplaceAll(start, []byte("NAME"), []byte(name)), nil
}
