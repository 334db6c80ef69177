package edit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// style is how a document is written, for what is new in it.
type style struct {
	eol     string
	step    int  // columns from a key to the keys below it
	compact bool // lists are not indented below their key
	json    bool
}

// findStyle counts how a document is written.
func findStyle(doc []byte, n *yaml.Node) style {
	s := style{eol: findEOL(doc), step: 2}
	steps, lists := map[int]int{}, map[bool]int{}
	count(n, steps, lists)
	for step := 2; step <= 8; step++ {
		if steps[step] > steps[s.step] {
			s.step = step
		}
	}
	s.compact = lists[true] > lists[false]
	s.json = n.Style&yaml.FlowStyle != 0 && len(n.Content) > 0 && isJSON(n)
	return s
}

// count notes the indentation of every map and list below a key.
func count(n *yaml.Node, steps map[int]int, lists map[bool]int) {
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && isBlock(n) && i%2 == 1 && isBlock(c) && c.Line > n.Content[i-1].Line {
			depth := c.Column - n.Content[i-1].Column
			if c.Kind == yaml.SequenceNode {
				lists[depth == 0]++
			} else {
				steps[depth]++
			}
		}
		count(c, steps, lists)
	}
}

// isJSON reports whether the keys of a flow collection are quoted like in JSON.
func isJSON(n *yaml.Node) bool {
	if n.Kind == yaml.MappingNode {
		return n.Content[0].Style&yaml.DoubleQuotedStyle != 0
	}
	return n.Content[0].Kind == yaml.ScalarNode || len(n.Content[0].Content) > 0 && isJSON(n.Content[0])
}

// maxNodes bounds what an edit may write, aliases written out.
const maxNodes = 1 << 20

// clone copies a node with its aliases and merge keys written out and its anchors dropped.
func clone(n *yaml.Node, budget *int) (*yaml.Node, error) {
	if *budget--; *budget < 0 {
		return nil, errors.New("the wanted value is too large")
	}
	t := target(n)
	out := &yaml.Node{Kind: t.Kind, Style: t.Style, Tag: t.Tag, Value: t.Value,
		HeadComment: n.HeadComment, LineComment: n.LineComment, FootComment: n.FootComment}
	children := t.Content
	if t.Kind == yaml.MappingNode {
		pairs, err := newValues().pairs(t)
		if err != nil {
			return nil, err
		}
		children = nil
		for _, p := range pairs {
			children = append(children, p.key, p.value)
		}
	}
	for _, c := range children {
		copied, err := clone(c, budget)
		if err != nil {
			return nil, err
		}
		out.Content = append(out.Content, copied)
	}
	return out, nil
}

// entry writes `key: value` with the comments of both, its lines indented.
func (s style) entry(p pair, indent int) (string, error) {
	text, err := s.encode(&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{p.key, p.value}})
	return s.indented(text, indent), err
}

// item writes `- value` with its comments, its lines indented.
func (s style) item(value *yaml.Node, indent int) (string, error) {
	text, err := s.encode(&yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{value}})
	return s.indented(text, indent), err
}

// after writes what follows a key or a dash.
func (s style) after(value *yaml.Node, at slot) (string, error) {
	bare := *value
	bare.HeadComment, bare.LineComment, bare.FootComment = "", "", ""
	key := &yaml.Node{Kind: yaml.ScalarNode, Value: "k"}
	write, cut := func() (string, error) { return s.entry(pair{key, &bare}, at.indent) }, "k:"
	if at.kind == inSeq {
		write, cut = func() (string, error) { return s.item(&bare, at.indent) }, "-"
	}
	text, err := write()
	return strings.TrimPrefix(strings.TrimLeft(text, " "), cut), err
}

// encode writes a node in block style, without a final newline.
func (s style) encode(n *yaml.Node) (string, error) {
	budget := maxNodes
	copied, err := clone(n, &budget)
	if err != nil {
		return "", err
	}
	hide := hider{}
	hide.node(copied)
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(s.step)
	if s.compact {
		enc.CompactSeqIndent()
	} else {
		enc.DefaultSeqIndent()
	}
	if err := enc.Encode(copied); err != nil {
		return "", err
	}
	return strings.TrimSuffix(hide.back(out.String()), "\n"), nil
}

// indented indents every line that is not blank and ends it the document's way.
func (s style) indented(text string, indent int) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = strings.Repeat(" ", indent) + line
		}
	}
	return strings.Join(lines, s.eol)
}

// hider replaces characters that the encoder would escape, emoji mostly, by ones that it writes as they are.
type hider struct {
	to   map[rune]rune
	from map[rune]rune
}

// node hides the characters of a node and what is below it.
func (h *hider) node(n *yaml.Node) {
	if h.to == nil {
		h.to, h.from = map[rune]rune{}, map[rune]rune{}
		h.taken(n)
	}
	for _, text := range []*string{&n.Value, &n.HeadComment, &n.LineComment, &n.FootComment} {
		*text = strings.Map(h.hide, *text)
	}
	for _, c := range n.Content {
		h.node(c)
	}
}

// privateFirst and privateLast bound the characters of Unicode that mean nothing.
const privateFirst, privateLast = '\ue000', '\uf8ff'

// taken notes the private characters that the text itself uses.
func (h *hider) taken(n *yaml.Node) {
	for _, r := range n.Value + n.HeadComment + n.LineComment + n.FootComment {
		if r >= privateFirst && r <= privateLast {
			h.from[r] = r
		}
	}
	for _, c := range n.Content {
		h.taken(c)
	}
}

// hide is the stand-in of a character.
func (h *hider) hide(r rune) rune {
	if r <= 0xffff {
		return r
	}
	if to, ok := h.to[r]; ok {
		return to
	}
	for to := privateFirst; to <= privateLast; to++ {
		if _, used := h.from[to]; !used {
			h.to[r], h.from[to] = to, r
			return to
		}
	}
	return r
}

// back puts the characters back.
func (h *hider) back(text string) string {
	return strings.Map(func(r rune) rune {
		if from, ok := h.from[r]; ok {
			return from
		}
		return r
	}, text)
}

// flow writes a value in flow style on one line, without comments.
func (s style) flow(n *yaml.Node) (string, error) {
	budget := maxNodes
	copied, err := clone(n, &budget)
	if err != nil {
		return "", err
	}
	return s.flowNode(copied)
}

// flowNode writes one node of a flow collection.
func (s style) flowNode(n *yaml.Node) (string, error) {
	if n.Kind == yaml.ScalarNode {
		return s.flowScalar(n)
	}
	var parts []string
	for i := 0; i < len(n.Content); i++ {
		text, err := s.flowNode(n.Content[i])
		if err != nil {
			return "", err
		}
		if n.Kind == yaml.MappingNode {
			i++
			value, err := s.flowNode(n.Content[i])
			if err != nil {
				return "", err
			}
			text += ": " + value
		}
		parts = append(parts, text)
	}
	if n.Kind == yaml.MappingNode {
		return "{" + strings.Join(parts, ", ") + "}", nil
	}
	return "[" + strings.Join(parts, ", ") + "]", nil
}

// flowScalar writes a scalar of a flow collection.
func (s style) flowScalar(n *yaml.Node) (string, error) {
	if n.ShortTag() == "!!str" {
		return s.text(n.Value, n.Style, true), nil
	}
	if !strings.HasPrefix(n.ShortTag(), "!!") || n.ShortTag() == "!!binary" {
		return "", fmt.Errorf("cannot write a value tagged %s", n.Tag)
	}
	if n.ShortTag() == "!!null" {
		return "null", nil
	}
	return n.Value, nil
}

// text writes a string on one line, in the quotes asked for where they can hold it.
func (s style) text(value string, quotes yaml.Style, flow bool) string {
	switch {
	case s.json || quotes&yaml.DoubleQuotedStyle != 0:
	case quotes&yaml.SingleQuotedStyle != 0 && printable(value):
		return "'" + strings.ReplaceAll(value, "'", "''") + "'"
	case plainSafe(value, flow):
		return value
	}
	return doubleQuoted(value)
}

// printable reports whether a string can stand in single quotes on one line.
func printable(value string) bool {
	for _, r := range value {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r == utf8.RuneError {
			return false
		}
	}
	return true
}

// plainSafe reports whether a string means itself without quotes, in every YAML version.
func plainSafe(value string, flow bool) bool {
	if !printable(value) || flow && strings.ContainsAny(value, ",[]{}") {
		return false
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
	hide := hider{}
	hide.node(n)
	out, err := yaml.Marshal(n)
	return err == nil && string(out) == n.Value+"\n"
}

// doubleQuoted writes a string in double quotes; what JSON escapes, YAML reads alike.
func doubleQuoted(value string) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(value) != nil {
		return ""
	}
	text := strings.TrimSuffix(out.String(), "\n")
	for _, r := range []rune{0x7f, 0x85, 0xfeff} {
		text = strings.ReplaceAll(text, string(r), fmt.Sprintf(`\u%04x`, r))
	}
	return text
}
