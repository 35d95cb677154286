package template_test

import (
	"strings"
	"testing"

	"github.com/hookline/hookline/plugins/proto"
	"github.com/hookline/hookline/plugins/template"
)

func TestFiles(t *testing.T) {
	for lang, want := range map[string]string{"go": "main.go", "node": "plugin.mjs"} {
		files, err := template.Files(lang, "my-relay")
		if err != nil || !strings.Contains(string(files[want]), "my-relay") {
			t.Errorf("%s: %v, %v", lang, files, err)
		}
		for name, content := range files {
			if strings.Contains(string(content), "PLUGIN_NAME") || strings.Contains(string(content), `"example"`) {
				t.Errorf("%s still has the template's name", name)
			}
		}
		if lang == "node" && string(files["transport.proto"]) != proto.Specification() {
			t.Error("the specification is another one")
		}
	}
	for _, c := range [][2]string{{"cobol", "x"}, {"go", "X"}, {"go", ""}, {"go", "../x"}} {
		if _, err := template.Files(c[0], c[1]); err == nil {
			t.Errorf("%v is taken", c)
		}
	}
}
