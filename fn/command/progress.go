package command

import (
	"fmt"
	"io"
)

// progress says on a terminal what a run is busy with, on one line that is wiped at the end.
type progress func(step string)

// progressOn is the progress on a stream: silent unless a person looks at it.
func progressOn(out io.Writer) progress {
	if !isTerminal(out) {
		return func(string) {}
	}
	return func(step string) { fmt.Fprint(out, "\r\x1b[K"+step) }
}

// counted says which of several clusters a step is about.
func (p progress) counted(step string) func(n, of int) {
	return func(n, of int) {
		if of > 1 {
			p(fmt.Sprintf("%s: %d/%d", step, n, of))
		} else {
			p(step)
		}
	}
}

// done wipes the line.
func (p progress) done() { p("") }
