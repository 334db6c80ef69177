package plainyaml

import (
	"bytes"
	"strings"
)

// isDeeper reports whether the next line that is not blank is deeper than a column.
func (r *reader) isDeeper(column int) bool {
	rest := bytes.TrimLeft(r.rest, " \n")
	blank := r.rest[:len(r.rest)-len(rest)]
	return len(rest) > 0 && len(blank)-1-bytes.LastIndexByte(blank, '\n') > column
}

// words reads plain text that goes on below.
func (r *reader) words(text []byte, column int) (value any, sure bool) {
	lines := append([][]byte{text}, r.below(text[0], column)...)
	for i, line := range lines {
		lines[i] = bytes.Trim(line, " ")
		if _, plain := scalar(append([]byte("x "), lines[i]...)); !plain || bytes.Contains(append([]byte(" "), lines[i]...), []byte(" #")) {
			return nil, false
		}
	}
	return string(fold(lines)), true
}

// fold joins lines: each to the one before it by a space, or by a line break for each blank line between the two.
func fold(lines [][]byte) (text []byte) {
	blank := 0
	for i, line := range lines {
		if len(line) == 0 {
			blank++
			continue
		}
		if i > 0 && blank == 0 {
			text = append(text, ' ')
		}
		text = append(append(text, strings.Repeat("\n", blank)...), line...)
		blank = 0
	}
	return text
}

// isBlock reports whether a value that begins like this is a block scalar.
func isBlock(begin byte) bool { return begin == '|' || begin == '>' }

// block reads a block scalar; not sure of one that says how deep it is, keeps the line breaks behind it, or is folded and has lines that
// are deeper than others.
func (r *reader) block(header []byte, column int) (value any, sure bool) {
	folded, chomping := header[0] == '>', string(header[1:])
	lines := r.below(header[0], column)
	if len(lines) == 0 || chomping != "" && chomping != "-" || !r.closed && len(r.rest) == 0 {
		return nil, false
	}
	indent := spaces(lines[0])
	for i, line := range lines {
		deep := spaces(line)
		isBlank := deep == len(line)
		if deep < indent && !isBlank || i == 0 && isBlank || folded && deep > indent || !isBlank && line[deep] == '\t' && (folded || i == 0) {
			return nil, false
		}
		lines[i] = line[min(indent, len(line)):]
	}
	for len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	text := bytes.Join(lines, []byte("\n"))
	if folded {
		text = fold(lines)
	}
	if chomping == "" {
		text = append(text, '\n')
	}
	return string(text), true
}

// spaces are how many spaces a line begins with.
func spaces(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " ")) }

// isFlow reports whether a value that begins like this is a collection in flow style.
func isFlow(begin byte) bool { return begin == '[' || begin == '{' }

// closing is what closes a collection in flow style: ] for [, and } for {.
func closing(begin byte) byte { return begin + 2 }

// flow reads a collection in flow style.
func (r *reader) flow(text []byte, column int) (value any, sure bool) {
	if text[len(text)-1] != closing(text[0]) {
		text = bytes.Join(append([][]byte{text}, r.below(text[0], column)...), []byte("\n"))
	}
	value, rest, sure := flow(text, 0)
	return value, sure && len(skip(rest)) == 0
}

// skip leaves out what stands between the parts of a collection in flow style.
func skip(text []byte) []byte { return bytes.TrimLeft(text, " \n") }

// flow reads a collection in flow style of obvious scalars and such collections, and returns the text behind it.
func flow(text []byte, depth int) (value any, rest []byte, sure bool) {
	list, content, end := []any{}, map[string]any{}, closing(text[0])
	for text = skip(text[1:]); len(text) > 0 && text[0] != end; text = skip(text) {
		key := ""
		if end == '}' {
			if key, text, sure = flowKey(text); !sure {
				return nil, nil, false
			}
		}
		if len(text) > 0 && isFlow(text[0]) && depth < maxDepth {
			value, text, sure = flow(text, depth+1)
		} else {
			value, text, sure = word(text)
		}
		if _, doubled := content[key]; doubled || !sure {
			return nil, nil, false
		}
		if list = append(list, value); end == '}' {
			content[key] = value
		}
		if text = skip(text); len(text) > 0 && text[0] == ',' {
			text = text[1:]
		} else if len(text) > 0 && text[0] != end {
			return nil, nil, false
		}
	}
	if value = any(list); end == '}' {
		value = content
	}
	return value, text[min(1, len(text)):], len(text) > 0
}

// flowKey cuts a key in flow style, and returns the text of its value.
func flowKey(text []byte) (key string, value []byte, sure bool) {
	name, behind, isKey := word(text)
	key, isString := name.(string)
	if !isKey || !isString || len(key) > maxKey || len(behind) < 2 || behind[0] != ':' || behind[1] != ' ' {
		return "", nil, false
	}
	return key, skip(behind[1:]), true
}

// word reads a scalar in flow style, of one word or quoted, and returns the text behind it.
func word(text []byte) (value any, rest []byte, sure bool) {
	end := 0
	if len(text) > 0 && isQuote(text[0]) {
		end = quoteEnd(text)
	} else {
		for end < len(text) && bytes.IndexByte([]byte(",[]{}:#? \n"), text[end]) < 0 {
			end++
		}
	}
	value, sure = scalar(text[:end])
	return value, text[end:], sure
}
