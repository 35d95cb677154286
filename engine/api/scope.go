package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/hookline/hookline/engine"
)

// need is what an operation asks of a key.
type need uint8

const (
	needKey     need = iota + 1 // any key
	needPublish                 // publish events
	needRead                    // read what is a tenant's
	needReadAll                 // read what is not one tenant's
	needManage                  // change what is a tenant's, or see its secrets
	needAdmin                   // everything else
)

// needOf is what an operation needs when it does not say so itself: nothing is forgotten, only too strict.
func needOf(op *operation) need {
	tenants := strings.HasPrefix(op.path, tenantPath) || strings.HasPrefix(op.path, "/v2/")
	switch {
	case tenants && op.method == http.MethodGet:
		return needRead
	case tenants:
		return needManage
	case op.method == http.MethodGet:
		return needReadAll
	}
	return needAdmin
}

// grants says what a scope may do. A key that is bound to a tenant may do it there only.
func grants(p *engine.Principal, n need) bool {
	switch p.Scope {
	case engine.ScopeAdmin:
		return true
	case engine.ScopePublish:
		return n == needKey || n == needPublish
	case engine.ScopeRead:
		return n == needKey || n == needRead || n == needReadAll && !p.Bound()
	case engine.ScopeTenant:
		return n == needKey || n == needRead || n == needManage
	}
	return false
}

// allowed refuses what the caller may not do: another tenant does not exist for it (404), another operation is 403.
func allowed(p *engine.Principal, op *operation, r *http.Request) error {
	if p.Bound() {
		if id := r.PathValue("account"); id != "" && id != p.Tenant {
			return noAccount(id)
		}
		if id := r.PathValue("tenant"); id != "" && id != p.Tenant {
			return &engine.Error{Code: engine.CodeNotFound, Detail: fmt.Sprintf("no tenant %q here", id)}
		}
	}
	if !grants(p, op.need) {
		return &scopeError{have: p, need: op.need}
	}
	return nil
}

// scopeError is a 403.
type scopeError struct {
	have *engine.Principal
	need need
}

func (e *scopeError) Error() string {
	want := map[need]string{needPublish: "publishing needs a key of scope publish or admin",
		needRead: "reading needs a key of scope read, tenant or admin", needReadAll: "this is not one tenant's: it needs a key of scope read, bound to no tenant, or admin",
		needManage: "changes and secrets need a key of scope tenant or admin", needAdmin: "this needs a key of scope admin"}[e.need]
	return fmt.Sprintf("this key's scope is %s: %s", e.have.Scope, want)
}

var (
	errNoKey = errors.New("api: no valid key")
	// errForeign: a browser's session cookie on a request that another site may have caused.
	errForeign = errors.New("api: cookie from elsewhere")
)

// sessionCookie carries a portal session's token. The prefix makes browsers send it to this host only.
const sessionCookie = "__Host-hookline"

// admit finds who calls: by the key in Authorization, else by the portal's cookie. Without an engine nobody can, and
// nothing is served.
func (s *Server) admit(a *answer, r *http.Request) (*engine.Principal, error) {
	if a.svc == nil {
		return nil, errStarting()
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		key = strings.TrimSpace(key)
	case scheme == "" && cookieToken(r) != "":
		if r.Method != http.MethodGet && r.Method != http.MethodHead && !sameOrigin(r) {
			return nil, errForeign
		}
		key = cookieToken(r)
	default:
		return nil, errNoKey
	}
	p := a.svc.Authenticate(key)
	if p == nil {
		return nil, errNoKey
	}
	return p, nil
}

func cookieToken(r *http.Request) string {
	if len(r.Header["Cookie"]) == 0 {
		return ""
	}
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// sameOrigin says that a browser sent a request from a page of ours. A cookie alone does not show that.
func sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin, err := url.Parse(r.Header.Get("Origin"))
	return err == nil && origin.Host != "" && origin.Host == r.Host
}
