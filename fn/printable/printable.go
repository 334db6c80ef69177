// Package printable makes text of the input fit to be shown: what a repository calls a thing must not drive the
// terminal of who reads about it, nor the runner of who lets CI print it, nor look like lines of this program.
package printable

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Line is text on one line: line breaks and tabs become blanks, and what Text replaces is replaced.
func Line(text string) string {
	return Log(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return shown(r)
	}, text))
}

// Text is text of several lines, with control characters, characters that turn the direction of writing and broken
// UTF-8 replaced by question marks, and what Log replaces.
func Text(text string) string {
	return Log(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return shown(r)
	}, text))
}

// Fits reports whether a text can be shown on one line as it is.
func Fits(text string) bool { return Line(text) == text }

// Log is text without what a CI runner obeys when it reads it in a log: a question mark takes the place of what makes
// it one.
func Log(text string) string {
	if !Commands(text) {
		return text
	}
	return workflow.ReplaceAllString(text, "${1}${3}?${2}${4}")
}

// Commands reports whether a CI runner that reads the text in a log takes part of it for a command.
func Commands(text string) bool {
	return (strings.Contains(text, "::") || strings.Contains(text, "##")) && workflow.MatchString(text)
}

// workflow finds the commands: the old form of GitHub, Azure and TeamCity anywhere in a line, the new one of GitHub at
// the start of a line, which may be indented by whatever Unicode calls white space, and which any line break ends.
// Source: actions/runner, ActionCommand.cs, which trims the new form and looks for the old one anywhere.
var workflow = regexp.MustCompile(`(#)#(\w*\[)|((?:^|[\n\r])[\s\v\x{85}\pZ]*):(:)`)

func shown(r rune) rune {
	if hidden(r) || r == unicode.ReplacementChar {
		return '?'
	}
	return r
}

// hidden reports what a terminal acts on rather than shows, what may be a line break to some reader, and what nobody
// sees, so that two names look alike.
func hidden(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control, invisible)
}

// invisible are the characters of format that take no room. Those that join letters and emoji, U+200C and U+200D, are
// seen by what they do.
var invisible = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x00ad, Hi: 0x00ad, Stride: 1}, {Lo: 0x180e, Hi: 0x180e, Stride: 1},
		{Lo: 0x200b, Hi: 0x200b, Stride: 1},
		{Lo: 0x2060, Hi: 0x2064, Stride: 1}, {Lo: 0xfeff, Hi: 0xfeff, Stride: 1}},
	R32:         []unicode.Range32{{Lo: 0xe0001, Hi: 0xe007f, Stride: 1}},
	LatinOffset: 1,
}

// JSON escapes in JSON what encoding/json leaves as it is and a terminal or a CI runner acts on. The meaning stays the
// same, for JSON has such characters only inside strings.
func JSON(text []byte) []byte {
	unsafe := func(r rune) bool { return hidden(r) && r != '\n' }
	if bytes.ContainsFunc(text, unsafe) {
		var out bytes.Buffer
		for _, r := range string(text) {
			if !unsafe(r) {
				out.WriteRune(r)
				continue
			}
			for _, unit := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&out, `\u%04x`, unit)
			}
		}
		text = out.Bytes()
	}
	return Quoted(text)
}

// Quoted escapes the commands to CI runners in a text in which only quoted strings of JSON or YAML hold any.
func Quoted(text []byte) []byte { return workflow.ReplaceAll(text, []byte(`${1}${3}\u0023${2}${4}`)) }
