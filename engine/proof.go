package engine

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// SignedCheckpoint is the end of the log, signed: who keeps it can have it proved later that a record was there by then, and
// that the log was not written anew.
type SignedCheckpoint struct {
	Seq       uint64 `json:"seq"`
	TimeMS    int64  `json:"time_ms" doc:"of the record at seq"`
	Chain     string `json:"chain" doc:"hex"`
	PublicKey []byte `json:"public_key" doc:"ed25519, base64: the same for the life of the log"`
	Signature []byte `json:"signature" doc:"ed25519, base64, of the lines hookline checkpoint v1, seq, time_ms, chain, each with a newline"`
}

// RecordProof shows that a record stood in the log at a checkpoint; eventlog/FORMAT.md says how to check it.
type RecordProof struct {
	Record     ProvedRecord     `json:"record"`
	Place      int              `json:"place" doc:"in its batch, from 0"`
	Path       []string         `json:"path" doc:"audit path (RFC 6962) to the root of its batch, hex"`
	PrevChain  string           `json:"prev_chain" doc:"before its batch, hex"`
	Batch      ProofBatch       `json:"batch"`
	Links      []ProofBatch     `json:"links" doc:"the batches behind it, up to the checkpoint"`
	Checkpoint SignedCheckpoint `json:"checkpoint"`
}

// ProvedRecord is a record as its proof has it.
type ProvedRecord struct {
	Seq      uint64          `json:"seq"`
	Type     uint16          `json:"type"`
	Name     string          `json:"name" doc:"of the type"`
	TimeMS   int64           `json:"time_ms"`
	Tenant   string          `json:"tenant"`
	Facts    []byte          `json:"facts" doc:"base64, as the log has them"`
	Data     any             `json:"data" doc:"the facts, to read; not covered by the proof, facts are"`
	Sections []ProvedSection `json:"sections" doc:"what is sealed: sums only"`
}

// ProvedSection is one sealed section.
type ProvedSection struct {
	SHA256 string `json:"sha256"`
	Bytes  uint32 `json:"bytes"`
}

// ProofBatch is what of a batch its chain covers.
type ProofBatch struct {
	Epoch    uint64 `json:"epoch"`
	Owner    string `json:"owner"`
	FirstSeq uint64 `json:"first_seq"`
	Count    int    `json:"count"`
	Root     string `json:"root,omitempty" doc:"Merkle root of its records, hex; of the record's own batch the path gives it"`
}

// Checkpoint signs the durable end of the log.
func (e *Engine) Checkpoint(context.Context) (SignedCheckpoint, error) {
	d := e.durable.Load()
	return e.sign(eventlog.Checkpoint{Seq: d.seq, Time: d.time, Chain: d.chain})
}

func (e *Engine) sign(c eventlog.Checkpoint) (SignedCheckpoint, error) {
	key, err := e.cfg.Keyring.SigningKey()
	if err != nil {
		return SignedCheckpoint{}, storeError(err)
	}
	public, _ := key.Public().(ed25519.PublicKey)
	return SignedCheckpoint{Seq: uint64(c.Seq), TimeMS: c.Time, Chain: hex.EncodeToString(c.Chain[:]), PublicKey: public,
		Signature: ed25519.Sign(key, c.Text())}, nil
}

// ProveAttempt shows that an attempt is recorded, by a proof up to the batch that ends at seq `to`, a checkpoint that
// somebody has noted; 0 = its own batch.
func (e *Engine) ProveAttempt(ctx context.Context, tenant, id string, to uint64) (RecordProof, error) {
	if _, err := e.Attempt(ctx, tenant, id); err != nil {
		return RecordProof{}, err
	}
	ref, _ := parseID(e.epochs, record.PrefixAttempt, id)
	p, err := eventlog.Prove(ctx, e.cfg.Log, ref.Seq, eventlog.Seq(to))
	if errors.Is(err, eventlog.ErrNotFound) || errors.Is(err, eventlog.ErrInvalid) {
		return RecordProof{}, Invalid("to", "%d is no checkpoint at or behind the attempt: %v", to, err)
	}
	if err != nil {
		return RecordProof{}, storeError(err)
	}
	seq, chain, err := p.Chain()
	if err != nil {
		return RecordProof{}, storeError(err)
	}
	last, err := e.cfg.Log.Get(ctx, seq)
	if err != nil {
		return RecordProof{}, storeError(err)
	}
	signed, err := e.sign(eventlog.Checkpoint{Seq: seq, Time: last.Time, Chain: chain})
	if err != nil {
		return RecordProof{}, err
	}
	shown, err := e.show(&p.Record)
	if err != nil {
		return RecordProof{}, storeError(err)
	}
	return proofObject(&p, shown.Data, signed), nil
}

func proofObject(p *eventlog.Proof, data any, signed SignedCheckpoint) RecordProof {
	r := &p.Record
	o := RecordProof{Place: p.Place, PrevChain: hex.EncodeToString(p.Prev[:]), Batch: proofBatch(&p.Batch), Checkpoint: signed,
		Path: []string{}, Links: []ProofBatch{}, Record: ProvedRecord{Seq: uint64(r.Seq), Type: uint16(r.Type), Name: record.Name(r.Type),
			TimeMS: r.Time, Tenant: r.Tenant, Facts: r.Facts, Data: data, Sections: []ProvedSection{}}}
	o.Batch.Root = ""
	for _, h := range p.Path {
		o.Path = append(o.Path, hex.EncodeToString(h[:]))
	}
	for i := range p.Links {
		o.Links = append(o.Links, proofBatch(&p.Links[i]))
	}
	for _, s := range r.Sections {
		o.Record.Sections = append(o.Record.Sections, ProvedSection{SHA256: hex.EncodeToString(s.Sum[:]), Bytes: s.Len})
	}
	return o
}

func proofBatch(k *eventlog.Link) ProofBatch {
	return ProofBatch{Epoch: k.Epoch, Owner: k.Owner, FirstSeq: uint64(k.First), Count: k.Count, Root: hex.EncodeToString(k.Root[:])}
}

// ErrProof: a proof does not show what it says.
var ErrProof = errors.New("engine: the proof does not hold")

// Check recomputes the chain from the record and demands that it is the checkpoint's, and that the checkpoint was signed by
// the owner of the public key, which comes from elsewhere. It needs neither the log nor a server. Its error wraps ErrProof.
func (p *RecordProof) Check(public ed25519.PublicKey) error {
	in, err := p.decode()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	seq, chain, err := in.Chain()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	c := eventlog.Checkpoint{Seq: eventlog.Seq(p.Checkpoint.Seq), Time: p.Checkpoint.TimeMS}
	if c.Chain, err = hashOf(p.Checkpoint.Chain); err != nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	switch {
	case seq != c.Seq || chain != c.Chain:
		return fmt.Errorf("%w: from the record the chain at seq %d is %x, the checkpoint's at seq %d is %x", ErrProof, seq, chain, c.Seq, c.Chain)
	case len(public) != ed25519.PublicKeySize || !ed25519.Verify(public, c.Text(), p.Checkpoint.Signature):
		return fmt.Errorf("%w: the checkpoint is not signed with this public key", ErrProof)
	}
	return nil
}

func (p *RecordProof) decode() (in eventlog.Proof, err error) {
	r := &p.Record
	in.Record = eventlog.Record{Seq: eventlog.Seq(r.Seq), Type: eventlog.Type(r.Type), Time: r.TimeMS, Tenant: r.Tenant, Facts: r.Facts}
	if len(r.Tenant) > eventlog.MaxTenant || len(r.Sections) > eventlog.MaxSections || len(r.Facts) > eventlog.MaxFacts {
		return in, errors.New("a field of the record is out of range")
	}
	in.Place = p.Place
	if in.Prev, err = hashOf(p.PrevChain); err != nil {
		return in, err
	}
	for _, s := range r.Sections {
		sum, err := hashOf(s.SHA256)
		if err != nil {
			return in, err
		}
		in.Record.Sections = append(in.Record.Sections, eventlog.Section{Sum: sum, Len: s.Bytes})
	}
	for _, text := range p.Path {
		h, err := hashOf(text)
		if err != nil {
			return in, err
		}
		in.Path = append(in.Path, h)
	}
	in.Batch = eventlog.Link{Epoch: p.Batch.Epoch, Owner: p.Batch.Owner, First: eventlog.Seq(p.Batch.FirstSeq), Count: p.Batch.Count}
	for _, k := range p.Links {
		root, err := hashOf(k.Root)
		if err != nil {
			return in, err
		}
		in.Links = append(in.Links, eventlog.Link{Epoch: k.Epoch, Owner: k.Owner, First: eventlog.Seq(k.FirstSeq), Count: k.Count, Root: root})
	}
	return in, nil
}

func hashOf(text string) (h eventlog.Hash, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(h) {
		return h, fmt.Errorf("%.80q is no SHA-256 in hex", text)
	}
	copy(h[:], b)
	return h, nil
}
