package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"
)

// findAll reads all pages of a search; each page holds limit items at most.
func (r *rig) findAll(in ListInput, limit int) (ids []string, pages int) {
	r.t.Helper()
	in.Limit = limit
	for {
		p := must(r.Events(context.Background(), "acme", in))(r.t)
		for _, e := range p.Data {
			ids = append(ids, e.ID)
		}
		if pages++; len(p.Data) > limit || pages > 1000 {
			r.t.Fatalf("page %d has %d items", pages, len(p.Data))
		}
		if p.NextCursor == nil {
			return ids, pages
		}
		in.Cursor = *p.NextCursor
	}
}

// Events are found by what no index answers too: unmatched ones, by endpoint, by the status of their deliveries, by text
// in their metadata; every page size gives the same, in order, and so does the way back.
func TestFindEvents(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acme", "standard")
	ep := r.endpoint("acme", EndpointInput{EventTypes: Some([]string{"a.*"})})
	for i := range 40 {
		in := PublishInput{Type: []string{"a.b", "c.d"}[i%2], ID: fmt.Sprintf("e%d", i)}
		if i%4 == 0 {
			in.Metadata = json.RawMessage(fmt.Sprintf(`{"order": "no-%d", "who":"é"}`, i))
		}
		r.publish("acme", in)
	}
	r.advance(0)
	must(r.DeliverEvent(context.Background(), Actor{"test"}, "acme", "e1", ep.ID))(t)
	must(r.DisableEndpoint(context.Background(), Actor{"test"}, "acme", ep.ID))(t)
	r.advance(0)
	r.publish("acme", PublishInput{Type: "a.b", ID: "e40"})
	r.advance(0)
	yes, no := true, false
	every := func(step, from, to int) (ids []string) {
		for i := to; i >= from; i-- {
			if (i-from)%step == 0 {
				ids = append(ids, fmt.Sprintf("e%d", i))
			}
		}
		return ids
	}
	for _, c := range []struct {
		what string
		in   ListInput
		want []string
	}{
		{"unmatched", ListInput{Matched: &no}, every(2, 1, 39)},
		{"matched", ListInput{Matched: &yes}, every(2, 0, 40)},
		{"by endpoint, delivered afterwards too", ListInput{EndpointID: ep.ID}, append(every(2, 2, 40), "e1", "e0")},
		{"by status", ListInput{Status: "skipped"}, []string{"e40"}},
		{"by another", ListInput{Status: "canceled"}, nil},
		{"by metadata", ListInput{Metadata: "no-"}, every(4, 0, 36)},
		{"by metadata, as it was sent", ListInput{Metadata: `"order": "no-12"`}, []string{"e12"}},
		{"by metadata, not ASCII", ListInput{Metadata: "é"}, every(4, 0, 36)},
		{"by metadata and type", ListInput{Metadata: "no-", EventType: "c.d"}, nil},
		{"by metadata and matched", ListInput{Metadata: "no-3", Matched: &yes}, []string{"e36", "e32"}},
		{"by id", ListInput{EventID: "e7"}, []string{"e7"}},
		{"by an unknown id", ListInput{EventID: "e77"}, nil},
		{"by id and type", ListInput{EventID: "e7", EventType: "a.b"}, nil},
		{"by id and metadata", ListInput{EventID: "e8", Metadata: "no-8"}, []string{"e8"}},
	} {
		for _, limit := range []int{1, 3, 50} {
			if got, _ := r.findAll(c.in, limit); !slices.Equal(got, c.want) {
				t.Errorf("%s, %d a page: %v, want %v", c.what, limit, got, c.want)
			}
		}
		c.in.Ascending = true
		got, _ := r.findAll(c.in, 4)
		if slices.Reverse(got); !slices.Equal(got, c.want) {
			t.Errorf("%s, oldest first: %v, want %v", c.what, got, c.want)
		}
	}
	if _, err := r.Events(context.Background(), "acme", ListInput{Status: "lost"}); code(err) != CodeInvalid {
		t.Errorf("a status that is none: %v", err)
	}
	got := r.deliveries(ListInput{Metadata: "no-2"})
	var ids []string
	for _, d := range got {
		ids = append(ids, d.EventID)
	}
	if fmt.Sprint(ids) != "[e28 e24 e20]" {
		t.Errorf("deliveries by metadata: %v", ids)
	}
	if got := r.deliveries(ListInput{Metadata: "no-2", Status: "exhausted"}); len(got) != 0 {
		t.Errorf("by metadata and status: %v", got)
	}
}

// Ids of a publisher's own may repeat: all of them are found, over any number of pages, within a time.
func TestFindEventsThatShareAnID(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acme", "standard")
	var uids []string
	for i := range 7 {
		uids = append(uids, r.publish("acme", PublishInput{Type: fmt.Sprintf("a.b%d", i), ID: "same"}).UID)
		r.advance(time.Second)
	}
	slices.Reverse(uids)
	for _, limit := range []int{1, 2, 7, 50} {
		var got []string
		in := ListInput{EventID: "same", Limit: limit}
		for {
			p := must(r.Events(context.Background(), "acme", in))(t)
			for _, e := range p.Data {
				got = append(got, e.UID)
			}
			if p.NextCursor == nil {
				break
			}
			in.Cursor = *p.NextCursor
		}
		if !slices.Equal(got, uids) {
			t.Errorf("%d a page: %v, want %v", limit, got, uids)
		}
	}
	if got, _ := r.findAll(ListInput{EventID: "same", From: rigStart.Add(2 * time.Second), To: rigStart.Add(4 * time.Second)}, 50); len(got) != 2 {
		t.Errorf("%d within two seconds, want 2", len(got))
	}
}

// So are all deliveries of events that share an id, in order, over pages of any size.
func TestFindDeliveriesOfEventsThatShareAnID(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acme", "standard")
	r.endpoint("acme", EndpointInput{})
	r.endpoint("acme", EndpointInput{})
	var first string
	for i := range 4 {
		p := r.publish("acme", PublishInput{Type: fmt.Sprintf("a.b%d", i), ID: "same"})
		r.publish("acme", PublishInput{Type: "a.b", ID: fmt.Sprintf("other%d", i)})
		first = cmp.Or(first, p.Matched[0].DeliveryID)
	}
	r.advance(0)
	must(r.ResendDelivery(context.Background(), Actor{"test"}, "acme", first))(t)
	r.advance(0)
	var want []string
	for _, d := range r.deliveries(ListInput{}) {
		if d.EventID == "same" {
			want = append(want, d.ID)
		}
	}
	if len(want) != 9 {
		t.Fatalf("%d deliveries, want 9", len(want))
	}
	for _, limit := range []int{1, 2, 4, 9, 50} {
		var got []string
		in := ListInput{EventID: "same", Limit: limit}
		for {
			p := must(r.Deliveries(context.Background(), "acme", in))(t)
			for _, d := range p.Data {
				got = append(got, d.ID)
			}
			if p.NextCursor == nil {
				break
			}
			in.Cursor = *p.NextCursor
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d a page: %v, want %v", limit, got, want)
		}
	}
}

// A search for what is nowhere ends: each page looks at a bounded number of rows and says where to go on.
func TestFindIsBounded(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acme", "standard")
	const n = findLimit + 700
	for i := 0; i < n; i += MaxBatchEvents {
		in := make([]PublishInput, min(MaxBatchEvents, n-i))
		for j := range in {
			in[j] = PublishInput{Type: "a.b", Data: json.RawMessage(`{}`)}
		}
		must(r.Publish(context.Background(), "acme", in))(t)
	}
	r.publish("acme", PublishInput{Type: "a.b", Metadata: json.RawMessage(`{"a":"needle"}`)})
	if got, pages := r.findAll(ListInput{Metadata: "needle"}, 10); len(got) != 1 || pages != 2 {
		t.Errorf("%d found on %d pages, want 1 on 2", len(got), pages)
	}
	if got, pages := r.findAll(ListInput{Metadata: "nowhere"}, 10); len(got) != 0 || pages != 2 {
		t.Errorf("%d found on %d pages, want none on 2", len(got), pages)
	}
}
