package main

import (
	"encoding/json"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/engine/api"
)

// documented is what this test reads of the OpenAPI document.
type documented struct {
	Paths map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Tags        []string
		Parameters  []struct{ Name, In string }
		RequestBody *struct {
			Content map[string]struct {
				Schema struct {
					Properties map[string]any
				}
			}
		}
	}
}

// Every operation on tenants and what they own has a command, with a flag for each field of its body and each parameter
// of its query: what the API learns, the command line does too.
func TestEveryOperationHasACommand(t *testing.T) {
	face, err := api.New(api.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	face.ServeHTTP(w, httptest.NewRequest("GET", "/openapi.json", nil))
	var doc documented
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	commands := map[string]*cobra.Command{}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if call := c.Annotations[callNote]; call != "" {
			commands[call] = c
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(&terminal{}))

	tags := []string{"Tenants", "Endpoints", "Subscriptions", "Events", "Deliveries", "Attempts"}
	place := regexp.MustCompile(`\{(\w+)\}`)
	found := 0
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if len(op.Tags) != 1 || !slices.Contains(tags, op.Tags[0]) || op.OperationID == "publish-event" || op.OperationID == "publish-batch" {
				continue // publish is a command of its own
			}
			call := strings.ToUpper(method) + " " + place.ReplaceAllStringFunc(path, func(s string) string { return strings.ToUpper(s[1 : len(s)-1]) })
			cmd := commands[call]
			if cmd == nil {
				t.Errorf("%s (%s) has no command: add a line to objects.go", call, op.OperationID)
				continue
			}
			found++
			for _, name := range inputs(doc, path, method) {
				if cmd.Flags().Lookup(strings.ReplaceAll(name, "_", "-")) == nil {
					t.Errorf("%s has no flag for %s of %s: add it in objects.go", cmd.CommandPath(), name, op.OperationID)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d operations found: the document has changed its tags", found)
	}
}

// inputs are the fields of an operation's body and the parameters of its query; a list's paging is --limit and --all.
func inputs(doc documented, path, method string) []string {
	op := doc.Paths[path][method]
	var names []string
	for _, p := range op.Parameters {
		if p.In == "query" && p.Name != "cursor" {
			names = append(names, p.Name)
		}
	}
	if op.RequestBody != nil {
		for name := range op.RequestBody.Content["application/json"].Schema.Properties {
			names = append(names, name)
		}
	}
	return names
}
