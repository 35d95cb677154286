package profile_test

import (
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/hookline/hookline/engine/profile"
)

// O-6, D-6: ids in the profile's form, which its own check takes, and never the same twice.
func TestNewEventID(t *testing.T) {
	forms := map[string]string{"osir": `^evt_[0-9a-hjkmnp-tv-z]{26}$`, "dnsimple": `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`}
	for _, p := range profile.Builtin() {
		form := regexp.MustCompile(forms[p.Name])
		const each, workers = 2000, 4
		ids := make(chan string, each*workers)
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range each {
					ids <- p.NewEventID()
				}
			})
		}
		wg.Wait()
		close(ids)
		seen := map[string]bool{}
		for id := range ids {
			if seen[id] || !form.MatchString(id) || p.CheckEventID(id) != nil {
				t.Fatalf("%s: id %q: twice %v", p.Name, id, seen[id])
			}
			seen[id] = true
			if p.Name == "dnsimple" {
				if u, err := uuid.Parse(id); err != nil || u.Version() != 4 || u.Variant() != uuid.RFC4122 {
					t.Fatalf("%q is no UUID of version 4: %v", id, err)
				}
			}
		}
	}
}

// Every bit of an id is random: over many ids each of the 26 characters takes many values.
func TestNewEventIDSpread(t *testing.T) {
	p := builtin(t, "osir")
	var values [26]map[byte]bool
	for range 2000 {
		for i, c := range []byte(p.NewEventID()[4:]) {
			if values[i] == nil {
				values[i] = map[byte]bool{}
			}
			values[i][c] = true
		}
	}
	for i, v := range values {
		if want := 32; i < 25 && len(v) != want {
			t.Errorf("character %d takes %d values, want %d", i, len(v), want)
		}
	}
	if len(values[25]) != 8 { // 128 bits are 25 characters and 3 bits
		t.Errorf("the last character takes %d values, want 8", len(values[25]))
	}
}

func TestCheckEventID(t *testing.T) {
	for _, c := range []struct {
		profile, id string
		ok          bool
	}{
		{"osir", "evt_1234567890", true},
		{"osir", "evt_aZ9", true},
		{"osir", "evt_" + strings.Repeat("x", 124), true},
		{"osir", "evt_" + strings.Repeat("x", 125), false},
		{"osir", "evt_", false},
		{"osir", "evt_a_b", false},
		{"osir", "evt-1", false},
		{"osir", "EVT_1", false},
		{"osir", "6f1a3c0e-9d52-4b7e-8a41-2f0c5d9e7b63", false},
		{"osir", "", false},
		{"dnsimple", "6f1a3c0e-9d52-4b7e-8a41-2f0c5d9e7b63", true},
		{"dnsimple", "6F1A3C0E-9D52-4B7E-8A41-2F0C5D9E7B63", true},
		{"dnsimple", "00000000-0000-0000-0000-000000000000", true},
		{"dnsimple", "6f1a3c0e9d524b7e8a412f0c5d9e7b63", false},
		{"dnsimple", "{6f1a3c0e-9d52-4b7e-8a41-2f0c5d9e7b63}", false},
		{"dnsimple", "6f1a3c0e-9d52-4b7e-8a41-2f0c5d9e7b6g", false},
		{"dnsimple", "6f1a3c0e-9d52-4b7e-8a41-2f0c5d9e7b633", false},
		{"dnsimple", "6f1a3c0e-9d52-4b7e-8a41--f0c5d9e7b63", false},
		{"dnsimple", "evt_1", false},
		{"any", "a-Z_9", true},
		{"any", "a.b", false},
		{"any", "", false},
		{"any", strings.Repeat("x", 128), true},
		{"any", strings.Repeat("x", 129), false},
	} {
		p := plain(t, "event_id: uuid", "event_id: any")
		if c.profile != "any" {
			p = builtin(t, c.profile)
		}
		field := "id"
		if c.ok {
			field = ""
		}
		t.Run(c.profile+" "+c.id, func(t *testing.T) { fieldIs(t, p.CheckEventID(c.id), field) })
	}
}

func BenchmarkNewEventID(b *testing.B) {
	for _, p := range profile.Builtin() {
		b.Run(p.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.NewEventID()
			}
		})
	}
}
