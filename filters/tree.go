package filters

import "slices"

// branch is a node of the tree of paths that subscriptions ask about, one tree for each of data, actor and metadata. It is
// walked together with an event's JSON: what costs is the smaller of the two.
type branch struct {
	group    *group // nil: nobody asks about the value itself
	byKey    map[string]*branch
	members  []memberBranch
	elements []elementBranch
	expects  bool // somebody asks here or below for what is not there
}

type memberBranch struct {
	key string
	*branch
}

type elementBranch struct {
	index int
	*branch
}

// grow returns the branch at the end of a path.
func (b *branch) grow(steps []step) *branch {
	for i := range steps {
		b = b.child(&steps[i])
	}
	return b
}

func (b *branch) child(s *step) *branch {
	if s.isIndex {
		for _, e := range b.elements {
			if e.index == s.index {
				return e.branch
			}
		}
		e := elementBranch{s.index, &branch{}}
		b.elements = append(b.elements, e)
		return e.branch
	}
	if next, ok := b.byKey[s.key]; ok {
		return next
	}
	if b.byKey == nil {
		b.byKey = map[string]*branch{}
	}
	next := &branch{}
	b.byKey[s.key] = next
	b.members = append(b.members, memberBranch{s.key, next})
	return next
}

// finish sets expects from the leaves up, and moves the members that expect to the front.
func (b *branch) finish() {
	b.expects = b.group != nil && len(b.group.kinds[0]) > 0
	for _, m := range b.members {
		m.finish()
		b.expects = b.expects || m.expects
	}
	for _, e := range b.elements {
		e.finish()
		b.expects = b.expects || e.expects
	}
	slices.SortStableFunc(b.members, func(x, y memberBranch) int {
		switch {
		case x.expects == y.expects:
			return 0
		case x.expects:
			return -1
		}
		return 1
	})
}

// ofNothing appends what a branch whose value is not there finds.
func (b *branch) ofNothing(found lists) lists {
	if !b.expects {
		return found
	}
	if b.group != nil {
		found = b.group.ofNothing(found)
	}
	for _, m := range b.members {
		if !m.expects {
			break
		}
		found = m.ofNothing(found)
	}
	for _, e := range b.elements {
		found = e.ofNothing(found)
	}
	return found
}

// ofNode appends what a branch whose value is a JSON node finds.
func (b *branch) ofNode(found lists, d *document, at int32) lists {
	if b.group != nil {
		found = b.group.ofNode(found, d, at)
	}
	if len(b.members) > 0 {
		found = b.ofMembers(found, d, at)
	}
	for _, e := range b.elements {
		if next, ok := d.step(at, &step{index: e.index, isIndex: true}); ok {
			found = e.ofNode(found, d, next)
		} else {
			found = e.ofNothing(found)
		}
	}
	return found
}

// fewMembers is up to how many branches are looked up one by one, whatever the object.
const fewMembers = 8

func (b *branch) ofMembers(found lists, d *document, at int32) lists {
	n := d.nodes[at]
	if n.kind() != kindObject {
		for _, m := range b.members {
			found = m.ofNothing(found)
		}
		return found
	}
	all := len(b.members) <= max(fewMembers, n.count())
	for i := range b.members {
		m := &b.members[i]
		if !all && !m.expects {
			break
		}
		if next, ok := d.member(at, m.key); ok {
			found = m.ofNode(found, d, next)
		} else {
			found = m.ofNothing(found)
		}
	}
	if all {
		return found
	}
	for i := at + 1; i < n.next; i = d.nodes[i+1].next {
		m, ok := b.byKey[d.text(i)]
		if !ok || m.expects {
			continue
		}
		if next, _ := d.member(at, d.text(i)); next == i+1 { // of a repeated key the first value counts
			found = m.ofNode(found, d, next)
		}
	}
	return found
}
