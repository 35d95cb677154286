package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hookline/hookline/engine"
)

// Bounds of streams.
const (
	maxStreams      = 100              // open at the same time
	streamPatience  = 30 * time.Second // that a client may take to read what was written
	streamDeadlines = 5 * time.Second  // how often that is looked after
)

func streamOperations() []*operation {
	return []*operation{
		{method: http.MethodGet, path: "/v1/stream", id: "stream-records", tag: "System", status: 200, custom: true, need: needRead, endless: true,
			summary: "Records as they become durable (server-sent events)",
			doc: "Each message's `id` is the record's seq, its `data` a JSON object with seq, time, type, tenant and data. A message without data moves `Last-Event-ID` " +
				"over records that were not selected; a client that comes back with it goes on without a gap and without a duplicate. Without it the stream begins at the head. " +
				"What is sealed is not shown. A key that is bound to a tenant sees that tenant's records.",
			query: []parameter{
				{name: "after", doc: "begin behind this seq instead of at the head; 0 = from the first record", number: true},
				{name: "tenant", doc: "only this tenant's"},
				{name: "type", doc: "only records of this type, e.g. attempt.finished"},
			},
			handle: stream},
	}
}

func stream(c *call) error {
	in, err := c.streamInput()
	if err != nil {
		return err
	}
	if n := c.streams.Add(1); n > maxStreams {
		c.streams.Add(-1)
		return &engine.Error{Code: engine.CodeRateLimited, Detail: "there are " + strconv.Itoa(maxStreams) + " streams open: close one, or try later"}
	}
	defer c.streams.Add(-1)
	ctx, cancel := context.WithCancel(c.r.Context())
	defer cancel()
	defer context.AfterFunc(c.life, cancel)() // a server that stops does not wait for those who only listen

	w := &eventStream{http: c.w, control: http.NewResponseController(c.w), out: bufio.NewWriterSize(c.w, 16<<10)}
	err = c.svc.Stream(ctx, in, w.emit)
	if !w.begun {
		return err
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, errClient) {
		c.log.Warn("api: a stream ended", "error", err)
	}
	return nil // the client comes back with the id of what it saw last
}

func (c *call) streamInput() (in engine.StreamInput, err error) {
	in.Tenant, in.Type = c.values["tenant"], c.values["type"]
	if c.who.Bound() {
		if in.Tenant != "" && in.Tenant != c.who.Tenant {
			return in, &engine.Error{Code: engine.CodeNotFound, Detail: "no tenant " + strconv.Quote(in.Tenant) + " here"}
		}
		in.Tenant = c.who.Tenant
	}
	if known := engine.RecordTypes(); in.Type != "" && !slices.Contains(known, in.Type) {
		return in, engine.Invalid("type", "%s", unknownName("type of record", in.Type, known))
	}
	name, text := "Last-Event-ID", c.r.Header.Get("Last-Event-ID")
	if after, ok := c.values["after"]; text == "" && ok {
		name, text = "after", after
	}
	if text == "" {
		in.After = c.svc.HeadSeq()
		return in, nil
	}
	if in.After, err = strconv.ParseUint(text, 10, 64); err != nil {
		return in, engine.Invalid(name, "%q is no seq: want a whole number, 0 or more", clip(text))
	}
	return in, nil
}

// errClient: whoever listened does not read any more.
var errClient = errors.New("api: the client is gone")

// eventStream writes server-sent events.
type eventStream struct {
	http     http.ResponseWriter
	control  *http.ResponseController
	out      *bufio.Writer
	line     bytes.Buffer
	begun    bool
	deadline time.Time // of the last one set
}

// begin sends the head of the answer: before the first record, so that a client knows that it is heard.
func (w *eventStream) begin() {
	h := w.http.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold messages back
	w.http.WriteHeader(http.StatusOK)
	w.begun = true
}

func (w *eventStream) emit(r *engine.StreamRecord, upTo uint64) error {
	if !w.begun {
		w.begin()
	}
	if now := time.Now(); now.Sub(w.deadline) > streamDeadlines {
		w.deadline = now
		_ = w.control.SetWriteDeadline(now.Add(streamPatience)) // where there is none, a client that hangs is the network's problem
	}
	w.line.Reset()
	w.line.WriteString("id: ")
	w.line.WriteString(strconv.FormatUint(upTo, 10))
	if r != nil {
		w.line.WriteString("\ndata: ")
		enc := json.NewEncoder(&w.line) // one line: JSON has no raw newline
		enc.SetEscapeHTML(false)
		if err := enc.Encode(r); err != nil {
			return err
		}
	} else {
		w.line.WriteByte('\n')
	}
	w.line.WriteByte('\n')
	_, err := w.out.Write(w.line.Bytes())
	if err == nil && r == nil {
		if err = w.out.Flush(); err == nil {
			err = w.control.Flush()
		}
	}
	if err != nil {
		return errors.Join(errClient, err)
	}
	return nil
}
