package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// pretend is a server for the bench's own tests, with just the calls that the bench makes: it delivers from memory, at
// once, and commits the fault it is told to. It proves that the bench sees faults; it says nothing about hookline.
func pretend(args []string) (code int, handled bool) {
	if len(args) == 0 {
		return 0, false
	}
	switch args[0] {
	case "serve":
		if err := new(pretender).serve(args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1, true
		}
		return 0, true
	case "log":
		if args[1] == "stat" {
			fmt.Println(`{"derived":["views"]}`)
		}
		if args[1] == "rebuild" {
			fmt.Println("state: same at seq 9, digest 00, folded in 0.00 s (9000 records/s)")
		}
		return 0, true
	}
	return 0, false
}

type pretender struct {
	fault string
	http  *http.Client

	mu        sync.Mutex
	endpoints map[string][]string // event type -> URLs
	seq       int
	delivered []string // deliveries, as JSON
	events    int
	wg        sync.WaitGroup
	slots     chan struct{}
}

func (p *pretender) serve(args []string) error {
	f := flag.NewFlagSet("serve", flag.ContinueOnError)
	dir, listen := f.String("data", "", ""), f.String("listen", "", "")
	f.String("allow-cidr", "", "")
	trust := f.String("trust-ca", "", "")
	f.StringVar(&p.fault, "fault", "", "")
	if err := f.Parse(args); err != nil {
		return err
	}
	pem, err := os.ReadFile(*trust)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(*dir, "views"), 0o700); err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	p.http = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 16}}
	p.endpoints = map[string][]string{}
	p.slots = make(chan struct{}, 16)
	orphan := exec.Command("sleep", "60")
	if p.fault == "orphan" {
		if err := orphan.Start(); err != nil {
			return err
		}
	}
	srv := &http.Server{Addr: *listen, Handler: p.routes(), ReadHeaderTimeout: time.Minute}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() { <-stop; srv.Shutdown(context.Background()) }()
	if err := srv.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	p.wg.Wait()
	if p.fault == "orphan" {
		orphan.Process.Release()
	}
	if p.fault == "exit" {
		return errors.New("pretended: no clean stop")
	}
	return nil
}

func (p *pretender) routes() http.Handler {
	m := http.NewServeMux()
	ok := func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }
	m.HandleFunc("GET /readyz", ok)
	m.HandleFunc("POST /v1/tenants", ok)
	m.HandleFunc("GET /v1/log/status", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		fmt.Fprintf(w, `{"head_seq":%d}`, p.seq)
	})
	m.HandleFunc("POST /v1/tenants/bench/endpoints", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			URL   string   `json:"url"`
			Types []string `json:"event_types"`
		}
		json.NewDecoder(r.Body).Decode(&in)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.endpoints[in.Types[0]] = append(p.endpoints[in.Types[0]], in.URL)
		w.WriteHeader(http.StatusCreated)
	})
	m.HandleFunc("GET /v1/tenants/bench/endpoints", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"data":[{"id":"ep_1"}],"next_cursor":null}`)
	})
	m.HandleFunc("POST /v1/tenants/bench/events", func(w http.ResponseWriter, r *http.Request) {
		var e pretendedEvent
		json.NewDecoder(r.Body).Decode(&e)
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, p.publish(e))
	})
	m.HandleFunc("POST /v1/tenants/bench/events:batch", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Events []pretendedEvent }
		json.NewDecoder(r.Body).Decode(&in)
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, `{"results":[`)
		for i, e := range in.Events {
			if i > 0 {
				io.WriteString(w, ",")
			}
			io.WriteString(w, p.publish(e))
		}
		io.WriteString(w, "]}")
	})
	m.HandleFunc("GET /v1/tenants/bench/deliveries", func(w http.ResponseWriter, r *http.Request) {
		p.wg.Wait() // a pretended view has no lag
		p.mu.Lock()
		defer p.mu.Unlock()
		var out []string
		for _, s := range p.delivered {
			if strings.Contains(s, r.URL.Query().Get("status")) {
				out = append(out, s)
			}
		}
		fmt.Fprintf(w, `{"data":[%s],"next_cursor":null}`, strings.Join(out, ","))
	})
	m.HandleFunc("GET /v1/tenants/bench/events", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		fmt.Fprintf(w, `{"data":[%s],"next_cursor":null}`, strings.TrimSuffix(strings.Repeat("{},", p.events), ","))
	})
	return m
}

type pretendedEvent struct {
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

func (p *pretender) publish(e pretendedEvent) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seq++
	url := ""
	for _, u := range p.endpoints[e.Type] {
		if !strings.Contains(u, hangPath) { // pretended: that one is still at it when the server ends
			url = u
		}
	}
	struck := p.seq == 100
	times, record := 1, true
	switch {
	case struck && p.fault == "refuse":
		return `{"status":507,"title":"disk low"}`
	case struck && p.fault == "lose":
		times = 0
	case struck && p.fault == "double":
		times = 2
	case struck && p.fault == "unrecorded":
		record = false
	}
	if record {
		p.events++
	}
	if url == "" {
		times = 0
	}
	body := fmt.Appendf(nil, `{"id":"evt_%026d","type":"%s","created":1700000000,"data":%s}`, p.seq, e.Type, e.Data)
	for i := range times {
		p.wg.Go(func() { p.deliver(url, body, record && i == 0) })
	}
	return fmt.Sprintf(`{"id":"evt_%026d","seq":%d,"duplicate":false,"matched":[]}`, p.seq, p.seq)
}

func (p *pretender) deliver(url string, body []byte, record bool) {
	p.slots <- struct{}{}
	defer func() { <-p.slots }()
	resp, err := p.http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !record:
	case resp.StatusCode == http.StatusOK:
		p.delivered = append(p.delivered, `{"status":"succeeded","attempts_made":1}`)
	default:
		p.delivered = append(p.delivered, `{"status":"pending","attempts_made":1}`)
	}
}
