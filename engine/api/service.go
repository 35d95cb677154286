package api

import (
	"context"
	"time"

	"github.com/hookline/hookline/engine"
)

// Service is the engine as this face sees it. Errors are *engine.Error where the caller can do something about it; any
// other is answered 500 (or 503 where the store is not available) without its text.
type Service interface {
	Reading
	Publishing
	Tenants
	Endpoints
	Subscriptions
	History
	Recoveries
	Filters
	System
	Access
}

// Reading is what can be asked of the present and of the past alike.
type Reading interface {
	Tenant(ctx context.Context, id string) (engine.Tenant, error)
	Tenants(ctx context.Context, in engine.ListInput) (engine.Page[engine.Tenant], error)
	Endpoint(ctx context.Context, tenant, id string) (engine.Endpoint, error)
	Endpoints(ctx context.Context, tenant string, in engine.ListInput) (engine.Page[engine.Endpoint], error)
	Subscription(ctx context.Context, tenant, id string) (engine.Subscription, error)
	Subscriptions(ctx context.Context, tenant string, in engine.ListInput) (engine.Page[engine.Subscription], error)
	Events(ctx context.Context, tenant string, in engine.ListInput) (engine.Page[engine.Event], error)
	Event(ctx context.Context, tenant, idOrUID string) (engine.Event, error)
	Deliveries(ctx context.Context, tenant string, in engine.ListInput) (engine.Page[engine.Delivery], error)
	Delivery(ctx context.Context, tenant, id string) (engine.Delivery, error)
	Attempts(ctx context.Context, tenant string, in engine.ListInput) (engine.Page[engine.Attempt], error)
	Attempt(ctx context.Context, tenant, id string) (engine.Attempt, error)
}

var _ Reading = (*engine.Past)(nil)

// Publishing takes events.
type Publishing interface {
	Publish(ctx context.Context, tenant string, in []engine.PublishInput) ([]engine.PublishResult, error)
}

// Tenants manages tenants and shows profiles.
type Tenants interface {
	CreateTenant(ctx context.Context, by engine.Actor, in engine.TenantInput) (engine.Tenant, error)
	UpdateTenant(ctx context.Context, by engine.Actor, id string, in engine.TenantInput) (engine.Tenant, error)
	EraseTenant(ctx context.Context, by engine.Actor, id, confirm string) (engine.Erasure, error)
	DeleteTenant(ctx context.Context, by engine.Actor, id string) error
	Profiles() []engine.Profile
	Profile(name string) (engine.Profile, error)
}

// Endpoints manages a tenant's endpoints.
type Endpoints interface {
	CreateEndpoint(ctx context.Context, by engine.Actor, tenant string, in engine.EndpointInput) (engine.Endpoint, error)
	UpdateEndpoint(ctx context.Context, by engine.Actor, tenant, id string, in engine.EndpointInput) (engine.Endpoint, error)
	DeleteEndpoint(ctx context.Context, by engine.Actor, tenant, id string) error
	EndpointByNumber(ctx context.Context, tenant string, n uint64) (engine.Endpoint, error)
	EndpointSecret(ctx context.Context, tenant, id string) (engine.EndpointSecret, error)
	EnableEndpoint(ctx context.Context, by engine.Actor, tenant, id string) (engine.Endpoint, error)
	DisableEndpoint(ctx context.Context, by engine.Actor, tenant, id string) (engine.Endpoint, error)
	ClearSuppression(ctx context.Context, by engine.Actor, tenant, id string) (engine.Endpoint, error)
	RotateSecret(ctx context.Context, by engine.Actor, tenant, id string, in engine.RotateInput) (engine.Endpoint, error)
	TestEndpoint(ctx context.Context, by engine.Actor, tenant, id string, in engine.TestInput) (engine.Attempt, error)
}

// Subscriptions manages a tenant's subscriptions.
type Subscriptions interface {
	CreateSubscription(ctx context.Context, by engine.Actor, tenant string, in engine.SubscriptionInput) (engine.Subscription, error)
	UpdateSubscription(ctx context.Context, by engine.Actor, tenant, id string, in engine.SubscriptionInput) (engine.Subscription, error)
	DeleteSubscription(ctx context.Context, by engine.Actor, tenant, id string) error
	SubscriptionVersions(ctx context.Context, tenant, id string, in engine.ListInput) (engine.Page[engine.VersionOfSubscription], error)
	RollbackSubscription(ctx context.Context, by engine.Actor, tenant, id string, in engine.RollbackInput) (engine.Subscription, error)
	PromoteSubscription(ctx context.Context, by engine.Actor, tenant, id, note string) (engine.Subscription, error)
}

// History shows what happened, and changes deliveries.
type History interface {
	DeliverEvent(ctx context.Context, by engine.Actor, tenant, event, endpointID string) (engine.Delivery, error)
	ResendDelivery(ctx context.Context, by engine.Actor, tenant, id string) (engine.Delivery, error)
	CancelDelivery(ctx context.Context, by engine.Actor, tenant, id string) (engine.Delivery, error)
	ReleaseDelivery(ctx context.Context, by engine.Actor, tenant, id string) (engine.Delivery, error)
	EndpointStats(ctx context.Context, tenant, id string, in engine.StatsInput) (engine.Stats, error)
	Stats(ctx context.Context, in engine.StatsInput) (engine.SystemStats, error)
}

// Access manages keys and portal sessions.
type Access interface {
	IssueKey(ctx context.Context, by engine.Actor, in engine.KeyInput) (engine.Key, error)
	IssuedKey(ctx context.Context, id string) (engine.Key, error)
	IssuedKeys(ctx context.Context, in engine.ListInput) (engine.Page[engine.Key], error)
	RevokeKey(ctx context.Context, by engine.Actor, id string) (engine.Key, error)
	CreatePortalSession(ctx context.Context, by engine.Actor, tenant string, lasts time.Duration) (engine.PortalSession, error)
	OpenPortalSession(ctx context.Context, link string) (engine.PortalSession, error)
	EndPortalSession(ctx context.Context, by engine.Actor, tenant, id string) error
	Audit(ctx context.Context, tenant string, in engine.ListInput) (engine.Page[engine.Change], error)
	PortalSessions(ctx context.Context, tenant string, in engine.ListInput) (engine.Page[engine.PortalSession], error)
}

// Recoveries resends in bulk.
type Recoveries interface {
	Recover(ctx context.Context, by engine.Actor, tenant, endpoint string, in engine.RecoverInput) (engine.RecoverAccepted, error)
	Recoveries(ctx context.Context, tenant string, in engine.ListInput) (engine.Page[engine.Recovery], error)
	Recovery(ctx context.Context, tenant, id string) (engine.Recovery, error)
	CancelRecovery(ctx context.Context, by engine.Actor, tenant, id string) (engine.Recovery, error)
}

// Filters tries filters before they are saved.
type Filters interface {
	CheckFilter(ctx context.Context, in engine.FilterInput) (engine.FilterChecked, error)
	ExplainFilter(ctx context.Context, in engine.FilterInput) (engine.FilterExplained, error)
	// SimulateFilter tries a filter on what was published.
	SimulateFilter(ctx context.Context, in engine.SimulateInput) (engine.FilterSimulated, error)
	// Why says why an event went to an endpoint or did not, from the log.
	Why(ctx context.Context, tenant, event, endpoint string) (engine.Why, error)
}

// System is the engine's own state.
type System interface {
	LogStatus(ctx context.Context) (engine.LogStatus, error)
	// AsOf finds a point of the log to read at, DiffLog says what changed between two of them.
	AsOf(ctx context.Context, at engine.AsOf) (*engine.Past, error)
	DiffLog(ctx context.Context, from, to engine.AsOf) (engine.LogDiff, error)
	Release(ctx context.Context, by engine.Actor) (engine.LogStatus, error)
	Checkpoint(ctx context.Context) (engine.SignedCheckpoint, error)
	ProveAttempt(ctx context.Context, tenant, id string, to uint64) (engine.RecordProof, error)
	RotateMasterKey(ctx context.Context, by engine.Actor) (engine.Rotated, error)
	StartBackup(ctx context.Context) (engine.Backup, error)
	ListBackups(ctx context.Context) ([]engine.Backup, error)
	Transports(ctx context.Context) ([]engine.TransportStatus, error)
	RestartTransport(ctx context.Context, by engine.Actor, name string) (engine.TransportStatus, error)
	AdvanceClock(ctx context.Context, by time.Duration) (engine.Time, error)
	ManualClock() bool
	// Stream gives out records as they become durable, until ctx ends or emit fails.
	Stream(ctx context.Context, in engine.StreamInput, emit func(r *engine.StreamRecord, upTo uint64) error) error
	// Ready says that recovery is done.
	Ready() bool
	// HeadSeq is the seq of the newest durable record; it never waits.
	HeadSeq() uint64
	// Metrics are read at each scrape; it never waits.
	Metrics() engine.Metrics
	// Authenticate finds who holds a key or a portal session's token; nil = nobody.
	Authenticate(key string) *engine.Principal
}
