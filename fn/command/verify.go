package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/live"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/printable"
)

// errUnsafe is what verify returns when the next step is not safe; it has said so already.
var errUnsafe = errors.New("the next step is not safe yet")

func verifyCommand() *cobra.Command {
	var flags configFlags
	var script bool
	var output string
	cmd := &cobra.Command{
		Use:   "verify [DIR] --live FILE | verify [DIR] --script",
		Short: "Say how a cluster is, where it differs from Git, and whether the next step is safe",
		Long: "Say, for each snapshot of a cluster, what runs there, which phase of the migration it is in, where " +
			"it differs from Git, and\n" +
			"whether the next step is safe. --script prints the kubectl commands that make the snapshot: they only " +
			"read, and of Secrets\n" +
			"and ConfigMaps only the names. This program itself talks to no cluster.\n\n" +
			"Exit code 0 when the next step is safe, 1 when it is not yet, and 2 on an Error, which is printed on " +
			"stderr.",
		Example: `  migrate-to-flux-operator verify --script | sh > /tmp/live.yaml
  migrate-to-flux-operator verify --live /tmp/live.yaml
  migrate-to-flux-operator verify --script | sh -s -- --context production | migrate-to-flux-operator verify --live -`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := append(args, ".")[0]
			switch {
			case output != "text" && output != "json":
				return fmt.Errorf("--output %s: use text or json", output)
			case script == (len(flags.live) > 0):
				return errors.New("verify wants --live FILE, once for each cluster, or --script, which prints the " +
					"commands that write such a file")
			}
			return flags.verify(cmd, dir, script, output)
		},
	}
	flags.bind(cmd, "clusters")
	cmd.Flags().BoolVar(&script, "script", false, "print the kubectl commands that write the file for --live")
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

// verify prints a report for each cluster of which there is a snapshot, or the script that makes one.
func (f *configFlags) verify(cmd *cobra.Command, dir string, script bool, output string) error {
	verified, err := interruptible(cmd.Context(), func(ctx context.Context) (verified, error) {
		cfg, err := f.config(cmd, dir)
		if err != nil {
			return verified{}, err
		}
		v := verified{dir: dir, cfg: cfg, call: f.called(cmd, dir)}
		for _, file := range f.live {
			snapshot, err := readLive(cmd.InOrStdin(), dir, file)
			if err != nil {
				return v, err
			}
			v.snapshots = append(v.snapshots, snapshot)
		}
		repo, err := open(ctx, dir, f.subfolder)
		if err != nil {
			return v, err
		}
		defer repo.tree.Close()
		if v.wants, v.findings, err = repo.wants(cfg); err != nil {
			return v, err
		}
		v.places, v.findings = newPlaces(repo.read), append(v.findings, repo.unread()...)
		return v, ctx.Err()
	})
	if err != nil {
		return err
	}
	if err := verified.failure(); err != nil {
		return err
	}
	warned := &Result{Outcome: migrate.Outcome{Findings: verified.findings}, places: verified.places}
	if err := printWarnings(cmd.ErrOrStderr(), warned); err != nil {
		return err
	}
	if script {
		_, err := io.WriteString(cmd.OutOrStdout(), live.Script(verified.namespaces()...))
		return err
	}
	return verified.print(cmd.OutOrStdout(), output, time.Now())
}

// verified is what Git says of the clusters, and the snapshots of them.
type verified struct {
	dir       string
	call      call
	cfg       config.Config
	snapshots []live.Snapshot
	wants     []live.Want
	findings  []finding.Finding
	places    *places
}

// failure is the error where Git does not say what the clusters are to be.
func (v verified) failure() error {
	result := Result{places: v.places, dir: whole(v.dir)}
	result.Findings = v.findings
	if err := result.failure(); err != nil {
		return err
	}
	if len(v.wants) == 0 {
		return fmt.Errorf("%s: no Flux was found: neither a classic install nor a FluxInstance that syncs this "+
			"repository", printable.Line(v.dir))
	}
	return nil
}

// namespaces are those in which Flux runs.
func (v verified) namespaces() []string {
	var all []string
	for _, w := range v.wants {
		all = append(all, w.Namespace)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// print prints the reports.
func (v verified) print(out io.Writer, output string, now time.Time) error {
	reports, strangers := reportsOf(v.snapshots, v.wants, now)
	if len(strangers) > 0 {
		return errors.New(printable.Line(fmt.Sprintf("--live %s is of none of the clusters here (%s): in it no "+
			"root syncs one of their paths from the source that is in Git; "+
			"look at the context that it was taken of", strangers[0].Name, v.paths())))
	}
	if output == "json" {
		if err := printJSON(out, reports); err != nil {
			return err
		}
	}
	for n, r := range reports {
		if output == "json" {
			break
		}
		text := r.Text(v.commands(r))
		if n > 0 {
			text = "\n" + text
		}
		if _, err := io.WriteString(out, printable.Log(text)); err != nil {
			return err
		}
	}
	if output == "text" && len(reports) > 1 {
		if _, err := io.WriteString(out, "\n"+printable.Log(live.Overview(reports))); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(reports, func(r live.Report) bool { return !r.Safe }) {
		return errUnsafe
	}
	return nil
}

// paths are the sync paths of the clusters.
func (v verified) paths() string {
	var all []string
	for _, w := range v.wants {
		all = append(all, w.Root.String()+" of ./"+w.Cluster)
	}
	return someOf(all)
}

// commands are what to run for the next step.
func (v verified) commands(r live.Report) []string {
	call := v.call
	if len(v.wants) > 1 {
		call = call.only("./" + r.Cluster)
	}
	command := string(call.of("plan"))
	if r.Step == live.Cleanup {
		command = string(call.cleanup("plan", r.Snapshot))
	}
	if !r.Safe || r.Step != live.Deploy && r.Step != live.Cleanup || !printable.Fits(command) {
		return nil
	}
	return []string{command}
}

// unread are the files that could hide something of Flux, which is not held against a snapshot then.
func (r *repository) unread() []finding.Finding {
	var all []finding.Finding
	for _, b := range r.broken {
		if b.flux || isKustomizationFile(b.file) {
			all = append(all, finding.Finding{Severity: finding.Warning, Code: finding.FileNotRead, File: b.file,
				Index: b.index, Message: b.message()})
		}
	}
	return all
}

// wants are what the repository says of its clusters.
func (r *repository) wants(cfg config.Config) ([]live.Want, []finding.Finding, error) {
	files, err := inventory.Open(r.tree)
	if err != nil {
		return nil, nil, err
	}
	wants, findings := live.Wants(r.set, files, cfg)
	return wants, findings, nil
}

// reportsOf are a report for each cluster and each snapshot of it, because several may share what is in Git, and the
// snapshots that are of no cluster. One snapshot of the only cluster is of that, whatever it shows.
func reportsOf(snapshots []live.Snapshot, wants []live.Want, now time.Time) (reports []live.Report,
	strangers []live.Snapshot) {
	only := len(snapshots) == 1 && len(wants) == 1
	for _, s := range snapshots {
		fits := only
		for _, w := range wants {
			if only || s.Fits(w) {
				fits, reports = true, append(reports, live.Verify(s, w, now))
			}
		}
		if !fits {
			strangers = append(strangers, s)
		}
	}
	return reports, strangers
}
