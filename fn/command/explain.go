package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"migrate-to-flux-operator/fn/finding"
)

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "explain CODE",
		Short:   "Say what the code of a finding means, and what to do",
		Long:    "Say what the code of a finding means, why it matters, and what to do. docs/findings.md has all codes.",
		Example: "  migrate-to-flux-operator explain cleanup-unpublished",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			entry, known := finding.Code(args[0]).Entry()
			if !known {
				return fmt.Errorf("no finding has the code %q: plan --output json has them, and docs/findings.md", args[0])
			}
			_, err := fmt.Fprint(cmd.OutOrStdout(), entry)
			return err
		},
	}
}
