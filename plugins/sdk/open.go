package sdk

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/hookline/hookline/plugins/schema"
)

// Opener makes transports out of settings; Open makes one.
type Opener struct {
	schema json.RawMessage
	open   func(ctx context.Context, settings []byte) (Transport, error)
	err    error // of the settings' type, told by Serve
}

// Open makes an Opener of a settings struct S and a function that makes a transport of it: connects, logs in.
//
// S describes itself by its tags, see Schema; open is called only with settings that fit, absent members filled in from
// their defaults. It may be called many times at once, for different settings. If the Transport is an io.Closer it is
// closed once it is idle. An error that is not made by Failed is a fault of the plugin; that of Plugin.Operator is shown
// to the operator and should name field, bound and fix.
func Open[S any](open func(ctx context.Context, settings S) (Transport, error)) Opener {
	typ := reflect.TypeFor[S]()
	doc, err := schemaOf(typ)
	if err != nil {
		return Opener{err: err}
	}
	check, err := schema.Compile(doc)
	if err != nil {
		return Opener{err: err}
	}
	return Opener{schema: doc, open: func(ctx context.Context, settings []byte) (Transport, error) {
		if err := check.Check(settings); err != nil {
			return nil, fmt.Errorf("settings: %w", err)
		}
		var s S
		setDefaults(reflect.ValueOf(&s).Elem())
		if len(settings) > 0 {
			if err := json.Unmarshal(settings, &s); err != nil {
				return nil, fmt.Errorf("settings: %w", err)
			}
		}
		return open(ctx, s)
	}}
}
