// Package reason says why a library refuses what it was given, in words of this program. Those of a library may quote
// the input, and what they quote may be the value of a Secret: nothing of them is passed on but lines, fields, paths
// and names of objects.
package reason

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
)

// Error is why a text cannot be used.
type Error struct {
	// Place is the file or folder in which it is wrong, where that is another one than what was read, and Line the
	// line, where it is known.
	Place string
	Line  int
	// Words say what is wrong.
	Words string

	cause error
}

// Error is the words behind their place.
func (e *Error) Error() string {
	switch {
	case e.Place != "" && e.Line > 0:
		return fmt.Sprintf("%s:%d: %s", e.Place, e.Line, e.Words)
	case e.Place != "":
		return e.Place + ": " + e.Words
	case e.Line > 0:
		return fmt.Sprintf("line %d: %s", e.Line, e.Words)
	}
	return e.Words
}

// Unwrap is what errors.Is finds.
func (e *Error) Unwrap() error { return e.cause }

// New makes an error of own words that pass through a library, and come out as they are.
func New(format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Words: err.Error(), cause: errors.Unwrap(err)}
}

// ErrUntold is what Of makes of words that it does not know.
var ErrUntold = New("it is refused, in words that may quote a value")

// With is a result with the reason of its error.
func With[T any](value T, err error) (T, error) { return value, Of(err) }

// Of is what an error of a library is about: its class, and what of it is no value. An error of own words comes out as
// it went in.
func Of(err error) error {
	var own *Error
	switch {
	case err == nil || errors.Is(err, context.Canceled) || errors.Is(err, io.EOF):
		return err
	case errors.As(err, &own):
		return own
	}
	if known := told(shortened(err.Error())); known != nil {
		return known
	}
	var missing *fs.PathError
	if errors.As(err, &missing) {
		return &Error{Words: named("file or folder not found", path.FindString(missing.Path)), cause: missing.Err}
	}
	return ErrUntold
}

// Panic is what went wrong inside of a library, or of this program.
func Panic(recovered any) error {
	if wrong, ours := recovered.(runtime.Error); ours {
		return &Error{Words: "panic: " + wrong.Error()} // which tells types and numbers
	}
	return &Error{Words: fmt.Sprintf("panic with a %T", recovered)}
}

// most is how much of an error is read, from its start and to its end.
const most = 1 << 14

// shortened leaves the middle of a long text out, which may quote a whole file.
func shortened(text string) string {
	if len(text) > 2*most {
		return text[:most] + "\n" + text[len(text)-most:]
	}
	return text
}

// told looks the class of an error up by its text, nil where it is none that is known.
func told(text string) error {
	words := ""
	for _, known := range classes {
		if known.pattern.MatchString(text) {
			words = named(known.words, strings.Join(submatches(known.pattern, text), ""))
			break
		}
	}
	switch {
	case words != "":
	case fromYAML.MatchString(text):
		words = yamlWords(text)
	case wrongType.MatchString(text):
		found := submatches(wrongType, text)
		_, field, _ := strings.Cut(found[1], ".") // behind the name of a type
		words = mistyped(field, found[0], found[2])
	case wrongNode.MatchString(text):
		found := submatches(wrongNode, text)
		words = mistyped("", found[1], found[0])
	default:
		return nil
	}
	return &Error{Place: place(text), Line: line(text), Words: words}
}
