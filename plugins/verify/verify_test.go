package verify_test

import (
	"encoding/json"
	"encoding/xml"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookline/hookline/plugins/verify"
)

// build makes a plugin of one of this module's main packages.
func build(t *testing.T, pkg string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "plugin")
	if b, err := exec.Command("go", "build", "-o", out, pkg).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return out
}

// The SDK's example, as `plugins init` writes it, holds every law; the report says so in each of its forms.
func TestExampleHoldsEveryLaw(t *testing.T) {
	rep, err := verify.Run(t.Context(), verify.Options{Command: build(t, "github.com/hookline/hookline/plugins/template/goplugin"), Settings: json.RawMessage(`{"token":"geheim-geheim"}`)})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range rep.Laws {
		if v.Result == "failed" {
			t.Errorf("%s: %s", v.Law, v.Detail)
		}
		t.Logf("%s %d ms %s", v.Law, v.TookMS, v.Detail)
	}
	if rep.Plugin != "example" || rep.Passed < 25 || len(rep.Checksum) != 64 || !rep.OK() {
		t.Errorf("%+v", rep)
	}
	var text, asJSON, junit strings.Builder
	if err := rep.Summary(&text); err != nil || !strings.HasPrefix(text.String(), "example 1.0.0 (sha256 ") {
		t.Errorf("%s %v", text.String(), err)
	}
	var back verify.Report
	if err := rep.JSON(&asJSON); err != nil || json.Unmarshal([]byte(asJSON.String()), &back) != nil || back.Passed != rep.Passed {
		t.Errorf("%s %v", asJSON.String(), err)
	}
	var suite struct {
		Tests int        `xml:"tests,attr"`
		Cases []struct{} `xml:"testcase"`
	}
	if err := rep.JUnit(&junit); err != nil || xml.Unmarshal([]byte(junit.String()), &suite) != nil || suite.Tests != len(rep.Laws) || len(suite.Cases) != suite.Tests {
		t.Errorf("%s %v", junit.String(), err)
	}
}
