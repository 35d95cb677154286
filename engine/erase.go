package engine

import (
	"context"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// Erasure tells what erasing a tenant came to.
type Erasure struct {
	Tenant   string `json:"tenant"`
	ErasedAt Time   `json:"erased_at"`
	// Backups says whether the destroyed keys are gone from the backups as well.
	Backups string `json:"backups" enum:"none,refreshed,failed" doc:"refreshed: the keys are gone from the backups of this server's backup directory too (when one is under way, with its end); failed: they are still there, make a backup; none: no backup directory is configured"`
}

// EraseTenant destroys a tenant's keys, for ever: what publishers, customers and receivers wrote of it can be read by
// nobody any more, in the log, in views, snapshots and backups. The records stay, with their facts, and the log still
// proves whole. A tenant that is not deleted is deleted first. confirm must be the tenant's id. Erasing again repeats
// what an earlier one may have left undone.
//
// The record comes before the destruction: when the process dies in between, the next start destroys.
func (e *Engine) EraseTenant(ctx context.Context, by Actor, id, confirm string) (Erasure, error) {
	out := Erasure{Tenant: id}
	if confirm != id {
		return out, Invalid("confirm", "is %.64q, must be the tenant's id: nothing brings back what is erased", confirm)
	}
	// The tenant's own key does not outlive this.
	who, err := e.sealJSON("", record.TypeTenantErased, 0, record.WhoPrivate{By: by.Name})
	if err != nil {
		return out, err
	}
	err = e.change(ctx, func(s *sequencer) error {
		t, ok := s.st.AnyTenant(id)
		if !ok {
			return notFound("tenant", id)
		}
		if !t.Erased {
			s.eraseTenant(t, who)
		}
		out.ErasedAt = Time(t.ErasedAt)
		return nil
	})
	if err != nil {
		return out, err
	}
	if err := e.cfg.Keyring.Erase(id); err != nil {
		return out, storeError(err)
	}
	e.ahead.forget()
	out.Backups = e.refreshBackups()
	e.cfg.Logger.Warn("a tenant was erased", "tenant", id, "by", by.Name, "backups", out.Backups)
	return out, nil
}

// refreshBackups gives the backups the keyring as it is now.
func (e *Engine) refreshBackups() string {
	if e.cfg.Backups == nil {
		return "none"
	}
	if err := e.cfg.Backups.RefreshKeyring(); err != nil {
		e.cfg.Logger.Error("the backups still have the keyring of before: make a backup", "error", err)
		return "failed"
	}
	return "refreshed"
}

// Rotated tells what a rotation of the master key came to.
type Rotated struct {
	Backups string `json:"backups" enum:"none,refreshed,failed" doc:"whether the backups of this server's backup directory open with the new key; failed: make a backup"`
}

// RotateMasterKey seals the keyring under another master key, while everything goes on.
func (e *Engine) RotateMasterKey(_ context.Context, by Actor) (Rotated, error) {
	if e.cfg.RotateMaster == nil {
		return Rotated{}, conflict("the master key was given in the environment: give it as a file, --master-key-file, to rotate it")
	}
	if err := e.cfg.RotateMaster(); err != nil {
		return Rotated{}, storeError(err)
	}
	e.cfg.Logger.Warn("the master key was rotated: what holds the old one opens nothing of this keyring any more", "by", by.Name)
	return Rotated{Backups: e.refreshBackups()}, nil
}

func (s *sequencer) eraseTenant(t *state.Tenant, who eventlog.Section) {
	s.endTenant(t)
	s.append(eventlog.Record{Type: record.TypeTenantErased, Tenant: t.ID, Sections: []eventlog.Section{who}})
}

// endTenant ends everything of a tenant that a record is about to delete.
func (s *sequencer) endTenant(t *state.Tenant) {
	s.e.access.endTenant(s.st, t.ID)
	for _, ep := range t.Endpoints {
		s.stopRecovery(ep, record.ReasonTenantDeleted)
	}
	s.cancelAll(record.ReasonTenantDeleted, t.Endpoints...)
	for _, ep := range t.Endpoints {
		s.forget(ep)
	}
}

// settleErasures makes log and keyring agree at a start. Keys of a tenant that the log says is erased are destroyed: the
// process died in between. A tenant whose keys are gone, of a log that was restored as of before its erasure, is erased
// again: nothing of it could be read or sent.
func (s *sequencer) settleErasures() error {
	keyring := s.e.cfg.Keyring
	for _, id := range s.st.ErasedTenants() {
		if err := keyring.Erase(id); err != nil {
			return err
		}
	}
	var again []*state.Tenant
	s.st.AllTenants(func(t *state.Tenant) {
		if !t.Erased && keyring.Erased(t.ID) {
			again = append(again, t)
		}
	})
	for _, t := range again {
		who, err := s.e.sealJSON("", record.TypeTenantErased, 0, record.WhoPrivate{By: ""})
		if err != nil {
			return err
		}
		s.e.cfg.Logger.Warn("a tenant of this log was erased later: it is erased again", "tenant", t.ID)
		s.eraseTenant(t, who)
	}
	return nil
}

// forget drops all bodies.
func (r *readAhead) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept, r.order, r.bytes = map[eventlog.Seq]*eventBody{}, nil, 0
}
