package demo

import (
	"bufio"
	"embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

//go:embed events/osir.txt events/dnsimple.txt
var eventFiles embed.FS

// ErrCatalogue: a file of events that cannot be read. The message names the line and the fix.
var ErrCatalogue = errors.New("demo: catalogue")

// catalogue is what can happen at one profile's customers. It is immutable.
type catalogue struct {
	events []happening
	total  int // of the weights
	actor  []piece
}

type happening struct {
	eventType string
	weight    int
	data      []piece
}

// piece is text, or a value to draw: the words between < and >.
type piece struct {
	text string
	draw bool
}

func loadCatalogue(profile string) (*catalogue, error) {
	b, err := eventFiles.ReadFile("events/" + profile + ".txt")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCatalogue, err)
	}
	return parseCatalogue(string(b))
}

func parseCatalogue(text string) (*catalogue, error) {
	c := &catalogue{}
	lets := map[string]string{}
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 64<<10)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if err := c.line(line, lets); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrCatalogue, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCatalogue, err)
	}
	if len(c.events) == 0 {
		return nil, fmt.Errorf("%w: no events: want lines `weight type data`", ErrCatalogue)
	}
	if text, ok := lets["actor"]; ok {
		var err error
		if c.actor, err = parsePieces(text); err != nil {
			return nil, fmt.Errorf("%w: actor: %w", ErrCatalogue, err)
		}
	}
	return c, nil
}

func (c *catalogue) line(line string, lets map[string]string) error {
	if def, ok := strings.CutPrefix(line, "let "); ok {
		name, text, ok := strings.Cut(def, " = ")
		if !ok {
			return errors.New("want `let name = text`")
		}
		text, err := expand(text, lets) // now, so that no name can stand for itself
		lets[name] = text
		return err
	}
	f := strings.SplitN(line, " ", 3)
	if len(f) != 3 {
		return errors.New("want `weight type data`")
	}
	weight, err := strconv.Atoi(f[0])
	if err != nil || weight < 1 || weight > 1000 {
		return fmt.Errorf("weight %q: want 1 to 1000", f[0])
	}
	text, err := expand(f[2], lets)
	if err != nil {
		return err
	}
	data, err := parsePieces(text)
	if err != nil {
		return err
	}
	c.events = append(c.events, happening{eventType: f[1], weight: weight, data: data})
	c.total += weight
	return nil
}

// maxText bounds what a line may expand to, in bytes.
const maxText = 64 << 10

// expand puts in what <@name> stands for.
func expand(text string, lets map[string]string) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "<@")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, after, ok := strings.Cut(rest, ">")
		if !ok {
			return "", fmt.Errorf("<@%s: no > for this <", rest[:min(len(rest), 20)])
		}
		def, ok := lets[name]
		if !ok {
			return "", fmt.Errorf("<@%s>: no `let %s = ...` before it", name, name)
		}
		if b.Len()+len(def) > maxText {
			return "", fmt.Errorf("expands to more than %d bytes: shorten it", maxText)
		}
		b.WriteString(def)
		text = after
	}
}

// parsePieces splits text at its placeholders, which may stand inside a pick's choices.
func parsePieces(text string) ([]piece, error) {
	var out []piece
	for text != "" {
		open := strings.IndexByte(text, '<')
		if open < 0 {
			return append(out, piece{text: text}), nil
		}
		if open > 0 {
			out = append(out, piece{text: text[:open]})
		}
		end := closing(text[open:])
		if end < 0 {
			return nil, fmt.Errorf("%q: no > for this <", text[open:min(len(text), open+20)])
		}
		words := text[open+1 : open+end]
		text = text[open+end+1:]
		if err := checkWords(words); err != nil {
			return nil, err
		}
		out = append(out, piece{text: words, draw: true})
	}
	return out, nil
}

// closing finds the > of the < that text begins with.
func closing(text string) int {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '<':
			depth++
		case '>':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// pick draws one of the events by weight.
func (c *catalogue) pick(r *rand.Rand) *happening {
	n := r.IntN(c.total)
	for i := range c.events {
		if n -= c.events[i].weight; n < 0 {
			return &c.events[i]
		}
	}
	return &c.events[len(c.events)-1]
}

// drawing is one event under way: a placeholder means the same value wherever it stands in it.
type drawing struct {
	rnd     *rand.Rand
	now     time.Time
	account int
	drawn   map[string]string
}

func (d *drawing) render(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		if !p.draw {
			b.WriteString(p.text)
			continue
		}
		v, ok := d.drawn[p.text]
		if !ok {
			v = d.value(p.text)
			d.drawn[p.text] = v
		}
		b.WriteString(v)
	}
	return b.String()
}
