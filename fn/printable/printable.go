// Package printable makes text of the input fit to be shown: what a repository calls a thing must not drive the terminal of who
// reads about it, nor look like lines of this program.
package printable

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

// Line is text on one line: line breaks and tabs become blanks, and what Text replaces is replaced.
func Line(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return shown(r)
	}, text)
}

// Text is text of several lines, with control characters, characters that turn the direction of writing and broken UTF-8
// replaced by question marks.
func Text(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return shown(r)
	}, text)
}

func shown(r rune) rune {
	if hidden(r) || r == unicode.ReplacementChar {
		return '?'
	}
	return r
}

// hidden tells what a terminal acts on rather than shows.
func hidden(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// Shell quotes a text for a shell, where it needs that.
func Shell(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// plain tells what a shell takes as it is.
func plain(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("./_-", r)
}

// JSON escapes in JSON what encoding/json leaves as it is and a terminal acts on. The meaning stays the same, for JSON has such
// characters only inside strings.
func JSON(text []byte) []byte {
	if !bytes.ContainsFunc(text, func(r rune) bool { return hidden(r) && r != '\n' }) {
		return text
	}
	var out bytes.Buffer
	for _, r := range string(text) {
		if hidden(r) && r != '\n' {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.Bytes()
}
