package house

import (
	"bufio"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hookline/hookline/"

// root is the project's top folder, seen from this one.
const root = "../../.."

type pkg struct {
	ImportPath string
	Dir        string
	Imports    []string
	Standard   bool
}

// packages lists the module's own packages with what their non-test files import.
func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,Standard", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// inside says whether a room (a path below the module) is, or lies below, one of the given ones. A trailing "!" means
// exactly that package.
func inside(room string, places ...string) bool {
	for _, p := range places {
		if exact, ok := strings.CutSuffix(p, "!"); ok {
			if room == exact {
				return true
			}
			continue
		}
		if room == p || strings.HasPrefix(room, p+"/") {
			return true
		}
	}
	return false
}

// mayImport says, room by room, which rooms of ours it may import: arrows go down only. The first line that fits counts.
var mayImport = []struct {
	room string
	from []string
}{
	{"eventlog!", nil},
	{"eventlog/seal", nil},
	{"eventlog", []string{"eventlog"}},
	{"filters", []string{"filters"}},
	{"transports!", nil},
	{"transports", []string{"transports"}},
	{"plugins/proto", []string{"transports!"}},
	{"plugins/schema", nil},
	{"plugins/sdk", []string{"plugins/sdk!", "plugins/proto", "plugins/schema", "transports!"}}, // an author gets nothing of the engine
	{"plugins", []string{"plugins", "transports"}},
	{"engine/schedule", nil},
	{"engine/record", []string{"eventlog!", "engine/schedule"}},
	{"engine/profile", []string{"engine/profile", "engine/schedule", "transports!"}},
	{"engine/state", []string{"engine/record", "engine/schedule", "eventlog!"}},
	{"engine/dispatch", []string{"engine/state"}},
	{"engine/history", []string{"engine/record", "engine/schedule", "eventlog!", "eventlog/projection"}},
	{"engine/idempotency", []string{"engine/record", "eventlog!", "eventlog/projection"}},
	{"engine/api", []string{"engine!", "engine/api"}},
	{"engine/dashboard", []string{"engine/dashboard"}},
	{"engine!", []string{"engine/record", "engine/state", "engine/history", "engine/idempotency", "engine/profile", "engine/schedule", "engine/dispatch",
		"eventlog!", "eventlog/projection", "eventlog/seal", "filters!", "transports!"}},
	{"cmd", []string{"cmd", "engine", "eventlog", "filters", "transports", "plugins"}},
}

func TestArrowsGoDown(t *testing.T) {
	for _, p := range packages(t) {
		room := strings.TrimPrefix(p.ImportPath, module)
		i := slices.IndexFunc(mayImport, func(r struct {
			room string
			from []string
		}) bool {
			return inside(room, r.room)
		})
		if i < 0 {
			t.Errorf("%s is no room of the design: put it into one, or add a line to mayImport in this test with the arrows it needs", room)
			continue
		}
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, module)
			if ours && !inside(to, mayImport[i].from...) {
				t.Errorf("%s imports %s: the arrow goes the wrong way. It may import %v; take what it needs as an argument or an interface of its own", room, to, mayImport[i].from)
			}
		}
	}
}

// pins say where a heavy third-party module may be imported.
var pins = map[string][]string{
	"github.com/cockroachdb/pebble":       {"eventlog/pebblelog", "eventlog/projection"},
	"github.com/ThreeDotsLabs/watermill":  {"eventlog/feed", "cmd/hookline"},
	"github.com/hashicorp/go-plugin":      {"plugins"},
	"google.golang.org/grpc":              {"plugins"},
	"google.golang.org/protobuf":          {"plugins"},
	"github.com/expr-lang/expr":           {"filters"},
	"github.com/danielgtaylor/huma":       {"engine/api"},
	"github.com/prometheus/client_golang": {"engine/api"},
	"github.com/spf13/cobra":              {"cmd/hookline"},
	"go.yaml.in/yaml":                     {"engine/profile", "cmd/hookline"},
	"github.com/tidwall/gjson":            {"engine/profile", "filters"},
	"github.com/nats-io":                  {"eventlog/natslog"},
	"github.com/santhosh-tekuri":          {"engine/profile", "plugins"},
}

func TestThirdPartyPins(t *testing.T) {
	for _, p := range packages(t) {
		room := strings.TrimPrefix(p.ImportPath, module)
		for _, imp := range p.Imports {
			if inside(room, "eventlog!", "transports!", "engine/record", "engine/state", "engine/schedule", "engine/dispatch", "engine!") &&
				strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") && !strings.HasPrefix(imp, module) {
				t.Errorf("%s imports %s: this room stands on the standard library alone", room, imp)
			}
			for prefix, rooms := range pins {
				if strings.HasPrefix(imp, prefix) && !inside(room, rooms...) {
					t.Errorf("%s imports %s, which belongs to %v: use what that room offers", room, imp, rooms)
				}
			}
		}
	}
}

// own calls f for every Go file of ours that no generator wrote.
func own(t *testing.T, f func(path string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." && path != root || d.Name() == "testdata" || d.Name() == "bin" || d.Name() == "data") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".pb.go") {
			f(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFilesAreShort(t *testing.T) {
	const most = 500
	own(t, func(path string) {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		lines := 0
		for s := bufio.NewScanner(file); s.Scan(); {
			lines++
		}
		if lines > most {
			t.Errorf("%s has %d lines, at most %d: split it by what it does", path, lines, most)
		}
	})
}

func TestPackagesSayWhatTheyPromise(t *testing.T) {
	said := map[string]bool{}
	own(t, func(path string) {
		dir := filepath.Dir(path)
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		said[dir] = said[dir] || f.Doc != nil && len(f.Doc.Text()) > 40
	})
	for dir, ok := range said {
		if !ok {
			t.Errorf("%s has no package comment: say what it promises, what is safe concurrently and who closes", dir)
		}
	}
}

// Decisions and folds take the time and chance as arguments (promise 3): these files may not reach for them.
var pure = []string{"engine/record", "engine/state", "engine/schedule", "engine/dispatch", "engine/history", "engine/idempotency", "engine/decide.go", "engine/route.go"}

func TestPureRoomsHaveNoClockAndNoChance(t *testing.T) {
	own(t, func(path string) {
		rel, _ := filepath.Rel(root, path)
		if strings.HasSuffix(path, "_test.go") || !slices.ContainsFunc(pure, func(p string) bool { return rel == p || strings.HasPrefix(rel, p+"/") }) {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range f.Imports {
			if p := strings.Trim(imp.Path.Value, `"`); strings.HasPrefix(p, "math/rand") || p == "crypto/rand" {
				t.Errorf("%s imports %s: chance is an argument here", rel, p)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && (sel.Sel.Name == "Now" || sel.Sel.Name == "Since" || sel.Sel.Name == "Sleep") {
					t.Errorf("%s uses time.%s: time is an argument here", rel, sel.Sel.Name)
				}
			}
			return true
		})
	})
}
