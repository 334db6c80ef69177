package command

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"migrate-to-flux-operator/fn/checkout"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/printable"
)

// leftover says what an apply that was killed has left in a checkout: an Error where files are changed and others not,
// because what they say together is neither what was nor what is to be.
func leftover(tree *checkout.Tree) []finding.Finding {
	left, err := tree.Leftover()
	severity, message := finding.Error, ""
	switch {
	case err != nil:
		message = err.Error()
	case len(left.Changed) > 0:
		message = printable.Line("an apply was killed half way, and had changed " + strings.Join(left.Changed, ", ") +
			": the next apply puts them " +
			"back first")
	case left.Folder != "":
		severity, message = finding.Warning, "left by an apply that was killed: the next apply removes it"
	default:
		return nil
	}
	return []finding.Finding{{Severity: severity, Code: finding.ApplyKilled, File: left.Folder, Message: message}}
}

// warnLeftover says the same beside an inventory.
func warnLeftover(cmd *cobra.Command, tree *checkout.Tree) {
	for _, f := range leftover(tree) {
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", f.String())
	}
}

// putRight puts back what an apply that was killed had changed, and says so.
func putRight(out io.Writer, dir string) error {
	if err := checkDir(dir); err != nil {
		return err
	}
	left, err := checkout.Recover(dir)
	if err != nil || left.Folder == "" {
		return err
	}
	var text strings.Builder
	for _, file := range left.Changed {
		fmt.Fprintf(&text, "%-10s %s (an apply that was killed had changed it)\n", "put back", printable.Line(file))
	}
	fmt.Fprintf(&text, "%-10s %s (left by an apply that was killed)\n", "removed", left.Folder)
	_, err = io.WriteString(out, text.String())
	return err
}
