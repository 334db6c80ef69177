// Package shell writes lines for a POSIX shell. A Line is made of words, each quoted, so that whatever a repository
// calls a thing is a word and never more.
package shell

import (
	"regexp"
	"strings"
)

// Line is a line for a shell: a text of this program's own, or made by the functions of this package.
type Line string

// Run is a program with its arguments.
func Run(words ...string) Line {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = Word(word)
	}
	return Line(strings.Join(quoted, " "))
}

// And runs lines one after the other, as long as none fails.
func And(lines ...Line) Line {
	texts := make([]string, len(lines))
	for i, line := range lines {
		texts[i] = string(line)
	}
	return Line(strings.Join(texts, " && "))
}

// Pipe hands what a line prints to another one.
func (l Line) Pipe(to Line) Line { return l + " | " + to }

// Into writes what a command prints to a file.
func (l Line) Into(file string) Line { return l + " > " + Line(Word(file)) }

// plain is what a shell takes as it is, zsh as well, and the part of an option before its value.
var (
	plain  = regexp.MustCompile(`^[\w./:@%+,-][\w./:@%+,=-]*$`)
	option = regexp.MustCompile(`^[\w./-]+=`)
)

// Word quotes a text as one word, where it needs that.
func Word(text string) string {
	if plain.MatchString(text) {
		return text
	}
	name := option.FindString(text)
	return name + Quoted(text[len(name):])
}

// Quoted is a text as one word in quotes.
func Quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// Path is a file of the repository as an argument, which no program takes for an option.
func Path(file string) string {
	if strings.HasPrefix(file, "-") {
		return "./" + file
	}
	return file
}

// Filename is the value of kubectl's option --filename for a file, which is a list with commas, as in CSV.
func Filename(file string) string {
	if strings.ContainsAny(file, ",\"\r\n") {
		return `"` + strings.ReplaceAll(file, `"`, `""`) + `"`
	}
	return file
}
