// Package split cuts a YAML or JSON file into its documents, by bytes, and reads what a document is from its raw
// bytes. It parses nothing, so a file that is broken YAML or a template splits like any other.
package split

import (
	"bytes"
	"strings"
)

// Document is one document of a file, as byte offsets into it. The documents of a file touch one another: the first
// starts at 0, each next one starts where the one before it ended, and the last one ends with the file.
type Document struct {
	// Start and End hold the whole document: comments before its `---`, the `---` line, its content, its `...` line.
	Start, End int
	// Body is where the content starts: the line after the `---` line, or right after a `---` that has content on its
	// own line (`--- |`). Without a `---` it is Start, or after the byte order mark.
	Body int
	// Index is the document's position among those of the file that hold something, from 0; -1 for a document that
	// holds nothing. It equals kpt's and kyaml's internal.config.kubernetes.io/index: documents of only blank lines,
	// comments or a null do not count. kyaml gives no position to the items of a List (the List counts as one
	// document here) and refuses `--- content` and directives, which count here like in YAML itself.
	Index int
}

// Bytes is the whole document within its file.
func (d Document) Bytes(file []byte) []byte { return file[d.Start:d.End] }

// Marked reports whether the document has a `---` of its own.
func (d Document) Marked(file []byte) bool { return d.Body > d.Start+len(mark(file[d.Start:])) }

// bom is the UTF-8 byte order mark.
const bom = "\xef\xbb\xbf"

// mark is the byte order mark that b starts with, if any.
func mark(b []byte) []byte {
	if bytes.HasPrefix(b, []byte(bom)) {
		return b[:len(bom)]
	}
	return nil
}

// Split cuts a file into its documents. An empty file has none.
func Split(file []byte) []Document {
	s := splitter{file: file}
	s.open(0)
	s.cur.Body = len(mark(file))
	for pos := s.cur.Body; pos < len(file); {
		end := lineEnd(file, pos)
		s.line(pos, end)
		pos = end
	}
	s.close(len(file))
	return s.docs
}

// Find is the document with the given index.
func Find(file []byte, index int) (Document, bool) {
	for _, d := range Split(file) {
		if d.Index == index && index >= 0 {
			return d, true
		}
	}
	return Document{}, false
}

// splitter is the state of one Split.
type splitter struct {
	file   []byte
	docs   []Document
	cur    Document
	marked bool // cur has its `---`
	filled bool // cur has a line that is not blank and not a comment
	count  int  // documents that hold something, so far
}

// open starts a document.
func (s *splitter) open(pos int) {
	s.cur = Document{Start: pos, Body: pos}
	s.marked, s.filled = false, false
}

// line takes one line, from pos up to and with its line break.
func (s *splitter) line(pos, end int) {
	line := s.file[pos:end]
	if s.filled && line[0] != '-' && line[0] != '.' {
		return // as nearly all lines are
	}
	switch {
	case isMarker(line, "---"):
		s.separator(pos, end)
	case isMarker(line, "..."):
		if s.filled || s.marked {
			s.close(end)
			s.open(end)
		}
	case !s.filled:
		s.filled = holds(line) && (s.marked || line[0] != '%')
	}
}

// separator takes a `---` line: the one of the open document when nothing but comments came before it.
func (s *splitter) separator(pos, end int) {
	if s.marked || s.filled {
		s.close(pos)
		s.open(pos)
	}
	s.marked = true
	if rest := s.file[pos+3 : end]; holds(rest) {
		s.filled, s.cur.Body = true, pos+3
	} else {
		s.cur.Body = end
	}
}

// close ends the open document at end. Trailing comments without a `---` belong to the document before them.
func (s *splitter) close(end int) {
	s.cur.End = end
	if !s.filled && !s.marked {
		if n := len(s.docs); n > 0 {
			s.docs[n-1].End = end
			return
		}
		if end == 0 {
			return
		}
	}
	s.cur.Index = -1
	if s.filled && !isNull(s.file[s.cur.Body:end]) {
		s.cur.Index = s.count
		s.count++
	}
	s.docs = append(s.docs, s.cur)
}

// lineEnd is the offset after the line break that ends the line at pos.
func lineEnd(b []byte, pos int) int {
	if i := bytes.IndexByte(b[pos:], '\n'); i >= 0 {
		return pos + i + 1
	}
	return len(b)
}

// isMarker reports whether a line starts with a document marker.
func isMarker(line []byte, marker string) bool {
	return bytes.HasPrefix(line, []byte(marker)) &&
		(len(line) == len(marker) || bytes.IndexByte([]byte(" \t\r\n"), line[len(marker)]) >= 0)
}

// holds reports whether a line has more than white space and a comment.
func holds(line []byte) bool {
	text := bytes.TrimLeft(line, " \t\r\n")
	return len(text) > 0 && text[0] != '#'
}

// isNull reports whether the content of a document is a lone null, which kyaml does not count.
func isNull(body []byte) bool {
	var found []byte
	for pos := 0; pos < len(body); {
		end := lineEnd(body, pos)
		line := body[pos:end]
		pos = end
		if !holds(line) || isMarker(line, "...") {
			continue
		}
		if found != nil {
			return false
		}
		found = line
	}
	text, _, _ := strings.Cut(string(bytes.TrimSpace(found)), " #")
	return nullWords[strings.TrimSpace(text)]
}

// nullWords are the ways to write a null.
var nullWords = map[string]bool{"~": true, "null": true, "Null": true, "NULL": true, "!!null": true}
