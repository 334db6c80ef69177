package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"migrate-to-flux-operator/fn/finding"
)

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain CODE...",
		Short: "Say what the code of a finding means, and what to do",
		Long: "Say what the code of a finding means, why it matters, and what to do. docs/findings.md has all codes.\n\n" +
			"Exit code 0, and 2 where there is no such code.",
		Example: "  migrate-to-flux-operator explain cleanup-unpublished",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var told []string
			for _, code := range args {
				entry, known := finding.Code(code).Entry()
				if !known {
					return fmt.Errorf("no finding has the code %q: plan --output json has them, and docs/findings.md", code)
				}
				told = append(told, strings.ReplaceAll(fmt.Sprintf("%s: %s", code, entry), "**", "")) // which is Markdown
			}
			_, err := fmt.Fprint(cmd.OutOrStdout(), strings.Join(told, "\n"))
			return err
		},
	}
}
