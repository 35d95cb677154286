package state

import (
	"cmp"
	"slices"

	"github.com/hookline/hookline/engine/schedule"
	"github.com/hookline/hookline/eventlog"
)

// Policy is a schedule that pending deliveries began with: a profile version's, or an endpoint's own.
type Policy struct {
	Source   eventlog.Seq // the record that defined it
	Schedule schedule.Schedule
}

// policies are the schedules in use, by small numbers that pending deliveries carry. One that no profile version, no
// endpoint and no pending delivery uses any more is let go; its number is given again. Numbers are in no digest and in
// no snapshot: there Source stands for a policy.
type policies struct {
	list  []policyUse
	free  []uint32
	index map[eventlog.Seq]uint32 // by Source
}

type policyUse struct {
	Policy
	users int // the pending deliveries among them are many
}

// noPolicy is the number of what has none yet.
const noPolicy = ^uint32(0)

func (p *policies) at(i uint32) *Policy { return &p.list[i].Policy }

// find returns the number of the policy with this source.
func (p *policies) find(source eventlog.Seq) (uint32, bool) {
	i, ok := p.index[source]
	return i, ok
}

// add returns the number of a policy; it is there until its last user is gone.
func (p *policies) add(x Policy) uint32 {
	if i, ok := p.index[x.Source]; ok {
		return i
	}
	var i uint32
	if n := len(p.free); n > 0 {
		i, p.free = p.free[n-1], p.free[:n-1]
		p.list[i] = policyUse{Policy: x}
	} else {
		i = uint32(len(p.list))
		p.list = append(p.list, policyUse{Policy: x})
	}
	p.index[x.Source] = i
	return i
}

func (p *policies) use(i uint32) uint32 {
	p.list[i].users++
	return i
}

func (p *policies) release(i uint32) {
	if i == noPolicy {
		return
	}
	if p.list[i].users--; p.list[i].users == 0 {
		p.drop(i)
	}
}

func (p *policies) drop(i uint32) {
	delete(p.index, p.list[i].Source)
	p.list[i] = policyUse{}
	p.free = append(p.free, i)
}

// sweep lets go of what nobody has used since it was added.
func (p *policies) sweep() {
	for _, i := range p.index {
		if p.list[i].users == 0 {
			p.drop(i)
		}
	}
}

// sorted are all of them by source.
func (p *policies) sorted() []Policy {
	out := make([]Policy, 0, len(p.index))
	for _, i := range p.index {
		out = append(out, p.list[i].Policy)
	}
	slices.SortFunc(out, func(a, b Policy) int { return cmp.Compare(a.Source, b.Source) })
	return out
}
