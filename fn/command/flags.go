package command

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"migrate-to-flux-operator/fn/checkout"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/limit"
	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/report"
)

// configFlags are the flags for the config: --config, and one for each field, which wins.
type configFlags struct {
	file   string
	live   []string
	values map[string]*string

	subfolder, redact bool
}

// flagNames are the flags in the order of the config's fields.
var flagNames = []struct{ flag, field, usage string }{
	{"phase", "phase", "deploy or cleanup"},
	{"taken-over", "takenOver", "you have seen that Flux Operator owns the root, the source and the Flux objects " +
		"(cleanup)"},
	{"cluster", "clusters", "sync path of a cluster to migrate, or its root as Kustomization/NAMESPACE/NAME; several " +
		"with commas or as several flags; all when empty"},
	{"operator-version", "operator.version", "version of the flux-operator chart"},
	{"operator-install", "operator.install", "HelmRelease, or external when Flux Operator is already installed"},
	{"operator-values", "operator.values", "values of the flux-operator chart, as YAML"},
	{"operator-kustomization", "operator.kustomization", "name of the new Flux Kustomization for Flux Operator"},
	{"operator-release", "operator.release", "name of the new HelmRelease of Flux Operator and of its source"},
	{"operator-charts", "operator.charts", "OCI repository with the charts of Flux Operator, such as a mirror"},
	{"instance-form", "instance.form", "FluxInstance, or HelmRelease for the flux-instance chart"},
	{"instance-version", "instance.version", "minor, exact or a semver range"},
	{"instance-kustomization", "instance.kustomization", "name of the new Flux Kustomization for the FluxInstance"},
	{"instance-release", "instance.release", "name of the new HelmRelease of the flux-instance chart and of its " +
		"source"},
	{"sync-mode", "sync.mode", "adopt or keep"},
	{"sync-path", "sync.path", "move the root path"},
	{"output-dir", "outputDir", "folder for new files"},
	{"bootstrap", "bootstrap", "for a rebuilt cluster: none, helmfile, shell or terraform"},
	{"proof", "proof", "on, or off to leave out the proof that nothing is pruned"},
}

// bind adds the flags, of the fields those that are named, or all.
func (f *configFlags) bind(cmd *cobra.Command, fields ...string) {
	f.values = map[string]*string{}
	for _, name := range flagNames {
		if len(fields) > 0 && !slices.Contains(fields, name.field) {
			continue
		}
		value := new(string)
		f.values[name.field] = value
		if name.field == "clusters" {
			cmd.Flags().Var((*listValue)(value), name.flag, name.usage)
			continue
		}
		cmd.Flags().StringVar(value, name.flag, "", name.usage)
		if name.field == "takenOver" {
			cmd.Flags().Lookup(name.flag).NoOptDefVal = "true"
		}
	}
	cmd.Flags().StringVar(&f.file, "config", "", "file with the function config")
	cmd.Flags().StringArrayVar(&f.live, "live", nil, "what the script of verify wrote about a cluster, - for stdin; "+
		"one for each cluster; it stands for --taken-over (cleanup)")
	bindSubfolder(cmd, &f.subfolder)
	cmd.Flags().SortFlags = false
}

// bindSubfolder adds the flag for a DIR that is only a part of a checkout.
func bindSubfolder(cmd *cobra.Command, value *bool) {
	cmd.Flags().BoolVar(value, "subfolder", false, "only DIR is meant, though it is a part of a checkout: what the "+
		"rest holds is not seen")
}

// listValue is the value of a flag that may be given several times: all that was given, with commas.
type listValue string

// String is the list.
func (l *listValue) String() string { return string(*l) }

// Type is what the usage calls the value.
func (l *listValue) Type() string { return "strings" }

// Set adds what one flag gives.
func (l *listValue) Set(given string) error {
	if *l != "" {
		given = string(*l) + "," + given
	}
	*l = listValue(given)
	return nil
}

// config reads the file and lets the flags that were given win.
func (f *configFlags) config(cmd *cobra.Command, dir string) (config.Config, error) {
	cfg := config.Default()
	if f.file != "" {
		text, err := readGiven(dir, f.file, limit.Size)
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
		if name.field == "clusters" && strings.Trim(*f.values[name.field], ", ") == "" {
			return cfg, fmt.Errorf("--%s names no cluster: give its sync path, or leave the flag out for all clusters",
				name.flag)
		}
		if err := cfg.Set(name.field, *f.values[name.field]); err != nil {
			return cfg, fmt.Errorf("--%s: %w", name.flag, err)
		}
	}
	return cfg, cfg.Validate()
}

// run reads the config and what kubectl said, and migrates the checkout in memory.
func (f *configFlags) run(cmd *cobra.Command, dir string) (*Result, error) {
	job := job{dir: dir, subfolder: f.subfolder, now: time.Now(), progress: progressOn(cmd.ErrOrStderr()),
		call: f.called(cmd, dir)}
	// a file that is given may be a pipe
	return interruptible(cmd.Context(), func(ctx context.Context) (*Result, error) {
		var err error
		if job.config, err = f.config(cmd, dir); err != nil {
			return nil, err
		}
		for _, file := range f.live {
			if job.config.Phase != config.Cleanup {
				return nil, fmt.Errorf("--live %s: only the phase cleanup looks at the cluster; add --phase cleanup, "+
					"or run verify", file)
			}
			snapshot, err := readLive(cmd.InOrStdin(), dir, file)
			if err != nil {
				return nil, err
			}
			job.live = append(job.live, snapshot)
		}
		return job.run(ctx)
	})
}

// diff prints what a run would change, and on stderr what it warns of.
func (f *configFlags) diff(cmd *cobra.Command, dir string) (*Result, error) {
	result, err := f.run(cmd, dir)
	if err != nil {
		return nil, err
	}
	if err := result.failure(); err != nil {
		return nil, err
	}
	if err := printWarnings(cmd.ErrOrStderr(), result); err != nil {
		return nil, err
	}
	diff := checkout.Diff(result.changes)
	switch {
	case isTerminal(cmd.OutOrStdout()):
		diff = []byte(coloredDiff(printable.Text(string(diff)), report.Style{Color: colored(cmd.OutOrStdout())}))
	case printable.Commands(string(diff)):
		return nil, commanding(result.changes)
	}
	_, err = cmd.OutOrStdout().Write(diff)
	return result, err
}

// coloredDiff is a diff with what comes in green and what goes in red.
func coloredDiff(diff string, style report.Style) string {
	var out strings.Builder
	for line := range strings.Lines(diff) {
		text := strings.TrimSuffix(line, "\n")
		if text != "" && !strings.HasPrefix(text, "+++") && !strings.HasPrefix(text, "---") {
			text = style.Paint(text[:1], text)
		}
		out.WriteString(text + line[len(strings.TrimSuffix(line, "\n")):])
	}
	return out.String()
}

// commanding is the error of a diff that would give commands to a CI runner that prints it.
func commanding(changes []checkout.Change) error {
	var files []string
	for _, c := range changes {
		if printable.Commands(string(checkout.Diff([]checkout.Change{c}))) {
			files = append(files, printable.Line(c.Path))
		}
	}
	return fmt.Errorf("%s: no diff is printed, because a CI runner would obey a line of it, by two colons at its "+
		"start or by ## and a word in brackets: remove that line, or look at what apply makes",
		strings.Join(files, ", "))
}
