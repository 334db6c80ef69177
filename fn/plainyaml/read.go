// Package plainyaml reads YAML many times faster than the parser: what Read is sure of, the parsers of all versions of
// YAML find as well. It follows the lines of block style by their indentation. A value that it does not know is given
// to the parser by itself, for all that is indented deeper than a key belongs to its value; a document that is odd in
// another way is left to the parser as a whole.
package plainyaml

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	newyaml "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/limit"
)

const (
	// maxDepth is how deep Read follows collections, and maxKey how long a key is; parsers, and limit.Check, allow
	// more.
	maxDepth, maxKey = 100, 1000
	// maxAliases and maxAliasedText are how many aliases Read follows, and in a text of how many bytes.
	maxAliases, maxAliasedText = 100, 64 << 10
	// maxAsked is how often Read asks the parser, and once more for each bytesOfAsked bytes.
	maxAsked, bytesOfAsked = 40, 64
)

// Read reads a document that is a mapping. It is not sure of a document in flow style, of keys that are no obvious
// strings or come twice, of tabs where they indent, nor of anchors but those of scalars. Where it is sure, limit.Check
// lets the document through.
func Read(document []byte) (content map[string]any, sure bool) {
	if len(document) > limit.Size || limit.CheckValues(document) != nil || hasOdd(document) {
		return nil, false
	}
	text := string(document)
	r := reader{rest: text, closed: strings.HasSuffix(text, "\n"), anchored: map[string]any{}}
	r.toAsk = maxAsked + len(text)/bytesOfAsked
	if r.next(); r.indent == 0 && r.line == "---" {
		r.next()
	}
	if r.ended {
		return nil, false
	}
	content, sure = r.mapping(r.indent, 0)
	return content, sure && r.ended && (r.aliases == 0 || len(text) <= maxAliasedText)
}

// hasOdd reports whether a document has a character that isOdd is about. Most documents have none but ASCII, and are
// looked at by bytes.
func hasOdd(document []byte) bool {
	for _, b := range document {
		if b >= 0x7f || b < ' ' && b != '\n' {
			return bytes.ContainsFunc(document, isOdd)
		}
	}
	return false
}

// isOdd reports whether YAML does not allow a character, or it is white space that only Unicode knows as such.
func isOdd(c rune) bool {
	return c < ' ' && c != '\n' && c != '\t' || c >= 0x7f && c < 0xa0 || c == utf8.RuneError || c == '\ufeff' ||
		c == '\ufffe' || c == '\uffff' || c >= utf8.RuneSelf && unicode.IsSpace(c)
}

// reader goes through a document line by line.
type reader struct {
	rest   string // what follows the line
	line   string // the line from its first character on, or the rest of it behind a dash or a key
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
		line, rest, _ := strings.Cut(r.rest, "\n")
		text := strings.TrimLeft(line, " ")
		r.rest = rest
		if len(text) > 0 && text[0] != '#' {
			r.line, r.indent = strings.TrimRight(text, " "), len(line)-len(text)
			return
		}
	}
	r.line, r.indent, r.ended = "", -1, true
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
func cutKey(text string) (key, value string, ok bool) {
	end := 0
	if len(text) > 0 && isQuote(text[0]) {
		end = quoteEnd(text)
	} else {
		for end < len(text) && (text[end] != ':' || end+1 < len(text) && text[end+1] != ' ') {
			end++
		}
	}
	if end == 0 || end > maxKey || end >= len(text) || text[end] != ':' || end+1 < len(text) && text[end+1] != ' ' {
		return "", "", false
	}
	name, sure := scalar(text[:end])
	key, isString := name.(string)
	sure = sure && isString && text[0] != '-' && text[end-1] != ' ' && !strings.Contains(text[:end], " #")
	return key, text[end+1:], sure
}

// sequence reads the sequence whose dashes stand at a column, from its first dash on.
func (r *reader) sequence(column, depth int) (items []any, ok bool) {
	items = []any{}
	for r.indent == column && isItem(r.line) {
		text := strings.TrimLeft(r.line[1:], " ")
		inner := column + len(r.line) - len(text)
		var item any
		switch _, _, keyed := cutKey(text); {
		case depth > maxDepth:
			return nil, false
		case isItem(text):
			r.line, r.indent = text, inner
			item, ok = r.sequence(inner, depth+1)
		case keyed:
			r.line, r.indent = text, inner
			item, ok = r.mapping(inner, depth+1)
		default:
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

// isItem reports whether a line is one of a sequence.
func isItem(line string) bool {
	return len(line) > 0 && line[0] == '-' && (len(line) == 1 || line[1] == ' ')
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

// value reads what follows a key or a dash at a column, and goes on behind it. A sequence may begin at the column list.
func (r *reader) value(column, list, depth int) (value any, ok bool) {
	text := strings.TrimLeft(r.line, " ")
	if len(text) == 0 || text[0] == '#' {
		return r.collection(column, list, depth)
	}
	before, short := *r, uncommented(text)
	switch {
	case text[0] == '&' || text[0] == '*':
		value, ok = r.named(short)
		r.next()
		return value, ok && r.indent <= column
	case isBlock(text[0]):
		value, ok = r.block(short, column)
	case isFlow(text[0]):
		value, ok = r.flow(short, column)
	case isQuote(text[0]) && quoteEnd(text) == 0:
		value, ok = unquoted(fold(text, r.below(text[0], column)))
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

// inNames are the characters that are part of the name of an anchor to every parser.
const inNames = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

// named reads an alias of a scalar, or a scalar with an anchor.
func (r *reader) named(text string) (value any, ok bool) {
	if text[0] == '*' {
		r.aliases++
		value, ok = r.anchored[text[1:]]
		return value, ok && r.aliases <= maxAliases
	}
	name, of, _ := strings.Cut(text[1:], " ")
	value, ok = scalar(strings.TrimLeft(of, " "))
	r.anchored[name] = value
	return value, ok && len(name) > 0 && strings.Trim(name, inNames) == ""
}

// isDeeper reports whether the next line that is not blank is deeper than a column.
func (r *reader) isDeeper(column int) bool {
	rest := strings.TrimLeft(r.rest, " \n")
	blank := r.rest[:len(r.rest)-len(rest)]
	return len(rest) > 0 && len(blank)-1-strings.LastIndexByte(blank, '\n') > column
}

// below takes the lines of a value below its first one, without what they are indented by up to a column: those that
// are deeper, and the line that may close it in flow style.
func (r *reader) below(begin byte, column int) (lines []string) {
	for open := true; open && len(r.rest) > 0; {
		line, rest, _ := strings.Cut(r.rest, "\n")
		indent := spaces(line)
		if open = indent == len(line) || indent > column; !open && (!isFlow(begin) || line[indent] != closing(begin)) {
			break
		}
		lines, r.rest = append(lines, line[min(column, indent):]), rest
	}
	return lines
}

// spaces are how many spaces a line begins with.
func spaces(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// ask gives a value to the parser, with the lines below it. It would know the anchors in it, and where a tag may lead.
func (r *reader) ask(text string, column int) (value any, ok bool) {
	alone := "- " + strings.Join(append([]string{text}, r.below(text[0], column)...), "\n")
	if r.closed || len(r.rest) > 0 {
		alone += "\n"
	}
	r.toAsk--
	mayName := isFlow(text[0]) && strings.Contains(alone, "&") || text[0] == '!'
	if mayName || r.toAsk < 0 || limit.Check([]byte(alone)) != nil {
		return nil, false
	}
	var found []any
	if yaml.Unmarshal([]byte(alone), &found) != nil || len(found) != 1 {
		return nil, false
	}
	_, isMap := found[0].(map[string]any)
	if _, isList := found[0].([]any); isMap != (text[0] == '{') || isList != (text[0] == '[') {
		return nil, false // it is not what it looked like
	}
	r.next()
	return found[0], r.indent <= column && (isQuote(text[0]) || isBlock(text[0]) || isAgreed(alone, found))
}

// isAgreed reports whether the parser of newer versions of YAML finds the same.
func isAgreed(text string, found []any) bool {
	var newer []any
	if newyaml.Unmarshal([]byte(text), &newer) != nil {
		return false
	}
	one, err := json.Marshal(found)
	other, failed := json.Marshal(newer)
	return err == nil && failed == nil && string(one) == string(other)
}
