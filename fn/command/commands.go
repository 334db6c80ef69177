package command

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"migrate-to-flux-operator/fn/budget"
	"migrate-to-flux-operator/fn/checkout"
)

const exitCodes = "\n\nExit code 0, or 2 on an Error, which is printed on stderr."

// dirOf is the folder that a command is about: the one that is given, or this one.
func dirOf(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}

func planCommand() *cobra.Command {
	var flags configFlags
	var output, report string
	var verbose bool
	cmd := &cobra.Command{
		Use:   "plan [DIR]",
		Short: "Print what was found, what will happen and what to wait for",
		Long: "Print, for each cluster of the checkout, what was found and where, what becomes of each object, what " +
			"must exist, what to\nwait for, how to check it and how to go back. No file of the checkout is " +
			"changed.\n\n--report writes the same as Markdown for the pull request, with a picture of who owns what " +
			"before and after, and the account\nof every field." + exitCodes,
		Example: "  migrate-to-flux-operator plan .\n" +
			"  migrate-to-flux-operator plan . --cluster ./clusters/production --output json\n" +
			"  migrate-to-flux-operator plan . --report /tmp/report.md && gh pr create --body-file /tmp/report.md\n" +
			"  migrate-to-flux-operator plan . --phase cleanup --live /tmp/live.yaml",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, known := formats[output]; !known && output != "text" {
				return fmt.Errorf("--output %s: use text, json or yaml", output)
			}
			if flags.redact && (output == "text" || report != "") {
				return errors.New("--redact: use it with --output json or yaml, and without --report: nothing is " +
					"taken out of a text")
			}
			result, err := flags.run(cmd, dirOf(args))
			if err != nil {
				return err
			}
			if flags.redact {
				result = result.redacted()
			}
			if report != "-" {
				if err := printAs(cmd.OutOrStdout(), result, output, verbose); err != nil {
					return err
				}
			}
			if report != "" {
				if err := writeReport(cmd.OutOrStdout(), dirOf(args), report, result); err != nil {
					return err
				}
			}
			return result.failure()
		},
	}
	flags.bind(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text, json or yaml")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "print all that was found: each remark, each file, and "+
		"where the install is defined (text)")
	cmd.Flags().BoolVar(&flags.redact, "redact", false, "leave out the values of fields and all addresses, to show the "+
		"plan to others; names stay (json, yaml)")
	cmd.Flags().StringVar(&report, "report", "", "file to write a report to: Markdown for the pull request, or a "+
		"page for a browser where it ends in .html; - prints it in the place of the plan")
	return cmd
}

func diffCommand() *cobra.Command {
	var flags configFlags
	cmd := &cobra.Command{
		Use:   "diff [DIR]",
		Short: "Print the change as a unified diff that git apply accepts",
		Long: "Print, as a unified diff, what apply would change. Nothing is written. Paths are relative to DIR: run " +
			"git apply there, or\nwith --directory." + exitCodes,
		Example: "  migrate-to-flux-operator diff . | less\n  migrate-to-flux-operator diff . | git apply",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := flags.diff(cmd, dirOf(args))
			return err
		},
	}
	flags.bind(cmd)
	return cmd
}

func applyCommand() *cobra.Command {
	var flags configFlags
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "apply [DIR]",
		Short: "Edit the files of the checkout: everything or nothing",
		Long: "Edit the files of the checkout as diff shows it, every byte outside of the edits left as it is. On an " +
			"Error, or when something\nfails half way, the checkout is as it was; when it is killed, the next apply " +
			"puts back what was changed. Nothing is committed." + exitCodes,
		Example: "  migrate-to-flux-operator apply .\n" +
			"  migrate-to-flux-operator apply . --dry-run\n" +
			"  migrate-to-flux-operator apply . --config migrate.yaml --cluster ./clusters/production\n" +
			"  migrate-to-flux-operator apply . --phase cleanup --live /tmp/live.yaml",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if dryRun {
				_, err := flags.diff(cmd, dirOf(args))
				return err
			}
			if err := putRight(cmd.OutOrStdout(), dirOf(args)); err != nil {
				return err
			}
			result, err := flags.run(cmd, dirOf(args))
			if err != nil {
				return err
			}
			if err := result.failure(); err != nil {
				return err
			}
			if err := budget.Commit(); err != nil {
				return err
			}
			if err := checkout.Apply(cmd.Context(), dirOf(args), result.changes); err != nil {
				return err
			}
			if err := printApplied(cmd.OutOrStdout(), result); err != nil {
				return fmt.Errorf("the files were changed, but that could not be said: %w", err)
			}
			return nil
		},
	}
	flags.bind(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print the diff and write nothing")
	return cmd
}

func checkCommand() *cobra.Command {
	var flags configFlags
	cmd := &cobra.Command{
		Use:   "check [DIR]",
		Short: "Tell whether a run would change anything, for CI",
		Long: "Exit with 0 when a run would change nothing, with 1 and the diff on stdout when it would, and with 2 " +
			"on an Error. Nothing is\nwritten.",
		Example: "  migrate-to-flux-operator check . || echo 'run migrate-to-flux-operator apply .'",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			result, err := flags.diff(cmd, dirOf(args))
			if err == nil && len(result.changes) > 0 {
				return errChanges
			}
			return err
		},
	}
	flags.bind(cmd)
	return cmd
}
