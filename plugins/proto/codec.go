package proto

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	grpcproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// Codec is gRPC's codec for both sides. Its name is protobuf's, since the bytes are. It is safe for concurrent use.
type Codec struct {
	protobuf encoding.CodecV2
	buffers  buffers
}

var _ encoding.CodecV2 = (*Codec)(nil)

// NewCodec makes one; a process needs one for each connection.
func NewCodec() *Codec { return &Codec{protobuf: encoding.GetCodecV2(grpcproto.Name)} }

// Name is the content-subtype.
func (*Codec) Name() string { return grpcproto.Name }

// sized is a hot message: it knows its length and appends itself.
type sized interface {
	size() int
	appendTo(b []byte) []byte
}

// Frame is an encoded hot message, ready to be sent once.
type Frame struct{ data mem.BufferSlice }

// Encode encodes an *Attempts or *Results now, into a pooled buffer that gRPC gives back after sending. Once it returns, the
// message and what it points at may change. The error names the bound.
func (c *Codec) Encode(m sized) (*Frame, error) {
	n := m.size()
	if n > MaxMessage {
		return nil, fmt.Errorf("proto: message of %d bytes, at most %d: send fewer or smaller bodies", n, MaxMessage)
	}
	buf := c.buffers.Get(n)
	*buf = m.appendTo((*buf)[:0])
	return &Frame{mem.BufferSlice{mem.NewBuffer(buf, &c.buffers)}}, nil
}

// Marshal passes frames on, encodes hot messages, and leaves everything else to protobuf.
func (c *Codec) Marshal(v any) (mem.BufferSlice, error) {
	switch m := v.(type) {
	case *Frame:
		return m.data, nil
	case sized:
		f, err := c.Encode(m)
		if err != nil {
			return nil, err
		}
		return f.data, nil
	}
	return c.protobuf.Marshal(v)
}

// Unmarshal decodes.
func (c *Codec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(interface{ decode(b []byte) error })
	if !ok {
		return c.protobuf.Unmarshal(data, v)
	}
	buf := data.MaterializeToBuffer(&c.buffers)
	defer buf.Free()
	return m.decode(buf.ReadOnlyData())
}
