package edit

import (
	"bytes"
	"errors"
	"sort"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// errUnsupported is a way to write YAML that cannot be edited in place.
var errUnsupported = errors.New("this way of writing YAML cannot be edited in place")

// span is the bytes of a node: from its anchor or tag, from its content, and up to its end.
type span struct{ start, content, end int }

// source knows where the nodes of a document are in its bytes.
type source struct {
	b     []byte
	lines []int // offset of each line, by the parser's idea of lines
	spans map[*yaml.Node]span
	last  struct{ line, col, off int } // the last position that was looked up
}

// newSource indexes the lines of a document.
func newSource(b []byte) *source {
	s := &source{b: b, spans: map[*yaml.Node]span{}}
	first := 0
	if bytes.HasPrefix(b, []byte("\xef\xbb\xbf")) {
		first = 3
	}
	s.lines = append(s.lines, first)
	for i := first; i < len(b); {
		n := breakLen(b[i:])
		if n == 0 {
			i++
			continue
		}
		i += n
		s.lines = append(s.lines, i)
	}
	return s
}

// breakLen is the length of the line break that b starts with, 0 for none; YAML 1.1 has five of them.
func breakLen(b []byte) int {
	switch {
	case b[0] == '\r' && len(b) > 1 && b[1] == '\n':
		return 2
	case b[0] == '\r', b[0] == '\n':
		return 1
	case len(b) > 1 && b[0] == 0xc2 && b[1] == 0x85:
		return 2
	case len(b) > 2 && b[0] == 0xe2 && b[1] == 0x80 && (b[2] == 0xa8 || b[2] == 0xa9):
		return 3
	}
	return 0
}

// offset is where the parser's line and column are, both from 1, columns in characters.
func (s *source) offset(line, col int) (int, error) {
	if line < 1 || line > len(s.lines) {
		return 0, errUnsupported
	}
	if s.last.line != line || s.last.col > col {
		s.last.line, s.last.col, s.last.off = line, 1, s.lines[line-1]
	}
	for ; s.last.col < col; s.last.col++ {
		if s.last.off >= len(s.b) {
			return 0, errUnsupported
		}
		_, n := utf8.DecodeRune(s.b[s.last.off:])
		s.last.off += n
	}
	return s.last.off, nil
}

// span finds the bytes of a node.
func (s *source) span(n *yaml.Node) (span, error) {
	if sp, ok := s.spans[n]; ok {
		return sp, nil
	}
	start, err := s.offset(n.Line, n.Column)
	if err != nil {
		return span{}, err
	}
	sp := span{start: start}
	sp.content, err = s.skipProperties(start, n)
	if err == nil {
		sp.end, err = s.end(n, sp.content)
	}
	if err != nil {
		return span{}, err
	}
	s.spans[n] = sp
	return sp, nil
}

// skipProperties is the offset after the anchor and the tag of a node. They stay on the line where the node starts
// when the content is a block collection.
func (s *source) skipProperties(pos int, n *yaml.Node) (int, error) {
	if n.Kind == yaml.AliasNode {
		return pos, nil
	}
	blockCollection := n.Kind != yaml.ScalarNode && n.Style&yaml.FlowStyle == 0
	for pos < len(s.b) && (s.b[pos] == '&' && n.Anchor != "" || s.b[pos] == '!' && n.Style&yaml.TaggedStyle != 0) {
		for pos < len(s.b) && bytes.IndexByte([]byte(" \t\r\n,]}"), s.b[pos]) < 0 {
			pos++
		}
		if n.Kind == yaml.ScalarNode && n.Value == "" &&
			n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
			if next := s.skipBlanks(pos); next >= len(s.b) || s.b[next] != '&' && s.b[next] != '!' {
				return pos, nil
			}
		}
		pos = s.skipSpace(pos)
	}
	if blockCollection && len(n.Content) > 0 && n.Kind == yaml.MappingNode {
		first, err := s.span(n.Content[0])
		return first.start, err
	}
	return pos, nil
}

// skipBlanks is the offset after blanks.
func (s *source) skipBlanks(pos int) int {
	for pos < len(s.b) && (s.b[pos] == ' ' || s.b[pos] == '\t') {
		pos++
	}
	return pos
}

// skipSpace is the offset after blanks, line breaks and comments.
func (s *source) skipSpace(pos int) int {
	for pos < len(s.b) {
		switch c := s.b[pos]; {
		case c == ' ' || c == '\t':
			pos++
		case c == '#' && pos > 0 && (bytes.IndexByte([]byte(" \t\r\n"), s.b[pos-1]) >= 0 || breakBefore(s.b, pos)):
			pos = s.lineText(pos)
		case breakLen(s.b[pos:]) > 0:
			pos += breakLen(s.b[pos:])
		default:
			return pos
		}
	}
	return pos
}

// breakBefore reports whether pos starts a line.
func breakBefore(b []byte, pos int) bool {
	return pos == 0 || b[pos-1] == '\n' || b[pos-1] == '\r' || bytes.HasSuffix(b[:pos], []byte("\u0085")) ||
		bytes.HasSuffix(b[:pos], []byte("\u2028")) || bytes.HasSuffix(b[:pos], []byte("\u2029"))
}

// lineText is the offset of the line break that ends the line at pos.
func (s *source) lineText(pos int) int {
	for pos < len(s.b) && breakLen(s.b[pos:]) == 0 {
		pos++
	}
	return pos
}

// nextLine is the offset after the line break that ends the line at pos.
func (s *source) nextLine(pos int) int {
	pos = s.lineText(pos)
	if pos < len(s.b) {
		pos += breakLen(s.b[pos:])
	}
	return pos
}

// lineStart is the offset of the line that holds pos.
func (s *source) lineStart(pos int) int {
	i := sort.SearchInts(s.lines, pos+1)
	return s.lines[max(i-1, 0)]
}

// column is the number of characters before pos on its line.
func (s *source) column(pos int) int { return utf8.RuneCount(s.b[s.lineStart(pos):pos]) }

// end is the offset after the last byte of a node whose content starts at pos.
func (s *source) end(n *yaml.Node, pos int) (int, error) {
	switch {
	case n.Kind == yaml.AliasNode:
		return pos + 1 + len(n.Value), nil
	case n.Kind == yaml.ScalarNode:
		return s.scalarEnd(n, pos)
	case n.Style&yaml.FlowStyle != 0:
		return s.flowEnd(n, pos)
	case len(n.Content) == 0:
		return 0, errUnsupported
	}
	last, err := s.span(n.Content[len(n.Content)-1])
	if err == nil && n.Kind == yaml.MappingNode {
		var key span
		key, err = s.span(n.Content[len(n.Content)-2])
		last.end = max(last.end, key.end)
	}
	return last.end, err
}

// flowEnd is the end of a flow collection; a single pair in a flow list has no brackets.
func (s *source) flowEnd(n *yaml.Node, pos int) (int, error) {
	if pos >= len(s.b) {
		return 0, errUnsupported
	}
	opening, closing := s.b[pos], byte(']')
	if n.Kind == yaml.MappingNode {
		closing = '}'
	}
	if opening != closing-2 {
		return 0, errUnsupported
	}
	pos++
	for _, c := range n.Content {
		sp, err := s.span(c)
		if err != nil {
			return 0, err
		}
		pos = max(pos, sp.end)
	}
	for pos < len(s.b) {
		pos = s.skipSpace(pos)
		if pos < len(s.b) && s.b[pos] == closing {
			return pos + 1, nil
		}
		if pos >= len(s.b) || s.b[pos] != ',' && s.b[pos] != ':' {
			break
		}
		pos++
	}
	return 0, errUnsupported
}

// scalarEnd is the end of a scalar whose text starts at pos.
func (s *source) scalarEnd(n *yaml.Node, pos int) (int, error) {
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return s.quoteEnd(pos, '"', '\\')
	case n.Style&yaml.SingleQuotedStyle != 0:
		return s.quoteEnd(pos, '\'', '\'')
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return s.blockEnd(n, pos)
	case strings.HasPrefix(string(s.b[pos:min(len(s.b), pos+len(n.Value))]), n.Value):
		return pos + len(n.Value), nil
	}
	return s.plainEnd(n.Value, pos)
}

// quoteEnd is the offset after the quote that closes the one at pos.
func (s *source) quoteEnd(pos int, quote, escape byte) (int, error) {
	if pos >= len(s.b) || s.b[pos] != quote {
		return 0, errUnsupported
	}
	for i := pos + 1; i < len(s.b); i++ {
		switch {
		case s.b[i] == escape && i+1 < len(s.b) && (escape != quote || s.b[i+1] == quote):
			i++
		case s.b[i] == quote:
			return i + 1, nil
		}
	}
	return 0, errUnsupported
}

// plainEnd is the end of a plain scalar over several lines, found by folding it the way the parser does.
func (s *source) plainEnd(value string, pos int) (int, error) {
	for value != "" {
		if pos >= len(s.b) {
			return 0, errUnsupported
		}
		next, breaks := pos, 0
		for next < len(s.b) && (s.b[next] == ' ' || s.b[next] == '\t' || breakLen(s.b[next:]) > 0) {
			n := breakLen(s.b[next:])
			if n > 0 {
				breaks++
			}
			next += max(n, 1)
		}
		want := string(s.b[pos:max(next, pos+1)])
		if breaks == 1 {
			want = " "
		} else if breaks > 1 {
			want = strings.Repeat("\n", breaks-1)
		}
		if !strings.HasPrefix(value, want) {
			return 0, errUnsupported
		}
		value, pos = value[len(want):], max(next, pos+1)
	}
	return pos, nil
}

// blockEnd is the end of a block scalar: after its last line that is not blank, and after the blank ones if they count.
func (s *source) blockEnd(n *yaml.Node, pos int) (int, error) {
	if pos >= len(s.b) || s.b[pos] != '|' && s.b[pos] != '>' {
		return 0, errUnsupported
	}
	end := s.lineText(pos)
	indent := 0
	keep := bytes.IndexByte(s.header(pos), '+') >= 0
	for next := s.nextLine(pos); next < len(s.b); next = s.nextLine(next) {
		text := s.lineText(next)
		depth := s.spaces(next)
		if next+depth == text {
			if keep {
				end = text
			}
			continue
		}
		if indent == 0 {
			indent = s.contentIndent(n, pos, depth)
		}
		if depth < indent || n.Value == "" {
			break
		}
		end = text
	}
	return end, nil
}

// header is the indicators of a block scalar at pos, with its `|` or `>`.
func (s *source) header(pos int) []byte {
	end := pos
	for end < len(s.b) && bytes.IndexByte([]byte("|>+-123456789"), s.b[end]) >= 0 {
		end++
	}
	return s.b[pos:end]
}

// contentIndent is the indentation of a block scalar's lines: that of its first line, unless its header says how
// much of it is content.
func (s *source) contentIndent(n *yaml.Node, pos, depth int) int {
	if bytes.ContainsAny(s.header(pos), "123456789") {
		first := strings.TrimLeft(n.Value, "\n")
		depth -= len(first) - len(strings.TrimLeft(first, " "))
	}
	return max(depth, 1)
}

// spaces is the number of spaces at pos.
func (s *source) spaces(pos int) int {
	n := 0
	for pos+n < len(s.b) && s.b[pos+n] == ' ' {
		n++
	}
	return n
}
