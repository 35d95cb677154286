package filters

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/expr-lang/expr"
	"pgregory.net/rapid"
)

// exprEnv is an event as expr's own machine sees one.
type exprEnv struct {
	Type     string `expr:"type"`
	ID       string `expr:"id"`
	Tenant   string `expr:"tenant"`
	Data     any    `expr:"data"`
	Actor    any    `expr:"actor"`
	Metadata any    `expr:"metadata"`
}

func exprEnvironment(ev *Event) exprEnv {
	return exprEnv{ev.Type, ev.ID, ev.Tenant, decodeAny(ev.Data), decodeAny(ev.Actor), decodeAny(ev.Metadata)}
}

// decodeAny decodes JSON with integers as int.
func decodeAny(raw []byte) any {
	if len(raw) == 0 {
		return nil
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		panic(err)
	}
	return numbers(v)
}

func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = numbers(e)
		}
	case []any:
		for i, e := range v {
			v[i] = numbers(e)
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		f, err := v.Float64()
		if err != nil {
			panic(err)
		}
		return f
	}
	return v
}

// Random programs of the subset mean what they mean in expr: whenever expr's own machine gives an answer, Match gives
// the same one. Members are optional (`?.`) in these programs, as they always are in filters.
func TestMeansWhatExprMeans(t *testing.T) {
	agreed, total := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		src := drawCondition(t, 3)
		ev := &Event{Type: rapid.SampledFrom([]string{"a.b", "zone.create", "x"}).Draw(t, "type"), ID: "id1", Tenant: "t", Data: drawJSON(t)}
		total++
		program, err := expr.Compile(src, expr.Env(exprEnv{}), expr.AsBool(), expr.Optimize(false))
		if err != nil {
			return // its checker refuses more than ours where values are constant, nobody is hurt
		}
		want, err := expr.Run(program, exprEnvironment(ev))
		if err != nil {
			return
		}
		f, err := Compile(src)
		if err != nil {
			if m := err.Error(); strings.Contains(m, "never equal") || strings.Contains(m, " takes ") || strings.Contains(m, " compares ") {
				return // what can never be true or never be evaluated is a mistake, even where it is not reached
			}
			t.Fatalf("%s on %s: expr says %v, we do not compile: %v", src, ev.Data, want, err)
		}
		got, err := f.Match(ev)
		if err != nil {
			if m := err.Error(); strings.Contains(m, "by zero") || strings.Contains(m, "members of theirs") {
				return // infinity, and equality of whole objects, are not for filters
			}
			t.Fatalf("%s on %s: expr says %v, we fail: %v", src, ev.Data, want, err)
		}
		if got != want {
			t.Fatalf("%s on %s: expr says %v, we say %v", src, ev.Data, want, got)
		}
		agreed++
	})
	if agreed*4 < total {
		t.Errorf("expr answered %d of %d programs only: the test says little", agreed, total)
	}
}

var drawnPaths = []string{"data?.a", "data?.b", "data?.o?.a", "data?.o?.b", "data?.l", "data?.l?.[0]", "data?.o", "data?.missing", "data?.missing?.deep", `data?.["a"]`}

func drawCondition(t *rapid.T, depth int) string {
	kinds := []string{"==", "!=", "<", "<=", ">", ">=", "in list", "in", "contains", "startsWith", "endsWith", "matches", "not in", "bare"}
	if depth > 0 {
		kinds = append(kinds, "and", "or", "not", "?:", "and", "or")
	}
	switch k := rapid.SampledFrom(kinds).Draw(t, "condition"); k {
	case "and", "or":
		return "(" + drawCondition(t, depth-1) + ") " + k + " (" + drawCondition(t, depth-1) + ")"
	case "not":
		return "not (" + drawCondition(t, depth-1) + ")"
	case "?:":
		return "(" + drawCondition(t, depth-1) + " ? " + drawCondition(t, depth-1) + " : " + drawCondition(t, depth-1) + ")"
	case "in list", "not in":
		return drawValue(t, 1) + " " + strings.TrimSuffix(k, " list") + ` ["a", "bb", 1, -2, 1.5, true, nil]`
	case "in":
		return drawValue(t, 1) + " in " + rapid.SampledFrom([]string{"data?.l", "data?.o", "data?.missing"}).Draw(t, "in")
	case "contains", "startsWith", "endsWith":
		return drawValue(t, 1) + " " + k + " " + rapid.SampledFrom([]string{`"a"`, `""`, `"bb"`}).Draw(t, "text")
	case "matches":
		return drawValue(t, 1) + " matches " + rapid.SampledFrom([]string{`"^a"`, `"b+$"`, `"x"`}).Draw(t, "pattern")
	case "bare":
		return rapid.SampledFrom(append([]string{"true", "false"}, drawnPaths...)).Draw(t, "bare")
	default:
		return drawValue(t, 2) + " " + k + " " + drawValue(t, 2)
	}
}

func drawValue(t *rapid.T, depth int) string {
	kinds := []string{"path", "path", "constant", "name"}
	if depth > 0 {
		kinds = append(kinds, "+", "-", "*", "/", "%", "??", "len", "lower", "upper", "trim", "int", "float", "negative")
	}
	switch k := rapid.SampledFrom(kinds).Draw(t, "value"); k {
	case "path":
		return rapid.SampledFrom(drawnPaths).Draw(t, "path")
	case "constant":
		return rapid.SampledFrom([]string{"0", "1", "-2", "7", "1.5", "0x10", `"a"`, `"bb"`, `""`, "true", "nil", `"3"`}).Draw(t, "constant")
	case "name":
		return rapid.SampledFrom([]string{"type", "id", "tenant"}).Draw(t, "name")
	case "??":
		return "(" + drawValue(t, depth-1) + " ?? " + drawValue(t, depth-1) + ")"
	case "negative":
		return "-(" + drawNumeric(t, depth-1) + ")"
	case "+", "-", "*", "/", "%":
		return "(" + drawNumeric(t, depth-1) + " " + k + " " + drawNumeric(t, depth-1) + ")"
	default:
		return k + "(" + drawValue(t, depth-1) + ")"
	}
}

// drawNumeric is a path or a number: text under + is what filters leave out.
func drawNumeric(t *rapid.T, depth int) string {
	if depth > 0 && rapid.Bool().Draw(t, "deeper") {
		return rapid.SampledFrom([]string{"len(data?.l)", "int(data?.b)", "float(data?.a)"}).Draw(t, "numeric")
	}
	return rapid.SampledFrom([]string{"1", "2", "-3", "0.5", "data?.n", "data?.o?.n"}).Draw(t, "numeric")
}

func drawJSON(t *rapid.T) json.RawMessage {
	scalar := rapid.SampledFrom([]any{nil, true, false, 0, 1, -2, 7, 1.5, -0.25, math.MaxInt32, "", "a", "bb", "abb", "3", " A ", "häß"})
	object := map[string]any{}
	for _, k := range []string{"a", "b", "n"} {
		if rapid.Bool().Draw(t, "has "+k) {
			object[k] = scalar.Draw(t, k)
		}
	}
	inner := map[string]any{"a": scalar.Draw(t, "o.a"), "n": rapid.IntRange(-5, 5).Draw(t, "o.n")}
	if rapid.Bool().Draw(t, "has o") {
		object["o"] = inner
	}
	if rapid.Bool().Draw(t, "has l") {
		object["l"] = rapid.SliceOfN(scalar, 0, 4).Draw(t, "l")
	}
	if n, ok := object["n"].(string); ok || object["n"] == true || object["n"] == false {
		object["n"] = len(n)
	}
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
