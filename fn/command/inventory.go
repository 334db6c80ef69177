package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"migrate-to-flux-operator/fn/checkout"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/proof"
)

// errLost is what inventory returns when a commit would make Flux delete something; it has said so already.
var errLost = errors.New("this commit would make Flux delete or lose objects")

// inventoryCommand is of use without any migration: what does each Flux Kustomization apply, and what will a commit
// prune?
func inventoryCommand() *cobra.Command {
	var against, output string
	var subfolder bool
	cmd := &cobra.Command{
		Use:   "inventory [DIR]",
		Short: "List what each Flux Kustomization applies, or what a change makes Flux prune",
		Long: "List what each Flux Kustomization of the checkout applies, recursively from the roots, from files " +
			"alone. With --against, compare\na Git revision with the working tree and say what becomes of each " +
			"object: exit code 1 when Flux would delete or lose something\nthat the repository still wants, or Flux " +
			"Operator something that a FluxInstance does not generate any longer.",
		Example: "  migrate-to-flux-operator inventory .\n  migrate-to-flux-operator inventory . --against origin/main",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := interruptible(cmd.Context(), func(context.Context) (struct{}, error) {
				if !slices.Contains([]string{"tree", "text", "json"}, output) {
					return struct{}{}, fmt.Errorf("--output %s: use tree, text or json", output)
				}
				if against == "" {
					return struct{}{}, listInventory(cmd, dirOf(args), output, subfolder)
				}
				return struct{}{}, compareInventory(cmd, dirOf(args), against, output, subfolder)
			})
			return err
		},
	}
	cmd.Flags().StringVar(&against, "against", "", "Git revision to compare the working tree with")
	cmd.Flags().StringVarP(&output, "output", "o", "tree", "tree, text or json")
	bindSubfolder(cmd, &subfolder)
	return cmd
}

func listInventory(cmd *cobra.Command, dir, output string, subfolder bool) error {
	tree, err := openTree(cmd.Context(), dir, subfolder)
	if err != nil {
		return err
	}
	defer tree.Close()
	warnLeftover(cmd, tree)
	files, err := inventory.Open(tree)
	if err != nil {
		return err
	}
	operates, err := operatedBy(tree)
	if err != nil {
		return err
	}
	warnUnknown(cmd, operates)
	clusters := files.Discover(rootsOf(operates)...)
	if len(clusters) == 0 {
		return noRoot(printable.Line(dir))
	}
	for _, cluster := range clusters {
		warnHazards(cmd, cluster.Inventory)
	}
	if output == "json" {
		return printJSON(cmd.OutOrStdout(), clusters)
	}
	for _, cluster := range clusters {
		text := cluster.Inventory.Tree()
		if output == "text" {
			text = cluster.Inventory.List()
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "cluster %s\n%s\n", printable.Line(cluster.Path),
			printable.Text(text)); err != nil {
			return err
		}
	}
	return nil
}

// noRoot is the error where nothing of Flux can be followed.
func noRoot(where string) error {
	return fmt.Errorf("%s: no root Flux Kustomization found: no Kustomization of %s syncs the folder that it is "+
		"defined in", where, "kustomize.toolkit.fluxcd.io")
}

// warnUnknown warns of the FluxInstances of which it is not known what Flux Operator generates for them.
func warnUnknown(cmd *cobra.Command, all []operated) {
	for _, o := range all {
		if o.err != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s: it is not known what Flux Operator generates for %s: %s\n",
				printable.Line(o.at.File), o.at.ID, printable.Line(o.err.Error()))
		}
	}
}

// warnHazards warns of what Flux would do to what makes Flux Operator run Flux.
func warnHazards(cmd *cobra.Command, inv *inventory.Inventory) {
	for _, h := range inv.Hazards() {
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s: %s: %s\n", printable.Line(h.Entry.File.String()),
			printable.Line(h.Entry.ID.String()), printable.Line(h.What))
	}
}

// compared is the verdict on one cluster.
type compared struct {
	Cluster string            `json:"cluster"`
	Summary string            `json:"summary"`
	Verdict inventory.Verdict `json:"verdict"`
}

// summaryOf says in one sentence what a commit makes Flux prune.
func summaryOf(verdict inventory.Verdict) string {
	var prunes, may []string
	for _, change := range verdict.Changes {
		switch {
		case change.Action == inventory.Lost:
			prunes = append(prunes, change.ID.String())
		case change.Severity == finding.Error:
			may = append(may, change.ID.String())
		}
	}
	text := "this commit makes Flux prune " + counted(prunes)
	if len(may) > 0 {
		text += "; it may make it prune " + counted(may)
	}
	others := 0
	for _, issue := range verdict.Issues {
		if issue.Severity == finding.Error {
			others++
		}
	}
	if others > 0 {
		text += fmt.Sprintf("; errors about more than one object: %d", others)
	}
	return text
}

// counted is how many objects there are, and the first of them.
func counted(names []string) string {
	const shown = 5
	if len(names) == 0 {
		return "nothing that files show"
	}
	text := printable.Count(len(names), "object") + ": " + strings.Join(names[:min(shown, len(names))], ", ")
	if more := len(names) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func compareInventory(cmd *cobra.Command, dir, revision, output string, subfolder bool) error {
	after, err := openTree(cmd.Context(), dir, subfolder)
	if err != nil {
		return err
	}
	defer after.Close()
	warnLeftover(cmd, after)
	before, err := revisionFiles(after, dir, revision)
	if err != nil {
		return err
	}
	was, err := inventory.Open(before)
	if err != nil {
		return err
	}
	is, err := was.With(after)
	if err != nil {
		return err
	}
	operated, err := operatedBy(before)
	if err != nil {
		return err
	}
	operates, err := operatedBy(after)
	if err != nil {
		return err
	}
	warnUnknown(cmd, operates)
	purposes, err := purposesIn(before)
	if err != nil {
		return err
	}
	clusters := was.Discover(rootsOf(operated)...)
	if len(clusters) == 0 {
		if len(is.Discover(rootsOf(operates)...)) == 0 {
			return noRoot(printable.Line(dir))
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: %v: there is nothing to compare with\n",
			noRoot(printable.Line(revision)))
	}
	all := []compared{}
	lost := false
	for _, cluster := range clusters {
		verdict := transitionOf(cluster, operated, operates).verdict(is, purposes[cluster.Path])
		lost = lost || !verdict.OK()
		all = append(all, compared{cluster.Path, summaryOf(verdict), verdict})
	}
	if err := printCompared(cmd.OutOrStdout(), all, output); err != nil {
		return err
	}
	if lost {
		return errLost
	}
	return nil
}

// purposesIn are what cleanup would do on purpose, by cluster, where a revision is such that cleanup could follow: with
// the FluxInstance and with every guard. What the proof of cleanup lets go is not lost to a comparison either.
func purposesIn(tree fs.FS) (map[string]inventory.CompareOptions, error) {
	set, err := setIn(tree)
	if err != nil {
		return nil, err
	}
	cfg := config.Default()
	cfg.Phase, cfg.TakenOver = config.Cleanup, true
	result := Result{Outcome: migrate.Migrate(set, cfg, func(int, int) {})}
	result.refuse()
	cfg.TakenOver = false // nobody has said so here, and the guards have to hold by themselves
	all := map[string]inventory.CompareOptions{}
	for i, cluster := range result.Clusters {
		if cluster.Outcome == migrate.CleanedUp {
			all[cluster.Path] = proof.Options(result.Installs[i], cfg)
		}
	}
	return all, nil
}

// revisionFiles are the files of a Git revision in the folder of a checkout.
func revisionFiles(tree *checkout.Tree, dir, revision string) (fs.FS, error) {
	repo := tree.Repository()
	if repo == nil {
		return nil, fmt.Errorf("--against: %s is not a Git checkout", printable.Line(dir))
	}
	commit, err := repo.Commit(revision)
	if err != nil {
		return nil, fmt.Errorf("--against: %w", err)
	}
	return commit.Files()
}

func printCompared(out io.Writer, all []compared, output string) error {
	if output == "json" {
		return printJSON(out, all)
	}
	for _, c := range all {
		if _, err := fmt.Fprintf(out, "cluster %s\n%s\n\n%s\n", printable.Line(c.Cluster), printable.Line(c.Summary),
			printable.Text(c.Verdict.Text())); err != nil {
			return err
		}
	}
	return nil
}

func printJSON(out io.Writer, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", printable.JSON(text))
	return err
}
