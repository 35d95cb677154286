// Command bundle builds the pages: bundle SOURCE TARGET. SOURCE is the folder with src/ and node_modules/, TARGET is emptied
// and filled. It promises the same bytes for the same sources, wherever they lie. Exit code 1 and the faults on failure.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: bundle SOURCE TARGET")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

func run(source, target string) error {
	source, err := filepath.Abs(source)
	if err != nil {
		return err
	}
	result := api.Build(options(source))
	if len(result.Errors) > 0 {
		return fmt.Errorf("%s", strings.Join(api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage}), "\n"))
	}
	files := map[string][]byte{}
	for _, f := range result.OutputFiles {
		files[filepath.Base(f.Path)] = f.Contents
	}
	for _, name := range []string{"operator.html", "portal.html", "icon.svg"} {
		if files[name], err = os.ReadFile(filepath.Join(source, "src", name)); err != nil {
			return err
		}
	}
	if files["licenses.txt"], err = licenses(source); err != nil {
		return err
	}
	return replace(target, files)
}

func options(source string) api.BuildOptions {
	src := func(name string) string { return filepath.Join(source, "src", name) }
	return api.BuildOptions{
		AbsWorkingDir: source,
		EntryPointsAdvanced: []api.EntryPoint{
			{InputPath: src("operator/main.tsx"), OutputPath: "operator"},
			{InputPath: src("portal/main.tsx"), OutputPath: "portal"},
			{InputPath: src("style/app.css"), OutputPath: "app"},
		},
		Outdir: filepath.Join(source, "out"), ChunkNames: "part-[hash]", // out names places only: nothing is written there
		Bundle: true, Splitting: true, Format: api.FormatESModule, Target: api.ES2022,
		JSX: api.JSXAutomatic, JSXImportSource: "preact",
		MinifySyntax: true, MinifyWhitespace: true, MinifyIdentifiers: true,
		Charset: api.CharsetUTF8, LegalComments: api.LegalCommentsNone, TsconfigRaw: "{}",
	}
}

// licenses is what the libraries that are built in ask to be told.
func licenses(source string) ([]byte, error) {
	names, err := filepath.Glob(filepath.Join(source, "node_modules", "*", "LICENSE"))
	if err != nil {
		return nil, err
	}
	scoped, err := filepath.Glob(filepath.Join(source, "node_modules", "@preact", "*", "LICENSE"))
	if err != nil {
		return nil, err
	}
	names = append(names, scoped...)
	sort.Strings(names)
	var b strings.Builder
	b.WriteString("The pages contain these libraries.\n")
	for _, name := range names {
		lib, err := filepath.Rel(filepath.Join(source, "node_modules"), filepath.Dir(name))
		if err != nil {
			return nil, err
		}
		if !strings.Contains(lib, "preact") { // tools are not built in
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "\n%s\n\n%s", lib, text)
	}
	return []byte(b.String()), nil
}

func replace(target string, files map[string][]byte) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	old, err := os.ReadDir(target)
	if err != nil {
		return err
	}
	for _, f := range old {
		if err := os.Remove(filepath.Join(target, f.Name())); err != nil {
			return err
		}
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(target, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
