package demo

// customer is a tenant of the demo: ids and names are fixed, so that a restart finds it.
type customer struct {
	tenant, profile, name string
	attributes            map[string]any // dnsimple: the account (D-8)
	weight                int            // share of the events
	hooks                 []hook
}

// hook is an endpoint of a customer. Its name is unique within the customer, is its description at the server and its
// path at the receiver.
type hook struct {
	name       string
	eventTypes []string // nil = all
	filter     string
	temper     temper
}

// temper is how often, of 1 000 requests, a receiver does not just answer 200.
type temper struct{ fail, slow, hangUp int }

func (c *customer) account() int {
	n, _ := c.attributes["id"].(int)
	return n
}

// customers are the cast: two for each seed profile. The flaky ones fail seldom enough that 15 failures in a row, which
// would suppress a DNSimple endpoint (D-13), do not happen by chance.
func customers() []customer {
	return []customer{
		{
			tenant: "demo-harbor", profile: "osir", name: "Harbor Hosting", weight: 4,
			hooks: []hook{
				{name: "billing", eventTypes: []string{"invoice.created", "invoice.paid", "payment.failed"}, temper: temper{fail: 30}},
				{name: "servers", eventTypes: []string{"server.created", "server.started", "server.stopped", "server.deleted", "server.resized"}, temper: temper{slow: 40}},
				{name: "domains", eventTypes: []string{"domain.registered", "domain.transferred", "domain.renewed", "domain.expired", "domain.deleted"}},
				{name: "large-invoices", eventTypes: []string{"invoice.created"}, filter: `data.invoice.total >= 500`},
			},
		},
		{
			tenant: "demo-kestrel", profile: "osir", name: "Kestrel Games", weight: 2,
			hooks: []hook{{name: "everything", temper: temper{fail: 60, slow: 30, hangUp: 30}}},
		},
		{
			tenant: "demo-acorn", profile: "dnsimple", name: "Acorn Studio", weight: 3,
			attributes: map[string]any{"id": 1010, "identifier": "acorn@example.com", "display": "Acorn Studio"},
			hooks: []hook{
				{name: "everything"},
				{name: "audit", temper: temper{fail: 80, hangUp: 40}},
			},
		},
		{
			tenant: "demo-birch", profile: "dnsimple", name: "Birch & Sons", weight: 2,
			attributes: map[string]any{"id": 2020, "identifier": "birch@example.org", "display": "Birch & Sons"},
			hooks: []hook{
				{name: "zones", eventTypes: []string{"zone.*", "zone_record.*", "dnssec.*"}, temper: temper{fail: 50, slow: 50}},
			},
		},
	}
}
