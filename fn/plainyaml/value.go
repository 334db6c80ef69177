package plainyaml

import (
	"strconv"
	"strings"
)

// scalar reads a scalar of one line that is the same in every version of YAML: a quoted string, or what is obvious.
func scalar(text string) (any, bool) {
	switch {
	case len(text) == 0 || strings.ContainsAny(text, "\t\n"):
		return nil, false
	case isQuote(text[0]):
		return unquoted(text)
	case strings.Contains(text, ": ") || text[len(text)-1] == ':':
		return nil, false
	case text[0] >= '0' && text[0] <= '9':
		return number(text)
	case !isLetter(text[0]):
		return text, strings.IndexByte("/$_(^", text[0]) >= 0 || strings.HasPrefix(strings.TrimLeft(text, "."), "/") ||
			strings.HasPrefix(text, "--")
	}
	switch text {
	case "true", "false":
		return text == "true", true
	case "null":
		return nil, true
	}
	return text, len(text) > 5 || !notStrings[strings.ToLower(text)]
}

// notStrings are the words that some version of YAML reads as something else than a string.
var notStrings = map[string]bool{"null": true, "true": true, "false": true, "yes": true, "no": true, "on": true,
	"off": true, "y": true, "n": true}

// IsText reports whether plain text is a string in every version of YAML.
func IsText(text string) bool {
	value, sure := scalar(text)
	return sure && value == text
}

// isLetter reports whether a character is an ASCII letter.
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// number reads what begins with a digit: a short number, or what no version of YAML takes for a number or a time.
func number(text string) (any, bool) {
	whole, part, found := strings.Cut(text, ".")
	if areDigits(whole) && (areDigits(part) || !found) && len(text) < 16 && (whole[0] != '0' || len(whole) == 1) {
		number, err := strconv.ParseFloat(text, 64)
		return number, err == nil
	}
	other := len(strings.TrimLeft(text, "0123456789abcdefABCDEFxXoO_.+-:tTzZ ")) > 0
	version := len(strings.Trim(text, "0123456789.:")) == 0 && strings.Count(text, ".") > 1
	days := text[0] != '0' && text[len(text)-1] == 'd' && areDigits(text[:len(text)-1])
	return text, other || version || days
}

// areDigits reports whether text is digits.
func areDigits(text string) bool { return len(text) > 0 && len(strings.Trim(text, "0123456789")) == 0 }

// isQuote reports whether a character quotes a scalar.
func isQuote(c byte) bool { return c == '"' || c == '\'' }

// quoteEnd is where text that begins with a quote goes on behind the closing one; 0 where there is none.
func quoteEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[0] == '"' && text[i] == '\\', text[0] == '\'' && text[i] == '\'' && i+1 < len(text) &&
			text[i+1] == '\'':
			i++
		case text[i] == text[0]:
			return i + 1
		}
	}
	return 0
}

// unquoted reads a quoted string without escapes; not sure of tabs, which may be folded.
func unquoted(text string) (any, bool) {
	if quoteEnd(text) != len(text) || strings.Contains(text, "\t") {
		return nil, false
	}
	inner := text[1 : len(text)-1]
	if text[0] == '"' {
		return inner, !strings.Contains(inner, `\`)
	}
	return strings.ReplaceAll(inner, "''", "'"), true
}

// uncommented is a value without the comment behind it. A quote may hold what looks like one.
func uncommented(text string) string {
	start := 0
	if isQuote(text[0]) {
		if start = quoteEnd(text); start == 0 {
			return text
		}
	}
	if comment := strings.Index(text[start:], " #"); comment >= 0 {
		return strings.TrimRight(text[:start+comment], " ")
	}
	return text
}

// words reads plain text that goes on below.
func (r *reader) words(text string, column int) (value any, sure bool) {
	lines := r.below(text[0], column)
	for _, line := range append(lines, text) {
		if _, plain := scalar("x " + strings.TrimRight(line, " ")); !plain || strings.Contains(" "+line, " #") {
			return nil, false
		}
	}
	return fold(text, lines), true
}

// fold joins lines by a space, or by a line break for each blank line between, and drops the spaces around them.
func fold(first string, lines []string) string {
	var text strings.Builder
	text.WriteString(first)
	between := " "
	for _, line := range lines {
		if line = strings.Trim(line, " "); line != "" {
			text.WriteString(between + line)
			between = " "
		} else {
			between = strings.TrimPrefix(between, " ") + "\n"
		}
	}
	return text.String()
}

// isBlock reports whether a value that begins like this is a block scalar.
func isBlock(begin byte) bool { return begin == '|' || begin == '>' }

// block reads a block scalar; not sure of one that says how deep it is, or is folded and has spaces around its lines.
func (r *reader) block(header string, column int) (value any, sure bool) {
	folded, chomping := header[0] == '>', header[1:]
	lines := r.below(header[0], column)
	if len(lines) == 0 || chomping != "" && chomping != "-" && header != "|+" || !r.closed && len(r.rest) == 0 {
		return nil, false
	}
	indent := spaces(lines[0])
	for i, line := range lines {
		deep := spaces(line)
		isBlank := deep == len(line)
		if deep < indent && !isBlank || i == 0 && (isBlank || line[deep] == '\t') {
			return nil, false
		}
		if lines[i] = line[min(indent, len(line)):]; folded && strings.Trim(lines[i], " \t") != lines[i] {
			return nil, false
		}
	}
	for chomping != "+" && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	text := strings.Join(lines, "\n")
	if folded {
		text = fold(lines[0], lines[1:])
	}
	if chomping != "-" {
		text += "\n"
	}
	return text, true
}

// isFlow reports whether a value that begins like this is a collection in flow style.
func isFlow(begin byte) bool { return begin == '[' || begin == '{' }

// closing is what closes a collection in flow style: ] for [, and } for {.
func closing(begin byte) byte { return begin + 2 }

// flow reads a collection in flow style.
func (r *reader) flow(text string, column int) (value any, sure bool) {
	if text[len(text)-1] != closing(text[0]) {
		text = strings.Join(append([]string{text}, r.below(text[0], column)...), "\n")
	}
	value, rest, sure := flow(text, 0)
	return value, sure && skip(rest) == ""
}

// skip leaves out what stands between the parts of a collection in flow style.
func skip(text string) string { return strings.TrimLeft(text, " \n") }

// flow reads a collection in flow style of obvious scalars and such collections, and returns the text behind it.
func flow(text string, depth int) (value any, rest string, sure bool) {
	list, content, end := []any{}, map[string]any{}, closing(text[0])
	for text = skip(text[1:]); text != "" && text[0] != end; text = skip(text) {
		key := ""
		if end == '}' {
			if value, text, sure = word(text); !sure || !strings.HasPrefix(text, ": ") {
				return nil, "", false
			}
			if key, sure = value.(string); !sure || len(key) > maxKey {
				return nil, "", false
			}
			text = skip(text[1:])
		}
		if text != "" && isFlow(text[0]) && depth < maxDepth {
			value, text, sure = flow(text, depth+1)
		} else {
			value, text, sure = word(text)
		}
		if _, doubled := content[key]; doubled || !sure {
			return nil, "", false
		}
		if list = append(list, value); end == '}' {
			content[key] = value
		}
		if text = skip(text); text != "" && text[0] == ',' {
			text = text[1:]
		} else if text != "" && text[0] != end {
			return nil, "", false
		}
	}
	if value = list; end == '}' {
		value = content
	}
	return value, text[min(1, len(text)):], text != ""
}

// word reads a scalar in flow style, of one word or quoted, and returns the text behind it.
func word(text string) (value any, rest string, sure bool) {
	end := 0
	if text != "" && isQuote(text[0]) {
		end = quoteEnd(text)
	} else if end = strings.IndexAny(text, ",[]{}:#? \n"); end < 0 {
		end = len(text)
	}
	value, sure = scalar(text[:end])
	return value, text[end:], sure
}
