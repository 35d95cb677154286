// Package sink is a transport for operators: into a file, or to a command of this machine.
//
// A target is "file:NAME" or "command:NAME"; names are the settings' only, so a customer's endpoint reaches nothing else.
//
// A file gets a JSON line an attempt: at, event_id, headers, and body, or body_base64 where that is not UTF-8. Acknowledged means
// that the line is on disk (fsync, shared by those who wait). A line that was not written whole is cut off again; a crash may leave one.
//
// A command is started for each attempt, without a shell, with the body on its standard input and only HOOKLINE_EVENT_ID and
// HOOKLINE_HEADER_NAME (upper case, - as _) in its environment beside PATH. Exit code 0 is acknowledged, another rejected, with what
// it wrote as the response's body. At the timeout its whole process group is killed.
package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hookline/hookline/plugins/brokers"
	"github.com/hookline/hookline/plugins/sdk"
	"github.com/hookline/hookline/transports"
)

// Settings configure the transport.
type Settings struct {
	Files    map[string]string   `json:"files,omitempty"`    // name to path, absolute
	Commands map[string][]string `json:"commands,omitempty"` // name to program (absolute) and arguments
}

// Schema is the JSON Schema of Settings.
func Schema() json.RawMessage {
	return json.RawMessage(`{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "files": {"type": "object", "additionalProperties": {"type": "string", "pattern": "^/"}, "description": "name to the path of a file that lines are appended to"},
    "commands": {"type": "object", "additionalProperties": {"type": "array", "minItems": 1, "items": {"type": "string"}}, "description": "name to program, by its path, and arguments"}
  }
}`)
}

// Plugin is the transport as a plugin. Commands are processes, so fewer attempts than elsewhere run at once.
func Plugin(version string) sdk.Plugin {
	return sdk.Plugin{Name: "sink", Version: version, ConfigSchema: Schema(), New: New, MaxInFlight: 256}
}

// Transport writes to files and commands.
type Transport struct {
	attempts brokers.Attempts
	files    map[string]*appender
	commands map[string][]string
}

var (
	_ transports.Transport = (*Transport)(nil)
	_ io.Closer            = (*Transport)(nil)
)

// New has the shape of sdk.Plugin's New. Files are opened at once.
func New(settings json.RawMessage) (transports.Transport, error) {
	var s Settings
	if err := brokers.Decode(settings, &s); err != nil {
		return nil, err
	}
	if len(s.Files)+len(s.Commands) == 0 {
		return nil, errors.New("settings: files and commands are empty: name at least one of either")
	}
	t := &Transport{files: map[string]*appender{}, commands: s.Commands}
	t.attempts.Judge = judge
	for name, argv := range s.Commands {
		if len(argv) == 0 || !filepath.IsAbs(argv[0]) {
			return nil, fmt.Errorf("settings: commands.%s: name the program by its whole path", name)
		}
		if _, err := os.Stat(argv[0]); err != nil {
			return nil, fmt.Errorf("settings: commands.%s: %w", name, err)
		}
	}
	for name, path := range s.Files {
		if !filepath.IsAbs(path) {
			return nil, errors.Join(fmt.Errorf("settings: files.%s is %q: give the whole path", name, path), t.Close())
		}
		a, err := openAppender(path)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("settings: files.%s: %w", name, err), t.Close())
		}
		t.files[name] = a
	}
	return t, nil
}

// Close closes the files.
func (t *Transport) Close() error {
	t.attempts.Wait()
	var err error
	for _, a := range t.files {
		err = errors.Join(err, a.close())
	}
	return err
}

// Deliver implements transports.Transport.
func (t *Transport) Deliver(ctx context.Context, req *transports.Request) (transports.Result, error) {
	kind, name, _ := strings.Cut(req.Target, ":")
	if file, ok := t.files[name]; ok && kind == "file" {
		text, err := line(req)
		return t.attempts.RunAside(ctx, req, func(context.Context) error {
			if err == nil {
				err = file.append(text)
			}
			if err != nil {
				return brokers.Ours(err) // the disk is the operator's
			}
			return nil
		})
	}
	if argv, ok := t.commands[name]; ok && kind == "command" {
		var said []byte
		res, err := t.attempts.Run(ctx, req, func(ctx context.Context) (err error) {
			said, err = run(ctx, argv, req)
			return err
		})
		if err == nil {
			res.Truncated = len(said) > transports.MaxResponseBody
			res.Body = said[:min(len(said), transports.MaxResponseBody)]
		}
		return res, err
	}
	return t.attempts.Run(ctx, req, func(context.Context) error {
		return fmt.Errorf("%w: %q names no file: or command: of the settings", brokers.ErrTarget, req.Target)
	})
}

func judge(err error) (transports.Outcome, transports.ErrorKind) {
	if errors.Is(err, errExit) {
		return transports.Rejected, transports.KindStatus
	}
	return 0, ""
}
