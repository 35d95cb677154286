package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

func proveCommand(t *terminal) *cobra.Command {
	cmd := listlessCommand(t, "prove", []string{"TENANT", "ATTEMPT"}, oneThing("attempts", "/proof"))
	cmd.Short = "Prove that an attempt is recorded"
	cmd.Long = `Prove that an attempt is recorded: the answer holds the record's facts, the hashes from it to
a signed checkpoint, and can be checked without the log: hookline log check-proof.
--to proves to a checkpoint that was noted before (hookline log checkpoint), else to the end of
the attempt's own batch.`
	cmd.Example = "  hookline attempts prove acme att_1 -o json > proof.json"
	return cmd
}

// listlessCommand is a GET with the query --to.
func listlessCommand(t *terminal, use string, args []string, path func([]string) string) *cobra.Command {
	cmd := &cobra.Command{Use: use + places(args), Args: exactly(args...), Annotations: calls(get, path, args)}
	cmd.Flags().Uint64("to", 0, "the `SEQ` of a checkpoint")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		r, err := connect(cmd, t)
		if err != nil {
			return err
		}
		at := path(given)
		if to, _ := cmd.Flags().GetUint64("to"); to != 0 {
			at += fmt.Sprintf("?to=%d", to)
		}
		answer, err := r.call(cmd.Context(), get, at, nil)
		if err != nil {
			return err
		}
		return r.show(answer)
	}
	return cmd
}

func logCheckpointCommand(t *terminal) *cobra.Command {
	cmd := callCommand{use: "checkpoint", short: "Show a running server's head, signed", method: get,
		path: func([]string) string { return "/v1/log/checkpoint" }}.command(t)
	cmd.Long = `Show the end of a running server's log, signed (ed25519). Who keeps it can have it proved later
that an attempt was recorded by then, and that the log was not written anew since. The public
key is the same for the life of the log: keep it apart from the server.`
	cmd.Example = "  hookline log checkpoint -o json >> checkpoints.ndjson"
	remoteFlags(cmd)
	return cmd
}

func logCheckProofCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use: "check-proof FILE", Short: "Check a proof of hookline attempts prove, without log or server", Args: exactly("FILE"),
		Long: `Check a proof: the hashes lead from the record to the checkpoint, and the checkpoint is signed
with the public key, which you have from elsewhere. Exit code 1 when it does not hold.`,
		Example: "  hookline log check-proof proof.json --public-key MCowBQ...",
	}
	cmd.Flags().String("public-key", "", "the log's public `KEY`, base64, as hookline log checkpoint shows it")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		text, _ := cmd.Flags().GetString("public-key")
		public, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(public) != ed25519.PublicKeySize {
			return usagef("--public-key is missing or no ed25519 key: want %d bytes in base64", ed25519.PublicKeySize)
		}
		p, err := readProof(args[0])
		if err != nil {
			return err
		}
		if err := p.Check(public); err != nil {
			return err
		}
		// What the proof says of itself is not covered by it: the facts are read anew.
		typ := eventlog.Type(p.Record.Type)
		shown, err := record.Show(&eventlog.Record{Type: typ, Facts: p.Record.Facts}, nil)
		if err != nil {
			return err
		}
		facts, err := json.Marshal(shown)
		if err != nil {
			return err
		}
		t.say("ok: %s of tenant %s at %s is seq %d of the log that was signed at seq %d, %s", typeName(typ), p.Record.Tenant,
			stamp(p.Record.TimeMS), p.Record.Seq, p.Checkpoint.Seq, stamp(p.Checkpoint.TimeMS))
		t.say("%s", facts)
		return nil
	}
	return cmd
}

// maxProof bounds a proof's file.
const maxProof = 64 << 20

func readProof(path string) (*engine.RecordProof, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := &engine.RecordProof{}
	if err := json.NewDecoder(io.LimitReader(f, maxProof)).Decode(p); err != nil {
		return nil, fmt.Errorf("%s is no proof: %w", path, err)
	}
	return p, nil
}
