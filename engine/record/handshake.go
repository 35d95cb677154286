package record

import "github.com/hookline/hookline/eventlog"

// EndpointHandshake is endpoint.handshake_finished: what a receiver said to being asked for its consent.
type EndpointHandshake struct {
	Endpoint   eventlog.Seq
	Granted    bool
	Rate       uint32 // attempts a minute that it allows; 0 = any
	StatusCode uint16 // 0 = no answer
	Kind       uint8  // of transports.ErrorKind, by KindNumber
}

func (p *EndpointHandshake) AppendFacts(dst []byte) []byte {
	e := encoder(dst)
	e.version(1)
	e.u(uint64(p.Endpoint))
	e.flag(p.Granted)
	e.u(uint64(p.Rate))
	e.u(uint64(p.StatusCode))
	e.u8(p.Kind)
	return e
}

func (p *EndpointHandshake) Decode(b []byte) error {
	d := decoder{b: b}
	if err := d.version(1, "endpoint.handshake_finished"); err != nil {
		return err
	}
	p.Endpoint = eventlog.Seq(d.u())
	p.Granted = d.flag()
	p.Rate = d.u32()
	p.StatusCode = d.u16()
	p.Kind = d.u8()
	return d.end("endpoint.handshake_finished")
}
