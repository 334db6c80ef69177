package edit

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// mapping makes one map mean what another one means, key by key.
func (e *editor) mapping(old, want *yaml.Node, at slot) error {
	m := &mapEdit{collection: collection{editor: e, node: old, flow: old.Style&yaml.FlowStyle != 0,
		top: at.kind == root}}
	if err := m.match(old, want); err != nil {
		return err
	}
	if m.kept == 0 && (m.flow || !m.top) {
		return e.value(old, want, at)
	}
	if err := m.locate(old); err != nil {
		return err
	}
	return m.edit()
}

// mapEdit is the edit of one map.
type mapEdit struct {
	collection
	pairs  []mapPair // what the document has, one for each entry
	added  []addition
	kept   int
	after  []int             // offset after the colon of each entry
	byName map[digest][]int  // entries by key
	merged map[digest]digest // what merge keys bring in
}

// mapPair is an entry of the document with the value that is wanted for it, if it is wanted.
type mapPair struct {
	pair
	want *yaml.Node
}

// addition is a new key and the entry that it is to follow.
type addition struct {
	pair
	follow int
}

// match finds which entries stay, go and come.
func (m *mapEdit) match(old, want *yaml.Node) error {
	if err := m.read(old); err != nil {
		return err
	}
	wanted, err := m.values.pairs(want)
	if err != nil {
		return err
	}
	follow := -1
	seen := map[digest]bool{}
	for _, p := range wanted {
		key, err := m.values.of(p.key)
		if err != nil {
			return err
		}
		seen[key] = true
		if entries := m.byName[key]; len(entries) > 0 {
			if err := m.keep(entries, key, want, p.value); err != nil {
				return err
			}
			follow = entries[len(entries)-1]
			continue
		}
		value, err := m.values.of(p.value)
		if err != nil {
			return err
		}
		if have, ok := m.merged[key]; !ok || have != value {
			m.added = append(m.added, addition{p, m.place(p.key.Value, follow)})
		}
	}
	return m.drop(old, seen)
}

// read lists the entries of the document by key, and what its merge keys bring in.
func (m *mapEdit) read(old *yaml.Node) error {
	m.byName, m.merged = map[digest][]int{}, map[digest]digest{}
	for i := 0; i+1 < len(old.Content); i += 2 {
		p := pair{old.Content[i], old.Content[i+1]}
		m.pairs = append(m.pairs, mapPair{pair: p})
		m.entries = append(m.entries, entry{})
		if isMerge(p.key) {
			m.kept++
			continue
		}
		key, err := m.values.of(p.key)
		if err != nil {
			return err
		}
		m.byName[key] = append(m.byName[key], i/2)
	}
	effective, err := m.values.pairs(old)
	if err != nil {
		return err
	}
	for _, p := range effective {
		key, err := m.values.of(p.key)
		if err != nil {
			return err
		}
		if len(m.byName[key]) == 0 {
			if m.merged[key], err = m.values.of(p.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// keep notes what is wanted for the entries of one key. A doubled key stays as it is, or is edited where want doubles
// it as often.
func (m *mapEdit) keep(entries []int, key digest, want, value *yaml.Node) error {
	m.kept += len(entries)
	if len(entries) == 1 {
		m.pairs[entries[0]].want = value
		return nil
	}
	var all []*yaml.Node
	for i := 0; i+1 < len(want.Content); i += 2 {
		if d, err := m.values.of(want.Content[i]); err == nil && d == key {
			all = append(all, want.Content[i+1])
		}
	}
	last := m.pairs[entries[len(entries)-1]]
	same, err := m.same(last.value, value)
	if err != nil {
		return err
	}
	if len(all) != len(entries) && !same {
		return fmt.Errorf("line %d: the key %q stands here more than once", last.key.Line, last.key.Value)
	}
	for i, entry := range entries {
		m.pairs[entry].want = m.pairs[entry].value
		if len(all) == len(entries) {
			m.pairs[entry].want = all[i]
		}
	}
	return nil
}

// drop marks the entries that are not wanted. What a merge key brings in cannot be dropped.
func (m *mapEdit) drop(old *yaml.Node, wanted map[digest]bool) error {
	for i, p := range m.pairs {
		m.entries[i].removed = p.want == nil && !isMerge(p.key)
	}
	for key := range m.merged {
		if !wanted[key] {
			return m.at(old, errors.New("a merge key (<<) brings in a key that is to be removed"))
		}
	}
	return nil
}

// place is the entry that a new key is to follow: annotations go behind what names the object, other keys behind the
// one that they follow in want, or last.
func (m *mapEdit) place(key string, follow int) int {
	if key == "annotations" {
		at := -1
		for i, p := range m.pairs {
			if k := p.key.Value; k == "name" || k == "namespace" || k == "labels" {
				at = max(at, i)
			}
		}
		if at >= 0 {
			return at
		}
	}
	if follow < 0 {
		return len(m.pairs) - 1
	}
	return follow
}

// locate finds the bytes of every entry.
func (m *mapEdit) locate(old *yaml.Node) error {
	for i, p := range m.pairs {
		key, err := m.span(p.key)
		if err != nil {
			return m.at(p.key, err)
		}
		value, err := m.span(p.value)
		if err != nil {
			return m.at(p.value, err)
		}
		m.entries[i].start, m.entries[i].end = key.start, max(key.end, value.end)
		colon := m.skipBlanks(key.end)
		if colon >= len(m.b) || m.b[colon] != ':' || !m.plainKeyAt(key.start) {
			if !m.flow || m.changed(i) {
				return m.at(p.key, fmt.Errorf("the key %q: %w", p.key.Value, errUnsupported))
			}
		}
		m.after = append(m.after, colon+1)
		if !m.flow {
			m.entries[i].end = max(m.entries[i].end, colon+1)
		}
		if i == 0 {
			m.column = m.source.column(key.start)
		}
	}
	return nil
}

// plainKeyAt reports whether a block map's key is not behind a `?`.
func (m *mapEdit) plainKeyAt(start int) bool {
	return m.flow || start < 2 || m.b[start-2] != '?' || m.b[start-1] != ' '
}

// changed reports whether an entry is to be edited or removed.
func (m *mapEdit) changed(i int) bool {
	if m.entries[i].removed {
		return true
	}
	if m.pairs[i].want == nil {
		return false
	}
	same, err := m.same(m.pairs[i].value, m.pairs[i].want)
	return err != nil || !same
}

// edit notes the edits of all entries.
func (m *mapEdit) edit() error {
	for i, p := range m.pairs {
		if p.want == nil || m.entries[i].removed {
			continue
		}
		if err := m.entryValue(p, i); err != nil {
			return err
		}
	}
	for _, a := range m.added {
		text, err := m.render(a.pair)
		if err != nil {
			return err
		}
		m.insert(a.follow, text)
	}
	m.remove()
	return nil
}

// entryValue edits the value of an entry.
func (m *mapEdit) entryValue(p mapPair, i int) error {
	return m.editor.node(p.value, p.want, m.slot(inMap, m.after[i]))
}

// render writes a new key with its value.
func (m *mapEdit) render(p pair) (string, error) {
	if !m.flow {
		return m.style.entry(p, m.column)
	}
	text, err := m.style.flow(&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{p.key, p.value}})
	if err != nil {
		return "", err
	}
	return text[1 : len(text)-1], nil
}
