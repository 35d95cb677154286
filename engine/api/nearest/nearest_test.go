package nearest

import (
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	known := []string{"url", "event_types", "filter", "description", "secret", "allow_cidr", "allow_http"}
	for _, c := range []struct{ name, want string }{
		{"uri", "url"},
		{"URL", "url"},
		{"evnet_types", "event_types"},
		{"event_type", "event_types"},
		{"eventTypes", "event_types"},
		{"EVENT_TYPES", "event_types"},
		{"allow_cdir", "allow_cidr"},
		{"allow_htttp", "allow_http"},
		{"secrets", "secret"},
		{"payload", ""},
		{"", ""},
		{strings.Repeat("x", 1000), ""},
	} {
		if got := Of(c.name, known); got != c.want {
			t.Errorf("%.20q: got %q, want %q", c.name, got, c.want)
		}
	}
	if got := Of("x", nil); got != "" {
		t.Errorf("nothing known: %q", got)
	}
}
