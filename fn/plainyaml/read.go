// Package plainyaml reads YAML many times faster than the parser: what Read is sure of, the parsers of all versions of YAML find as well.
// It follows the lines of block style by their indentation. A value that is more than an obvious scalar is given to
// the parser by itself, for all that is indented deeper than a key belongs to its value; what is odd about anything else is left to the
// parser as a whole.
package plainyaml

import (
	"bytes"
	"encoding/json"
	"unicode"
	"unicode/utf8"

	newyaml "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/limit"
)

const (
	// maxDepth is how deep Read follows collections; parsers, and limit.Check, allow more.
	maxDepth = 100
	// maxAliases and maxAliasedText are how many aliases Read follows, and in a text of how many bytes.
	maxAliases, maxAliasedText = 100, 64 << 10
	// maxAsked is how often Read asks the parser, and once more for each bytesOfAsked bytes: what asks more is read by it as a whole.
	maxAsked, bytesOfAsked = 40, 64
	// maxKey is the longest key; parsers have limits of their own.
	maxKey = 1000
)

// Read reads a document that is a mapping. It is not sure of a document in flow style, of keys that are no obvious strings or come twice,
// of tabs where they indent, nor of anchors but those of scalars. Where it is sure, limit.Check lets the document through.
func Read(text []byte) (content map[string]any, sure bool) {
	if len(text) > limit.Size || limit.CheckValues(text) != nil || !Printable(text) {
		return nil, false
	}
	r := reader{rest: text, toAsk: maxAsked + len(text)/bytesOfAsked, closed: bytes.HasSuffix(text, []byte("\n"))}
	if r.next(); r.indent == 0 && string(r.line) == "---" {
		r.next()
	}
	if r.ended {
		return nil, false
	}
	content, sure = r.mapping(r.indent, 0)
	return content, sure && r.ended && (r.aliases == 0 || len(text) <= maxAliasedText)
}

// Printable reports whether YAML allows every character, and none is white space that only Unicode knows as such.
func Printable(text []byte) bool {
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			if c < ' ' && c != '\n' && c != '\t' || c == 0x7f {
				return false
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError || r < 0xa0 || r == '\ufeff' || r == '\ufffe' || r == '\uffff' || unicode.IsSpace(r) {
			return false
		}
		i += size
	}
	return true
}

// reader goes through a document line by line.
type reader struct {
	rest   []byte // what follows the line
	line   []byte // the line from its first character on, or the rest of it behind a dash or a key
	indent int    // the column where that begins
	ended  bool   // there is no further line
	closed bool   // the last line has its line break
	toAsk  int    // how often the parser may be asked
	// anchored are the scalars that have an anchor, by its name; aliases counts what stood for them.
	anchored map[string]any
	aliases  int
}

// next goes to the next line that is neither blank nor a comment.
func (r *reader) next() {
	for len(r.rest) > 0 {
		line, rest, _ := bytes.Cut(r.rest, []byte("\n"))
		text := bytes.TrimLeft(line, " ")
		r.rest = rest
		if len(text) > 0 && text[0] != '#' {
			r.line, r.indent = bytes.TrimRight(text, " "), len(line)-len(text)
			return
		}
	}
	r.line, r.indent, r.ended = nil, -1, true
}

// mapping reads the mapping whose keys stand at a column, from its first key on.
func (r *reader) mapping(column, depth int) (map[string]any, bool) {
	content := map[string]any{}
	for r.indent == column && !isItem(r.line) {
		key, value, ok := cutKey(r.line)
		if _, doubled := content[key]; doubled || !ok || depth > maxDepth {
			return nil, false
		}
		r.line = value
		if content[key], ok = r.value(column, column, depth); !ok {
			return nil, false
		}
	}
	return content, r.indent < column && len(content) > 0
}

// cutKey cuts `key: value` or `key:` where the key is a string in every version of YAML.
func cutKey(text []byte) (key string, value []byte, ok bool) {
	end := 0
	if isQuote(text[0]) {
		end = quoteEnd(text)
	} else {
		for end < len(text) && (text[end] != ':' || end+1 < len(text) && text[end+1] != ' ') {
			end++
		}
	}
	if end == 0 || end > maxKey || end >= len(text) || text[end] != ':' || end+1 < len(text) && text[end+1] != ' ' {
		return "", nil, false
	}
	name, sure := scalar(text[:end])
	key, isString := name.(string)
	return key, text[end+1:], sure && isString && text[0] != '-' && text[end-1] != ' ' && !bytes.Contains(text[:end], []byte(" #"))
}

// sequence reads the sequence whose dashes stand at a column, from its first dash on.
func (r *reader) sequence(column, depth int) ([]any, bool) {
	items := []any{}
	for r.indent == column && isItem(r.line) {
		text := bytes.TrimLeft(r.line[1:], " ")
		inner := column + len(r.line) - len(text)
		var item any
		ok := depth <= maxDepth
		if ok && isItem(text) {
			r.line, r.indent = text, inner
			item, ok = r.sequence(inner, depth+1)
		} else if ok && hasKey(text) {
			r.line, r.indent = text, inner
			item, ok = r.mapping(inner, depth+1)
		} else if ok {
			r.line = text
			item, ok = r.value(column, column+1, depth)
		}
		if !ok {
			return nil, false
		}
		items = append(items, item)
	}
	return items, r.indent <= column
}

// hasKey reports whether an item begins a mapping on the line of its dash.
func hasKey(text []byte) bool {
	if len(text) == 0 {
		return false
	}
	_, _, keyed := cutKey(text)
	return keyed
}

// value reads what follows a key or a dash at a column, and goes on behind it. A sequence may begin at the column list already.
func (r *reader) value(column, list, depth int) (value any, ok bool) {
	text := bytes.TrimLeft(r.line, " ")
	if len(text) == 0 || text[0] == '#' {
		return r.collection(column, list, depth)
	}
	before, short := *r, trimmed(text)
	switch {
	case text[0] == '&' || text[0] == '*':
		value, ok = r.named(short)
		r.next()
		return value, ok && r.indent <= column
	case isBlock(text[0]):
		value, ok = r.block(short, column)
	case isFlow(text[0]):
		value, ok = r.flow(short, column)
	case isLetter(text[0]) && len(short) == len(text) && r.isDeeper(column):
		value, ok = r.words(text, column)
	default:
		value, ok = scalar(short)
	}
	if ok {
		if r.next(); r.indent <= column { // a deeper line would go on with it
			return value, true
		}
	}
	*r = before
	return r.ask(text, column)
}

// named reads an alias of a scalar, or a scalar with an anchor.
func (r *reader) named(text []byte) (value any, ok bool) {
	if text[0] == '*' {
		r.aliases++
		value, ok = r.anchored[string(text[1:])]
		return value, ok && r.aliases <= maxAliases
	}
	name, of, _ := bytes.Cut(text[1:], []byte(" "))
	value, ok = scalar(bytes.TrimLeft(of, " "))
	if r.anchored == nil {
		r.anchored = map[string]any{}
	}
	r.anchored[string(name)] = value
	return value, ok && isName(name)
}

// isName reports whether text is the name of an anchor to every parser.
func isName(text []byte) bool {
	return len(text) > 0 && len(bytes.TrimFunc(text, func(c rune) bool {
		return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '-'
	})) == 0
}

// collection reads what begins on the next line; nil where that belongs to a collection around it.
func (r *reader) collection(column, list, depth int) (value any, ok bool) {
	r.next()
	switch {
	case r.indent >= list && isItem(r.line):
		return r.sequence(r.indent, depth+1)
	case r.indent > column:
		return r.mapping(r.indent, depth+1)
	}
	return nil, true
}

// below takes the lines of a value below its first one: those that are deeper than a column, and the line that may close it in flow style.
// What they are indented by up to the column is cut off.
func (r *reader) below(begin byte, column int) (lines [][]byte) {
	for open := true; open && len(r.rest) > 0; {
		line, rest, _ := bytes.Cut(r.rest, []byte("\n"))
		text := bytes.TrimLeft(line, " ")
		indent := len(line) - len(text)
		if open = len(text) == 0 || indent > column; !open && (!isFlow(begin) || text[0] != closing(begin)) {
			break
		}
		lines, r.rest = append(lines, line[min(column, indent):]), rest
	}
	return lines
}

// ask gives a value to the parser, with the lines below it.
func (r *reader) ask(text []byte, column int) (value any, ok bool) {
	lines := append([][]byte{append([]byte("- "), text...)}, r.below(text[0], column)...)
	if r.closed || len(r.rest) > 0 {
		lines = append(lines, nil)
	}
	alone := bytes.Join(lines, []byte("\n"))
	r.toAsk--
	if isFlow(text[0]) && bytes.IndexByte(alone, '&') >= 0 || text[0] == '!' || r.toAsk < 0 || limit.Check(alone) != nil {
		return nil, false // the parser would know the anchors in it, and where a tag may lead
	}
	var found []any
	if yaml.Unmarshal(alone, &found) != nil || len(found) != 1 || !isMeant(found[0], text[0]) {
		return nil, false
	}
	r.next()
	return found[0], r.indent <= column && (isQuote(text[0]) || isBlock(text[0]) || isAgreed(alone, found))
}

// isAgreed reports whether the parser of newer versions of YAML finds the same.
func isAgreed(text []byte, found []any) bool {
	var newer []any
	if newyaml.Unmarshal(text, &newer) != nil {
		return false
	}
	one, err := json.Marshal(found)
	other, failed := json.Marshal(newer)
	return err == nil && failed == nil && bytes.Equal(one, other)
}

// isMeant reports whether a value is of the sort that it begins like: of flow style a collection, or else a scalar.
func isMeant(value any, begin byte) bool {
	switch value.(type) {
	case map[string]any:
		return begin == '{'
	case []any:
		return begin == '['
	}
	return !isFlow(begin)
}

// isItem reports whether a line is one of a sequence.
func isItem(line []byte) bool {
	return len(line) > 0 && line[0] == '-' && (len(line) == 1 || line[1] == ' ')
}
