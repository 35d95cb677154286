package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/filters"
)

// tenantView is what a publish needs of its tenant: immutable, made for one route version, shared by all publishers. The
// next version's is made from it and the changes, by one publisher at a time, so that one subscription of 100 000 costs
// one filter to compile.
type tenantView struct {
	id         string
	version    uint64
	profileSeq eventlog.Seq
	profile    *profile.Profile
	private    eventlog.Hash // of the section that holds the attributes
	attributes json.RawMessage
	index      *filters.Index // by the subscriptions' seqs, each with its *viewSubscription
}

// viewSubscription is what a match of a subscription says. Immutable.
type viewSubscription struct {
	seq, endpoint eventlog.Seq
	maxAttempts   uint8
	private       eventlog.Hash // of the section that holds the filter
	shadow        *shadowCounts // nil = live
}

// viewSlot is where a tenant's view is.
type viewSlot struct {
	making chan struct{}              // holds one token while somebody makes the next one
	now    atomic.Pointer[tenantView] // the current one; nil = a change dropped it
	drops  atomic.Uint64
	last   atomic.Pointer[tenantView] // the newest one made; nil = none yet: there may be no such tenant
}

// view returns the tenant's current view, making it when a change dropped it.
func (e *Engine) view(ctx context.Context, tenant string) (*tenantView, error) {
	if x, ok := e.views.Load(tenant); ok {
		if v := x.(*viewSlot).now.Load(); v != nil {
			return v, nil
		}
	}
	return e.makeView(ctx, tenant, nil)
}

// makeView returns a view that is newer than one (nil = any). Who comes while another makes it waits for that one.
func (e *Engine) makeView(ctx context.Context, tenant string, than *tenantView) (*tenantView, error) {
	slot := e.viewSlot(tenant)
	select {
	case slot.making <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-slot.making }()
	if v := slot.now.Load(); v != nil && (than == nil || v.version > than.version) {
		return v, nil
	}
	last, drops := slot.last.Load(), slot.drops.Load()
	v, err := e.nextView(ctx, tenant, last)
	if err != nil {
		if last == nil {
			e.views.CompareAndDelete(tenant, slot)
		}
		return nil, err
	}
	slot.keep(v, drops)
	return v, nil
}

func (e *Engine) viewSlot(tenant string) *viewSlot {
	x, ok := e.views.Load(tenant)
	if !ok {
		x, _ = e.views.LoadOrStore(tenant, &viewSlot{making: make(chan struct{}, 1)})
	}
	return x.(*viewSlot)
}

// keep stores a view that was begun after so many drops. The sequencer, which cannot wait for its turn, may have kept a
// newer one since. When a change has come since then the view does for its maker, or the sequencer sends it back.
func (slot *viewSlot) keep(v *tenantView, drops uint64) {
	for {
		last := slot.last.Load()
		if last != nil && last.version > v.version {
			return
		}
		if slot.last.CompareAndSwap(last, v) {
			break
		}
	}
	if slot.drops.Load() != drops {
		return
	}
	if slot.now.Store(v); slot.drops.Load() != drops {
		slot.now.Store(nil)
	}
}

// seen says that there is or was such a tenant, if that is known without asking the state.
func (e *Engine) seen(tenant string) bool {
	x, ok := e.views.Load(tenant)
	return ok && x.(*viewSlot).last.Load() != nil
}

// dropView makes the next publisher make the view anew. What is in use is compared with the state's version anyway.
func (e *Engine) dropView(tenant string) {
	if x, ok := e.views.Load(tenant); ok {
		slot := x.(*viewSlot)
		slot.drops.Add(1)
		slot.now.Store(nil)
	}
}

// nextView makes the view of the state's route version from the last one.
func (e *Engine) nextView(ctx context.Context, tenant string, last *tenantView) (*tenantView, error) {
	var c viewChanges
	if err := e.do(ctx, func(s *sequencer) error { return c.take(s, tenant, last) }); err != nil {
		return nil, err
	}
	return e.assembleView(tenant, &c, last)
}

// assembleView compiles what is new.
func (e *Engine) assembleView(tenant string, c *viewChanges, last *tenantView) (*tenantView, error) {
	if c.none {
		return last, nil
	}
	v := &tenantView{id: tenant, version: c.version, profileSeq: c.profile}
	var err error
	if v.profile, err = e.profileAt(v.profileSeq); err != nil {
		return nil, storeError(err)
	}
	if err := v.setAttributes(e, c, last); err != nil {
		return nil, storeError(err)
	}
	put := make([]filters.Subscription, len(c.put))
	for i := range c.put {
		if put[i], err = e.compiled(&c.put[i], tenant, last); err != nil {
			return nil, storeError(err)
		}
	}
	if c.all {
		v.index = filters.Build(put)
	} else {
		v.index = last.index.With(put, c.out)
	}
	return v, nil
}

func (v *tenantView) setAttributes(e *Engine, c *viewChanges, last *tenantView) error {
	v.private = c.private.Sum
	if last != nil && last.private == v.private {
		v.attributes = last.attributes
		return nil
	}
	var p record.TenantPrivate
	if err := e.openJSON(c.private, v.id, c.privateType, 0, &p); err != nil {
		return err
	}
	v.attributes = p.Attributes
	return nil
}

// compiled makes an entry of the index. A filter that the last view has is not compiled again.
func (e *Engine) compiled(p *viewPut, tenant string, last *tenantView) (filters.Subscription, error) {
	sub := filters.Subscription{Key: uint64(p.value.seq), Value: &p.value}
	var err error
	if sub.Types, err = filters.ParseTypes(p.sub.EventTypes); err != nil {
		return sub, fmt.Errorf("engine: subscription %d: %w", p.value.seq, err)
	}
	if p.sub.Shadow {
		p.value.shadow = e.shadows.of(p.value.seq, p.value.private, e.clock.Now())
	}
	if last != nil {
		if old, ok := last.index.Get(sub.Key); ok && old.Value.(*viewSubscription).private == p.value.private {
			sub.Filter = old.Filter
			return sub, nil
		}
	}
	var sp record.SubscriptionPrivate
	if err := e.openJSON(p.sub.Private, tenant, p.sub.PrivateType, 0, &sp); err != nil {
		return sub, err
	}
	if sp.Filter != "" {
		if sub.Filter, err = filters.Compile(sp.Filter); err != nil {
			return sub, fmt.Errorf("engine: subscription %d: %w", p.value.seq, err)
		}
	}
	return sub, nil
}

// viewPut is a subscription as the sequencer found it.
type viewPut struct {
	sub   state.Subscription
	value viewSubscription
}
