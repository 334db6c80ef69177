package checkout

import (
	"bytes"
	"fmt"
)

// withoutContext cuts the hunks of a unified diff at context lines that are hidden.
func withoutContext(hunks []byte, hidden func(line int) bool) []byte {
	var out bytes.Buffer
	var cut hunk
	before, after := 0, 0
	for line := range bytes.Lines(hunks) {
		switch line[0] {
		case '@':
			cut.flush(&out)
			before, after = starts(line)
			cut.start(before, after)
		case ' ':
			if hidden(before) {
				cut.flush(&out)
			} else {
				cut.add(line, before, after)
			}
			before, after = before+1, after+1
		case '-':
			cut.add(line, before, after)
			before++
		case '+':
			cut.add(line, before, after)
			after++
		default: // no newline at the end of the file
			cut.text = append(cut.text, line...)
		}
	}
	cut.flush(&out)
	return out.Bytes()
}

// starts reads from a hunk's header where it starts before and after. A side without lines is said to start one line
// early.
func starts(header []byte) (before, after int) {
	var beforeCount, afterCount int
	// The header is this program's own.
	fmt.Sscanf(string(header), "@@ -%d,%d +%d,%d @@", &before, &beforeCount, &after, &afterCount)
	if beforeCount == 0 {
		before++
	}
	if afterCount == 0 {
		after++
	}
	return before, after
}

// hunk is a hunk that is being put together.
type hunk struct {
	text                    []byte
	before, after           int // the lines that it starts at
	beforeCount, afterCount int
	changes                 bool
}

// start begins a hunk at these lines.
func (h *hunk) start(before, after int) { *h = hunk{before: before, after: after} }

// add appends a line.
func (h *hunk) add(line []byte, before, after int) {
	if len(h.text) == 0 {
		h.start(before, after)
	}
	h.text = append(h.text, line...)
	if line[0] != '+' {
		h.beforeCount++
	}
	if line[0] != '-' {
		h.afterCount++
	}
	h.changes = h.changes || line[0] != ' '
}

// flush writes the hunk, if it changes anything, and starts anew.
func (h *hunk) flush(out *bytes.Buffer) {
	if h.changes {
		fmt.Fprintf(out, "@@ -%s +%s @@\n", span(h.before, h.beforeCount), span(h.after, h.afterCount))
		out.Write(h.text)
	}
	*h = hunk{}
}

// span is one side of a hunk's header.
func span(start, count int) string {
	if count == 0 {
		start--
	}
	return fmt.Sprintf("%d,%d", start, count)
}

// unanchored reports whether a hunk ends without a line of context although the file goes on: git apply takes such a
// hunk for one at the end of the file.
func unanchored(hunks, file []byte) bool {
	lines := bytes.Count(file, []byte("\n"))
	at, bare := lines+1, false
	for line := range bytes.Lines(append(hunks[:len(hunks):len(hunks)], '@')) {
		switch line[0] {
		case '@':
			if bare && at <= lines {
				return true
			}
			at, _ = starts(line)
		case '-':
			at, bare = at+1, true
		case '+':
			bare = true
		case ' ':
			at, bare = at+1, false
		}
	}
	return false
}

// changesSecrets reports whether a changed line of a unified diff holds a secret, before or after.
func changesSecrets(hunks []byte, was, is secrets) bool {
	before, after := 0, 0
	for line := range bytes.Lines(hunks) {
		switch line[0] {
		case '@':
			before, after = starts(line)
		case ' ':
			before, after = before+1, after+1
		case '-':
			if was[before] == secret {
				return true
			}
			before++
		case '+':
			if is[after] == secret {
				return true
			}
			after++
		}
	}
	return false
}
