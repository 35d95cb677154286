package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/cmd/hookline/config"
	"github.com/hookline/hookline/cmd/hookline/profiledir"
	"github.com/hookline/hookline/engine/profile"
)

const profilesLong = `Write and check profiles: a provider's rules as a YAML file.

A profile says which event types there are, how a body and its headers are made and
signed, which answer acknowledges a delivery, when it is attempted again, and what
becomes of an endpoint that fails. These commands need no server.`

func profilesCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "profiles", Short: "Write and check profiles of your own", Long: profilesLong, RunE: group,
		Example: `  hookline profiles init acme            # writes acme.yaml, commented, ready to be changed
  hookline profiles lint acme.yaml       # exit 1 and every mistake, or nothing
  hookline serve --data ./data --profiles .
  hookline profiles show stripe          # a built-in one, as an example`,
	}
	initialise := &cobra.Command{Use: "init NAME", Short: "Write a commented profile to start from", Args: exactly("NAME"),
		Long: "Write NAME.yaml, a commented profile that lints clean, into the current directory (or --dir). An existing file is\nnever overwritten.",
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, _ := cmd.Flags().GetString("dir")
			return initProfile(t, dir, args[0])
		}}
	initialise.Flags().String("dir", ".", "write into this `DIR`")
	cmd.AddCommand(initialise,
		&cobra.Command{Use: "lint FILE...", Short: "Tell every mistake in profiles; exit 1 if there is one", RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("hookline profiles lint needs FILE...")
			}
			return lintProfiles(t, args)
		}},
		&cobra.Command{Use: "show NAME", Short: "Print a built-in profile", Args: exactly("NAME"), RunE: func(_ *cobra.Command, args []string) error {
			for _, p := range profile.Builtin() {
				if p.Name == args[0] {
					_, err := t.out.Write(p.Content)
					return err
				}
			}
			return usagef("no built-in profile %q: there are %s", args[0], strings.Join(builtinProfiles(), ", "))
		}})
	return cmd
}

func builtinProfiles() []string {
	var names []string
	for _, p := range profile.Builtin() {
		names = append(names, p.Name)
	}
	return names
}

func initProfile(t *terminal, dir, name string) error {
	content, err := profile.Start(name)
	if err != nil {
		return &usageError{err}
	}
	path := filepath.Join(dir, name+".yaml")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: remove it, or choose another name", path)
	} else if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	t.say("wrote %s: change it, then `hookline profiles lint %s`", path, path)
	return nil
}

// lintProfiles reads every file, and tells what is wrong in each: as a server would that starts with them.
func lintProfiles(t *terminal, files []string) error {
	taken := map[string]string{}
	for _, name := range builtinProfiles() {
		taken[name] = "built in"
	}
	bad := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		p, err := profile.Lint(file, content)
		switch {
		case err == nil && taken[p.Name] != "":
			err = &profile.Error{File: file, Field: "name", Message: fmt.Sprintf("%s is taken (%s); choose another", p.Name, taken[p.Name])}
		case err == nil:
			taken[p.Name] = file
			continue
		}
		bad++
		fmt.Fprintln(t.out, err)
	}
	if bad > 0 {
		return errSilent{exitError}
	}
	return nil
}

// openProfiles reads the provider's own profiles; nil where there is no directory of them.
func openProfiles(cfg *config.Config, logger *slog.Logger) (*profiledir.Dir, error) {
	if cfg.Profiles == "" {
		return nil, nil
	}
	dir, err := profiledir.Open(cfg.Profiles, logger)
	if err != nil {
		return nil, fmt.Errorf("%w: --profiles %s: %w", config.ErrConfig, cfg.Profiles, err)
	}
	return dir, nil
}

// followProfiles takes changes of the directory into use until the assembly is closed. SIGHUP asks for a look at once.
func (a *assembly) followProfiles() {
	if a.profiles == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	hup, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hup, syscall.SIGHUP)
	go func() {
		defer close(done)
		a.profiles.Follow(ctx, a.engine, hup)
	}()
	a.closers = append(a.closers, func() error {
		signal.Stop(hup)
		cancel()
		<-done
		return nil
	})
}
