// Package limit bounds what a text of the input may cost, before a parser or kustomize sees it: YAML of a few bytes can
// stand for billions of values. Nothing that a person writes comes near these bounds.
package limit

import (
	"bytes"
	"errors"
	"io"
	"io/fs"

	"go.yaml.in/yaml/v3"

	"migrate-to-flux-operator/fn/reason"
)

const (
	// Size is the number of bytes above which a file is not read.
	Size = 10 << 20
	// List is the number of bytes above which a ResourceList, or what kubectl printed, is not read.
	List = 256 << 20
	// Values is how many lines and entries a file may have: about the values that a parser makes of it.
	Values = 500_000
	// Documents is how many documents a file may have.
	Documents = 10_000
	// Depth is how deep lists and mappings may be nested.
	Depth = 500
	// Aliased is how many values the aliases of a document may stand for.
	Aliased = 100_000
	// AliasedText is how many bytes of scalars these values may have.
	AliasedText = Size
)

// The reasons to refuse a text.
var (
	ErrSize      = reason.New("larger than %d bytes", Size)
	ErrValues    = reason.New("more than %d lines and entries", Values)
	ErrDocuments = reason.New("more than %d documents", Documents)
	ErrDepth     = reason.New("nested deeper than %d levels", Depth)
	ErrAliased   = reason.New("YAML aliases that stand for more than %d values", Aliased)
	ErrText      = reason.New("YAML aliases that stand for more than %d bytes", AliasedText)
	ErrCycle     = reason.New("a YAML anchor that contains itself")
)

// Read reads to the end, and no more than size bytes. It takes memory once where a file tells how much it needs.
func Read(from io.Reader, size int64) ([]byte, error) {
	var raw bytes.Buffer
	if file, isFile := from.(fs.File); isFile {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Size() <= size {
			raw.Grow(int(info.Size()) + bytes.MinRead) // which it wants free to see the end
		}
	}
	_, err := raw.ReadFrom(io.LimitReader(from, size+1))
	if err == nil && int64(raw.Len()) > size {
		return nil, tooLarge(size)
	}
	return raw.Bytes(), err
}

// tooLarge is the error of what is larger than size.
func tooLarge(size int64) error {
	if size == Size {
		return ErrSize
	}
	return reason.New("larger than %d bytes", size)
}

// Is reports whether an error is one of a text that was refused for what it would cost.
func Is(err error) bool {
	for _, refused := range []error{ErrSize, ErrValues, ErrDocuments, ErrDepth, ErrAliased, ErrText, ErrCycle} {
		if errors.Is(err, refused) {
			return true
		}
	}
	return false
}

// Check refuses a text, of one or of several YAML or JSON documents, that costs too much to work with. A text that is
// no YAML is for the parser to refuse.
func Check(text []byte) error {
	if len(text) > Size {
		return ErrSize
	}
	if marker := []byte("\n---"); len(text) >= len(marker)*Documents && bytes.Count(text, marker) >= Documents {
		return ErrDocuments
	}
	if err := CheckValues(text); err != nil {
		return err
	}
	if isShallow(text) && !hasAliases(text) {
		return nil
	}
	return measured(text)
}

// CheckValues refuses a text of which a parser would make too many values.
func CheckValues(text []byte) error {
	if len(text) > Values && values(text) > Values {
		return ErrValues
	}
	return nil
}

// values counts what begins a line, or an entry in flow style or behind another one's dash.
func values(text []byte) (n int) {
	for _, begin := range []string{"\n", ",", "[", "{", "- "} {
		n += bytes.Count(text, []byte(begin))
	}
	return n
}

// measured is Check by what the parser makes of a text.
func measured(text []byte) error {
	documents := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var document yaml.Node
		switch err := documents.Decode(&document); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return nil // the parser says what is wrong with it
		}
		if err := CheckNode(&document); err != nil {
			return err
		}
	}
}

// CheckNested is Check for a text whose strings may be YAML themselves, such as the patches in a kustomization.yaml.
func CheckNested(text []byte) error {
	if err := Check(text); err != nil {
		return err
	}
	if !mayHide(text) && isShallow(text) {
		return nil
	}
	var document yaml.Node
	if yaml.Unmarshal(text, &document) != nil {
		return nil // the parser says what is wrong with it
	}
	return checkStrings(&document)
}

// checkStrings checks the strings below a node as texts of their own.
func checkStrings(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return Check([]byte(node.Value))
	}
	for _, child := range node.Content {
		if err := checkStrings(child); err != nil {
			return err
		}
	}
	return nil
}

// mayHide reports whether a string of a text may hold aliases, or be nested deeper than the text is: with escapes it
// can spell anything.
func mayHide(text []byte) bool {
	return bytes.IndexByte(text, '\\') >= 0 || bytes.IndexByte(text, '*') >= 0 && bytes.IndexByte(text, '&') >= 0
}

// hasAliases reports whether a text may hold aliases that stand for more than they are: very many, or of anchors that a
// collection may have. The anchor of a scalar stands for one value of at most the text, and does not contain itself.
func hasAliases(text []byte) bool {
	always := func([]byte) bool { return true }
	stars := bytes.Count(text, []byte("*"))
	return hasName(text, '*', always) && (hasName(text, '&', notOfScalar) || stars > Aliased ||
		stars*len(text) > AliasedText && hasName(text, '&', always))
}

// notOfScalar reports whether an anchor may be that of a collection, by the text behind the mark: no scalar begins on
// the same line.
func notOfScalar(text []byte) bool {
	behind := bytes.TrimLeftFunc(text, func(r rune) bool { return r < 0x80 && inName(byte(r)) })
	value := bytes.TrimLeft(behind, " \t")
	return len(value) == len(behind) || len(value) == 0 || value[0] <= ' ' || value[0] >= 0x80 ||
		bytes.IndexByte([]byte("[]{}#!&*-?:,%@`"), value[0]) >= 0
}

// hasName reports whether a mark that makes a name of the word behind it stands where a YAML value can begin, and what
// is behind it counts.
func hasName(text []byte, mark byte, counts func(behind []byte) bool) bool {
	for at := 0; ; at++ {
		next := bytes.IndexByte(text[at:], mark)
		if next < 0 {
			return false
		}
		at += next
		if at+1 < len(text) && inName(text[at+1]) && (at == 0 || beforeValue(text[at-1])) && counts(text[at+1:]) {
			return true
		}
	}
}

// inName tells the characters of the names of anchors. Source: is_alpha of go.yaml.in/yaml v2.4.4 and v3.0.5.
func inName(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' || c == '-'
}

// beforeValue tells what can stand right before a value: white space, brackets and what separates. What is no ASCII may
// be white space.
func beforeValue(c byte) bool { return c >= 0x80 || bytes.IndexByte([]byte(" \t\r\n[{,:"), c) >= 0 }

// isShallow reports whether a text cannot be nested deeper than allowed. Of nearly all texts that shows without a look
// at their lines: a line that opens many levels begins with as many bytes of steps, and such a run lies across one of
// the places at that distance.
func isShallow(text []byte) bool {
	const half = Depth / 2
	if brackets := bytes.Count(text, []byte("[")) + bytes.Count(text, []byte("{")); brackets > half {
		return depthBound(text) <= Depth
	}
	for at := half - 1; at < len(text); at += half {
		from, to := at, at
		for from >= 0 && steps[text[from]] {
			from--
		}
		for to < len(text) && steps[text[to]] {
			to++
		}
		if to-from > half {
			return depthBound(text) <= Depth
		}
	}
	return true
}

// steps are the bytes that a line begins with which may open collections in block style.
var steps = [256]bool{' ': true, '-': true, '?': true, ':': true, '\t': true}

// depthBound is at least as deep as a text is nested: each level in block style costs a column of indentation, each one
// in flow style a bracket.
func depthBound(text []byte) int {
	brackets := bytes.Count(text, []byte("[")) + bytes.Count(text, []byte("{"))
	deepest := 0
	for line := range bytes.Lines(text) {
		deepest = max(deepest, indent(line))
	}
	if deepest+brackets <= Depth {
		return deepest + brackets
	}
	return openBound(text)
}

// indent counts what a line begins with and what may open collections in block style.
func indent(line []byte) int {
	for i, c := range line {
		if !steps[c] {
			return i
		}
	}
	return len(line)
}

// openBound is depthBound by the brackets that are open at a time, and not by all that there are.
func openBound(text []byte) int {
	deepest, open := 0, 0
	for line := range bytes.Lines(text) {
		indent := indent(line)
		deepest = max(deepest, indent+open)
		for _, c := range line {
			if c|0x20 < '{' { // most bytes are no bracket: [ and ] differ from { and } by this bit
				continue
			}
			switch c {
			case '[', '{':
				open++
				deepest = max(deepest, indent+open)
			case ']', '}':
				open = max(open-1, 0)
			}
		}
	}
	return deepest
}

// CheckNode is Check for a document that was parsed.
func CheckNode(document *yaml.Node) error {
	m := meter{aliased: map[*yaml.Node]extent{}, open: map[*yaml.Node]bool{}}
	if all := m.measure(document); all.depth > Depth {
		return ErrDepth
	} else if m.cyclic {
		return ErrCycle
	} else if all.values-m.written > Aliased {
		return ErrAliased
	} else if all.text-m.text > AliasedText {
		return ErrText
	}
	return nil
}

// extent is how many values a node stands for, how many bytes their scalars have, and how deep they are nested.
type extent struct{ values, text, depth int }

// meter measures nodes, each anchor once.
type meter struct {
	aliased map[*yaml.Node]extent
	open    map[*yaml.Node]bool // the anchors around the node
	written int                 // the values that are no alias
	text    int                 // their bytes
	cyclic  bool
}

// enough is where counting stops, so that no count overflows, nor the sum of two on 32 bits.
const enough = 1 << 29

// measure is the extent of a node with what its aliases stand for.
func (m *meter) measure(node *yaml.Node) extent {
	if node.Kind == yaml.AliasNode {
		return m.alias(node.Alias)
	}
	if node.Anchor != "" {
		m.open[node] = true
		defer delete(m.open, node)
	}
	m.written++
	m.text += len(node.Value)
	sum := extent{values: 1, text: len(node.Value)}
	for _, child := range node.Content {
		of := m.measure(child)
		sum.values = min(sum.values+of.values, enough)
		sum.text = min(sum.text+of.text, enough)
		sum.depth = max(sum.depth, of.depth+1)
	}
	if node.Anchor != "" {
		m.aliased[node] = sum
	}
	return sum
}

// alias is the extent of the node that an alias stands for; it comes before the alias, or around it.
func (m *meter) alias(anchor *yaml.Node) extent {
	m.cyclic = m.cyclic || m.open[anchor]
	return m.aliased[anchor]
}
