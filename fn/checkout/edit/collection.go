package edit

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// entry is one key with its value, or one item, of a collection in the document.
type entry struct {
	start, end int // from its key or dash to the end of its value
	removed    bool
}

// collection is a map or a list in the document whose entries come and go.
type collection struct {
	*editor
	node    *yaml.Node
	flow    bool
	list    bool
	top     bool // the document's outermost collection
	column  int  // of the keys or the dashes in block style
	entries []entry
}

// ownLine reports whether nothing but white space stands before an entry on its line.
func (c *collection) ownLine(i int) bool {
	start := c.lineStart(c.entries[i].start)
	return len(bytes.Trim(c.b[start:c.entries[i].start], " ")) == 0
}

// survivor is the closest entry that stays, from i in steps of by; -1 without one.
func (c *collection) survivor(i, by int) int {
	for ; i >= 0 && i < len(c.entries); i += by {
		if !c.entries[i].removed {
			return i
		}
	}
	return -1
}

// remove notes the edits for all entries that are marked as removed.
func (c *collection) remove() {
	if c.flow {
		c.removeFlow()
		return
	}
	for i := 0; i < len(c.entries); i++ {
		switch {
		case !c.entries[i].removed:
		case c.ownLine(i):
			c.replace(c.headComment(i), c.nextLine(c.entries[i].end), "")
		default:
			next := c.survivor(i, 1)
			if next < 0 {
				next = len(c.entries)
			}
			c.removeFirst(i, next)
			i = next
		}
	}
}

// removeFirst removes the entries up to next, the first of which stands behind a dash on its line.
func (c *collection) removeFirst(i, next int) {
	start, last := c.entries[i].start, c.entries[next-1].end
	if next < len(c.entries) && !c.commentBetween(last, c.entries[next].start) {
		c.replace(start, c.entries[next].start, "")
		return
	}
	for start > 0 && (c.b[start-1] == ' ' || c.b[start-1] == '\t') {
		start--
	}
	c.replace(start, c.lineText(last), "")
}

// commentBetween reports whether a line of its own between two offsets is a comment.
func (c *collection) commentBetween(from, to int) bool {
	for pos := c.nextLine(from); pos < to; pos = c.nextLine(pos) {
		if text := c.skipBlanks(pos); text < to && c.b[text] == '#' {
			return true
		}
	}
	return false
}

// headComment is the start of the comment lines right above an entry that belong to it, or of its own line. Those
// above the first key of a document are the document's; a commented-out entry of a list is nobody's.
func (c *collection) headComment(i int) int {
	start := c.lineStart(c.entries[i].start)
	if c.top && i == 0 {
		return start
	}
	floor := 0
	if i > 0 {
		floor = c.nextLine(c.entries[i-1].end)
	} else if sp, err := c.span(c.node); err == nil && c.node.Style&yaml.TaggedStyle == 0 && c.node.Anchor == "" {
		floor = max(0, c.lineStart(sp.start)-c.commentBytes(sp.start))
	} else {
		return start
	}
	for start > floor {
		above := c.lineStart(start - 1)
		text := c.skipBlanks(above)
		if above < floor || c.b[text] != '#' || c.blanks(above, text) != c.column || c.list &&
			commentedItem(c.b[text:]) {
			break
		}
		start = above
	}
	return start
}

// commentBytes is how many bytes of comment lines stand right above the line of pos.
func (c *collection) commentBytes(pos int) int {
	start := c.lineStart(pos)
	first := start
	for first > c.lines[0] {
		above := c.lineStart(first - 1)
		if text := c.skipBlanks(above); text >= len(c.b) || c.b[text] != '#' {
			break
		}
		first = above
	}
	return start - first
}

// blanks is the number of blanks from the start of a line to its text.
func (c *collection) blanks(start, text int) int { return text - start }

// commentedItem reports whether a comment is a list item that was commented out.
func commentedItem(comment []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(comment, "# \t"), []byte("- "))
}

// removeFlow removes entries of a flow collection with the comma on one side.
func (c *collection) removeFlow() {
	for i := 0; i < len(c.entries); i++ {
		if !c.entries[i].removed {
			continue
		}
		if next := c.survivor(i, 1); next >= 0 {
			c.replace(c.entries[i].start, c.entries[next].start, "")
			i = next
			continue
		}
		from := c.survivor(i, -1)
		c.replace(c.entries[from].end, c.entries[len(c.entries)-1].end, "")
		return
	}
}

// insert notes a new entry after entry i, or before all when i is -1. text is the entry as it stands in flow style, or
// its indented lines in block style.
func (c *collection) insert(i int, text string) {
	switch {
	case c.flow:
		c.insertFlow(i, text)
	case i >= 0:
		c.insertLines(c.nextLine(c.entries[i].end), text)
	case c.ownLine(0):
		c.insertLines(c.headComment(0), text)
	default:
		start := c.entries[0].start
		c.replace(start, start, strings.TrimLeft(text, " ")+c.style.eol+strings.Repeat(" ", c.column))
	}
}

// insertFlow adds an entry after the closest one that stays, on a line of its own if that one has one.
func (c *collection) insertFlow(i int, text string) {
	before := c.survivor(i, -1)
	if before < 0 {
		first := c.survivor(0, 1)
		separator := ", "
		if c.ownLine(first) {
			separator = "," + c.style.eol + c.indentation(c.entries[first].start)
		}
		c.replace(c.entries[first].start, c.entries[first].start, text+separator)
		return
	}
	separator := ", "
	if c.ownLine(before) {
		separator = "," + c.style.eol + c.indentation(c.entries[before].start)
	}
	c.replace(c.entries[before].end, c.entries[before].end, separator+text)
}

// indentation is the white space that the line of pos starts with.
func (c *collection) indentation(pos int) string {
	start := c.lineStart(pos)
	return string(c.b[start:c.skipBlanks(start)])
}

// slot is the place of the value of an entry, whose key ends or whose dash stands before after.
func (c *collection) slot(kind slotKind, after int) slot {
	if c.flow {
		return slot{kind: inFlow}
	}
	return slot{kind: kind, indent: c.column, after: after}
}
