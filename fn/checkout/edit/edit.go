// Package edit changes YAML and JSON documents by bytes: it finds the smallest edits that make a document mean
// something else, and leaves every other byte alone. It does not rewrite what it cannot edit; it says so.
package edit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"migrate-to-flux-operator/fn/reason"
)

// Edit changes doc, one YAML or JSON document with or without its `---` line and comments, so that it means what want
// means, another YAML text. Maps are compared by key and lists by longest common entries; the order of keys in want
// does not matter, but a new key is placed after the key that it follows there. New keys and entries are written with
// their comments in want and in the document's own style; of comments in want on what is already there those beside a
// text that changes are written, and the others ignored. A want in flow style or JSON as a whole is written in block
// style where the document is.
//
// It fails where no edit of single entries makes the two equal: merge keys that bring in what want lacks, an anchored
// value that is used elsewhere, a doubled key, a way of writing that it does not know. The result is parsed again and
// compared with want before it is handed out.
func Edit(doc, want []byte) ([]byte, error) {
	out, err := try(doc, want)
	if err == nil || len(doc) == 0 || doc[len(doc)-1] == '\n' {
		return out, err
	}
	// A block scalar at the end of a file without a final newline means something else once a line follows it.
	out, retry := try(append(bytes.Clone(doc), '\n'), want)
	if retry != nil {
		return nil, err
	}
	return out, nil
}

// try is Edit without the second try.
func try(doc, want []byte) ([]byte, error) {
	before, err := parse(doc)
	if err != nil {
		return nil, fmt.Errorf("cannot parse the document: %w", err)
	}
	after, err := parse(want)
	if err != nil {
		return nil, fmt.Errorf("cannot parse the wanted document: %w", err)
	}
	if after.Style&yaml.FlowStyle != 0 {
		unflow(after)
	}
	e := newEditor(doc, before)
	if err := e.node(before, after, slot{kind: root}); err != nil {
		return nil, err
	}
	out, err := e.apply()
	if err != nil {
		return nil, err
	}
	if err := verify(out, after); err != nil {
		return nil, fmt.Errorf("%w%s", err, anchorHint(before))
	}
	return out, nil
}

// unflow forgets how a value is written: a want that is JSON or flow style as a whole says nothing about style.
func unflow(n *yaml.Node) {
	n.Style &^= yaml.FlowStyle | yaml.DoubleQuotedStyle
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		n.Style = 0
	}
	for _, c := range n.Content {
		unflow(c)
	}
}

// parse reads the one document that text holds.
func parse(text []byte) (*yaml.Node, error) {
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := reason.Of(dec.Decode(&doc)); err != nil {
		if err == io.EOF {
			err = errors.New("it holds nothing")
		}
		return nil, err
	}
	if err := dec.Decode(&more); err != io.EOF {
		return nil, errors.New("it holds more than one document")
	}
	return doc.Content[0], nil
}

// verify checks that a text means what a node means.
func verify(text []byte, want *yaml.Node) error {
	got, err := parse(text)
	if err != nil {
		return fmt.Errorf("cannot edit in place: %w", err)
	}
	v := newValues()
	a, err := v.of(got)
	if err != nil {
		return err
	}
	b, err := v.of(want)
	if err != nil {
		return err
	}
	if a != b {
		return errors.New("cannot edit in place: the edit would change more or less than was asked")
	}
	return nil
}

// anchorHint explains a failed edit of a document in which one value stands in several places.
func anchorHint(n *yaml.Node) string {
	if n.Kind == yaml.AliasNode {
		return fmt.Sprintf("; the document uses the alias *%s, so that one value stands in several places", n.Value)
	}
	for _, c := range n.Content {
		if hint := anchorHint(c); hint != "" {
			return hint
		}
	}
	return ""
}

// change replaces bytes from start to end by text.
type change struct {
	start, end int
	text       string
}

// editor collects the edits of one document.
type editor struct {
	*source
	values  *values
	style   style
	changes []change
}

// newEditor looks at a parsed document's style.
func newEditor(doc []byte, n *yaml.Node) *editor {
	e := &editor{source: newSource(doc), values: newValues()}
	e.style = findStyle(doc, n)
	return e
}

// replace notes an edit.
func (e *editor) replace(start, end int, text string) {
	if start != end || text != "" {
		e.changes = append(e.changes, change{start, end, text})
	}
}

// insertLines notes whole lines to insert at the start of the line at pos, which may be the end of the document. text
// has no line break at its end.
func (e *editor) insertLines(pos int, text string) {
	if pos > 0 && pos == len(e.b) && !breakBefore(e.b, pos) {
		e.replace(pos, pos, e.style.eol+text)
		return
	}
	e.replace(pos, pos, text+e.style.eol)
}

// apply makes the edits. Bytes between them stay as they are.
func (e *editor) apply() ([]byte, error) {
	slices.SortStableFunc(e.changes, func(a, b change) int { return a.start - b.start })
	var out bytes.Buffer
	pos := 0
	for _, c := range e.changes {
		if c.start < pos || c.end < c.start {
			return nil, fmt.Errorf("cannot edit in place: two edits meet: %w", errUnsupported)
		}
		out.Write(e.b[pos:c.start])
		out.WriteString(c.text)
		pos = c.end
	}
	out.Write(e.b[pos:])
	// Lines that were removed at the end of a file without a final newline leave the newline before them.
	if n := len(e.b); pos == n && n > 0 && !breakBefore(e.b, n) {
		return bytes.TrimSuffix(out.Bytes(), []byte(e.style.eol)), nil
	}
	return out.Bytes(), nil
}

// slotKind is where a value stands.
type slotKind int

const (
	root  slotKind = iota
	inMap          // the value of a key in a block map
	inSeq          // an item of a block list
	inFlow
)

// slot is the place of a value in its parent.
type slot struct {
	kind   slotKind
	indent int // column of the key or the dash
	after  int // offset after the colon or the dash
}

// node makes old mean what want means.
func (e *editor) node(old, want *yaml.Node, at slot) error {
	same, err := e.same(old, want)
	if err != nil || same {
		return err
	}
	if old.Kind == yaml.AliasNode {
		if want.Kind == yaml.AliasNode && want.Value == old.Value {
			return nil // changed where it is anchored
		}
		return e.value(old, want, at)
	}
	want = target(want)
	switch {
	case old.Kind != want.Kind:
		return e.value(old, want, at)
	case old.Kind == yaml.ScalarNode:
		return e.scalar(old, want, at)
	case len(old.Content) == 0 || len(want.Content) == 0:
		return e.value(old, want, at)
	case old.Kind == yaml.MappingNode:
		return e.mapping(old, want, at)
	}
	return e.sequence(old, want, at)
}

// same reports whether two nodes mean the same.
func (e *editor) same(a, b *yaml.Node) (bool, error) {
	x, err := e.values.of(a)
	if err != nil {
		return false, err
	}
	y, err := e.values.of(b)
	return x == y, err
}

// value replaces a whole value by another one, on its line where that is possible; a comment on the line stays.
func (e *editor) value(old, want *yaml.Node, at slot) error {
	if old.Anchor != "" {
		return fmt.Errorf("cannot replace the value anchored as &%s in line %d", old.Anchor, old.Line)
	}
	if isEmpty(old) && at.kind != root {
		return e.fill(old, want, at)
	}
	sp, err := e.span(old)
	if err != nil {
		return e.at(old, err)
	}
	if at.kind == inFlow || at.kind == root && old.Style&yaml.FlowStyle != 0 && old.Kind != yaml.ScalarNode {
		text, err := e.style.flow(want)
		e.replace(sp.start, sp.end, text)
		return err
	}
	if at.kind == root {
		return errors.New("cannot replace the whole document")
	}
	head, tail, err := e.blockText(want, at)
	if err != nil {
		return err
	}
	if keyLine := e.lineText(at.after); sp.start > keyLine {
		e.replace(at.after, at.after, head)
		e.replace(keyLine, e.lineText(sp.end), tail)
		return nil
	}
	if isBlock(old) {
		e.replace(at.after, e.lineText(sp.end), head+tail)
		return nil
	}
	e.replace(at.after, sp.end, head)
	e.replace(e.lineText(sp.end), e.lineText(sp.end), tail)
	return nil
}

// fill gives a value to a key or an item that has none.
func (e *editor) fill(old, want *yaml.Node, at slot) error {
	if at.kind == inFlow {
		text, err := e.style.flow(want)
		if pos, posErr := e.offset(old.Line, old.Column); posErr != nil {
			return posErr
		} else if pos > 0 && e.b[pos-1] == ':' {
			e.replace(pos, pos, " "+text)
			return err
		}
		return e.at(old, errUnsupported)
	}
	head, tail, err := e.blockText(want, at)
	e.replace(at.after, at.after, head)
	e.replace(e.lineText(at.after), e.lineText(at.after), tail)
	return err
}

// blockText is a value as it is written after its key or dash: the rest of that line, and the lines below it with a
// line break before each.
func (e *editor) blockText(want *yaml.Node, at slot) (head, tail string, err error) {
	text, err := e.style.after(want, at)
	head, tail, found := strings.Cut(text, e.style.eol)
	if found {
		tail = e.style.eol + tail
	}
	return head, tail, err
}

// isEmpty reports whether a null is written as nothing at all.
func isEmpty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.Style == 0 && n.Anchor == ""
}

// isBlock reports whether a node is a block collection.
func isBlock(n *yaml.Node) bool {
	return (n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode) && n.Style&yaml.FlowStyle == 0
}

// at says where an edit failed.
func (e *editor) at(n *yaml.Node, err error) error {
	return fmt.Errorf("line %d: %w", n.Line, err)
}
