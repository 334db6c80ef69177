package printable

import (
	"fmt"
	"strings"
)

// Count is a number of things: "1 object", "2 objects".
func Count(n int, noun string) string { return fmt.Sprintf("%d %s", n, plural(noun, n)) }

// plural is a noun, such as the kind of an object, for a number of things.
func plural(noun string, n int) string {
	switch {
	case n == 1:
		return noun
	case strings.HasSuffix(noun, "y"):
		return strings.TrimSuffix(noun, "y") + "ies"
	case strings.HasSuffix(noun, "s"), strings.HasSuffix(noun, "ch"):
		return noun + "es"
	}
	return noun + "s"
}
