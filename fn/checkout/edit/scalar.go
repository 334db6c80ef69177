package edit

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// blockScalar and quoted are the styles of scalars.
const (
	blockScalar = yaml.LiteralStyle | yaml.FoldedStyle
	quoted      = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle
)

// scalar replaces the text of a scalar and keeps its quotes, and the comment behind it unless another one is wanted.
func (e *editor) scalar(old, want *yaml.Node, at slot) error {
	isString := want.ShortTag() == "!!str"
	switch {
	case isEmpty(old), !strings.HasPrefix(want.ShortTag(), "!!") || want.ShortTag() == "!!binary":
		return e.value(old, want, at)
	case old.Style&blockScalar != 0 && isString && isLiteral(want.Value) && at.kind != inFlow:
		return e.literal(old, want.Value, at)
	case old.Style&blockScalar != 0, isString && at.kind == inMap && old.Style&quoted == 0 &&
		strings.Contains(want.Value, "\n"):
		return e.value(old, want, at)
	}
	sp, err := e.span(old)
	if err != nil {
		return e.at(old, err)
	}
	start := sp.content
	if old.Style&yaml.TaggedStyle != 0 && old.ShortTag() != want.ShortTag() {
		start = sp.start
	}
	text := want.Value
	if isString {
		text = e.style.text(want.Value, quotesFor(old, want), at.kind == inFlow)
	} else if text == "" {
		text = "null"
	}
	e.replace(start, sp.end, text)
	if c := want.LineComment; at.kind != inFlow && c != "" && c != old.LineComment && !strings.Contains(c, "\n") {
		e.replace(sp.end, e.lineText(sp.end), " "+c)
	}
	return nil
}

// quotesFor is how a new string in the place of an old scalar is quoted.
func quotesFor(old, want *yaml.Node) yaml.Style {
	if old.ShortTag() != "!!str" || old.Style&quoted == 0 {
		return want.Style & quoted
	}
	return old.Style & quoted
}

// isLiteral reports whether a literal block scalar can hold a string.
func isLiteral(value string) bool {
	if strings.TrimSpace(value) == "" || strings.HasPrefix(value, " ") || strings.HasPrefix(value, "\n") {
		return false
	}
	for _, line := range strings.Split(value, "\n") {
		if !printable(strings.ReplaceAll(line, "\t", "")) || line != "" && strings.TrimLeft(line, " ") == "" {
			return false
		}
	}
	return true
}

// literal replaces the lines of a block scalar that differ.
func (e *editor) literal(old *yaml.Node, value string, at slot) error {
	sp, err := e.span(old)
	if err != nil {
		return e.at(old, err)
	}
	header, chomp := e.header(sp.content), chomping(value)
	indent := e.bodyIndent(old, sp, at)
	indicators := "|" + strings.Trim(string(header), "|>+-")
	if was := strings.Trim(string(header), "|>0123456789"); was != chomp && !(was == "+" && chomp == "") {
		indicators += chomp
	} else {
		indicators += was
	}
	if indicators != string(header) && !(header[0] == '|' && len(indicators) == len(header) &&
		sameRunes(indicators, string(header))) {
		e.replace(sp.content, sp.content+len(header), indicators)
	}
	var lines []string
	for _, line := range strings.Split(strings.TrimSuffix(value, "\n"), "\n") {
		if line != "" {
			line = strings.Repeat(" ", indent) + line
		}
		lines = append(lines, line)
	}
	e.replaceLines(e.nextLine(sp.content), sp.end, lines)
	return nil
}

// sameRunes reports whether two texts hold the same characters in any order.
func sameRunes(a, b string) bool {
	x, y := []rune(a), []rune(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// chomping is the indicator for the newlines at the end of a string.
func chomping(value string) string {
	switch {
	case !strings.HasSuffix(value, "\n"):
		return "-"
	case strings.HasSuffix(value, "\n\n"):
		return "+"
	}
	return ""
}

// bodyIndent is the indentation of the lines of a block scalar.
func (e *editor) bodyIndent(old *yaml.Node, sp span, at slot) int {
	digits := strings.Trim(string(e.header(sp.content)), "|>+-")
	for pos := e.nextLine(sp.content); pos < sp.end; pos = e.nextLine(pos) {
		if depth := e.spaces(pos); pos+depth < e.lineText(pos) {
			return e.contentIndent(old, sp.content, depth)
		}
	}
	if n, err := strconv.Atoi(digits); err == nil {
		return at.indent + n
	}
	return at.indent + e.style.step
}

// replaceLines replaces the lines from start to the line that ends at end, but for those at both ends that stay.
func (e *editor) replaceLines(start, end int, lines []string) {
	type line struct{ start, end int }
	var old []line
	for pos := start; pos <= end && pos < len(e.b); pos = e.nextLine(pos) {
		old = append(old, line{pos, e.lineText(pos)})
	}
	same := func(l line, text string) bool {
		raw := string(e.b[l.start:l.end])
		return raw == text || text == "" && strings.TrimLeft(raw, " ") == ""
	}
	for len(old) > 0 && len(lines) > 0 && same(old[0], lines[0]) {
		start = e.nextLine(old[0].start)
		old, lines = old[1:], lines[1:]
	}
	for len(old) > 0 && len(lines) > 0 && same(old[len(old)-1], lines[len(lines)-1]) {
		old, lines = old[:len(old)-1], lines[:len(lines)-1]
	}
	switch {
	case len(old) == 0 && len(lines) > 0:
		e.insertLines(start, strings.Join(lines, e.style.eol))
	case len(lines) == 0 && len(old) > 0:
		e.replace(start, e.nextLine(old[len(old)-1].start), "")
	case len(old) > 0:
		e.replace(start, old[len(old)-1].end, strings.Join(lines, e.style.eol))
	}
}
