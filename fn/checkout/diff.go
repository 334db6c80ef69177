package checkout

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"migrate-to-flux-operator/fn/printable"
)

// Change is one file that a plan creates, edits or deletes.
type Change struct {
	// Path is relative to the checkout, with slashes.
	Path string
	// Before is what the file held when it was read; nil for a file that is not there. After is what it is to hold;
	// nil for a file that is to be deleted.
	Before, After []byte
	// Mode is the mode of a new file, 0644 when 0. An edited file keeps its own; for the diff of a deleted one Mode
	// tells whether it was executable.
	Mode fs.FileMode
}

// mode is the permissions of a file that the change writes.
func (c Change) mode() fs.FileMode {
	if c.Mode.Perm() == 0 {
		return 0o644
	}
	return c.Mode.Perm()
}

// gitMode is the mode as Git writes it.
func (c Change) gitMode() string {
	if c.mode()&0o111 != 0 {
		return "100755"
	}
	return "100644"
}

// Diff writes changes as a unified diff in Git's format, by path. `git apply` of it does what Apply does. Around a
// change it shows no line of a Secret, and none that a CI runner takes for a command. A file in which a Secret changes
// is named, and git apply refuses the diff.
func Diff(changes []Change) []byte {
	var out bytes.Buffer
	for _, c := range sorted(changes) {
		diffOne(&out, c)
	}
	return out.Bytes()
}

// sorted is the changes by path, in a new slice.
func sorted(changes []Change) []Change {
	out := slices.Clone(changes)
	slices.SortStableFunc(out, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// diffOne writes one file's diff.
func diffOne(out *bytes.Buffer, c Change) {
	same := bytes.Equal(c.Before, c.After)
	if same && (c.Before == nil) == (c.After == nil) {
		return
	}
	from, to := quotePath("a/"+c.Path), quotePath("b/"+c.Path)
	body := diff.Diff("a", c.Before, "b", c.After)
	for range 3 {
		_, body, _ = bytes.Cut(body, []byte("\n"))
	}
	was := secretsOf(c.Before)
	withheld := changesSecrets(body, was, secretsOf(c.After))
	body = withoutContext(body, unshown(was, c.Before))
	switch {
	case withheld:
		fmt.Fprintf(out, "%s: values of a Secret or a generator are in lines that change, so that none is shown, and "+
			"git apply takes nothing of this: use apply\n", to)
	case unanchored(body, c.Before):
		fmt.Fprintf(out, "%s: a Secret or a command to a CI runner follows a change, so that no line after it is "+
			"shown: apply this with git apply --unidiff-zero\n", to)
	}
	fmt.Fprintf(out, "diff --git %s %s\n", from, to)
	switch {
	case c.Before == nil:
		fmt.Fprintf(out, "new file mode %s\n", c.gitMode())
		from = "/dev/null"
	case c.After == nil:
		fmt.Fprintf(out, "deleted file mode %s\n", c.gitMode())
		to = "/dev/null"
	}
	if same {
		return
	}
	fmt.Fprintf(out, "--- %s\n+++ %s\n", spaced(from), spaced(to))
	if withheld {
		body = []byte("@@ -1,1 +1,1 @@\n") // which git apply takes for cut off
	}
	out.Write(body)
}

// unshown tells which lines of a file, counted from 1, a diff must not show as context: those of Secrets, and those
// that a CI runner takes for commands.
func unshown(hidden secrets, file []byte) func(line int) bool {
	lines := bytes.Split(file, []byte("\n"))
	return func(line int) bool { return hidden[line] != shown || printable.Commands(" "+string(lines[line-1])) }
}

// spaced ends a file name with white space in it by a tab, as Git does, so that the name's end can be told.
func spaced(name string) string {
	if strings.Contains(name, " ") && !strings.HasPrefix(name, `"`) {
		return name + "\t"
	}
	return name
}

// quotePath quotes a path as Git does by default: control characters, quotes, backslashes and bytes beyond ASCII.
func quotePath(name string) string {
	var out strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case c == '"' || c == '\\':
			out.WriteByte('\\')
			out.WriteByte(c)
		case strings.IndexByte("\a\b\t\n\v\f\r", c) >= 0:
			out.WriteByte('\\')
			out.WriteByte("abtnvfr"[c-'\a'])
		case c < ' ' || c > '~':
			fmt.Fprintf(&out, `\%03o`, c)
		default:
			out.WriteByte(c)
		}
	}
	if out.Len() == len(name) {
		return name
	}
	return `"` + out.String() + `"`
}
