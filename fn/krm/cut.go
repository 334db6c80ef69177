package krm

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// rawList is a ResourceList, cut by bytes into its items and what is around them. Nothing in it was parsed but the
// rest.
type rawList struct {
	raw []byte
	// rest is the list with `items: []`.
	rest []byte
	// items are the items in their order, each with the comments right above it and what follows up to the next one.
	// They touch.
	items []item
	// dash is the column of the dashes.
	dash int
}

// item is a part of the bytes of a list: all of it, and its dash.
type item struct{ start, dash, end int }

// cut finds the items of a ResourceList in block style. It gives up on what is laid out in another way, or has line
// breaks of its own, several documents or a byte order mark: the framework reads that.
func cut(raw []byte) (rawList, bool) {
	if len(raw) == 0 || raw[len(raw)-1] != '\n' || bytes.IndexByte(raw, '\r') >= 0 ||
		bytes.HasPrefix(raw, []byte("\xef\xbb\xbf")) {
		return rawList{}, false
	}
	c := cutter{rawList: rawList{raw: raw, dash: none}, above: none, from: none, to: len(raw)}
	for pos := 0; pos < len(raw); {
		end := pos + bytes.IndexByte(raw[pos:], '\n') + 1
		if !c.line(pos, end) {
			return rawList{}, false
		}
		pos = end
	}
	if len(c.items) == 0 {
		return rawList{}, false
	}
	c.items[0].start = c.first
	for i := range c.items[1:] {
		c.items[i].end = c.items[i+1].start
	}
	c.items[len(c.items)-1].end = c.to
	c.rest = append(append(bytes.Clone(raw[:c.from]), emptyItems...), raw[c.to:]...)
	return c.rawList, c.holds()
}

// none is a place that is not there.
const none = -1

// itemsKey is the line that the items stand below, and emptyItems what says that there are none.
var itemsKey, emptyItems = []byte("items:"), []byte("items: []\n")

// cutter is the state of one cut.
type cutter struct {
	rawList
	number int // of the line
	key    int // number of the line with the key of the items
	from   int // where that line starts
	first  int // where the line after it starts
	to     int // where the line after the items starts
	above  int // where the comments right above the line start, in the column of the dashes
}

// line takes a line and reports whether the list is still one that can be cut.
func (c *cutter) line(pos, end int) bool {
	line := c.raw[pos : end-1]
	c.number++
	if bytes.HasPrefix(line, []byte("---")) || bytes.HasPrefix(line, []byte("...")) {
		return false
	}
	switch {
	case c.from == none:
		if bytes.Equal(bytes.TrimRight(line, " "), itemsKey) {
			c.from, c.first, c.key = pos, end, c.number
		}
		return true
	case c.to < len(c.raw):
		return true
	}
	text := bytes.TrimLeft(line, " ")
	return c.below(text, len(line)-len(text), pos)
}

// below takes a line that comes after the key of the items.
func (c *cutter) below(text []byte, column, pos int) bool {
	above := c.above
	c.above = none
	isDash := len(text) > 0 && text[0] == '-' && (len(text) == 1 || text[1] == ' ')
	switch {
	case len(text) == 0:
	case text[0] == '#':
		if column == c.dash {
			c.above = pos
			if above != none {
				c.above = above
			}
		}
	case isDash && (c.dash == none || column == c.dash):
		c.dash = column
		start := pos
		if above != none {
			start = above
		}
		c.items = append(c.items, item{start: start, dash: pos + column})
	case column == 0 && c.dash != none:
		c.to = pos
	default:
		return c.dash != none && column > c.dash
	}
	return true
}

// holds reports whether what is around the items is YAML in which the cut is where it was meant to be: the key of the
// items is a key of the list, and the only one of that name.
func (l *cutter) holds() bool {
	var document yaml.Node
	if yaml.Unmarshal(l.rest, &document) != nil || len(document.Content) != 1 ||
		document.Content[0].Kind != yaml.MappingNode {
		return false
	}
	found := 0
	content := document.Content[0].Content
	for i := 0; i < len(content); i += 2 {
		if key := content[i]; key.Value == "items" {
			found++
			if key.Line != l.key || key.Column != 1 || content[i+1].Kind != yaml.SequenceNode {
				return false
			}
		}
	}
	return found == 1
}

// withoutDash is an item of a block sequence with a space for its dash, so that all of it stays in its column.
func withoutDash(item []byte) []byte {
	return bytes.Replace(item, []byte("-"), []byte(" "), 1)
}

// itemText is an item of a block sequence as a document of its own: without its dash, and moved to the first column.
func itemText(item []byte) []byte {
	out := make([]byte, 0, len(item))
	base := none
	for pos := 0; pos < len(item); {
		end := pos + bytes.IndexByte(item[pos:], '\n') + 1
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

// itemLine is the text of a line of an item without what it is indented by, which the dash is a part of, and its
// column.
func itemLine(item []byte, pos, end int) (text []byte, column int) {
	line := bytes.TrimSuffix(item[pos:end], []byte("\n"))
	text = bytes.TrimLeft(line, " ")
	if pos == 0 {
		text = bytes.TrimLeft(text[1:], " ")
	}
	return text, len(line) - len(text)
}
