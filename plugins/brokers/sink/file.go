package sink

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/hookline/hookline/transports"
)

// line is what a file gets of an attempt.
func line(req *transports.Request) ([]byte, error) {
	l := struct {
		At         time.Time         `json:"at"`
		EventID    string            `json:"event_id"`
		Headers    map[string]string `json:"headers"`
		Body       *string           `json:"body,omitempty"`
		BodyBase64 string            `json:"body_base64,omitempty"`
	}{At: time.Now().UTC(), EventID: req.EventID, Headers: make(map[string]string, len(req.Headers))}
	for _, h := range req.Headers {
		l.Headers[h.Name] = h.Value
	}
	if utf8.Valid(req.Body) {
		text := string(req.Body)
		l.Body = &text
	} else {
		l.BodyBase64 = base64.StdEncoding.EncodeToString(req.Body)
	}
	b, err := json.Marshal(l)
	return append(b, '\n'), err
}

// appender appends lines; those who come while one syncs share the next sync. It is safe for concurrent use.
type appender struct {
	mu   sync.Mutex // of next
	next *group

	writing sync.Mutex // held by the one that writes and syncs
	file    *os.File
	size    int64
}

// group is what one write brings to disk.
type group struct {
	text []byte
	done bool
	err  error
}

func openAppender(path string) (*appender, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &appender{file: f, size: info.Size(), next: &group{}}, nil
}

// append returns once the line is on disk.
func (a *appender) append(text []byte) error {
	a.mu.Lock()
	g := a.next
	g.text = append(g.text, text...)
	a.mu.Unlock()
	a.writing.Lock()
	defer a.writing.Unlock()
	if g.done { // by somebody who came first
		return g.err
	}
	a.mu.Lock()
	a.next = &group{}
	a.mu.Unlock()
	g.done = true
	if _, g.err = a.file.Write(g.text); g.err == nil {
		g.err = a.file.Sync()
	}
	if g.err != nil {
		_ = a.file.Truncate(a.size)
		return g.err
	}
	a.size += int64(len(g.text))
	return nil
}

func (a *appender) close() error { return a.file.Close() }
