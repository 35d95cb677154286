package profile_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/hookline/hookline/engine/profile"
)

// Every example of README.md, put into the file to start from, lints clean; every field of its table is known.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	start, err := profile.Start("acme")
	if err != nil {
		t.Fatal(err)
	}
	top := regexp.MustCompile(`(?m)^[a-z_]+:`)
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 7 {
		t.Fatalf("%d examples", len(blocks))
	}
	for _, m := range blocks {
		content := string(start)
		for _, field := range top.FindAllString(m[1], -1) { // takes the place of the whole field
			whole := regexp.MustCompile(`(?m)^` + field + `.*\n(?:[ #-].*\n|\n)*`)
			content = whole.ReplaceAllString(content, "")
		}
		if _, err := profile.Lint("acme.yaml", []byte(content+m[1])); err != nil {
			t.Errorf("%s\n%v", m[1], err)
		}
	}
	_, table, _ := strings.Cut(string(text), "|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, line := range strings.Split(table, "\n") {
		for _, m := range regexp.MustCompile("`([a-z_]+)").FindAllStringSubmatch(strings.Split(line, "|")[1], -1) {
			_, err := profile.Load("f.yaml", []byte(m[1]+": [[]]\n"))
			if err == nil || strings.Contains(err.Error(), "unknown field") {
				t.Errorf("field %s of the table: %v", m[1], err)
			}
		}
	}
}
