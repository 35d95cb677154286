package dashboard

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed dist
var dist embed.FS

// The content security policy of the pages. style-src takes no inline styles: what a script sets on an element is not one.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors "

// Options of the pages. The zero value shows them in no frame.
type Options struct {
	// PortalFrames are the origins whose pages may show the portal, and nothing else of this, in a frame; each a scheme,
	// a host and perhaps a port. The portal's cookie is SameSite=Strict: a page of another site can show it, but no
	// session lasts there.
	PortalFrames []string
}

// Pages serves the built files.
type Pages struct {
	files  map[string]*file // by name in dist
	portal string           // the portal's policy
}

// file is one built file, compressed once.
type file struct {
	kind        string // Content-Type
	etag        string
	plain, tiny []byte // as built; gzipped, nil where that does not pay
}

// New reads what is built in. It fails only when dist lacks a page.
func New(o Options) (*Pages, error) { return from(dist, o) }

func from(source fs.FS, o Options) (*Pages, error) {
	p := &Pages{files: map[string]*file{}, portal: policy + "'none'"}
	if len(o.PortalFrames) > 0 {
		p.portal = policy + "'self' " + strings.Join(o.PortalFrames, " ")
	}
	err := fs.WalkDir(source, "dist", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		plain, err := fs.ReadFile(source, name)
		if err != nil {
			return err
		}
		p.files[path.Base(name)] = newFile(path.Base(name), plain)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, page := range []string{operatorPage, portalPage} {
		if p.files[page] == nil {
			return nil, fmt.Errorf("dashboard: dist has no %s: run engine/dashboard/build.sh", page)
		}
	}
	return p, nil
}

const (
	operatorPage = "operator.html"
	portalPage   = "portal.html"
)

func newFile(name string, plain []byte) *file {
	sum := sha256.Sum256(plain)
	f := &file{kind: kindOf(name), etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, plain: plain}
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is a valid one
	_, _ = w.Write(plain)                                 // memory takes everything
	_ = w.Close()
	if b.Len() < len(plain)*9/10 {
		f.tiny = b.Bytes()
	}
	return f
}

// kindOf does not ask the machine's tables for what we know.
func kindOf(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	default:
		return mime.TypeByExtension(ext)
	}
}

// ServeHTTP answers /, /portal and /ui/FILE, by GET and HEAD; anything else is 404.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, below := strings.CutPrefix(r.URL.Path, "/ui/")
	switch {
	case r.URL.Path == "/":
		name = operatorPage
	case r.URL.Path == "/portal":
		name = portalPage
	case !below || strings.HasSuffix(name, ".html"):
		name = ""
	}
	f := p.files[name]
	if f == nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policy+"'none'")
	if name == portalPage {
		h.Set("Content-Security-Policy", p.portal)
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache") // ask again each time; the answer is 304 nearly always
	h.Set("Vary", "Accept-Encoding")
	h.Set("Etag", f.etag)
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.kind)
	body := f.plain
	if f.tiny != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = f.tiny
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that is gone is nobody to tell
	}
}
