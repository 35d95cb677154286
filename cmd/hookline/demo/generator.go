package demo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/hookline/hookline/cmd/hookline/demo/client"
)

// Every twelfth step is a burst of 5 to 15 events of one customer, published as one batch.
const (
	burstEvery = 12
	burstMin   = 5
	burstMore  = 11
	meanStep   = (burstEvery - 1 + burstMin + float64(burstMore-1)/2) / burstEvery // events
)

// generator publishes what happens at the customers. One goroutine runs it.
type generator struct {
	api        *client.Client
	customers  []customer
	catalogues map[string]*catalogue
	rate       float64
	rnd        *mathrand.Rand
	run        string // makes this run's idempotency keys its own
	made       uint64
	say        func(string, ...any)
}

func newGenerator(api *client.Client, cs []customer, rate float64, seed uint64, say func(string, ...any)) (*generator, error) {
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	g := &generator{
		api: api, customers: cs, rate: rate, catalogues: map[string]*catalogue{},
		rnd: mathrand.New(mathrand.NewPCG(seed, 1)), run: rand.Text(), say: say,
	}
	for _, c := range cs {
		if g.catalogues[c.profile] == nil {
			cat, err := loadCatalogue(c.profile)
			if err != nil {
				return nil, fmt.Errorf("demo: events of %s: %w", c.profile, err)
			}
			g.catalogues[c.profile] = cat
		}
	}
	return g, nil
}

// publishAll publishes until ctx ends, the first event at once. A refusal is told and passed over: somebody may have deleted a
// demo tenant to see what happens.
func (g *generator) publishAll(ctx context.Context) error {
	refusals := 0
	for {
		c := g.customer()
		n := 1
		if g.rnd.IntN(burstEvery) == 0 && g.made > 0 {
			n = burstMin + g.rnd.IntN(burstMore)
		}
		switch err := g.publish(ctx, c, n); {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && client.Status(err) == http.StatusUnauthorized:
			return fmt.Errorf("demo: publish: %w", err)
		case err != nil:
			if refusals++; refusals <= 10 {
				g.say("publish for %s: %v", c.tenant, err)
			}
		}
		// Independent happenings keep exponential distances.
		wait := time.Duration(g.rnd.ExpFloat64() * meanStep / g.rate * float64(time.Second))
		if !pause(ctx, min(wait, time.Minute)) {
			return context.Cause(ctx)
		}
	}
}

func (g *generator) customer() *customer {
	total := 0
	for _, c := range g.customers {
		total += c.weight
	}
	n := g.rnd.IntN(total)
	for i := range g.customers {
		if n -= g.customers[i].weight; n < 0 {
			return &g.customers[i]
		}
	}
	return &g.customers[0]
}

// event is one publish.
type event struct {
	Type           string          `json:"type"`
	Data           json.RawMessage `json:"data"`
	Actor          json.RawMessage `json:"actor,omitempty"`
	IdempotencyKey string          `json:"idempotency_key"`
}

// next draws an event. Each has a key of its own, so that it may be repeated.
func (g *generator) next(c *customer) event {
	cat := g.catalogues[c.profile]
	h := cat.pick(g.rnd)
	d := &drawing{rnd: g.rnd, now: time.Now(), account: c.account(), drawn: map[string]string{}}
	e := event{Type: h.eventType, Data: json.RawMessage(d.render(h.data))}
	if cat.actor != nil {
		e.Actor = json.RawMessage(d.render(cat.actor))
	}
	g.made++
	e.IdempotencyKey = "demo-" + g.run + "-" + strconv.FormatUint(g.made, 10)
	return e
}

// publish publishes n events in one call and repeats the call while the server is not to be had.
func (g *generator) publish(ctx context.Context, c *customer, n int) error {
	path := "/v1/tenants/" + c.tenant + "/events"
	if n == 1 {
		e := g.next(c)
		return patiently(ctx, func() error { return g.api.Do(ctx, http.MethodPost, path, e, nil) })
	}
	events := make([]event, n)
	for i := range events {
		events[i] = g.next(c)
	}
	return patiently(ctx, func() error {
		var answer struct {
			Results []json.RawMessage `json:"results"`
		}
		err := g.api.Do(ctx, http.MethodPost, path+":batch", map[string]any{"events": events}, &answer)
		if err != nil {
			return err
		}
		return batchFault(answer.Results)
	})
}

// batchFault is the first problem among a batch's results. The whole batch is repeated if it may pass: its keys make
// that safe.
func batchFault(results []json.RawMessage) error {
	for _, raw := range results {
		p := &client.Problem{}
		if err := json.Unmarshal(raw, p); err != nil {
			return fmt.Errorf("demo: result of a batch: %w", err)
		}
		if p.Status != 0 {
			return p
		}
	}
	return nil
}
