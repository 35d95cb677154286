package api

import (
	"net/http"

	"github.com/hookline/hookline/engine"
)

// laterOperations are the routes that API.md names and a later version builds: refused by name, so that nobody takes
// silence for success. They are not in the document.
func laterOperations() []*operation {
	var ops []*operation
	for _, l := range []struct{ method, path, name string }{
		{http.MethodPost, "/v1/filters:simulate", "filters:simulate"},
	} {
		ops = append(ops, &operation{method: l.method, path: l.path, id: "later", custom: true, any: true,
			handle: func(*call) error { return engine.Invalid(l.name, "not available yet in this version") }})
	}
	return ops
}
