package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hookline/hookline/engine"
)

// simulateBody is a filter to try on what was published.
type simulateBody struct {
	Tenant         engine.Optional[string]   `json:"tenant" doc:"whose events to look at; a key that is bound to a tenant may leave it out"`
	Filter         engine.Optional[string]   `json:"filter" doc:"the expression; left out: the subscription's own, or every event of the types"`
	EventTypes     engine.Optional[[]string] `json:"event_types" doc:"default the subscription's, or all"`
	Last           engine.Optional[int]      `json:"last" doc:"look at the newest so many events, 1 to 100000, default 1000"`
	From           engine.Optional[string]   `json:"from" doc:"instead of last: events recorded at or after this time, RFC 3339"`
	To             engine.Optional[string]   `json:"to" doc:"instead of last: events recorded before this time"`
	SubscriptionID engine.Optional[string]   `json:"subscription_id" doc:"compare with what this one has now"`
}

// Forms of the answer.
const (
	formJSON   = "application/json"
	formNDJSON = "application/x-ndjson"
	formSSE    = "text/event-stream"
)

func simulateOperations() []*operation {
	return []*operation{
		{method: http.MethodPost, path: "/v1/filters:simulate", id: "simulate-filter", tag: "Filters", status: 200, need: needRead, custom: true, endless: true,
			summary: "Try a filter on the events that were published, before it is saved", answer: engine.FilterSimulated{}, body: simulateBody{},
			doc: "It reads the log at most as fast as delivery leaves room for, and ends when the client goes away. With `Accept: application/x-ndjson` progress is " +
				"streamed, four lines a second, each `{\"progress\":{\"done\",\"total\",\"matched\",\"failed\"}}`, the last one `{\"result\":{...}}` with the answer, or " +
				"`{\"problem\":{...}}`; with `Accept: text/event-stream` the same as messages whose `event` is `progress`, `result` or `problem`. " +
				"At most 16 are taken at once (429).",
			handle: simulate},
	}
}

func (b *simulateBody) input(c *call) (in engine.SimulateInput, err error) {
	in = engine.SimulateInput{Tenant: b.Tenant.Value, Filter: b.Filter.Value, HasFilter: b.Filter.Set && !b.Filter.Null,
		SubscriptionID: b.SubscriptionID.Value, Last: b.Last.Value}
	if b.EventTypes.Set && !b.EventTypes.Null {
		in.EventTypes = append([]string{}, b.EventTypes.Value...)
	}
	if b.Last.Set && !b.Last.Null && in.Last == 0 {
		return in, engine.Invalid("last", "is 0, want 1 to %d events", engine.MaxSimulated)
	}
	for name, at := range map[string]struct {
		text engine.Optional[string]
		into *time.Time
	}{"from": {b.From, &in.From}, "to": {b.To, &in.To}} {
		if !at.text.Set || at.text.Null {
			continue
		}
		if *at.into, err = time.Parse(time.RFC3339Nano, at.text.Value); err != nil {
			return in, engine.Invalid(name, "%q is no RFC 3339 time, e.g. 2026-01-31T08:00:00Z", clip(at.text.Value))
		}
	}
	if c.who.Bound() {
		if in.Tenant != "" && in.Tenant != c.who.Tenant {
			return in, &engine.Error{Code: engine.CodeNotFound, Detail: fmt.Sprintf("no tenant %.64q here", in.Tenant)}
		}
		in.Tenant = c.who.Tenant
	}
	return in, nil
}

func simulate(c *call) error {
	var body simulateBody
	if err := c.decode(&body); err != nil {
		return err
	}
	in, err := body.input(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.r.Context())
	defer cancel()
	defer context.AfterFunc(c.life, cancel)() // a server that stops waits for nobody who only reads
	form := wantedForm(c.r.Header.Values("Accept"))
	if form == formJSON {
		return one(c)(c.svc.SimulateFilter(ctx, in))
	}
	w := &progressStream{form: form, http: c.w, control: http.NewResponseController(c.w), out: bufio.NewWriterSize(c.w, 16<<10)}
	in.Progress = func(p engine.SimulateProgress) error { return w.send("progress", p) }
	out, err := c.svc.SimulateFilter(ctx, in)
	switch {
	case err == nil:
		err = w.send("result", out)
	case w.begun && ctx.Err() == nil && !errors.Is(err, errClient):
		p, _ := problemOf(err)
		err = errors.Join(err, w.send("problem", p))
	}
	if !w.begun {
		return err
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, errClient) {
		c.log.Warn("api: a simulation ended", "error", err)
	}
	return nil
}

// wantedForm is the first of our forms that a client accepts.
func wantedForm(accept []string) string {
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, _, _ := strings.Cut(part, ";")
		switch form := strings.ToLower(strings.TrimSpace(name)); form {
		case formJSON, formNDJSON, formSSE:
			return form
		}
	}
	return formJSON
}

// progressStream writes named objects as lines or as server-sent events.
type progressStream struct {
	form    string
	http    http.ResponseWriter
	control *http.ResponseController
	out     *bufio.Writer
	line    bytes.Buffer
	begun   bool
}

func (w *progressStream) send(name string, v any) error {
	if !w.begun {
		h := w.http.Header()
		h.Set("Content-Type", w.form)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no")
		w.http.WriteHeader(http.StatusOK)
		w.begun = true
	}
	_ = w.control.SetWriteDeadline(time.Now().Add(streamPatience)) // where there is none, a client that hangs is the network's problem
	w.line.Reset()
	enc := json.NewEncoder(&w.line)
	enc.SetEscapeHTML(false)
	var err error
	if w.form == formNDJSON {
		err = enc.Encode(map[string]any{name: v})
	} else {
		w.line.WriteString("event: " + name + "\ndata: ")
		err = enc.Encode(v)
		w.line.WriteByte('\n')
	}
	if err != nil {
		return err
	}
	if _, err = w.out.Write(w.line.Bytes()); err == nil {
		if err = w.out.Flush(); err == nil {
			err = w.control.Flush()
		}
	}
	if err != nil {
		return errors.Join(errClient, err)
	}
	return nil
}
