package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/filters"
	"github.com/hookline/hookline/filters/matchers"
)

func filtersFmtCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "fmt [FILTER]", Short: "Write a filter in the one way, with the same meaning", Args: atMost(1),
		Long: `Write a filter in the one way: and, or, not as words, single spaces, no brackets that say
nothing, clauses on lines of their own where a line would be long. A filter with comments is
left as it is.`,
		Example: `  hookline filters fmt 'data["zone"].name=="example.com"&&!data.archived'
  hookline filters fmt -f zones.filter --write`,
	}
	fileFlag(cmd)
	cmd.Flags().BoolP("write", "w", false, "write the file that -f names anew instead of printing it")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		src, err := filterText(cmd, t, args)
		if err != nil {
			return err
		}
		file, _ := cmd.Flags().GetString("file")
		write, _ := cmd.Flags().GetBool("write")
		if write && (file == "" || file == "-") {
			return usagef("--write needs -f FILE")
		}
		text, err := filters.Format(src)
		if errors.Is(err, filters.ErrComments) {
			text, err = src, nil
			t.warn("it has comments: left as it is")
		}
		if err != nil {
			return err
		}
		if !write {
			t.say("%s", text)
			return nil
		}
		if text == src {
			return nil
		}
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		return os.WriteFile(file, []byte(text+"\n"), info.Mode().Perm())
	}
	return cmd
}

func filtersImportCommand(t *terminal) *cobra.Command {
	systems := map[string]func([]byte) (matchers.Imported, error){"convoy": matchers.Convoy, "outpost": matchers.Outpost}
	cmd := &cobra.Command{
		Use: "import convoy|outpost FILE", Short: "Carry over the JSON matcher of another system", Args: exactly("SYSTEM", "FILE"),
		Long: `Carry over the JSON matcher of a Convoy subscription or an Outpost destination: the matcher
alone, or the object that holds it with its event types or topics. The filter goes to standard
output, what to look at to standard error. A condition that has no counterpart is named, and the
exit code is 1; with --partial the filter without it is printed all the same, which takes other
events than before.`,
		Example: `  hookline filters import outpost destination.json
  hookline filters import convoy - < subscription.json`,
	}
	outputFlag(cmd)
	cmd.Flags().Bool("partial", false, "print the filter though conditions were left out")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		carry := systems[args[0]]
		if carry == nil {
			return usagef("%q is neither convoy nor outpost", args[0])
		}
		inJSON, err := wantsJSON(cmd)
		if err != nil {
			return err
		}
		raw, err := readInput(t, args[1])
		if err != nil {
			return err
		}
		in, err := carry(raw)
		if err != nil {
			return err
		}
		partial, _ := cmd.Flags().GetBool("partial")
		return t.imported(in, partial, inJSON)
	}
	return cmd
}

func (t *terminal) imported(in matchers.Imported, partial, inJSON bool) error {
	show := !in.Lost || partial
	if inJSON {
		notes := []map[string]any{}
		for _, n := range in.Notes {
			notes = append(notes, map[string]any{"at": n.At, "message": n.Message, "lost": n.Lost})
		}
		if err := t.showJSON(map[string]any{"filter": in.Filter, "event_types": in.EventTypes, "lost": in.Lost, "notes": notes}); err != nil {
			return err
		}
	} else {
		if in.EventTypes != nil {
			fmt.Fprintf(t.err, "event types: %s\n", printable(strings.Join(in.EventTypes, ",")))
		}
		for _, n := range in.Notes {
			word := "note"
			if n.Lost {
				word = "LOST"
			}
			fmt.Fprintf(t.err, "%s: %s\n", word, printable(n.String()))
		}
		switch {
		case show && in.Filter == "":
			fmt.Fprintln(t.err, "no filter is needed: it takes every event of its types")
		case show:
			t.say("%s", in.Filter)
		}
	}
	if in.Lost {
		return errSilent{exitError}
	}
	return nil
}
