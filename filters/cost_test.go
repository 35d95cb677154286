package filters

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const largest = 256 << 10 // bytes of data that a publish may have

// fill repeats a unit between two ends up to the largest size.
func fill(head, unit, tail string) []byte {
	return []byte(head + strings.Repeat(unit, (largest-len(head)-len(tail))/len(unit)) + tail)
}

// The dearest events that we know for each operation.
func dearEvents() map[string][]byte {
	var keys strings.Builder
	keys.WriteString(`{"a":1`)
	for i := 0; keys.Len() < largest-16; i++ {
		fmt.Fprintf(&keys, `,"%x":1`, i)
	}
	keys.WriteString("}")
	half := strings.Repeat("a", largest/2-20)
	return map[string][]byte{
		"long string":     fill(`{"a":"`, "a", `"}`),
		"two strings":     []byte(`{"a":"` + half + `x","b":"` + half + `y"}`),
		"long space":      fill(`{"a":"`, " ", `"}`),
		"runes":           fill(`{"a":"`, "ǅ", `"}`),
		"escapes":         fill(`{"a":"`, `\u00e9`, `"}`),
		"escaped keys":    fill(`{`, `"\u0061\u0062":1,`, `"a":1}`),
		"integers":        fill(`{"a":[1`, ",1", `]}`),
		"fractions":       fill(`{"a":[0.5`, ",0.25", `]}`),
		"wide decimals":   fill(`{"a":[1`, ","+strings.Repeat("9", 100)+"e-7", `]}`),
		"texts":           fill(`{"a":[1`, `,"ab"`, `]}`),
		"escaped texts":   fill(`{"a":[1`, `,"\u0061b"`, `]}`),
		"long escaped":    fill(`{"a":[1`, `,"`+strings.Repeat(`\u0061`, 30)+`"`, `]}`),
		"wide":            []byte(keys.String()),
		"deep":            []byte(strings.Repeat(`{"a":`, 64) + "1" + strings.Repeat("}", 64)),
		"deep then wide":  fill(strings.Repeat(`{"a":`, 60)+`[`, "1,", `1]`+strings.Repeat("}", 60)),
		"empty objects":   fill(`{"a":[{}`, ",{}", `]}`),
		"short numbers":   fill(`{"a":[1`, ",1e1", `]}`),
		"near numbers":    fill(`{"a":[1`, `,2e+1`, `]}`),
		"repeated keys":   fill(`{`, `"\u0061b":1,"ab":2,`, `"a":1}`),
		"at most matched": []byte(`{"a":"` + strings.Repeat("a", MaxRead) + `"}`),
		"aab":             []byte(`{"a":"` + strings.Repeat("aab", MaxRead/3) + `"}`),
		"runes matched":   []byte(`{"a":"` + strings.Repeat("ǅ", MaxRead/2) + `"}`),
	}
}

// clock is the least CPU time of a few evaluations, each of a new event, decoded before: how busy the machine is does not count.
func clock(t testing.TB, f *Filter, data []byte) time.Duration {
	t.Helper()
	best := time.Duration(1 << 62)
	for range 4 {
		ev := &Event{Type: "a.b", ID: "id", Tenant: "t", Data: data}
		decodeAll(ev)
		best = min(best, cpuTime(t, func() { f.Match(ev) })) // a fault is as good an end as any
	}
	return best
}

func cpuTime(t testing.TB, what func()) time.Duration {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	now := func() time.Duration {
		var ts unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
			t.Fatal(err)
		}
		return time.Duration(ts.Nano())
	}
	start := now()
	what()
	return now() - start
}

// dearFilters are filters that are as dear as they may be, one or a few for each operation.
func dearFilters() []string {
	repeat := func(part, sep string, n int) string { return strings.Repeat(part+sep, n-1) + part }
	return []string{
		`data.a == 1`,
		`data.b == 1`,
		repeat(`data.b == nil`, " and ", 60),
		repeat(`not (data.q?.w?.e?.r == 5)`, " and ", 60),
		repeat(`(data.a ?? 1) != (data.b ?? 2)`, " and ", 50),
		repeat(`not (data.a contains "aaaaaaaaaaaaaaaaaaaaaaaaaaab")`, " and ", 10),
		`not (data.a contains "` + strings.Repeat("a", 100) + `b")`,
		`not (data.a contains "` + strings.Repeat("b", 10) + strings.Repeat("a", 200) + `")`,
		repeat(`not (2 in data.a)`, " and ", 2),
		repeat(`not (2.5 in data.a)`, " and ", 2),
		repeat(`not ("ac" in data.a)`, " and ", 7),
		repeat(`not ("\u00e9" in data.a)`, " and ", 7),
		repeat(`not glob(data.a, "*aab*aac*")`, " and ", 16),
		repeat(`not glob(data.a, "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b*c")`, " and ", 16),
		repeat(`not cidr(data.a, "10.0.0.0/8", "2001:db8::/32")`, " and ", 38),
		repeat(`not has(data.a[-1].a)`, " and ", 10),
		repeat(`len(data.a) != 1`, " and ", 6),
		repeat(`trim(data.a) != "x"`, " and ", 20),
		repeat(`lower(data.a) != "x"`, " and ", 75),
		repeat(`upper(data.a) != "x"`, " and ", 75),
		repeat(`data.a[-1] == nil`, " and ", 11),
		repeat(`data.a[131071] == nil`, " and ", 11),
		`not (data.a matches "(x+x+)+y")`,
		`not (data.a matches "(?:a?){20}a{20}b")`,
		`not (data.a matches "(a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a)*b")`,
		`not (data.a matches "(?:(?:(?:a*)*b*)*a*)*c")`,
		`not (data.a matches "(?i)(ab|ba|aa|bb|abab|aaaa|bbbb|[^b]a|a[^b]|.a.|..a)*c")`,
		`not (data.a matches "(?s).*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*x")`,
		`not (data.a matches "(a|aa|aab)*c$")`,
		`not (data.a matches "(.*)(.*)(.*)(.*)[^a]{20}x")`,
		`not (data.a matches "(?i)(\\pL|\\pN)*[^\\pL\\pN]x")`,
		`data` + strings.Repeat(".a", 30) + ` == 1`,
	}
}

// What a filter costs in truth stays near what Cost says: the figures of cost.go hold.
func TestCostHolds(t *testing.T) {
	events := dearEvents()
	for _, src := range dearFilters() {
		f, err := Compile(src)
		if err != nil {
			t.Errorf("%.60s: %v", src, err)
			continue
		}
		for name, data := range events {
			took := clock(t, f, data)
			if testing.Verbose() {
				t.Logf("%-60.60s %-16s %8v of %8v", src, name, took.Round(time.Microsecond), time.Duration(f.Cost()).Round(time.Microsecond))
			}
			// Half as much again, and what a slow machine adds.
			if most := 4*time.Duration(f.Cost()) + time.Millisecond; took > most {
				t.Errorf("%.60s on %s takes %v; Cost says %v", src, name, took, time.Duration(f.Cost()))
			}
		}
	}
}
