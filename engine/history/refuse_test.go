package history

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/memlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// TestQueriesRefuse: what cannot be answered is an error, not an empty list.
func TestQueriesRefuse(t *testing.T) {
	h := openSmall(t, smallLog(t))
	for name, c := range map[string]struct {
		page Page
		want error
		text string
	}{
		"limit":                    {Page{Limit: -1}, nil, "Page.Limit is -1"},
		"position of another list": {Page{After: newPosition(positionEvents, record.Ref{Seq: 4})}, ErrPosition, ""},
		"position of nothing":      {Page{After: newPosition(positionDeliveries, record.Ref{})}, ErrPosition, ""},
		"garbage position":         {Page{After: Position("?")}, ErrPosition, ""},
		"beyond what is applied":   {Page{AsOf: 14}, ErrBehind, "AsOf is 14, applied are 13"},
	} {
		_, _, err := h.Deliveries(t.Context(), DeliveryQuery{Tenant: "ten", Page: c.page})
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestQueriesEndWithTheirContext: a long walk stops when nobody waits for it.
func TestQueriesEndWithTheirContext(t *testing.T) {
	log := benchLog(t, 2*checkEvery, 1, false)
	h := openSmall(t, log)
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, _, err := h.Events(ctx, EventQuery{Tenant: "tenant-one", Type: "none"}); !errors.Is(err, why) {
		t.Errorf("events: %v", err)
	}
	for _, endpoint := range []eventlog.Seq{0, 2} {
		q := DeliveryQuery{Tenant: "tenant-one", Endpoint: endpoint, Type: "none"}
		if _, _, err := h.Deliveries(ctx, q); !errors.Is(err, why) {
			t.Errorf("deliveries of %d: %v", endpoint, err)
		}
		q.Type, q.Status = "", []record.Status{record.Pending, record.Exhausted}
		if _, _, err := h.Deliveries(ctx, q); !errors.Is(err, why) {
			t.Errorf("deliveries of %d by status: %v", endpoint, err)
		}
		if err := h.EachAttempt(ctx, AttemptQuery{Tenant: "tenant-one", Endpoint: endpoint}, func(AttemptRow) bool { return true }); !errors.Is(err, why) {
			t.Errorf("attempts of %d: %v", endpoint, err)
		}
	}
	if _, _, err := h.Digest(ctx); !errors.Is(err, why) {
		t.Errorf("digest: %v", err)
	}
}

// TestMalformedFacts: facts that this build cannot read stop the view, named; nothing is guessed.
func TestMalformedFacts(t *testing.T) {
	for _, typ := range []eventlog.Type{record.TypeEventPublished, record.TypeAttemptFinished, record.TypeEndpointTested,
		record.TypeAttemptInterrupted, record.TypeDeliveryCreated, record.TypeDeliverySkipped, record.TypeDeliveryCanceled,
		record.TypeDeliveryReleased} {
		log := memlog.New(memlog.Options{Now: func() int64 { return benchEpoch }})
		w, err := log.Acquire(t.Context(), "malformed")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Append([]eventlog.Record{{Type: typ, Time: benchEpoch, Tenant: "t", Facts: []byte{99}}}).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		store, err := projection.Open(t.Context(), projection.Options{Dir: "views", Memory: projection.NewMemory(), Logger: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		_, err = projection.Fold(t.Context(), projection.FoldOptions{Log: log, Store: store, View: New(store)})
		if !errors.Is(err, record.ErrMalformed) || !strings.Contains(err.Error(), "record 2, "+record.Name(typ)) {
			t.Errorf("%s: %v", record.Name(typ), err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}
