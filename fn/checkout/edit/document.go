package edit

import (
	"bytes"
	"fmt"

	"migrate-to-flux-operator/fn/checkout/split"
)

// EditDocument edits the document with the given index (see split.Document) of a file.
func EditDocument(file []byte, index int, want []byte) ([]byte, error) {
	d, ok := split.Find(file, index)
	if !ok {
		return nil, fmt.Errorf("the file has no document %d", index)
	}
	edited, err := Edit(d.Bytes(file), want)
	if err != nil {
		return nil, err
	}
	return join(file[:d.Start], edited, file[d.End:]), nil
}

// RemoveDocument removes the document with the given index from a file, with its `---` line and its comments. Comments
// before the first `---` of a file stay, but for a modeline that names the removed document's schema. empty reports
// that no document that holds something is left, so that the caller can remove the file.
func RemoveDocument(file []byte, index int) (out []byte, empty bool, err error) {
	docs := split.Split(file)
	at, left := -1, 0
	for i, d := range docs {
		if d.Index == index && index >= 0 {
			at = i
		} else if d.Index >= 0 {
			left++
		}
	}
	if at < 0 {
		return nil, false, fmt.Errorf("the file has no document %d", index)
	}
	d := docs[at]
	start, end := d.Start, d.End
	if at == 0 {
		start = afterHeader(file, d)
		if !d.Marked(file) && len(docs) > 1 {
			end = docs[1].Start
			if next := docs[1]; bareMarker(file[next.Start:next.Body]) {
				end = next.Body
			}
		}
	}
	header := keptHeader(file[:start], d.Start)
	return join(header, nil, file[end:]), left == 0, nil
}

// afterHeader is where a file's first document starts behind the comments and blank lines before its `---`, and behind
// the byte order mark.
func afterHeader(file []byte, d split.Document) int {
	if !d.Marked(file) {
		return d.Body
	}
	marker := bytes.Index(append([]byte("\n"), file[:d.Body]...), []byte("\n---"))
	if bytes.HasPrefix(file, []byte(bom+"---")) {
		return len(bom)
	}
	return max(marker, 0)
}

// bom is the UTF-8 byte order mark.
const bom = "\xef\xbb\xbf"

// keptHeader is what stays before a removed document: from is where the document starts, with comments of its own.
func keptHeader(before []byte, from int) []byte {
	out := bytes.Clone(before[:from])
	for _, line := range bytes.SplitAfter(before[from:], []byte("\n")) {
		if !bytes.Contains(line, []byte("yaml-language-server:")) {
			out = append(out, line...)
		}
	}
	return out
}

// bareMarker reports whether a `---` line has nothing else on it and nothing before it.
func bareMarker(line []byte) bool { return string(bytes.TrimSpace(line)) == "---" }

// join is three texts in a new slice.
func join(a, b, c []byte) []byte { return bytes.Join([][]byte{a, b, c}, nil) }

// findEOL is the line break that most lines of a text end with.
func findEOL(text []byte) string {
	if crlf := bytes.Count(text, []byte("\r\n")); crlf > 0 && crlf*2 > bytes.Count(text, []byte("\n")) {
		return "\r\n"
	}
	return "\n"
}
