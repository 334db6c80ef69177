package edit

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// sequence makes one list mean what another one means, entry by entry.
func (e *editor) sequence(old, want *yaml.Node, at slot) error {
	steps, err := e.align(old.Content, want.Content)
	if err != nil {
		return err
	}
	s := &collection{editor: e, node: old, flow: old.Style&yaml.FlowStyle != 0, list: true, top: at.kind == root}
	kept := 0
	s.entries = make([]entry, len(old.Content))
	for _, st := range steps {
		if st.old >= 0 && st.want >= 0 {
			kept++
		} else if st.old >= 0 {
			s.entries[st.old].removed = true
		}
	}
	if kept == 0 && s.flow {
		return e.value(old, want, at)
	}
	if err := s.locateItems(); err != nil {
		return err
	}
	last := -1
	for _, st := range steps {
		if err := s.step(st, want, last); err != nil {
			return err
		}
		last = max(last, st.old)
	}
	s.remove()
	return nil
}

// step edits or adds one item; last is the item of the document before it.
func (c *collection) step(st step, want *yaml.Node, last int) error {
	switch {
	case st.want < 0:
		return nil
	case st.old >= 0:
		return c.editor.node(c.node.Content[st.old], want.Content[st.want], c.slot(inSeq, c.entries[st.old].start+1))
	}
	item := c.like(want.Content[st.want])
	if c.flow {
		text, err := c.style.flow(item)
		if err != nil {
			return err
		}
		c.insert(last, text)
		return nil
	}
	text, err := c.style.item(item, c.column)
	if err != nil {
		return err
	}
	c.insert(last, c.spaced(text))
	return nil
}

// spaced is a new item with as many blanks after its dash as the last item that has something there.
func (c *collection) spaced(item string) string {
	more := ""
	for _, e := range c.entries {
		if text := c.skipBlanks(e.start + 1); text > e.start+1 && text < e.end {
			more = strings.Repeat(" ", text-e.start-2)
		}
	}
	lines := strings.SplitAfter(item, c.style.eol)
	dash := slices.IndexFunc(lines, func(line string) bool {
		return strings.HasPrefix(line[min(c.column, len(line)):],
			"-")
	})
	lines[dash] = lines[dash][:c.column+1] + more + lines[dash][c.column+1:]
	for i := dash + 1; i < len(lines); i++ {
		if strings.Trim(lines[i], " \r\n") != "" {
			lines[i] = more + lines[i]
		}
	}
	return strings.Join(lines, "")
}

// like gives a new string the quotes that the list's other strings have although they need none.
func (c *collection) like(item *yaml.Node) *yaml.Node {
	if item.Kind != yaml.ScalarNode || item.ShortTag() != "!!str" || item.Style&blockScalar != 0 {
		return item
	}
	for i := len(c.node.Content) - 1; i >= 0; i-- {
		n := c.node.Content[i]
		if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" && plainSafe(n.Value, c.flow) {
			copied := *item
			if n.Style&quoted != 0 {
				copied.Style = n.Style & quoted
			}
			return &copied
		}
	}
	return item
}

// locateItems finds the bytes of every item: in block style from its dash, which stands below the first one.
func (c *collection) locateItems() error {
	list, err := c.span(c.node)
	if err != nil {
		return c.at(c.node, err)
	}
	pos := list.content
	c.column = c.source.column(pos)
	for i, n := range c.node.Content {
		sp, err := c.span(n)
		if err != nil {
			return c.at(n, err)
		}
		if c.flow {
			c.entries[i] = entry{sp.start, sp.end, c.entries[i].removed}
			continue
		}
		dash := pos
		if i > 0 {
			dash = c.skipSpace(pos)
		}
		if dash >= len(c.b) || c.b[dash] != '-' || c.source.column(dash) != c.column {
			return c.at(n, fmt.Errorf("a list item: %w", errUnsupported))
		}
		pos = max(sp.end, dash+1)
		c.entries[i] = entry{dash, pos, c.entries[i].removed}
	}
	return nil
}

// step is one step through two lists: an item of both, of the document only, or of what is wanted only (-1).
type step struct{ old, want int }

// from is a step of parts of two lists as a step of the lists.
func (s step) from(old, want int) step {
	if s.old >= 0 {
		s.old += old
	}
	if s.want >= 0 {
		s.want += want
	}
	return s
}

// align finds which items of two lists are the same, which are edited, and which come and go.
func (e *editor) align(old, want []*yaml.Node) ([]step, error) {
	a, err := e.all(old)
	if err != nil {
		return nil, err
	}
	b, err := e.all(want)
	if err != nil {
		return nil, err
	}
	var steps []step
	i, j := 0, 0
	gap := func(toI, toJ int) {
		for _, st := range e.pairUp(old[i:toI], want[j:toJ]) {
			steps = append(steps, st.from(i, j))
		}
	}
	for _, common := range commonItems(a, b) {
		gap(common.old, common.want)
		steps = append(steps, common)
		i, j = common.old+1, common.want+1
	}
	gap(len(old), len(want))
	return steps, nil
}

// all is the digests of nodes.
func (e *editor) all(nodes []*yaml.Node) ([]digest, error) {
	out := make([]digest, len(nodes))
	for i, n := range nodes {
		var err error
		if out[i], err = e.values.of(n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// maxTable bounds the table that commonItems fills.
const maxTable = 4 << 20

// commonItems is a longest common subsequence of two lists. Lists of which thousands of items differ have only their
// common ends.
func commonItems(a, b []digest) []step {
	head, tail := 0, 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var out []step
	for i := range head {
		out = append(out, step{i, i})
	}
	x, y := a[head:len(a)-tail], b[head:len(b)-tail]
	if (len(x)+1)*(len(y)+1) <= maxTable {
		for _, s := range longest(x, y) {
			out = append(out, step{s.old + head, s.want + head})
		}
	}
	for i := tail; i > 0; i-- {
		out = append(out, step{len(a) - i, len(b) - i})
	}
	return out
}

// longest is a longest common subsequence by the usual table.
func longest(a, b []digest) []step {
	width := len(b) + 1
	table := make([]int32, (len(a)+1)*width)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				table[i*width+j] = table[(i+1)*width+j+1] + 1
			} else {
				table[i*width+j] = max(table[(i+1)*width+j], table[i*width+j+1])
			}
		}
	}
	var out []step
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			out = append(out, step{i, j})
			i, j = i+1, j+1
		case table[(i+1)*width+j] >= table[i*width+j+1]:
			i++
		default:
			j++
		}
	}
	return out
}

// pairUp decides about the items between two common ones: those that are likely the same thing are edited, the others
// come and go.
func (e *editor) pairUp(old, want []*yaml.Node) []step {
	var steps []step
	i, j := 0, 0
	goTo := func(toI, toJ int) {
		for ; i < toI; i++ {
			steps = append(steps, step{i, -1})
		}
		for ; j < toJ; j++ {
			steps = append(steps, step{-1, j})
		}
	}
	for _, p := range e.likeliest(old, want) {
		goTo(p.old, p.want)
		steps = append(steps, p)
		i, j = i+1, j+1
	}
	goTo(len(old), len(want))
	return steps
}

// likeliest pairs the items of two lists in order so that the pairs are as alike as can be.
func (e *editor) likeliest(old, want []*yaml.Node) []step {
	if len(old)*len(want) > maxTable>>6 {
		return nil
	}
	width := len(want) + 1
	likes, table := make([]int, len(old)*width), make([]int, (len(old)+1)*width)
	for i := len(old) - 1; i >= 0; i-- {
		for j := len(want) - 1; j >= 0; j-- {
			like := e.likeness(target(old[i]), target(want[j]))
			if like == 0 && i == j && len(old) == len(want) && !bothNamed(old[i], want[j]) {
				like = 1
			}
			likes[i*width+j] = like
			table[i*width+j] = max(table[(i+1)*width+j], table[i*width+j+1])
			if like > 0 {
				table[i*width+j] = max(table[i*width+j], table[(i+1)*width+j+1]+like)
			}
		}
	}
	var out []step
	for i, j := 0, 0; i < len(old) && j < len(want); {
		at := i*width + j
		switch {
		case likes[at] > 0 && table[at] == table[at+width+1]+likes[at]:
			out = append(out, step{i, j})
			i, j = i+1, j+1
		case table[at] == table[at+width]:
			i++
		default:
			j++
		}
	}
	return out
}

// likeness is how alike two different items are, 0 for not at all: maps by their names or else by their keys, and
// lists by how many items they have.
func (e *editor) likeness(a, b *yaml.Node) int {
	const named = 1 << 20
	switch {
	case a.Kind != b.Kind || a.Kind == yaml.ScalarNode:
		return 0
	case a.Kind == yaml.SequenceNode:
		return 1 + min(len(a.Content), len(b.Content))
	case sameName(a, b):
		return named
	case bothNamed(a, b):
		return 0
	}
	values := make(map[string]*yaml.Node, len(a.Content)/2)
	for i := 0; i+1 < len(a.Content); i += 2 {
		values[a.Content[i].Value] = a.Content[i+1]
	}
	shared, equal := 0, 0
	for i := 0; i+1 < len(b.Content); i += 2 {
		if value, ok := values[b.Content[i].Value]; ok {
			shared++
			if same, err := e.same(value, b.Content[i+1]); err == nil && same {
				equal++
			}
		}
	}
	if shared*4 < max(len(a.Content), len(b.Content)) {
		return 0
	}
	return 1 + shared + 2*equal
}

// sameName reports whether two items are maps that name the same thing.
func sameName(a, b *yaml.Node) bool {
	x, ok := nameOf(target(a))
	if !ok {
		return false
	}
	y, ok := nameOf(target(b))
	return ok && x == y
}

// bothNamed reports whether two items are maps that name something.
func bothNamed(a, b *yaml.Node) bool {
	_, x := nameOf(target(a))
	_, y := nameOf(target(b))
	return x && y
}

// nameOf is what tells a map in a list from its neighbours.
func nameOf(n *yaml.Node) (name [4]string, ok bool) {
	if n.Kind != yaml.MappingNode {
		return name, false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		value := target(n.Content[i+1])
		switch n.Content[i].Value {
		case "name":
			name[0], ok = value.Value, true
		case "path":
			name[1], ok = value.Value, true
		case "kind":
			name[2] = value.Value
		case "metadata":
			if inner, found := nameOf(value); found {
				name[3], ok = inner[0], true
			}
		}
	}
	return name, ok
}
