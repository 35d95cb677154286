package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
)

// answer is a ResponseWriter that puts X-Log-Seq on everything and remembers what was answered.
type answer struct {
	http.ResponseWriter
	svc    Service // nil before Use
	op     *operation
	status int
	size   int
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
		seq := uint64(0)
		if a.svc != nil {
			seq = a.svc.HeadSeq()
		}
		a.Header()["X-Log-Seq"] = []string{strconv.FormatUint(seq, 10)}
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	n, err := a.ResponseWriter.Write(b)
	a.size += n
	return n, err
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) route() string {
	if a.op == nil {
		return "none"
	}
	return a.op.id
}

// json answers with v. What cannot be encoded is a fault of ours.
func (c *call) json(status int, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	c.send(status, "application/json", buf.Bytes())
	return nil
}

// send answers with a body. A client that is gone by now is nobody to tell about it.
func (c *call) send(status int, contentType string, body []byte) {
	c.w.Header()["Content-Type"] = []string{contentType}
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body)
}

func (c *call) noContent() error {
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
