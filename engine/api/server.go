package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/api/express"
	"github.com/hookline/hookline/engine/api/jsonstrict"
)

// Config of a Server.
type Config struct {
	// Version of the program, for the OpenAPI document. Default "dev".
	Version string
	// PublicURL is where the server is reached from outside, e.g. https://hooks.example.com: for links it hands out.
	// "" = http and the host that the caller used.
	PublicURL string
	// Pages serves /, /portal and /ui/FILE, for browsers, without a key. nil = a plain page at / alone.
	Pages http.Handler
	// Logger takes internal errors and, at level debug, the access log. nil = none.
	Logger *slog.Logger
}

// Server is an http.Handler for the whole face.
type Server struct {
	log       *slog.Logger
	publicURL string
	pages     http.Handler
	service   atomic.Pointer[Service]
	mux       *http.ServeMux
	document  []byte // /openapi.json
	meter     *meter
	pool      sync.Pool // of *scratch
	streams   atomic.Int64
	life      context.Context // ends when the http.Server begins to stop
	endLife   context.CancelFunc
}

var _ http.Handler = (*Server)(nil)

// New makes a Server that answers 503 until Use. It fails only when the table of operations is inconsistent.
func New(cfg Config) (*Server, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Version == "" {
		cfg.Version = "dev"
	}
	s := &Server{log: cfg.Logger, publicURL: strings.TrimSuffix(cfg.PublicURL, "/"), pages: cfg.Pages, mux: http.NewServeMux(), meter: newMeter()}
	s.meter.service = func() Service {
		if svc := s.service.Load(); svc != nil {
			return *svc
		}
		return nil
	}
	s.life, s.endLife = context.WithCancel(context.Background())
	s.pool.New = func() any { return &scratch{} }
	ops := operations()
	s.route(ops)
	var err error
	s.document, err = document(ops, cfg.Version)
	return s, err
}

// Use gives the Server the engine to speak for. It may be called once recovery runs; Service.Ready tells when it is done.
func (s *Server) Use(svc Service) { s.service.Store(&svc) }

// HTTPServer returns an http.Server for this face with its time limits set: 10 s for a request's header, 120 s for an
// idle connection. Bodies and answers have no limit of their own, so that a slow but living client is served; they are
// bounded in size, and a handler ends with its client.
func (s *Server) HTTPServer(addr string) *http.Server {
	server := &http.Server{
		Addr: addr, Handler: s, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 120 * time.Second, MaxHeaderBytes: 64 << 10,
	}
	server.RegisterOnShutdown(s.endLife)
	return server
}

// Front returns what serves this face on a listener: HTTPServer, and before it the express way for publishes, which are
// many and small. Requests of all other kinds cost nothing more than the look at their first bytes. A publish goes on
// when its client leaves: what is on its way to the log becomes durable anyway.
func (s *Server) Front(addr string) *express.Server {
	return express.New(express.Options{Web: s.HTTPServer(addr), Takes: publishes})
}

// publishes says whether events are posted to a path.
func publishes(path string) bool {
	rest, ok := strings.CutPrefix(path, "/v1/tenants/")
	slash := strings.IndexByte(rest, '/')
	return ok && slash > 0 && (rest[slash:] == "/events" || rest[slash:] == "/events:batch")
}

// scratch is what a request borrows: memory that would otherwise be made for each.
type scratch struct {
	body    []byte
	answer  []byte
	scanner jsonstrict.Scanner
	items   []engine.PublishInput
}

// maxKept is the largest buffer that stays in the pool, in bytes.
const maxKept = 512 << 10

func (s *Server) borrow() *scratch { return s.pool.Get().(*scratch) }

func (s *Server) giveBack(b *scratch) {
	if cap(b.body) > maxKept {
		b.body = nil
	}
	if cap(b.answer) > maxKept {
		b.answer = nil
	}
	clear(b.items) // they point into the body
	b.body, b.answer, b.items = b.body[:0], b.answer[:0], b.items[:0]
	b.scanner.Release()
	s.pool.Put(b)
}
