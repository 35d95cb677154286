package api

import "net/http"

// pageOperations are for browsers: they need no key, for they hold nothing but the program that asks for one.
func pageOperations() []*operation {
	page := func(path, id string, handle handler) *operation {
		return &operation{method: http.MethodGet, path: path, id: id, open: true, custom: true, any: true, handle: handle}
	}
	return []*operation{
		page("/", "get-start-page", func(c *call) error {
			if c.pages == nil {
				return plainStart(c)
			}
			c.pages.ServeHTTP(c.w, c.r)
			return nil
		}),
		page("/portal", "get-portal", servePage),
		page("/ui/{file}", "get-page-file", servePage),
	}
}

func servePage(c *call) error {
	if c.pages == nil {
		return errNoRoute(c.r)
	}
	c.pages.ServeHTTP(c.w, c.r)
	return nil
}

func plainStart(c *call) error {
	h := c.w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	c.send(http.StatusOK, "text/html; charset=utf-8", []byte(startPage))
	return nil
}

const startPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>hookline</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}code{background:#8882;padding:.1em .3em}</style>
<h1>hookline</h1>
<p>A webhook delivery engine is running here.</p>
<ul>
<li><a href="/openapi.json">/openapi.json</a>: the API, as OpenAPI 3.1. Calls need <code>Authorization: Bearer KEY</code>.</li>
<li><a href="/readyz">/readyz</a> and <a href="/healthz">/healthz</a>: is it ready, does it live.</li>
</ul>
<p>On the command line: <code>hookline help</code>.</p>
</html>
`
