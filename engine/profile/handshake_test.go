package profile_test

import (
	"fmt"
	"testing"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/transports"
)

// HTTP 1.1 Web Hooks for Event Delivery, section 4: what is asked, and what counts as a yes.
func TestHandshake(t *testing.T) {
	for _, p := range profile.Builtin() {
		if p.Handshake() != nil {
			t.Errorf("%s asks, in whose name?", p.Name)
		}
	}
	h := plain(t, "gone: disable", "handshake: {origin: events.example.com, rate: 120}").Handshake()
	if got, want := fmt.Sprint(h.Ask(nil)), "[{webhook-request-origin events.example.com} {webhook-request-rate 120}]"; got != want {
		t.Errorf("asks %s, want %s", got, want)
	}
	open := plain(t, "gone: disable", "handshake: {origin: events.example.com}").Handshake()
	if got := len(open.Ask(nil)); got != 1 {
		t.Errorf("%d fields without a rate", got)
	}
	for _, c := range []struct {
		status       int
		origin, rate string
		granted      bool
		asked, free  int // what is granted to who asks for 120 a minute, and to who does not say
	}{
		{200, "events.example.com", "100", true, 100, 100},
		{204, "Events.Example.com", "*", true, 0, 0},
		{200, "*", "", true, 120, 0},
		{200, "*", "1000", true, 120, 1000},
		{200, "*", "99999999999", false, 0, 0},
		{200, "*", "0", false, 0, 0},
		{200, "*", "fast", false, 0, 0},
		{200, "", "100", false, 0, 0},
		{200, "other.example.com", "100", false, 0, 0},
		{405, "*", "*", false, 0, 0},
		{302, "*", "*", false, 0, 0},
		{0, "", "", false, 0, 0},
	} {
		res := &transports.Result{Status: c.status}
		if c.origin != "" {
			res.Headers = append(res.Headers, transports.Header{Name: "webhook-allowed-origin", Value: c.origin})
		}
		if c.rate != "" {
			res.Headers = append(res.Headers, transports.Header{Name: "webhook-allowed-rate", Value: c.rate})
		}
		for who, want := range map[*profile.Handshake]int{h: c.asked, open: c.free} {
			granted, rate, why := who.Consent(res)
			if granted != c.granted || rate != want || (why == "") != granted {
				t.Errorf("%+v, asked for %d: %v, %d a minute, %q", c, who.Rate, granted, rate, why)
			}
		}
	}
}
