package eventlog

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
)

// MaxProofLinks bounds a proof's links: so many batches at most lie between a record and the checkpoint it is proved to.
const MaxProofLinks = 100_000

// Proof shows that a record was in a log when its chain, after a later batch, was a certain one: with it nobody needs the
// rest of the log. It stands on SHA-256 alone; FORMAT.md says how another program checks it.
type Proof struct {
	Record Record // its sections without data
	Place  int    // in its batch, from 0
	Path   []Hash // audit path to the batch's Merkle root, RFC 6962 section 2.1.1
	Prev   Hash   // chain before its batch
	Batch  Link   // its batch; Root is not used: the path gives it
	Links  []Link // the batches behind it, up to the one whose chain is proved
}

// Link is what of a batch its chain covers, its records summed up by their Merkle root.
type Link struct {
	Epoch uint64
	Owner string
	First Seq
	Count int // records
	Root  Hash
}

// Prove makes the proof of a record up to the batch that ends at `to`; 0 = its own batch. Errors: ErrNotFound where there
// is no such record or no batch ends at `to`, ErrInvalid past MaxProofLinks batches, the log's.
func Prove(ctx context.Context, log Log, seq, to Seq) (Proof, error) {
	var p Proof
	var h Hasher
	if seq == 0 {
		return p, ErrNotFound
	}
	last := Seq(0)
	for b, err := range log.ReadBatches(ctx, seq-1) {
		if err != nil {
			return p, err
		}
		link := Link{Epoch: b.Epoch, Owner: b.Owner, First: b.First, Count: len(b.Records)}
		leaves := make([]Hash, len(b.Records))
		for i := range b.Records {
			leaves[i] = h.leaf(b.First+Seq(i), &b.Records[i])
		}
		switch {
		case last == 0:
			p.Place, p.Prev, p.Batch = int(seq-b.First), b.Prev, link
			p.Record = proved(&b.Records[p.Place])
			p.Path = MerkleProof(leaves, p.Place)
		case len(p.Links) == MaxProofLinks:
			return p, fmt.Errorf("%w: more than %d batches lie between seq %d and %d: prove to an earlier checkpoint", ErrInvalid, MaxProofLinks, seq, to)
		default:
			link.Root = MerkleRoot(leaves)
			p.Links = append(p.Links, link)
		}
		last = b.Last()
		if to == 0 || last == to {
			return p, nil
		}
		if last > to {
			break
		}
	}
	if last == 0 {
		return p, ErrNotFound
	}
	return p, fmt.Errorf("%w: no batch that holds seq %d or a later one ends at seq %d", ErrNotFound, seq, to)
}

// proved is the record's own copy, as its leaf has it.
func proved(r *Record) Record {
	out := *r
	out.Facts = append([]byte(nil), r.Facts...)
	out.Sections = nil
	for _, s := range r.Sections {
		out.Sections = append(out.Sections, Section{Sum: s.Sum, Len: s.Len})
	}
	return out
}

// Chain computes what the proof proves: that the log whose chain was this after the record at seq holds the record. It
// shows nothing until that is compared with a checkpoint that was noted or signed. Errors wrap ErrInvalid.
func (p *Proof) Chain() (seq Seq, chain Hash, err error) {
	if p.Record.Seq == 0 || p.Place < 0 || p.Batch.First+Seq(p.Place) != p.Record.Seq || len(p.Links) > MaxProofLinks {
		return 0, chain, fmt.Errorf("%w: the proof's record is not at its place", ErrInvalid)
	}
	var h Hasher
	root, ok := merkleFold(h.Leaf(&p.Record), p.Place, p.Batch.Count, p.Path)
	if !ok {
		return 0, chain, fmt.Errorf("%w: the proof's path does not fit its batch", ErrInvalid)
	}
	link := p.Batch
	link.Root = root
	next, chain := p.Batch.First, p.Prev
	for i := -1; ; link = p.Links[i] {
		if link.First != next || link.Count < 1 || link.Count > MaxBatchRecords || len(link.Owner) > MaxOwner {
			return 0, chain, fmt.Errorf("%w: the proof's batch at seq %d does not follow", ErrInvalid, link.First)
		}
		chain = link.chain(chain)
		next += Seq(link.Count)
		if i++; i == len(p.Links) {
			return next - 1, chain, nil
		}
	}
}

// Checkpoint is the end of a log at some time: what somebody notes, or a server signs.
type Checkpoint struct {
	Seq   Seq
	Time  int64 // of the record at Seq, Unix ms
	Chain Hash
}

// Text is what is signed of a checkpoint: five lines.
func (c *Checkpoint) Text() []byte {
	b := []byte("hookline checkpoint v1\n")
	b = strconv.AppendUint(b, uint64(c.Seq), 10)
	b = strconv.AppendInt(append(b, '\n'), c.Time, 10)
	return fmt.Appendf(append(b, '\n'), "%x\n", c.Chain)
}

// chain is the chain after a batch, of the one before it.
func (k *Link) chain(prev Hash) Hash {
	scratch := append(make([]byte, 0, 1+2*hashLen+batchFixed+len(k.Owner)), linkPrefix)
	scratch = append(scratch, prev[:]...)
	scratch = append(scratch, batchVersion, 0)
	scratch = binary.BigEndian.AppendUint64(scratch, k.Epoch)
	scratch = binary.BigEndian.AppendUint64(scratch, uint64(k.First))
	scratch = binary.BigEndian.AppendUint32(scratch, uint32(k.Count))
	scratch = append(append(scratch, byte(len(k.Owner))), k.Owner...)
	return sha256.Sum256(append(scratch, k.Root[:]...))
}
