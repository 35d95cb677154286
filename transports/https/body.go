package https

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/hookline/hookline/transports"
)

const (
	maxChunkLine = 4 << 10 // bytes of a chunk-size line with its extensions, or of one trailer field
	maxTrailers  = 100
	firstAlloc   = 4 << 10 // an announced length is believed up to here before any byte came
)

// readBody reads at most transports.MaxResponseBody bytes. truncated: there was more, or it ended or broke before its
// end, or the deadline came first. The connection is fit for reuse only if whole.
func (c *conn) readBody(h head) (body []byte, truncated bool) {
	switch h.framing {
	case framedByLength:
		want := int(min(h.length, transports.MaxResponseBody))
		body, err := c.readN(nil, want)
		return body, err != nil || int64(want) < h.length
	case framedByChunks:
		body, err := c.readChunks()
		return body, err != nil
	case framedByClose:
		body, err := c.readN(nil, transports.MaxResponseBody+1)
		if len(body) > transports.MaxResponseBody {
			return body[:transports.MaxResponseBody], true
		}
		return body, !errors.Is(err, io.EOF)
	case framedBadly:
		return nil, true
	}
	return nil, false
}

// readN appends n bytes of the stream to body; on an error what came before it is kept.
func (c *conn) readN(body []byte, n int) ([]byte, error) {
	if n == 0 {
		return body, nil
	}
	if body == nil {
		body = make([]byte, 0, min(n, max(c.w-c.r, firstAlloc)))
	}
	for {
		k := min(n, c.w-c.r)
		body = append(body, c.buf[c.r:c.r+k]...)
		c.r += k
		if n -= k; n == 0 {
			return body, nil
		}
		if err := c.fill(len(c.buf)); err != nil {
			return body, err
		}
	}
}

var errBadChunk = errors.New("https: malformed chunk")

// readChunks decodes a chunked body (RFC 9112 section 7.1); trailers are read and forgotten.
func (c *conn) readChunks() ([]byte, error) {
	var body []byte
	for {
		line, err := c.readLine()
		if err != nil {
			return body, err
		}
		size, err := parseChunkSize(line)
		if err != nil {
			return body, err
		}
		if size == 0 {
			return body, c.skipTrailers()
		}
		if room := transports.MaxResponseBody - len(body); size > int64(room) {
			body, err = c.readN(body, room)
			return body, errors.Join(errTooLong, err)
		}
		if body, err = c.readN(body, int(size)); err != nil {
			return body, err
		}
		if line, err = c.readLine(); err != nil {
			return body, err
		}
		if len(line) != 0 {
			return body, errBadChunk
		}
	}
}

func parseChunkSize(line []byte) (int64, error) {
	if i := bytes.IndexByte(line, ';'); i >= 0 {
		line = line[:i]
	}
	line = bytes.Trim(line, " \t")
	if len(line) == 0 || line[0] == '+' || line[0] == '-' {
		return 0, errBadChunk
	}
	n, err := strconv.ParseUint(string(line), 16, 63)
	if err != nil || bytes.IndexByte(line, '_') >= 0 {
		return 0, errBadChunk
	}
	return int64(n), nil
}

func (c *conn) skipTrailers() error {
	for range maxTrailers {
		line, err := c.readLine()
		if err != nil || len(line) == 0 {
			return err
		}
	}
	return errTooLong
}

// readLine returns one line without its end; it is valid until the next fill.
func (c *conn) readLine() ([]byte, error) {
	scanned := 0 // offset from c.r, which fill moves
	for {
		if i := bytes.IndexByte(c.buf[c.r+scanned:c.w], '\n'); i >= 0 {
			line := c.buf[c.r : c.r+scanned+i]
			c.r += scanned + i + 1
			return bytes.TrimSuffix(line, []byte{'\r'}), nil
		}
		scanned = c.w - c.r
		if scanned >= maxChunkLine {
			return nil, errTooLong
		}
		if err := c.fill(max(len(c.buf), maxChunkLine)); err != nil {
			return nil, err
		}
	}
}
