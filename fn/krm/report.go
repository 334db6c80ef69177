package krm

import (
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/proof"
	"migrate-to-flux-operator/fn/report"
)

// reported is the report for the pull request as a result.
func reported(set *object.Set, outcome migrate.Outcome, trees []proof.Trees, cfg config.Config) finding.Finding {
	run := report.Run{Outcome: outcome, Config: cfg, Trees: trees}
	if !outcome.Failed() {
		run.Files, run.Objects = changesOf(set)
	}
	return finding.Finding{Severity: finding.Info, Topic: finding.Report, Message: report.Markdown(run)}
}

// changesOf are the changes of the set, by object and by file; there are no files where items carry no paths.
func changesOf(set *object.Set) (files []report.File, objects []report.Object) {
	add := func(o *object.Object, action, fileAction string) {
		if o.Name != "" {
			objects = append(objects, report.Object{Action: action, ID: o.ID, File: o.File, Index: o.Index})
		}
		if o.File != "" && !slices.ContainsFunc(files, func(f report.File) bool { return f.Path == o.File }) {
			files = append(files, report.File{Action: fileAction, Path: o.File})
		}
	}
	for _, o := range slices.SortedStableFunc(slices.Values(set.Input()), object.Compare) {
		switch {
		case set.Removed(o) && len(set.InFile(o.File)) == 0:
			add(o, "deleted", "deleted")
		case set.Removed(o):
			add(o, "deleted", "configured")
		case o.Changed():
			add(o, "configured", "configured")
		}
	}
	for _, o := range set.Added() {
		add(o, "created", "created")
	}
	slices.SortFunc(files, func(a, b report.File) int { return strings.Compare(a.Path, b.Path) })
	return files, objects
}
