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
		run.Objects = report.Objects(set, outcome.Installs, nil)
		run.Files = changedFiles(set, run.Objects)
	}
	return finding.Finding{Severity: finding.Info, Code: finding.PullRequestReport, Topic: finding.Report,
		Message: report.Of(run).Markdown()}
}

// changedFiles are the files that hold what changes; none where items carry no paths.
func changedFiles(set *object.Set, objects []report.Object) []report.File {
	var files []report.File
	for _, o := range objects {
		if o.File == "" || o.Action == "unchanged" ||
			slices.ContainsFunc(files, func(f report.File) bool { return f.Path == o.File }) {
			continue
		}
		if o.Action == "deleted" && len(set.InFile(o.File)) > 0 {
			o.Action = "configured"
		}
		files = append(files, report.File{Action: o.Action, Path: o.File})
	}
	slices.SortFunc(files, func(a, b report.File) int { return strings.Compare(a.Path, b.Path) })
	return files
}
