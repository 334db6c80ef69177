package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"migrate-to-flux-operator/fn/checkout"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/krm"
)

// Exit codes of the commands.
const (
	ExitChanges = 1
	ExitError   = 2
)

// errChanges is what check returns when a run would change something; it has said so already.
var errChanges = errors.New("a run would change files")

// Execute runs the command line and returns the exit code: 0, or for the function 1 on an Error, or for the commands
// ExitChanges and ExitError.
func Execute(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	root := newRoot(version)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errChanges), errors.Is(err, errLost):
		return ExitChanges
	}
	fmt.Fprintln(errOut, strings.TrimRight(err.Error(), "\n"))
	if len(args) == 0 {
		return 1
	}
	return ExitError
}

// version is what --version prints; the Makefile sets it.
var version = "dev"

const long = `Migrate a classic Flux install to Flux Operator, in two commits.

  1. deploy   adds Flux Operator and a FluxInstance beside the classic install, and guards what the classic install could
              delete. Push it, and wait until Flux Operator owns the root, the source and the Flux objects.
  2. cleanup  removes the classic install. Pushed before that, or together with deploy, it would delete everything that
              Flux applied: so it needs --taken-over, and that deploy's commit is in the upstream branch.

  migrate-to-flux-operator plan .                                # what was found, what will happen, what to wait for
  migrate-to-flux-operator apply . && git commit -am deploy      # the first commit
  migrate-to-flux-operator plan . --phase cleanup --taken-over   # once the cluster has taken over
  migrate-to-flux-operator apply . --phase cleanup --taken-over  # the second commit

Without arguments it is a KRM function: a ResourceList on stdin, a ResourceList on stdout, for kpt and kustomize.
It reads files only: no cluster, no network.`

func newRoot(version string) *cobra.Command {
	root := &cobra.Command{
		Use:           "migrate-to-flux-operator",
		Short:         "Migrate a classic Flux install to Flux Operator",
		Long:          long,
		Version:       version,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if isTerminal(cmd.InOrStdin()) {
				return cmd.Help()
			}
			return krm.Run(cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	root.AddCommand(planCommand(), diffCommand(), applyCommand(), checkCommand(), inventoryCommand())
	return root
}

func isTerminal(stream any) bool {
	file, isFile := stream.(*os.File)
	if !isFile {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func planCommand() *cobra.Command {
	var flags configFlags
	var output string
	cmd := &cobra.Command{
		Use:   "plan DIR",
		Short: "Print what was found, what will happen and what to wait for",
		Long: "Print, for each cluster of the checkout, what was found and where, what becomes of each object, what must exist, what to wait\n" +
			"for, how to check it and how to go back. Nothing is written. Exit code 2 when something stands in the way.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			result, _, err := flags.run(cmd, args[0])
			if err != nil {
				return err
			}
			if err := printPlan(cmd.OutOrStdout(), result, output); err != nil {
				return err
			}
			return result.failure()
		},
	}
	flags.bind(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text, json or yaml")
	return cmd
}

func diffCommand() *cobra.Command {
	var flags configFlags
	cmd := &cobra.Command{
		Use:   "diff DIR",
		Short: "Print the change as a unified diff that git apply accepts",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			result, _, err := flags.run(cmd, args[0])
			if err != nil {
				return err
			}
			if err := result.failure(); err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(checkout.Diff(result.changes))
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
		Use:   "apply DIR",
		Short: "Edit the files of the checkout: everything or nothing",
		Long: "Edit the files of the checkout as diff shows it, every byte outside of the edits left as it is. With an Error, or when\n" +
			"something fails half way, the checkout is as it was.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			result, _, err := flags.run(cmd, args[0])
			if err != nil {
				return err
			}
			if err := result.failure(); err != nil {
				return err
			}
			if dryRun {
				_, err = cmd.OutOrStdout().Write(checkout.Diff(result.changes))
				return err
			}
			if err := checkout.Apply(cmd.Context(), args[0], result.changes); err != nil {
				return err
			}
			return printApplied(cmd.OutOrStdout(), result)
		},
	}
	flags.bind(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print the diff and write nothing")
	return cmd
}

func checkCommand() *cobra.Command {
	var flags configFlags
	cmd := &cobra.Command{
		Use:   "check DIR",
		Short: "For CI: exit 0 when a run would change nothing, 1 with the diff when it would, 2 on an Error",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			result, _, err := flags.run(cmd, args[0])
			if err != nil {
				return err
			}
			if err := result.failure(); err != nil {
				return err
			}
			if len(result.changes) == 0 {
				return nil
			}
			if _, err := cmd.OutOrStdout().Write(checkout.Diff(result.changes)); err != nil {
				return err
			}
			return errChanges
		},
	}
	flags.bind(cmd)
	return cmd
}

// configFlags are the flags for the config: --config, and one for each field, which wins.
type configFlags struct {
	file   string
	live   string
	values map[string]*string
}

// flagNames are the flags in the order of the config's fields.
var flagNames = []struct{ flag, field, usage string }{
	{"phase", "phase", "deploy or cleanup"},
	{"taken-over", "takenOver", "you have seen that Flux Operator owns the root, the source and the Flux objects (cleanup)"},
	{"cluster", "clusters", "sync path of a cluster to migrate, several with commas; all when empty"},
	{"operator-version", "operator.version", "version of the flux-operator chart"},
	{"operator-install", "operator.install", "HelmRelease, or external when Flux Operator is already installed"},
	{"operator-values", "operator.values", "values of the flux-operator chart, as YAML"},
	{"instance-form", "instance.form", "FluxInstance, or HelmRelease for the flux-instance chart"},
	{"instance-version", "instance.version", "minor, exact or a semver range"},
	{"sync-mode", "sync.mode", "adopt or keep"},
	{"sync-path", "sync.path", "move the root path"},
	{"output-dir", "outputDir", "folder for new files"},
	{"proof", "proof", "on, or off to leave out the proof that nothing is pruned"},
}

func (f *configFlags) bind(cmd *cobra.Command) {
	f.values = map[string]*string{}
	for _, name := range flagNames {
		value := new(string)
		f.values[name.field] = value
		cmd.Flags().StringVar(value, name.flag, "", name.usage)
		if name.field == "takenOver" {
			cmd.Flags().Lookup(name.flag).NoOptDefVal = "true"
		}
	}
	cmd.Flags().StringVar(&f.file, "config", "", "file with the function config")
	cmd.Flags().StringVar(&f.live, "live", "", "output of the kubectl command that plan prints; it stands for --taken-over")
}

// config reads the file and lets the flags that were given win.
func (f *configFlags) config(cmd *cobra.Command) (config.Config, error) {
	cfg := config.Default()
	if f.file != "" {
		text, err := os.ReadFile(f.file)
		if err != nil {
			return cfg, err
		}
		if cfg, err = config.Parse(text); err != nil {
			return cfg, fmt.Errorf("%s: %w", f.file, err)
		}
	}
	for _, name := range flagNames {
		if !cmd.Flags().Changed(name.flag) {
			continue
		}
		if err := cfg.Set(name.field, *f.values[name.field]); err != nil {
			return cfg, fmt.Errorf("--%s: %w", name.flag, err)
		}
	}
	return cfg, cfg.Validate()
}

// run reads the config and migrates the checkout in memory.
func (f *configFlags) run(cmd *cobra.Command, dir string) (*Result, *repository, error) {
	cfg, err := f.config(cmd)
	if err != nil {
		return nil, nil, err
	}
	return run(cmd.Context(), dir, cfg)
}
