package object

import (
	"bytes"
	"strconv"
	"strings"

	"migrate-to-flux-operator/fn/checkout/split"
)

const (
	// maxPlainDepth is how deep ReadPlain follows collections.
	maxPlainDepth = 100
	// maxPlainAliases and maxAliasedText are how many aliases ReadPlain follows, and in a text of how many bytes: far less than
	// parsers and limit.Check allow.
	maxPlainAliases, maxAliasedText = 100, 64 << 10
	// maxCopied and maxCopiedText are how many values these aliases may stand for, and how many bytes of text.
	maxCopied, maxCopiedText = 10_000, 1 << 20
)

// ReadPlain reads a document in the block style that nearly all are written in, many times faster than the parser. It is not sure
// of anything else: flow style over several lines or of more than words, folded and quoted scalars of several lines, escapes, tags, merge
// keys, doubled keys, numbers but for short ones. Where it is sure, the parser finds the same, and limit.Check lets it through.
func ReadPlain(text []byte) (content map[string]any, sure bool) {
	if !split.Printable(text) {
		return nil, false
	}
	r := plainReader{rest: text}
	if r.next(); r.indent == 0 && string(r.line) == "---" {
		r.next()
	}
	if r.indent != 0 {
		return nil, false
	}
	content, sure = r.mapping(0, 0)
	return content, sure && r.ended && (r.aliases == 0 || len(text) <= maxAliasedText)
}

// IsPlain tells whether a document is read without the parser. It is within the limits then, whatever its aliases stand for.
func IsPlain(text []byte) bool {
	_, sure := ReadPlain(text)
	return sure
}

// plainReader goes through a document line by line.
type plainReader struct {
	rest    []byte // what follows the line
	line    []byte // the line from its first character on, which is at the column indent; the rest of it behind a dash or a key
	indent  int
	ended   bool // there is no further line
	anchors map[string]any
	aliases int
	// copied and copiedText are the values that the aliases stand for, and the bytes of their scalars.
	copied, copiedText int
}

// open is the value of an anchor as long as its collection is not read to the end.
type open struct{}

// next goes to the next line that is neither blank nor a comment.
func (r *plainReader) next() {
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
func (r *plainReader) mapping(column, depth int) (map[string]any, bool) {
	content := map[string]any{}
	for r.indent == column && !isItem(r.line) {
		key, value, ok := split.CutKey(r.line)
		if !ok || len(key) > 1000 || bytes.IndexByte(value, '\t') >= 0 || depth > maxPlainDepth {
			return nil, false
		}
		name, ok := plainKey(key)
		if _, doubled := content[name]; doubled || !ok {
			return nil, false
		}
		r.line = trimmed(value)
		if content[name], ok = r.value(column, column, depth); !ok {
			return nil, false
		}
	}
	return content, r.indent < column && len(content) > 0
}

// plainKey reads a key that is a string in every version of YAML.
func plainKey(text []byte) (string, bool) {
	value, ok := plainScalar(text)
	name, isString := value.(string)
	return name, ok && isString
}

// sequence reads the sequence whose dashes stand at a column, from its first dash on.
func (r *plainReader) sequence(column, depth int) ([]any, bool) {
	items := []any{}
	for r.indent == column && isItem(r.line) {
		text := bytes.TrimLeft(r.line[1:], " ")
		inner := column + len(r.line) - len(text)
		if isItem(text) || bytes.IndexByte(text, '\t') >= 0 || depth > maxPlainDepth {
			return nil, false
		}
		var item any
		var ok bool
		if _, _, keyed := split.CutKey(text); keyed {
			r.line, r.indent = text, inner
			item, ok = r.mapping(inner, depth+1)
		} else {
			r.line = trimmed(text)
			item, ok = r.value(column, column+1, depth)
		}
		if !ok {
			return nil, false
		}
		items = append(items, item)
	}
	return items, true
}

// value reads what follows a key or a dash at a column, and goes on behind it. A sequence may begin at the column list already.
func (r *plainReader) value(column, list, depth int) (value any, ok bool) {
	if text := r.line; len(text) > 0 {
		if text[0] == '|' {
			return r.literal(column, string(text[1:]))
		}
		if text[0] == '&' && isName(text[1:]) {
			return r.anchored(string(text[1:]), column, list, depth)
		}
		value, ok = r.scalar(text, depth)
		r.next()
		return value, ok && r.indent <= column // a deeper line would go on with it
	}
	return r.collection(column, list, depth)
}

// anchored reads a collection with an anchor. Of a name that is there already, what an alias means depends on the parser.
func (r *plainReader) anchored(name string, column, list, depth int) (value any, ok bool) {
	if _, doubled := r.anchors[name]; doubled {
		return nil, false
	}
	r.anchor(name, open{})
	value, ok = r.collection(column, list, depth)
	r.anchor(name, value)
	return value, ok
}

// anchor notes what aliases of a name stand for.
func (r *plainReader) anchor(name string, value any) {
	if r.anchors == nil {
		r.anchors = map[string]any{}
	}
	r.anchors[name] = value
}

// collection reads what begins on the next line; nil where that belongs to a collection around it.
func (r *plainReader) collection(column, list, depth int) (value any, ok bool) {
	r.next()
	switch {
	case r.indent >= list && isItem(r.line):
		return r.sequence(r.indent, depth+1)
	case r.indent > column:
		return r.mapping(r.indent, depth+1)
	}
	return nil, true
}

// literal reads the lines of a literal that are indented deeper than a column.
func (r *plainReader) literal(column int, chomping string) (any, bool) {
	var text strings.Builder
	indent, blank := -1, 0
	for len(r.rest) > 0 {
		line, rest, ended := bytes.Cut(r.rest, []byte("\n"))
		spaces := len(line) - len(bytes.TrimLeft(line, " "))
		if indent < 0 {
			indent = spaces
			if indent == len(line) || indent <= column || line[indent] == '\t' {
				return nil, false
			}
		}
		switch {
		case spaces >= indent && len(line) > indent:
			for range blank {
				text.WriteByte('\n')
			}
			if !ended {
				return nil, false
			}
			text.Write(line[indent:])
			blank = 1
		case spaces == len(line):
			blank++
		default:
			rest = nil
		}
		if rest == nil {
			break
		}
		r.rest = rest
	}
	if chomping == "" {
		text.WriteByte('\n')
	}
	r.next()
	return text.String(), indent >= 0 && (chomping == "" || chomping == "-")
}

// scalar reads a value that ends on its line, with the anchor before it; an alias is the value that its anchor has.
func (r *plainReader) scalar(text []byte, depth int) (any, bool) {
	switch text[0] {
	case '*':
		r.aliases++
		value, known := r.anchors[string(text[1:])]
		if !known || r.aliases > maxPlainAliases {
			return nil, false
		}
		return r.copy(value, depth)
	case '&':
		name, of, found := bytes.Cut(text[1:], []byte(" "))
		of = bytes.TrimLeft(of, " ")
		if !found || !isName(name) || len(of) == 0 || of[0] == '[' || of[0] == '{' {
			return nil, false
		}
		if _, within := r.anchors[string(name)].(open); within {
			return nil, false
		}
		value, ok := plainScalar(of)
		r.anchor(string(name), value)
		return value, ok
	case '[', '{':
		value, rest, sure := plainFlow(text, depth)
		return value, sure && len(rest) == 0
	}
	return plainScalar(text)
}

// copy is what an alias stands for, of its own, since who looks into an object may take something out of a mapping.
func (r *plainReader) copy(value any, depth int) (any, bool) {
	r.copied++
	if r.copied > maxCopied || depth > maxPlainDepth {
		return nil, false
	}
	switch v := value.(type) {
	case open:
		return nil, false // it would contain itself
	case string:
		r.copiedText += len(v)
		return v, r.copiedText <= maxCopiedText
	case map[string]any:
		all := make(map[string]any, len(v))
		for key, child := range v {
			of, ok := r.copy(child, depth+1)
			if r.copiedText += len(key); !ok {
				return nil, false
			}
			all[key] = of
		}
		return all, true
	case []any:
		all := make([]any, len(v))
		for i, child := range v {
			of, ok := r.copy(child, depth+1)
			if !ok {
				return nil, false
			}
			all[i] = of
		}
		return all, true
	}
	return value, true
}

// plainFlow reads a collection in flow style of words, simply quoted strings and such collections, and returns the text behind it.
func plainFlow(text []byte, depth int) (value any, rest []byte, sure bool) {
	if depth > maxPlainDepth {
		return nil, nil, false
	}
	closing := text[0] + 2 // of [ and of {
	list, content := []any{}, map[string]any{}
	text = bytes.TrimLeft(text[1:], " ")
	for more := len(text) > 0 && text[0] != closing; more; {
		name := ""
		if closing == '}' {
			key, behind, ok := split.CutKey(text)
			if name, sure = plainKey(key); !ok || !sure || len(key) > 1000 || len(behind) == 0 {
				return nil, nil, false
			}
			text = bytes.TrimLeft(behind, " ")
		}
		if value, text, sure = plainEntry(text, depth); !sure {
			return nil, nil, false
		}
		if _, doubled := content[name]; doubled {
			return nil, nil, false
		}
		if closing == '}' {
			content[name] = value
		}
		list = append(list, value)
		text = bytes.TrimLeft(text, " ")
		if text, more = bytes.CutPrefix(text, []byte(", ")); more {
			text = bytes.TrimLeft(text, " ")
		}
	}
	if len(text) == 0 || text[0] != closing {
		return nil, nil, false
	}
	if closing == '}' {
		return content, text[1:], true
	}
	return list, text[1:], true
}

// plainEntry reads a value of a collection in flow style, and returns the text behind it.
func plainEntry(text []byte, depth int) (value any, rest []byte, sure bool) {
	end := 0
	switch {
	case len(text) == 0:
		return nil, nil, false
	case text[0] == '[' || text[0] == '{':
		return plainFlow(text, depth+1)
	case text[0] == '"' || text[0] == '\'':
		if end = bytes.IndexByte(text[1:], text[0]) + 2; end == 1 || end < len(text) && text[end] == text[0] {
			return nil, nil, false
		}
	default:
		for end < len(text) && bytes.IndexByte([]byte(",[]{}:#? "), text[end]) < 0 {
			end++
		}
	}
	value, sure = plainScalar(text[:end])
	return value, text[end:], sure && (end == len(text) || bytes.IndexByte([]byte(",]} "), text[end]) >= 0)
}

// plainScalar reads a plain or a simply quoted scalar.
func plainScalar(text []byte) (any, bool) {
	switch {
	case len(text) == 0:
		return nil, false
	case text[0] == '"' || text[0] == '\'':
		inner := text[1:]
		return string(inner[:max(len(inner)-1, 0)]), len(inner) > 0 && bytes.IndexByte(text, '\\') < 0 && bytes.IndexByte(inner, text[0]) == len(inner)-1
	case bytes.Contains(text, []byte(": ")) || text[len(text)-1] == ':':
		return nil, false
	case text[0] >= '0' && text[0] <= '9':
		return plainNumber(text)
	case text[0]|0x20 >= 'a' && text[0]|0x20 <= 'z':
		switch string(text) {
		case "true":
			return true, true
		case "false":
			return false, true
		case "null":
			return nil, true
		}
		return string(text), !split.NotString(text)
	}
	for _, start := range []string{"/", "./", "../", "--", "$", "_", "("} {
		if bytes.HasPrefix(text, []byte(start)) {
			return string(text), true
		}
	}
	return nil, false
}

// plainNumber reads what begins with a digit: a short number, or what no version of YAML takes for a number or a time.
func plainNumber(text []byte) (any, bool) {
	if areDigits(text) && len(text) < 16 && (text[0] != '0' || len(text) == 1) {
		number, err := strconv.Atoi(string(text))
		return float64(number), err == nil
	}
	if whole, part, found := bytes.Cut(text, []byte(".")); found && len(text) < 16 && areDigits(whole) && areDigits(part) && (whole[0] != '0' || len(whole) == 1) {
		number, err := strconv.ParseFloat(string(text), 64)
		return number, err == nil
	}
	other := len(bytes.TrimLeft(text, "0123456789abcdefABCDEFxXoO_.+-:tTzZ ")) > 0
	version := len(bytes.Trim(text, "0123456789.:")) == 0 && bytes.Count(text, []byte(".")) > 1
	days := text[0] != '0' && text[len(text)-1] == 'd' && areDigits(text[:len(text)-1])
	return string(text), other || version || days
}

// areDigits tells a text of nothing but digits.
func areDigits(text []byte) bool { return len(text) > 0 && len(bytes.Trim(text, "0123456789")) == 0 }

// trimmed is a value without the white space and the comment around it. A quote may hold what looks like a comment.
func trimmed(text []byte) []byte {
	text = bytes.TrimLeft(text, " ")
	if len(text) > 0 && text[0] == '#' {
		return nil
	}
	if len(text) > 1 && (text[0] == '"' || text[0] == '\'') {
		end := bytes.IndexByte(text[1:], text[0]) + 2
		if rest := bytes.TrimLeft(text[end:], " "); end > 1 && len(rest) > 0 && rest[0] == '#' && len(rest) < len(text)-end {
			return text[:end]
		}
		return text
	}
	if comment := bytes.Index(text, []byte(" #")); comment >= 0 {
		text = bytes.TrimRight(text[:comment], " ")
	}
	return text
}

// isItem tells a line of a sequence.
func isItem(line []byte) bool {
	return len(line) > 0 && line[0] == '-' && (len(line) == 1 || line[1] == ' ')
}

// isName tells the names of anchors that every parser knows as such.
func isName(text []byte) bool {
	return len(text) > 0 && len(bytes.TrimFunc(text, func(c rune) bool {
		return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '-'
	})) == 0
}
