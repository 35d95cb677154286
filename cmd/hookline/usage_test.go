package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/cmd/hookline/config"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/pebblelog"
)

// Exit codes of API.md.
func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{fmt.Errorf("log: %w", eventlog.ErrInUse), 1},
		{usagef("x"), 2},
		{fmt.Errorf("%w: x", config.ErrConfig), 2},
		{fmt.Errorf("log: %w", &eventlog.CorruptError{First: 1}), 3},
		{fmt.Errorf("log: %w", pebblelog.ErrDisk), 4},
		{errors.Join(nil, fmt.Errorf("engine: %w", eventlog.ErrFenced)), 5},
	} {
		if got := exitCode(c.err); got != c.code {
			t.Errorf("%v: %d, want %d", c.err, got, c.code)
		}
	}
}

// Wrong usage ends with 2, says what is wrong and, where it can, what was meant.
func TestUsage(t *testing.T) {
	dir := t.TempDir()
	key := []string{"HOOKLINE_ADMIN_KEY=k"}
	for _, c := range []struct {
		args string
		env  []string
		code int
		say  string
	}{
		{"serv", nil, 2, "did you mean serve?"},
		{"xyzzy", nil, 2, "known are attempts, audit"},
		{"serve --listn x", nil, 2, "did you mean --listen?"},
		{"serve", nil, 2, "--data is missing"},
		{"serve extra --data d", nil, 2, `no argument "extra"`},
		{"serve --data " + dir + " --clock sundial", nil, 2, "neither real nor manual"},
		{"log cat --after x --data d", nil, 2, `invalid argument "x" for "--after" flag: want a whole number of zero or more` + "\n"},
		{"publish acme a.b --payload=maybe -d -", nil, 2, "want true or false\n"},
		{"log stats --data d", nil, 2, "did you mean stat?"},
		{"log stat", nil, 2, "--data is missing"},
		{"log stat --data " + dir + "/none", nil, 1, "no such file"},
		{"log stat --data " + dir, nil, 1, "holds no log"},
		{"log stat -o xml --data " + dir, nil, 2, "neither table nor json"},
		{"log backup --data " + dir, nil, 2, "--to is missing"},
		{"log backup --to x --data " + dir, nil, 1, "holds no log"},
		{"log restore --data " + dir, nil, 2, "--from is missing"},
		{"log restore --as-of yesterday --from x --data " + dir, nil, 2, "neither a seq"},
		{"log restore --list --from " + dir, nil, 1, "holds none"},
		{"log export x", nil, 2, "takes no argument"},
		{"log import --data " + dir, nil, 2, "--from and --keyring"},
		{"log salvage --data " + dir, nil, 2, "--to is missing"},
		{"log salvage --to x --data " + dir, nil, 1, "holds no log"},
		{"plugins init X", nil, 2, "want a lower-case letter"},
		{"plugins init x --lang cobol", nil, 2, "want go or node"},
		{"plugins verify", nil, 2, "needs FILE"},
		{"plugins verify " + dir + "/none", nil, 1, "no such file"},
		{"plugins verify x --settings {", nil, 2, "--settings is not JSON"},
		{"plugins install " + dir, nil, 2, "--data is missing"},
		{"plugins install --data " + dir + " " + dir, nil, 1, "no regular file"},
		{"plugins rm x --data " + dir, nil, 1, "no such plugin"},
		{"plugins run x y", nil, 2, "-d is missing"},
		{"tenants", nil, 0, "hookline tenants create"},
		{"tenants lst", key, 2, "did you mean list?"},
		{"tenants get", key, 2, "needs TENANT"},
		{"tenants get a b", key, 2, `no argument "b"`},
		{"tenants get a", nil, 2, "HOOKLINE_ADMIN_KEY"},
		{"tenants get a --server localhost", key, 2, "is no address"},
		{"tenants get a -o xml", key, 2, "neither table nor json"},
		{"endpoints create acme", key, 2, "--url is missing"},
		{"tenants create --profile osir --attributes {", key, 2, "--attributes is not JSON"},
		{"tenants update a", key, 2, "nothing to change"},
		{"endpoints update a e --unset timeuot", key, 2, "no such field"},
		{"endpoints list a --limit 0", key, 2, "1 or more"},
		{"publish a b", key, 2, "-d is missing"},
		{"publish a", key, 2, "needs TYPE"},
		{"publish a b -d /nonexistent", key, 1, "no such file"},
		{"plugin https", nil, 2, "not by hand"},
		{"bench --rows nothing", nil, 2, "nothing"},
		{"dev --listen 127.0.0.1:0 --data " + dir + "/dev", nil, 2, "stays the same"},
		{"version", nil, 0, "hookline "},
		{"--version", nil, 0, "hookline "},
		{"help log", nil, 0, "Exit codes"},
	} {
		got := cli(t, "", c.env, strings.Fields(c.args)...)
		if got.code != c.code || !strings.Contains(got.out+got.err, c.say) {
			t.Errorf("hookline %s: exit %d, want %d and %q:\n%s%s", c.args, got.code, c.code, c.say, got.out, got.err)
		}
		if got.code != 0 && got.out != "" {
			t.Errorf("hookline %s: an error on standard output: %s", c.args, got.out)
		}
	}
}

// Every command says what it does; every group and every command with arguments of its own shows an example.
func TestHelp(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Short == "" {
			t.Errorf("%s has no short help", c.CommandPath())
		}
		if c.HasParent() && !c.Parent().HasParent() && !c.Hidden && c.Name() != "version" && c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(&terminal{}))
}
