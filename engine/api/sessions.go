package api

import (
	"net/http"
	"time"

	"github.com/hookline/hookline/engine"
)

type sessionBody struct {
	ExpiresIn engine.Optional[string] `json:"expires_in" doc:"how long the session lasts once it is opened, a Go duration from 1m to 24h; default 1h"`
}

type openBody struct {
	Token string `json:"token" doc:"what stands after # in the link"`
}

// createdSession is a session with its link.
type createdSession struct {
	engine.PortalSession
	URL   string `json:"url" doc:"for the customer's browser: good for 5 minutes, once"`
	Token string `json:"token" doc:"the link's token, for a portal of your own: POST /v1/portal-sessions:open"`
}

type openedSession struct {
	engine.PortalSession
	Token string `json:"token" doc:"the session's: send it as Authorization: Bearer, or let the cookie do it"`
}

func sessionOperations() []*operation {
	const path = tenantPath + "/portal-sessions"
	return []*operation{
		{method: http.MethodPost, path: path, id: "create-portal-session", tag: "Portal sessions", status: 201, need: needAdmin,
			summary: "Make a link that opens the customer portal", answer: createdSession{}, body: sessionBody{}, optional: true,
			doc:    "The link is good for 5 minutes and opens one session, with the scope tenant.",
			handle: createSession},
		{method: http.MethodGet, path: path, id: "list-portal-sessions", tag: "Portal sessions", status: 200,
			summary: "List sessions and links that are not over, newest first", answer: engine.Page[engine.PortalSession]{}, query: paging(),
			handle: func(c *call) error {
				return list(c, c.svc.PortalSessions)
			}},
		{method: http.MethodDelete, path: path + "/{session}", id: "end-portal-session", tag: "Portal sessions", status: 204,
			summary: "End a session or a link at once",
			handle: func(c *call) error {
				return c.gone(c.svc.EndPortalSession(c.r.Context(), c.by, c.tenant(), c.path("session")))
			}},
		{method: http.MethodPost, path: "/v1/portal-sessions:open", id: "open-portal-session", tag: "Portal sessions", status: 200, open: true,
			summary: "Open a session by its link, once", answer: openedSession{}, body: openBody{}, required: []string{"token"},
			doc:    "Needs no key. Sets the cookie " + sessionCookie + " for browsers.",
			handle: openSession},
	}
}

func createSession(c *call) error {
	var in sessionBody
	if err := c.decode(&in); err != nil {
		return err
	}
	var lasts time.Duration
	if in.ExpiresIn.Set && !in.ExpiresIn.Null {
		var err error
		if lasts, err = time.ParseDuration(in.ExpiresIn.Value); err != nil || lasts <= 0 {
			return engine.Invalid("expires_in", "%q is no duration from 1m to 24h, e.g. 1h", clip(in.ExpiresIn.Value))
		}
	}
	p, err := c.svc.CreatePortalSession(c.r.Context(), c.by, c.tenant(), lasts)
	if err != nil {
		return err
	}
	c.w.Header().Set("Cache-Control", "no-store")
	// The token stands after #: browsers keep that to themselves, so it is in no log and no Referer.
	return c.json(http.StatusCreated, createdSession{PortalSession: p, URL: c.baseURL() + "/portal#" + p.Token, Token: p.Token})
}

func openSession(c *call) error {
	if c.svc == nil {
		return errStarting()
	}
	var in openBody
	if err := c.decode(&in); err != nil {
		return err
	}
	p, err := c.svc.OpenPortalSession(c.r.Context(), in.Token)
	if err != nil {
		return err
	}
	http.SetCookie(c.w, &http.Cookie{Name: sessionCookie, Value: p.Token, Path: "/", Secure: true, HttpOnly: true,
		SameSite: http.SameSiteStrictMode, Expires: time.UnixMilli(int64(*p.ExpiresAt))})
	c.w.Header().Set("Cache-Control", "no-store")
	return c.json(http.StatusOK, openedSession{PortalSession: p, Token: p.Token})
}

// baseURL is where this server is reached from outside.
func (c *call) baseURL() string {
	if c.publicURL != "" {
		return c.publicURL
	}
	return "http://" + c.r.Host
}
