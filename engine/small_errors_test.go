package engine

import (
	"errors"
	"strings"
	"testing"
)

// A wrong wait is named by its place, the whole schedule by its name, however it is wrong.
func TestScheduleErrorLocations(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	many := strings.Split(strings.Repeat("1s ", 51), " ")[:51]
	for _, c := range []struct {
		waits    []string
		location string
	}{
		{[]string{"soon"}, "schedule[0]"},
		{[]string{"1s", "-1s"}, "schedule[1]"},
		{[]string{"1s", "2s", "721h"}, "schedule[2]"},
		{[]string{"1us"}, "schedule[0]"},
		{[]string{}, "schedule"},
		{many, "schedule"},
	} {
		_, err := r.CreateEndpoint(t.Context(), Actor{}, "acc", EndpointInput{URL: Some("https://r.example/"), Schedule: Some(c.waits)})
		var e *Error
		if !errors.As(err, &e) || e.Code != CodeInvalid || len(e.Fields) != 1 || e.Fields[0].Location != c.location || strings.Contains(e.Fields[0].Message, "waits[") {
			t.Errorf("%q: %+v, want the location %s", c.waits, err, c.location)
		}
	}
}

// The conflict of a repeated key says which key it is and whose.
func TestIdempotencyConflictSaysWhich(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	for _, c := range []struct {
		in             PublishInput
		location, says string
	}{
		{PublishInput{Type: "domain.registered", ID: "evt_1"}, "id", "type and id"},
		{PublishInput{Type: "domain.registered", ID: "evt_2", IdempotencyKey: "k"}, "idempotency_key", "idempotency key"},
	} {
		first := r.publish("acc", c.in)
		c.in.Data = []byte(`{"another":1}`)
		res := must(r.Publish(t.Context(), "acc", []PublishInput{c.in}))(t)
		if e := res[0].Err; e == nil || e.Code != CodeConflict || !strings.Contains(e.Detail, c.says) || !strings.Contains(e.Detail, first.UID) || e.Fields[0].Location != c.location {
			t.Errorf("%+v, want a conflict of the %s with %s", e, c.says, first.UID)
		}
	}
}

func TestQuotaBounds(t *testing.T) {
	for quota, good := range map[int]bool{-1: false, 0: true, 1: true, MaxQuota: true, MaxQuota + 1: false} {
		r := newRig(t, nil)
		cfg := r.Engine.cfg
		cfg.Quota = quota
		cfg.setDefaults()
		if err := cfg.validate(); (err == nil) != good {
			t.Errorf("quota %d: %v", quota, err)
		}
	}
}
