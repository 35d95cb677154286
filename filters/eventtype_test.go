package filters

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCheckType(t *testing.T) {
	seg := strings.Repeat("a", 64)
	for _, c := range []struct{ eventType, says string }{
		{"domain.created", ""},
		{"x", ""},
		{"domain.register:started", ""},
		{"A-Z_0.b.c.d:e-f_1", ""},
		{seg + "." + seg + ":" + seg, ""},
		{strings.Repeat(seg+".", 3) + "abcde", ""},
		{strings.Repeat(seg+".", 3) + "abcdef", "201 bytes; at most 200"},
		{"", "empty segment at byte 0"},
		{".a", "empty segment at byte 0"},
		{"a.", "empty segment at byte 2"},
		{"a..b", "empty segment at byte 2"},
		{"a:", "empty segment at byte 2"},
		{":a", "empty segment at byte 0"},
		{"a:b:c", "goes on after its state"},
		{"a:b.c", "goes on after its state"},
		{"a.*", `holds "*"`},
		{"a b", `holds " "`},
		{"domäne", `use A-Z, a-z, 0-9, _ and -`},
		{"a/b", `holds "/"`},
		{seg + "a", "segment of 65 bytes; at most 64"},
		{"a\x00", "holds"},
		{strings.Repeat("a.", 1<<20), "at most 200"},
	} {
		says(t, c.eventType, CheckType(c.eventType), c.says)
	}
}

func says(t *testing.T, what string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%.80q refused: %v", what, err)
	case want != "" && (!errors.Is(err, ErrType) || !strings.Contains(err.Error(), want)):
		t.Errorf("%.80q: %v, want %q", what, err, want)
	case err != nil && len(err.Error()) > 400:
		t.Errorf("%.80q: an error of %d bytes", what, len(err.Error()))
	}
}

var grammar = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64})*(:[A-Za-z0-9_-]{1,64})?$`)

func FuzzCheckType(f *testing.F) {
	for _, s := range []string{"domain.register:started", "a..b", "a:b:c", "", "a.b:c.d", strings.Repeat("a", 65), "ä"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := CheckType(s) == nil, len(s) <= 200 && grammar.MatchString(s); got != want {
			t.Errorf("CheckType(%q) takes it: %v, the grammar: %v", s, got, want)
		}
		if types, err := ParseTypes([]string{s}); err == nil && !strings.Contains(s, "*") && !types.Match(s) {
			t.Errorf("%q does not match itself", s)
		}
	})
}

// O-4, R-8: a plain name selects itself only; `prefix.*` everything below; `*` everything.
func TestTypesMatch(t *testing.T) {
	for _, c := range []struct {
		entries []string
		takes   string
		not     string
	}{
		{[]string{"domain.created"}, "domain.created", "domain.created:started domain.created.x domain domain.create Domain.created"},
		{[]string{"domain.register:started"}, "domain.register:started", "domain.register"},
		{[]string{"domain.*"}, "domain.created domain.register:started domain.a.b.c:d", "domain domain:x domains.created xdomain.created"},
		{[]string{"a.b.*"}, "a.b.c a.b.c:d", "a.b a.bc a.b:c"},
		{[]string{"*"}, "x domain.created a.b.c:d", ""},
		{[]string{"x", "y.*", "y.z"}, "x y.z y.q", "z x.y"},
	} {
		types, err := ParseTypes(c.entries)
		if err != nil {
			t.Fatal(err)
		}
		for _, eventType := range strings.Fields(c.takes) {
			if !types.Match(eventType) {
				t.Errorf("%v does not take %s", c.entries, eventType)
			}
		}
		for _, eventType := range strings.Fields(c.not) {
			if types.Match(eventType) {
				t.Errorf("%v takes %s", c.entries, eventType)
			}
		}
		if got := types.Strings(); strings.Join(got, " ") != strings.Join(c.entries, " ") {
			t.Errorf("Strings gives %v for %v", got, c.entries)
		}
	}
}

func TestParseTypes(t *testing.T) {
	for _, c := range []struct {
		entries []string
		says    string
	}{
		{nil, "0 entries; give 1 to 200"},
		{[]string{}, "0 entries; give 1 to 200"},
		{make([]string, 201), "201 entries; give 1 to 200"},
		{strings.Fields(strings.Repeat("a ", 200)), ""},
		{[]string{"a", ""}, "empty segment"},
		{[]string{".*"}, "before .* stand segments"},
		{[]string{"a:b.*"}, "before .* stand segments"},
		{[]string{"a.*.b"}, "* stands alone or at the end"},
		{[]string{"a*"}, "* stands alone or at the end"},
		{[]string{"a:*"}, "* stands alone or at the end"},
		{[]string{"**"}, "* stands alone or at the end"},
		{[]string{"*.a"}, "* stands alone or at the end"},
		{[]string{strings.Repeat("a.", 99) + "*"}, ""},
		{[]string{strings.Repeat("a.", 100) + "*"}, "before .* stand segments"},
	} {
		_, err := ParseTypes(c.entries)
		says(t, strings.Join(c.entries, " "), err, c.says)
	}
}

// Types keeps nothing of the caller's list and gives none of its own away.
func TestTypesAreImmutable(t *testing.T) {
	given := []string{"a", "b.*"}
	types, err := ParseTypes(given)
	if err != nil {
		t.Fatal(err)
	}
	given[0] = "z"
	types.Strings()[1] = "z"
	if types.Match("z") || !types.Match("a") || strings.Join(types.Strings(), " ") != "a b.*" {
		t.Errorf("changed to %v", types.Strings())
	}
}

// Match is what the words say: equal, or below the prefix, or everything.
func TestTypesModel(t *testing.T) {
	segment := rapid.SampledFrom([]string{"a", "b", "ab"})
	drawType := func(t *rapid.T, label string) string {
		s := strings.Join(rapid.SliceOfN(segment, 1, 3).Draw(t, label), ".")
		if rapid.Bool().Draw(t, "state") {
			s += ":" + segment.Draw(t, "state")
		}
		return s
	}
	rapid.Check(t, func(t *rapid.T) {
		var entries []string
		for range rapid.IntRange(1, 4).Draw(t, "entries") {
			e := drawType(t, "entry")
			if name, _, _ := strings.Cut(e, ":"); rapid.Bool().Draw(t, "wild") {
				e = name + ".*"
			}
			entries = append(entries, e)
		}
		types, err := ParseTypes(entries)
		if err != nil {
			t.Fatal(err)
		}
		eventType := drawType(t, "type")
		want := false
		for _, e := range entries {
			prefix, wild := strings.CutSuffix(e, "*")
			want = want || e == eventType || wild && strings.HasPrefix(eventType, prefix)
		}
		if got := types.Match(eventType); got != want {
			t.Fatalf("%v takes %s: %v, want %v", entries, eventType, got, want)
		}
	})
}
