package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/cmd/hookline/filtertest"
	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/profile"
)

func filtersLintCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "lint [FILE...]", Short: "Look for likely mistakes in files of filters, or in all of a tenant's subscriptions", Args: cobra.ArbitraryArgs,
		Long: `Look for what is most likely a mistake: members that no event has, values of the wrong kind,
event types that do not exist, clauses that contradict each other or fail where a member is
missing. FILEs are files of filter tests (.yaml, .yml) or hold one filter each. With --tenant
the subscriptions of that tenant are looked at instead. Exit 1 if anything was found.`,
		Example: `  hookline filters lint filters/*.yaml zones.filter --profile dnsimple
  hookline filters lint --tenant acme`,
	}
	remoteFlags(cmd)
	cmd.Flags().String("profile", "", "`NAME` of a built-in profile, or a file of one; a test file's own goes first")
	cmd.Flags().String("tenant", "", "look at the subscriptions of this `TENANT`")
	cmd.RunE = func(cmd *cobra.Command, files []string) error {
		inJSON, err := wantsJSON(cmd)
		if err != nil {
			return err
		}
		found, err := lint(cmd, t, files)
		if err != nil {
			return err
		}
		if inJSON {
			err = t.showJSON(found)
		} else {
			for i := range found {
				t.say("%s: %s", found[i].Where, remarkText(&found[i].FilterRemark))
			}
			t.say("%d found", len(found))
		}
		if err == nil && len(found) > 0 {
			return errSilent{exitError}
		}
		return err
	}
	return cmd
}

// linted is what lint found in one filter.
type linted struct {
	Where string `json:"where"`
	engine.FilterRemark
}

func lint(cmd *cobra.Command, t *terminal, files []string) ([]linted, error) {
	found := []linted{}
	tenant, _ := cmd.Flags().GetString("tenant")
	switch {
	case tenant != "" && len(files) > 0:
		return nil, usagef("--tenant stands beside FILE: give one of them")
	case tenant != "":
		return lintTenant(cmd, t, tenant)
	case len(files) == 0:
		return nil, usagef("%s needs FILE, or --tenant", cmd.CommandPath())
	}
	var p *profile.Profile
	if name, _ := cmd.Flags().GetString("profile"); name != "" {
		var err error
		if p, err = profileOf(name); err != nil {
			return nil, err
		}
	}
	for _, name := range files {
		more, err := lintFile(name, p)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

func lintFile(name string, p *profile.Profile) (found []linted, err error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if ext := filepath.Ext(name); ext != ".yaml" && ext != ".yml" {
		return lintFilter(name, &engine.FilterInput{Filter: strings.TrimRight(string(raw), "\n")}, p)
	}
	suites, err := filtertest.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for i := range suites {
		s, of := &suites[i], p
		if s.Profile != "" {
			if of, err = profileOf(s.Profile); err != nil {
				return nil, fmt.Errorf("%s, line %d: %w", name, s.Line, err)
			}
		}
		more, err := lintFilter(fmt.Sprintf("%s, line %d", name, s.Line), &engine.FilterInput{Filter: s.Filter, EventTypes: s.EventTypes}, of)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

func lintFilter(where string, in *engine.FilterInput, p *profile.Profile) (found []linted, err error) {
	in.Strict = true
	c, err := engine.CheckFilter(in, p, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, plain(err))
	}
	for _, r := range c.Errors {
		found = append(found, linted{where, r})
	}
	return found, nil
}

// lintTenant checks every subscription of a tenant by its own catalogue.
func lintTenant(cmd *cobra.Command, t *terminal, tenant string) ([]linted, error) {
	found := []linted{}
	r, err := connect(cmd, t)
	if err != nil {
		return nil, err
	}
	for cursor := ""; ; {
		path := pathf("v1", "tenants", tenant, "subscriptions") + "?limit=250" + cursor
		answer, err := r.call(cmd.Context(), http.MethodGet, path, nil)
		if err != nil {
			return nil, err
		}
		var page engine.Page[engine.Subscription]
		if err := json.Unmarshal(answer, &page); err != nil {
			return nil, err
		}
		for _, s := range page.Data {
			src := "true"
			if s.Filter != nil {
				src = *s.Filter
			}
			var c engine.FilterChecked
			in := filterRequest{Filter: &src, Tenant: tenant, EventTypes: s.EventTypes, Strict: true}
			if err := askFilters(cmd, t, "check", in, &c); err != nil {
				return nil, err
			}
			for _, remark := range c.Errors {
				if s.Filter == nil && remark.Line > 0 { // about the "true" that stands for no filter
					continue
				}
				found = append(found, linted{s.ID, remark})
			}
		}
		if page.NextCursor == nil {
			return found, nil
		}
		cursor = "&cursor=" + *page.NextCursor
	}
}
