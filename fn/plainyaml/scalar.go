package plainyaml

import (
	"bytes"
	"strconv"
	"strings"
)

// scalar reads a scalar of one line that is the same in every version of YAML: a quoted string, obvious text or an obvious number.
func scalar(text []byte) (any, bool) {
	switch {
	case len(text) == 0 || bytes.ContainsAny(text, "\t\n"):
		return nil, false
	case isQuote(text[0]):
		return unquoted(text)
	case bytes.Contains(text, []byte(": ")) || text[len(text)-1] == ':':
		return nil, false
	case text[0] >= '0' && text[0] <= '9':
		return number(text)
	case isLetter(text[0]):
		switch string(text) {
		case "true":
			return true, true
		case "false":
			return false, true
		case "null":
			return nil, true
		}
		return string(text), len(text) > 5 || !notStrings[string(bytes.ToLower(text))]
	}
	for _, start := range []string{"/", "./", "../", "--", "$", "_", "("} {
		if bytes.HasPrefix(text, []byte(start)) {
			return string(text), true
		}
	}
	return nil, false
}

// IsText reports whether plain text is a string in every version of YAML.
func IsText(text string) bool {
	value, sure := scalar([]byte(text))
	return sure && value == text
}

// The characters behind a backslash that stand for others, and these.
const escapes, escaped = `"\ntr`, "\"\\\n\t\r"

// unquoted reads a quoted string of one line; not sure of escapes by number.
func unquoted(text []byte) (any, bool) {
	inner := text[1:max(len(text)-1, 1)]
	if quoteEnd(text) != len(text) {
		return nil, false
	}
	if text[0] == '\'' {
		return strings.ReplaceAll(string(inner), "''", "'"), true
	}
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), true
	}
	out := make([]byte, 0, len(inner))
	for i := 0; i < len(inner); i++ {
		c := inner[i]
		if c == '\\' {
			i++
			at := strings.IndexByte(escapes, inner[i])
			if at < 0 {
				return nil, false
			}
			c = escaped[at]
		}
		out = append(out, c)
	}
	return string(out), true
}

// quoteEnd is where text that begins with a quote goes on behind the closing one; 0 where there is none.
func quoteEnd(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[0] == '"' && text[i] == '\\', text[0] == '\'' && text[i] == '\'' && i+1 < len(text) && text[i+1] == '\'':
			i++
		case text[i] == text[0]:
			return i + 1
		}
	}
	return 0
}

// notStrings are the words that some version of YAML reads as something else than a string.
var notStrings = map[string]bool{"null": true, "true": true, "false": true, "yes": true, "no": true, "on": true,
	"off": true, "y": true, "n": true}

// number reads what begins with a digit: a short number, or what no version of YAML takes for a number or a time.
func number(text []byte) (any, bool) {
	if areDigits(text) && len(text) < 16 && (text[0] != '0' || len(text) == 1) {
		number, err := strconv.Atoi(string(text))
		return float64(number), err == nil
	}
	if whole, part, found := bytes.Cut(text, []byte(".")); found && len(text) < 16 && areDigits(whole) && areDigits(part) &&
		(whole[0] != '0' || len(whole) == 1) {
		number, err := strconv.ParseFloat(string(text), 64)
		return number, err == nil
	}
	other := len(bytes.TrimLeft(text, "0123456789abcdefABCDEFxXoO_.+-:tTzZ ")) > 0
	version := len(bytes.Trim(text, "0123456789.:")) == 0 && bytes.Count(text, []byte(".")) > 1
	days := text[0] != '0' && text[len(text)-1] == 'd' && areDigits(text[:len(text)-1])
	return string(text), other || version || days
}

// areDigits tells a text of nothing but digits.
func areDigits(text []byte) bool { return len(text) > 0 && len(bytes.Trim(text, "0123456789")) == 0 }

// trimmed is a value without the comment behind it. A quote may hold what looks like one.
func trimmed(text []byte) []byte {
	if isQuote(text[0]) {
		end := quoteEnd(text)
		if rest := bytes.TrimLeft(text[end:], " "); end > 0 && len(rest) > 0 && rest[0] == '#' && len(rest) < len(text)-end {
			return text[:end]
		}
		return text
	}
	if comment := bytes.Index(text, []byte(" #")); comment >= 0 {
		return bytes.TrimRight(text[:comment], " ")
	}
	return text
}

// isQuote reports whether a character quotes a scalar.
func isQuote(c byte) bool { return c == '"' || c == '\'' }

// isLetter reports whether a character is an ASCII letter.
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
