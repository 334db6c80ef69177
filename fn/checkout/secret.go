package checkout

import (
	"bytes"
	"fmt"
	"regexp"

	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/checkout/split"
	"migrate-to-flux-operator/fn/limit"
)

// secretLines tells which lines of a file, counted from 1, a diff must not show as context: those of Secrets and of what SOPS
// has encrypted, but for the ones that hold no value.
func secretLines(file []byte) func(line int) bool {
	hidden := map[int]bool{}
	for _, doc := range split.Split(file) {
		if !isSecret(file[doc.Body:doc.End]) {
			continue
		}
		line := 1 + bytes.Count(file[:doc.Start], []byte("\n"))
		for text := range bytes.Lines(doc.Bytes(file)) {
			hidden[line] = !harmless.Match(bytes.TrimRight(text, "\r\n"))
			line++
		}
	}
	return func(line int) bool { return hidden[line] }
}

// isSecret tells a document whose values nobody may see; one that cannot be read counts, if it speaks of a Secret.
func isSecret(doc []byte) bool {
	if sopsKey.Match(doc) {
		return true
	}
	head, sure := split.Sniff(doc)
	if sure || !bytes.Contains(doc, []byte("Secret")) {
		return head.Kind == "Secret"
	}
	var read struct {
		Kind string `json:"kind"`
	}
	return limit.Check(doc) != nil || yaml.Unmarshal(doc, &read) != nil || read.Kind == "Secret"
}

// sopsKey is the key under which SOPS keeps how it encrypted a document.
var sopsKey = regexp.MustCompile(`(?m)^["']?sops["']?:|"sops":`)

// harmless are the lines of a Secret that hold no value: the start of its document, and what it is.
var harmless = regexp.MustCompile(`^(---|\s*|#.*|apiVersion: *[\w./]+|kind: *\w+|(metadata|data|stringData):)$`)

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

// starts reads from a hunk's header where it starts before and after. A side without lines is said to start one line early.
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

// unanchored tells whether a hunk ends without a line of context although the file goes on: git apply takes such a hunk for one at
// the end of the file.
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
