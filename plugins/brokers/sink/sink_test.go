package sink_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/plugins/brokers/brokertest"
	"github.com/hookline/hookline/plugins/brokers/sink"
	"github.com/hookline/hookline/plugins/plugintest"
	"github.com/hookline/hookline/transports"
)

func TestMain(m *testing.M) {
	plugintest.Main(sink.Plugin("1.0.0"))
	os.Exit(m.Run())
}

func broker(tb testing.TB) brokertest.Broker {
	path := filepath.Join(tb.TempDir(), "events.jsonl")
	return brokertest.Broker{
		Plugin: sink.Plugin("1.0.0"), Settings: fmt.Sprintf(`{"files":{"events":%q},"commands":{"no":["/bin/sh","-c","exit 3"]}}`, path),
		Target: "file:events", Rejected: []string{"command:no"}, Forbidden: "file:" + path,
		Read: func(t *testing.T) []brokertest.Message {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var all []brokertest.Message
			for _, text := range bytes.Split(bytes.TrimSuffix(raw, []byte("\n")), []byte("\n")) {
				var l struct {
					EventID    string `json:"event_id"`
					Headers    map[string]string
					Body       string
					BodyBase64 string `json:"body_base64"`
				}
				if err := json.Unmarshal(text, &l); err != nil {
					t.Fatal(err)
				}
				m := brokertest.Message{ID: l.EventID, Headers: l.Headers, Body: []byte(l.Body)}
				if l.BodyBase64 != "" {
					if m.Body, err = base64.StdEncoding.DecodeString(l.BodyBase64); err != nil {
						t.Fatal(err)
					}
				}
				all = append(all, m)
			}
			return all
		},
	}
}

func TestFile(t *testing.T) { brokertest.Run(t, broker(t)) }

// A command gets body, id and headers and nothing else; its exit code is the answer, its output the response.
func TestCommand(t *testing.T) {
	for name, c := range map[string]struct {
		script  string
		outcome transports.Outcome
		body    string
	}{
		"yes":       {`cat; echo "$HOOKLINE_EVENT_ID $HOOKLINE_HEADER_X_SIGNATURE $HOME"`, transports.Acknowledged, "{}evt_1 abc \n"},
		"no":        {`echo bad >&2; exit 1`, transports.Rejected, "bad\n"},
		"killed":    {`kill -9 $$`, transports.Rejected, ""},
		"unread":    {`exit 0`, transports.Acknowledged, ""},
		"hangs":     {`echo begun; sleep 60 & sleep 60`, transports.TimedOut, "begun\n"},
		"talkative": {`head -c 100000 /dev/zero | tr '\0' x`, transports.Acknowledged, strings.Repeat("x", transports.MaxResponseBody)},
	} {
		t.Run(name, func(t *testing.T) {
			settings, err := json.Marshal(sink.Settings{Commands: map[string][]string{"c": {"/bin/sh", "-c", c.script}}})
			if err != nil {
				t.Fatal(err)
			}
			tr, err := sink.New(settings)
			if err != nil {
				t.Fatal(err)
			}
			defer tr.(*sink.Transport).Close()
			req := &transports.Request{Target: "command:c", EventID: "evt_1", Body: []byte("{}"), Timeout: 10 * time.Second, Headers: []transports.Header{{Name: "x-signature", Value: "abc"}}}
			if name == "hangs" {
				req.Timeout = 500 * time.Millisecond
			}
			res, err := tr.Deliver(t.Context(), req)
			if err != nil || res.Outcome != c.outcome || string(res.Body) != c.body || res.Truncated != (name == "talkative") {
				t.Errorf("%v %s %.100q truncated %t, error %q, %v", res.Outcome, res.Kind, res.Body, res.Truncated, res.Error, err)
			}
		})
	}
}

// A file that cannot be opened, a relative path, a program that is not there: refused at once.
func TestBadSettings(t *testing.T) {
	for _, bad := range []string{`{"files":{"a":"relative"}}`, `{"files":{"a":"/no/such/folder/x"}}`, `{"commands":{"a":[]}}`, `{"commands":{"a":["sh"]}}`, `{"commands":{"a":["/no/such/program"]}}`} {
		if _, err := sink.New(json.RawMessage(bad)); err == nil {
			t.Errorf("taken: %s", bad)
		}
	}
}

func BenchmarkFile(b *testing.B) { brokertest.Bench(b, broker(b)) }
