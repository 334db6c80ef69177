package split

import "bytes"

// Head is what a document says about itself.
type Head struct {
	APIVersion, Kind, Name, Namespace string
}

// Sniff reads apiVersion, kind, metadata.name and metadata.namespace from the raw bytes of one document. It is sure
// only about block style with plain or simply quoted values; flow style, tabs, anchors, merge keys, templates and scalars
// over several lines where they could matter, and doubled keys make it unsure, and the caller parses. Where it is
// sure and the document parses, the parser finds the same; it cannot tell whether the rest of the document parses.
func Sniff(doc []byte) (head Head, sure bool) {
	for _, odd := range oddBreaks {
		if bytes.Contains(doc, odd) {
			return Head{}, false
		}
	}
	s, returns := newSniffer(doc), bytes.IndexByte(doc, '\r') >= 0
	for pos := len(mark(doc)); pos < len(doc); {
		end := lineEnd(doc, pos)
		line := bytes.TrimSuffix(doc[pos:end], []byte("\n"))
		pos = end
		if returns {
			line = bytes.TrimRight(line, "\r")
		}
		if returns && bytes.IndexByte(line, '\r') >= 0 || !s.line(line) {
			return Head{}, false
		}
		if s.ended {
			break
		}
	}
	return s.head(), true
}

// newSniffer is a sniffer before the first line of a document.
func newSniffer(doc []byte) *sniffer {
	return &sniffer{fields: make(map[string]string, 8), blockAt: none, tabs: bytes.IndexByte(doc, '\t') >= 0}
}

// head is what was found.
func (s *sniffer) head() Head {
	return Head{s.fields["apiVersion"], s.fields["kind"], s.fields["metadata.name"], s.fields["metadata.namespace"]}
}

// oddBreaks are the line breaks of YAML 1.1 that no editor shows as such.
var oddBreaks = [][]byte{[]byte("\u0085"), []byte("\u2028"), []byte("\u2029")}

// none is the indentation of something that is not there.
const none = -1

// sniffer is the state of one Sniff.
type sniffer struct {
	fields   map[string]string
	tabs     bool   // the document has tabs
	begun    bool   // a line with content or a `---` was seen
	ended    bool   // a `...` was seen
	top      string // the top-level key that the line belongs to
	metaAt   int    // indentation of metadata's keys, 0 while unknown
	parentAt int    // column of the last key, or of the dash of an item without one
	blockAt  int    // lines deeper than this belong to a block scalar; none outside of one
	value    bool   // the last line has a value, which a line deeper than parentAt would continue
	plain    bool   // that value is plain text, which may go on over several lines
	below    bool   // that text began below its key: a key that follows in its column would be broken YAML
	quote    byte   // the quote that an earlier line has opened, 0 for none
	proof    *proof // what SniffItem wants to know beyond Sniff; nil for Sniff
}

// line takes one line without its line break and reports whether the sniffer is still sure.
func (s *sniffer) line(line []byte) bool {
	text := bytes.TrimLeft(line, " ")
	return s.text(line, text, len(line)-len(text))
}

// text takes a line whose text starts at a column.
func (s *sniffer) text(line, text []byte, indent int) bool {
	if s.quote != 0 {
		return s.quoted(text)
	}
	if s.blockAt != none && (len(bytes.TrimSpace(text)) == 0 || indent > s.blockAt) {
		return s.proof == nil || s.proof.block(text, indent)
	}
	s.blockAt = none
	switch {
	case len(text) == 0 || text[0] == '#':
		return true
	case indent == 0 && isMarker(line, "---"):
		return s.start(line)
	case indent == 0 && isMarker(line, "..."):
		s.ended = true
		return s.begun && !holds(line[3:])
	case s.tabs && bytes.IndexByte(line, '\t') >= 0:
		return false
	case s.value && indent > s.parentAt:
		return s.plain && s.spans() && (!s.below || !hidesKey(text))
	}
	s.begun = true
	return s.content(text, indent)
}

// spans reports whether a scalar of several lines is of no interest: only what it is called matters, and where it ends.
func (s *sniffer) spans() bool { return s.proof == nil && !counts(s.top) }

// quoted takes a line that starts within quotes.
func (s *sniffer) quoted(text []byte) bool {
	end := quoteEnd(text, s.quote)
	if end == none {
		return true
	}
	s.quote = 0
	return !hasText(text[end:])
}

// start takes a `---` line, which only counts as the start of the document.
func (s *sniffer) start(line []byte) bool {
	if s.begun || holds(line[3:]) {
		return false
	}
	s.begun = true
	return true
}

// content takes a line that is neither blank nor a comment.
func (s *sniffer) content(text []byte, indent int) bool {
	rest, column := text, indent
	for bytes.HasPrefix(rest, []byte("- ")) || string(rest) == "-" {
		if s.proof != nil && !s.proof.dash(column) {
			return false
		}
		trimmed := bytes.TrimLeft(rest[1:], " ")
		column += len(rest) - len(trimmed)
		rest = trimmed
	}
	item := len(rest) < len(text)
	key, value, ok := CutKey(rest)
	below := !ok && !item && !s.value && indent > s.parentAt
	switch {
	case ok:
		s.parentAt = column
	case indent == 0 && !item, hidesKey(rest) && !oneLineFlow(scalarText(rest)):
		return false
	case below:
		value = rest // of the key above, which is its parent
	default:
		s.parentAt, value = indent, rest
	}
	s.below = below
	if !s.scalar(value) || s.proof != nil && !s.certain(ok, item, indent, column, key, value) {
		return false
	}
	if ok && !item && (indent == 0 || counts(s.top)) {
		return s.field(string(key), value, indent)
	}
	return indent > 0 && s.top != "" || !counts(s.top)
}

// counts reports whether the answer depends on what a top-level key holds; "" is no key at all.
func counts(top string) bool {
	return top == "" || top == "apiVersion" || top == "kind" || top == "metadata"
}

// hidesKey reports whether text that is no plain key may still be some other key.
func hidesKey(text []byte) bool {
	text = trimComment(text)
	return bytes.Contains(text, []byte(": ")) || bytes.HasSuffix(text, []byte(":"))
}

// field notes a `key: value` line when it is one that counts.
func (s *sniffer) field(key string, value []byte, indent int) bool {
	if indent == 0 {
		s.top = key
		switch key {
		case "apiVersion", "kind":
			return s.set(key, value)
		case "metadata":
			s.metaAt = 0
			_, doubled := s.fields[key]
			s.fields[key] = ""
			return !doubled && !hasText(value)
		}
		return key != "<<"
	}
	if s.top != "metadata" {
		return false
	}
	if s.metaAt == 0 {
		s.metaAt = indent
	}
	switch {
	case indent < s.metaAt || indent == s.metaAt && key == "<<":
		return false
	case indent == s.metaAt && (key == "name" || key == "namespace"):
		return s.set("metadata."+key, value)
	}
	return s.proof == nil || s.annotation(key, value, indent)
}

// set notes a field once, if its value is a simple string.
func (s *sniffer) set(field string, value []byte) bool {
	text, ok := simple(value)
	_, doubled := s.fields[field]
	s.fields[field] = text
	return ok && !doubled
}

// scalar looks at what follows a key or a dash: whether it ends on its line, and what the next lines may be.
func (s *sniffer) scalar(value []byte) bool {
	if len(value) > 1 && value[0] == ' ' && letter(value[1]) {
		s.value, s.plain = true, true // as nearly all are
		return true
	}
	text := scalarText(unanchored(value))
	s.value, s.plain = len(text) > 0, false
	if len(text) == 0 {
		return true
	}
	switch text[0] {
	case '|', '>':
		s.blockAt, s.value = s.parentAt, false
		return len(bytes.Trim(text[1:], "+-0123456789")) == 0
	case '"', '\'':
		return s.opens(text)
	case '{', '[':
		return oneLineFlow(text)
	case '&', '!', '*':
		s.value = false
		return !bytes.ContainsAny(text, `"'[]{}|> #:`)
	case '?', '%', '@', '`':
		return false
	}
	s.plain = true
	return true
}

// opens takes a quoted scalar, which may go on over several lines where it is of no interest.
func (s *sniffer) opens(text []byte) bool {
	end := quoteEnd(text[1:], text[0])
	if end == none {
		s.quote = text[0]
		return s.spans()
	}
	return end == len(text)-1
}

// CutKey cuts `key: value` or `key:` for a plain key.
func CutKey(text []byte) (key, value []byte, ok bool) {
	n := 0
	for n < len(text) && plainKey(text[n]) {
		n++
	}
	if n == 0 || n == len(text) || text[n] != ':' || n+1 < len(text) && text[n+1] != ' ' {
		if bytes.HasPrefix(text, []byte("<<: ")) {
			return text[:2], text[3:], true
		}
		return nil, nil, false
	}
	return text[:n], text[n+1:], true
}

// plainKey reports whether c may be part of a plain key.
func plainKey(c byte) bool { return plainKeys[c] }

// plainKeys are the characters of plain keys.
var plainKeys = func() (all [256]bool) {
	for c := range all {
		all[c] = letter(byte(c)) || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '/' || c == '-' || c == '$'
	}
	return all
}()

// letter reports whether c is an ASCII letter.
func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// trimComment cuts white space and, where no quote could hold it, a comment.
func trimComment(value []byte) []byte {
	text := bytes.TrimSpace(value)
	if len(text) > 0 && text[0] == '#' && len(text) < len(value) {
		return nil
	}
	if i := bytes.Index(text, []byte(" #")); i >= 0 {
		text = bytes.TrimSpace(text[:i])
	}
	return text
}

// scalarText is a value without the white space and the comment around it.
func scalarText(value []byte) []byte {
	text := bytes.TrimSpace(value)
	if len(text) == 0 || text[0] != '"' && text[0] != '\'' {
		return trimComment(value)
	}
	end := quoteEnd(text[1:], text[0])
	if end != none && !hasText(text[1+end:]) {
		return text[:1+end]
	}
	return text
}

// unanchored is a value without the anchor before it, whose name is a word; where nothing follows the anchor, it is the value.
func unanchored(value []byte) []byte {
	if bytes.IndexByte(value, '&') < 0 {
		return value
	}
	text := bytes.TrimLeft(value, " ")
	name, rest, found := bytes.Cut(text, []byte(" "))
	if !found || len(name) < 2 || name[0] != '&' || !word(name[1:]) || !hasText(rest) {
		return value
	}
	return rest
}

// quoteEnd is where text that follows an opening quote goes on behind the closing one; none where it does not close.
func quoteEnd(text []byte, quote byte) int {
	for i := 0; i < len(text); i++ {
		switch {
		case quote == '"' && text[i] == '\\', quote == '\'' && text[i] == quote && i+1 < len(text) && text[i+1] == quote:
			i++
		case text[i] == quote:
			return i + 1
		}
	}
	return none
}

// hasText reports whether a key has a value on its own line.
func hasText(value []byte) bool { return len(trimComment(value)) > 0 }

// oneLineQuote reports whether text is one quoted scalar that ends with the text and holds no escapes.
func oneLineQuote(text []byte) bool {
	return len(text) > 1 && bytes.IndexByte(text, '\\') < 0 && bytes.IndexByte(text[1:], text[0]) == len(text)-2
}

// oneLineFlow reports whether text is a flow collection without comments that closes on its line.
func oneLineFlow(text []byte) bool {
	depth, last := 0, byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '#':
			return false
		case c == '"' || c == '\'':
			end := quoteEnd(text[i+1:], c)
			if bytes.IndexByte([]byte("{[,:"), last) < 0 || end == none {
				return false
			}
			i += end
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		if depth == 0 {
			return i == len(text)-1
		}
		if c != ' ' {
			last = c
		}
	}
	return false
}

// simple is the text of a value that is a plain or simply quoted string and nothing else in any YAML version.
func simple(value []byte) (string, bool) {
	text := scalarText(unanchored(value))
	if len(text) == 0 {
		return "", false
	}
	if c := text[0]; c == '"' || c == '\'' {
		if !oneLineQuote(text) {
			return "", false
		}
		return string(text[1 : len(text)-1]), true
	}
	if !letter(text[0]) && text[0] != '$' || NotString(text) {
		return "", false
	}
	for _, c := range text {
		if !plainKey(c) && c != ':' && c != '{' && c != '}' {
			return "", false
		}
	}
	return string(text), text[len(text)-1] != ':'
}

// NotString reports whether a plain word is something else than a string to some YAML version.
func NotString(word []byte) bool { return len(word) < 6 && notStrings[string(bytes.ToLower(word))] }

// notStrings are the plain words that some YAML version reads as something else than a string.
var notStrings = map[string]bool{"null": true, "true": true, "false": true, "yes": true, "no": true, "on": true,
	"off": true, "y": true, "n": true}
