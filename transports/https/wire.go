package https

import "net"

// wire is what lies under TLS, or is the connection itself for http. It knows two things TLS does not tell.
//
// It counts what the kernel took, so that a failed write tells whether the receiver can have seen anything.
//
// And it hands TLS at most one record a read, keeping what it read beyond: TLS would buffer that where nobody can see it, and
// an answer nobody asked for would later pass as the answer to the next attempt.
type wire struct {
	*net.TCPConn
	wrote int64

	records bool    // TLS lies above
	header  [5]byte // of the record being read (RFC 8446 section 5.1)
	have    int     // bytes of header
	left    int     // bytes of the record still to come
	pending []byte  // read beyond the record
}

var _ net.Conn = (*wire)(nil)

func (w *wire) Write(p []byte) (int, error) {
	n, err := w.TCPConn.Write(p)
	w.wrote += int64(n)
	return n, err
}

func (w *wire) Read(p []byte) (int, error) {
	if !w.records {
		return w.TCPConn.Read(p)
	}
	if len(w.pending) > 0 {
		n := w.record(w.pending[:min(len(p), len(w.pending))])
		copy(p, w.pending[:n])
		if w.pending = w.pending[n:]; len(w.pending) == 0 {
			w.pending = nil
		}
		return n, nil
	}
	n, err := w.TCPConn.Read(p)
	if k := w.record(p[:n]); k < n {
		w.pending = append([]byte(nil), p[k:n]...)
		n = k
	}
	return n, err
}

// record tells how many of the bytes, which come next on the stream, belong to the present record.
func (w *wire) record(b []byte) int {
	n := 0
	if w.left == 0 {
		for w.have < len(w.header) && n < len(b) {
			w.header[w.have] = b[n]
			w.have++
			n++
		}
		if w.have < len(w.header) {
			return n
		}
		w.left = int(w.header[3])<<8 | int(w.header[4])
		w.have = 0
	}
	k := min(w.left, len(b)-n)
	w.left -= k
	return n + k
}

// between says that what was read ends where a record ends and nothing was kept.
func (w *wire) between() bool { return w.left == 0 && w.have == 0 && len(w.pending) == 0 }
