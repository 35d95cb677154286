// Package template holds what `hookline plugins init` writes: a whole transport plugin in Go and one in Node, each of
// which passes `hookline plugins verify` as it is. The Go one is an ordinary package of this module, so that it is built
// and tested like everything else. Functions are pure and safe for concurrent use.
package template

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/hookline/hookline/plugins/proto"
)

//go:embed goplugin/main.go node
var files embed.FS

var pluginName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// Files returns a new plugin's files by name. The error names the bound.
func Files(lang, name string) (map[string][]byte, error) {
	if !pluginName.MatchString(name) {
		return nil, fmt.Errorf("the plugin's name is %q: want a lower-case letter, then up to 31 of a-z, 0-9 and -", name)
	}
	out := map[string][]byte{}
	switch lang {
	case "go":
		src, err := files.ReadFile("goplugin/main.go")
		if err != nil {
			return nil, err
		}
		text := strings.NewReplacer(`Name: "example"`, `Name: "`+name+`"`, "// Command example is", "// Command "+name+" is").Replace(string(src))
		out["main.go"] = []byte(text)
		out["go.mod"] = []byte("module " + name + "\n\ngo 1.26\n\nrequire github.com/hookline/hookline v0.0.0\n")
	case "node":
		err := fs.WalkDir(files, "node", func(at string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			src, err := files.ReadFile(at)
			out[path.Base(at)] = []byte(strings.ReplaceAll(string(src), "PLUGIN_NAME", name))
			return err
		})
		if err != nil {
			return nil, err
		}
		out["transport.proto"] = []byte(proto.Specification())
	default:
		return nil, fmt.Errorf("the language is %q: want go or node", lang)
	}
	return out, nil
}
