package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every command of filters/README.md: in a block `console` a line that begins with $ is run and the lines below it are what
// comes out (receivers are looked for on this machine only); the blocks `json NAME` and `yaml NAME` are the files they read. Ids are shown as ep_..., and a command of which
// nothing is shown may say anything.
func TestFiltersGuide(t *testing.T) {
	content, err := os.ReadFile("../../filters/README.md")
	if err != nil {
		t.Fatal(err)
	}
	s := startServe(t, t.TempDir(), "--clock", "manual", "--clock-start", "2026-01-01T00:00:00Z", "--allow-cidr", "127.0.0.0/8")
	t.Chdir(t.TempDir())
	g := guide{t: t, env: s.env()}
	if o := cli(t, "", g.env, "tenants", "create", "--id", "1010", "--profile", "dnsimple", "--name", "Example",
		"--attributes", `{"id":1010,"identifier":"owner@example.com","display":"Example"}`); o.code != 0 {
		t.Fatal(o)
	}
	g.file("data.json", `{"zone_record":{"zone_id":"example.com","ttl":3600}}`)
	g.file("other.json", `{"zone_record":{"zone_id":"example.org","ttl":3600}}`)
	for _, published := range [][2]string{{"zone_record.create", "data.json"}, {"zone_record.update", "other.json"}, {"zone_record.update", "data.json"}, {"domain.create", "data.json"}} {
		if o := cli(t, "", g.env, "publish", "1010", published[0], "-d", published[1]); o.code != 0 {
			t.Fatal(o)
		}
	}
	block, text := "", ""
	for line := range strings.Lines(string(content)) {
		kind, fence := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "```")
		switch {
		case fence && kind == "":
			g.end(block, text)
			block, text = "", ""
		case fence:
			block = kind
		case block != "":
			text += line
		}
	}
	if g.commands < 12 {
		t.Errorf("%d commands found: the test reads the page wrongly", g.commands)
	}
}

type guide struct {
	t        *testing.T
	env      []string
	event    string // published last
	endpoint string // that it went to
	sub      string // created last
	version  string // it then had
	commands int
}

func (g *guide) file(name, text string) {
	g.t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

func (g *guide) end(block, text string) {
	kind, name, _ := strings.Cut(block, " ")
	switch kind {
	case "json", "yaml":
		g.file(name, text)
	case "console":
		for _, part := range strings.Split("\n"+text, "\n$ ")[1:] {
			command, want, _ := strings.Cut(part, "\n")
			g.run(command, strings.TrimSuffix(want, "\n"))
		}
	}
}

var shownSeq = regexp.MustCompile(`as of seq [0-9]+`)

var shownIDs = regexp.MustCompile(`\b(ep|sub|evu|dlv)_[0-9a-z]{20,}`)

func (g *guide) run(command, want string) {
	g.t.Helper()
	g.commands++
	args := shellWords(strings.NewReplacer("$EVENT", g.event, "$ENDPOINT", g.endpoint, "$SUBSCRIPTION", g.sub, "$VERSION", g.version, "https://example.com", "https://127.0.0.1:1").Replace(command))
	if args[0] != "hookline" {
		g.t.Errorf("%s: not a command of ours", command)
		return
	}
	o := cli(g.t, "", g.env, args[1:]...)
	got := strings.TrimSuffix(shownIDs.ReplaceAllString(o.out+o.err, "${1}_..."), "\n")
	got, want = shownSeq.ReplaceAllString(got, "as of seq N"), shownSeq.ReplaceAllString(want, "as of seq N")
	if after, ok := strings.CutPrefix(o.out, "published "); ok {
		g.event, _, _ = strings.Cut(after, " ")
		g.endpoint = after[strings.LastIndex(after, "ep_") : len(after)-1]
	}
	if args[1] == "subscriptions" && args[2] == "create" {
		g.sub = shownIDs.FindString(regexp.MustCompile(`sub_[0-9a-z]+`).FindString(o.out))
		g.version = regexp.MustCompile(`version +([0-9]+)`).FindStringSubmatch(o.out)[1]
	}
	if want != "" && got != want || want == "" && o.code != 0 {
		g.t.Errorf("%s\nsays (exit %d)\n%s\nthe guide says\n%s", command, o.code, got, want)
	}
}

// shellWords splits a command line at blanks outside of single quotes.
func shellWords(line string) []string {
	var words []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
			continue
		}
		words = append(words, strings.Fields(part)...)
	}
	return words
}
