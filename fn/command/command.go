package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"migrate-to-flux-operator/fn/budget"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/krm"
	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/reason"
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
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	if len(args) > 0 {
		signal.Ignore(syscall.SIGPIPE) // so that a closed pipe is the error of a write, which pipe takes
		root.SetOut(pipe{out})
	}
	root.SetErr(errOut)
	work := func(ctx context.Context) error { return execute(ctx, root) }
	if len(args) > 0 { // the function bounds itself, for it has to hand its items back
		work = func(ctx context.Context) error {
			return budget.Run(ctx, func(ctx context.Context) error { return execute(ctx, root) })
		}
	}
	err := work(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errChanges), errors.Is(err, errLost), errors.Is(err, errUnsafe):
		return ExitChanges
	case errors.Is(err, context.Canceled):
		err = errors.New("interrupted: nothing was changed")
	}
	fmt.Fprintln(errOut, printable.Text(strings.TrimRight(err.Error(), "\n")))
	if len(args) == 0 {
		return 1
	}
	return ExitError
}

// execute runs the command line; a mistake of this program becomes an error like others.
func execute(ctx context.Context, root *cobra.Command) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = internal(broken)
		}
	}()
	return root.ExecuteContext(ctx)
}

// internal is the error that a mistake of this program becomes.
func internal(broken any) error {
	return fmt.Errorf("internal error: %w; please report it with the files that it was run on, without their Secrets",
		reason.Panic(broken))
}

// pipe is a stdout whose reader may leave early, as head does: what a command says goes nowhere then, and its exit code
// stays.
type pipe struct{ io.Writer }

// Write writes, if anyone still reads.
func (p pipe) Write(text []byte) (int, error) {
	n, err := p.Writer.Write(text)
	if errors.Is(err, syscall.EPIPE) {
		return len(text), nil
	}
	return n, err
}

// isTerminal reports whether a person is at the other end.
func isTerminal(stream any) bool {
	if p, isPipe := stream.(pipe); isPipe {
		stream = p.Writer
	}
	file, isFile := stream.(*os.File)
	if !isFile {
		return false
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

const long = `Migrate a classic Flux install to Flux Operator, in two commits.

  1. deploy   adds Flux Operator and a FluxInstance beside the classic install, and guards what that could delete.
              Push it, and wait until Flux Operator owns the root, the source and the Flux objects.
  2. cleanup  removes the classic install. Pushed before that, or together with deploy, it would delete everything that
              Flux applied. So it wants to see that the cluster has taken over (--live, or your word: --taken-over), and
              that deploy's commit is in the upstream branch.

Without arguments it is a KRM function: a ResourceList on stdin, a ResourceList on stdout, for kpt and kustomize.
It reads files only: no cluster, no network.`

const story = "" +
	`  migrate-to-flux-operator plan .                     # what was found, what will happen, what to wait for
  migrate-to-flux-operator apply .                    # edit the files
  git add -- FILE...                                  # as apply prints it: what it changed, and nothing else
  git commit -m 'Deploy Flux Operator' && git push

  # Wait, until the cluster has taken over:
  migrate-to-flux-operator verify . --script | sh > /tmp/live.yaml
  migrate-to-flux-operator verify . --live /tmp/live.yaml

  migrate-to-flux-operator plan . --phase cleanup --live /tmp/live.yaml
  migrate-to-flux-operator apply . --phase cleanup --live /tmp/live.yaml
  git add -- FILE...
  git commit -m 'Remove the classic Flux install' && git push`

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "migrate-to-flux-operator",
		Short:         "Migrate a classic Flux install to Flux Operator",
		Long:          long,
		Example:       story,
		Version:       versionText(),
		Args:          knownVerb,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if isTerminal(cmd.InOrStdin()) {
				return cmd.Help()
			}
			return krm.Run(cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(unknownFlag)
	root.AddCommand(planCommand(), diffCommand(), applyCommand(), checkCommand(), verifyCommand(), inventoryCommand(),
		explainCommand())
	return root
}

// knownVerb refuses a verb that is not there, and names those that it may be a typing error for.
func knownVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	near := cmd.SuggestionsFor(args[0])
	if args[0] == config.Deploy || args[0] == config.Cleanup {
		near = []string{"apply --phase " + args[0]}
	}
	return fmt.Errorf("unknown command %q%s", printable.Line(args[0]), meant("", near))
}

// unknownFlag names the flags that an unknown one may be a typing error for.
func unknownFlag(cmd *cobra.Command, err error) error {
	_, name, unknown := strings.Cut(err.Error(), "unknown flag: --")
	if !unknown {
		return err
	}
	known := &cobra.Command{SuggestionsMinimumDistance: 2}
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		known.AddCommand(&cobra.Command{Use: flag.Name, Run: func(*cobra.Command, []string) {}})
	})
	return fmt.Errorf("%s%s", printable.Line(err.Error()), meant("--", known.SuggestionsFor(name)))
}

// meant says what was meant, or where to look.
func meant(mark string, names []string) string {
	if len(names) == 0 {
		return "; see --help"
	}
	for i := range names {
		names[i] = mark + names[i]
	}
	return "; did you mean " + strings.Join(names, " or ") + "?"
}
