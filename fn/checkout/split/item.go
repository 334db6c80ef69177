package split

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// Item is what an item of a list of objects says about itself.
type Item struct {
	Head
	// Annotations are its annotations that were asked for.
	Annotations map[string]string
}

// SniffItem reads one item of a block sequence, from its dash up to the next item, and its annotations that are wanted.
// It is sure of less than Sniff: only of an item that every YAML parser accepts, whatever the items around it hold, and
// of none with an anchor, an alias or a tag. So a list whose items are all sure need not be parsed to be known as sound.
func SniffItem(item []byte, wanted func(annotation string) bool) (found Item, sure bool) {
	if !Printable(item) {
		return Item{}, false
	}
	s := newProver(item, wanted)
	base := none
	for pos := 0; pos < len(item); {
		end := lineEnd(item, pos)
		text, column := itemLine(item, pos, end)
		line := bytes.TrimSuffix(item[pos:end], []byte("\n"))
		pos = end
		if base == none && len(text) > 0 && text[0] != '#' {
			base = column
		}
		if !s.text(line, text, column-max(base, 0)) || s.ended {
			return Item{}, false
		}
	}
	return Item{s.head(), s.proof.annotations}, base != none
}

// newProver is a sniffer that is only sure of what every parser accepts.
func newProver(item []byte, wanted func(annotation string) bool) *sniffer {
	s := newSniffer(item)
	s.proof = &proof{awaits: none, wanted: wanted, annotations: map[string]string{}}
	return s
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

// maxNesting is how deep the collections of an item may nest; parsers have limits of their own.
const maxNesting = 100

// proof follows the block collections of an item as a YAML parser does, and knows which lines it is certain to accept.
type proof struct {
	open   []collection
	awaits int // column of the key or dash that has no value yet; none where the last one has
	// blockIn is the indentation of the block scalar's text, 0 while there is none; blank is the longest blank line before it.
	blockIn, blank int

	// keys are the keys that must not come twice: those of the object, of its metadata and of its annotations.
	keys        []string
	metaKey     string // the key of metadata that the line belongs to
	notesAt     int    // indentation of the annotations, 0 while unknown
	wanted      func(annotation string) bool
	annotations map[string]string
}

// collection is an open mapping or sequence by the column of its keys or dashes.
type collection struct {
	column   int
	sequence bool
}

// up closes what is deeper than a column and returns what is innermost then.
func (p *proof) up(column int) (top collection, ok bool) {
	for len(p.open) > 0 && p.open[len(p.open)-1].column > column {
		p.open = p.open[:len(p.open)-1]
	}
	if len(p.open) == 0 {
		return collection{}, false
	}
	return p.open[len(p.open)-1], true
}

// dash takes the dash of an item of a sequence.
func (p *proof) dash(column int) bool {
	top, ok := p.up(column)
	if !ok || len(p.open) > maxNesting {
		return false
	}
	if !top.sequence || top.column < column {
		if p.awaits != top.column {
			return false
		}
		p.open = append(p.open, collection{column, true})
	}
	p.awaits = column
	return true
}

// key takes the key of a mapping.
func (p *proof) key(column int) bool {
	top, ok := p.up(column)
	if ok && top.sequence && top.column == column { // a sequence may stand in the column of the key that it belongs to
		p.open = p.open[:len(p.open)-1]
		top, ok = p.up(column)
		return ok && !top.sequence && top.column == column
	}
	if !ok && column != 0 || ok && top.column < column && p.awaits != top.column || len(p.open) > maxNesting {
		return false
	}
	if !ok || top.column < column {
		p.open = append(p.open, collection{column, false})
	}
	return true
}

// certain takes what a line holds: a key with or without a value, or the plain item of a sequence.
func (s *sniffer) certain(keyed, item bool, indent, column int, key, value []byte) bool {
	p, text := s.proof, trimComment(value)
	switch {
	case item && s.top == "metadata" && (s.metaAt == 0 || p.metaKey == "annotations"):
		return false
	case keyed && (key[0] == '-' || key[0] == '<' || len(key) > 1000 || !p.key(column)):
		return false
	case keyed:
		p.awaits = column
	case !item || p.nested(indent) && len(text) > 0 && (text[0] == '|' || text[0] == '>'):
		return false
	}
	p.blockIn, p.blank = 0, 0
	if len(text) == 0 {
		return true
	}
	p.awaits = none
	return certain(text)
}

// nested reports whether the last dash stands behind another one of its line, so that block scalars end at another column.
func (p *proof) nested(indent int) bool { return p.awaits != indent }

// block takes a line of a block scalar.
func (p *proof) block(text []byte, indent int) bool {
	switch {
	case len(bytes.TrimLeft(text, " ")) == 0:
		if p.blockIn == 0 {
			p.blank = max(p.blank, indent)
		}
		return true
	case p.blockIn == 0:
		p.blockIn = indent
		return p.blank <= indent && text[0] != '\t'
	}
	return indent >= p.blockIn
}

// certain reports whether a value on the line of its key or dash is sound YAML whatever comes next.
func certain(text []byte) bool {
	switch text[0] {
	case '"', '\'':
		return oneLineQuote(text)
	case '|', '>':
		return len(text) == 1 || len(text) == 2 && (text[1] == '-' || text[1] == '+')
	case '[', '{':
		return certainFlow(text)
	case '-':
		return len(text) > 1 && text[1] != ' ' && !hidesKey(text)
	case '&', '!', '*', '?', ':', ',', ']', '}', '#', '%', '@', '`':
		return false
	}
	return !hidesKey(text)
}

// certainFlow reports whether text is an empty flow collection, or one of plain words.
func certainFlow(text []byte) bool {
	inner, isMap := text[1:len(text)-1], text[0] == '{'
	if isMap != (text[len(text)-1] == '}') {
		return false
	}
	if len(inner) == 0 {
		return true
	}
	for entry := range bytes.SplitSeq(inner, []byte(", ")) {
		if isMap {
			key, value, ok := bytes.Cut(entry, []byte(": "))
			if !ok || !word(key) {
				return false
			}
			entry = value
		}
		if !word(entry) {
			return false
		}
	}
	return true
}

// word reports whether text is a plain scalar of letters and digits and what is between them in names.
func word(text []byte) bool {
	for _, c := range text {
		if !plainKey(c) {
			return false
		}
	}
	return len(text) > 0 && (letter(text[0]) || text[0] >= '0' && text[0] <= '9')
}

// annotation notes an annotation that is wanted, and sees to it that what a KRM pipeline reads of an object is in its place.
func (s *sniffer) annotation(key string, value []byte, indent int) bool {
	p := s.proof
	if indent == s.metaAt {
		p.metaKey, p.notesAt = key, 0
		return key != "annotations" || !hasText(value) && p.once("annotations")
	}
	if p.metaKey != "annotations" {
		return true
	}
	if p.notesAt == 0 {
		p.notesAt = indent
	}
	if indent != p.notesAt || !p.wanted(key) {
		return indent == p.notesAt
	}
	text, ok := simple(value)
	p.annotations[key] = text
	return ok && len(text) > 0 && p.once(key)
}

// once reports whether a key comes for the first time.
func (p *proof) once(key string) bool {
	for _, seen := range p.keys {
		if seen == key {
			return false
		}
	}
	p.keys = append(p.keys, key)
	return true
}

// ItemText is an item of a block sequence as a document of its own: without its dash, and moved to the first column.
func ItemText(item []byte) []byte {
	out := make([]byte, 0, len(item))
	base := none
	for pos := 0; pos < len(item); {
		end := lineEnd(item, pos)
		text, column := itemLine(item, pos, end)
		if base == none && len(text) > 0 && text[0] != '#' {
			base = column
		}
		if base != none {
			for range column - base {
				out = append(out, ' ')
			}
		}
		out = append(append(out, text...), '\n')
		pos = end
	}
	return out
}

// itemLine is the text of a line of an item without what it is indented by, which the dash is a part of, and its column.
func itemLine(item []byte, pos, end int) (text []byte, column int) {
	line := bytes.TrimSuffix(item[pos:end], []byte("\n"))
	text = bytes.TrimLeft(line, " ")
	if pos == 0 {
		text = bytes.TrimLeft(text[1:], " ")
	}
	return text, len(line) - len(text)
}
