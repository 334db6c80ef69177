package report

import (
	"strings"

	"migrate-to-flux-operator/fn/printable"
)

// special are the characters that mean something in Markdown or HTML; names of the input may hold any of them.
var special = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "<", "&lt;", ">", "&gt;", "&", "&amp;",
	"[", `\[`, "]", `\]`, "|", `\|`,
	"#", `\#`, "~", `\~`, "@", "&#64;", "$", "&#36;")

// text is prose: what it names is shown as it is written.
func text(s string) string { return special.Replace(printable.Line(s)) }

// cell is text in a cell of a table.
func cell(s string) string { return text(s) }

// code is a name as it is written, also in a cell of a table; nothing when it is empty. A code span can hold neither a
// backtick nor, behind a backslash, the end of a cell.
func code(s string) string {
	switch s = printable.Line(s); {
	case s == "":
		return ""
	case strings.ContainsAny(s, "`|"):
		return "<code>" + text(s) + "</code>"
	}
	return "`" + s + "`"
}

// longest is how much of a value a table shows.
const longest = 60

// value is the value of a field, cut to what a table can show.
func value(s string) string {
	if runes := []rune(s); len(runes) > longest {
		s = string(runes[:longest-1]) + "…"
	}
	return code(s)
}
