package command

import (
	"io"
	"os"

	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/report"
)

// writeReport writes the report for the pull request into a file, or to stdout for -.
func writeReport(out io.Writer, file string, r *Result) error {
	run := report.Run{Outcome: r.Outcome, Config: r.config, Trees: r.trees, Line: r.places.line}
	for _, f := range r.Files {
		run.Files = append(run.Files, report.File(f))
	}
	for _, a := range r.Objects {
		run.Objects = append(run.Objects, report.Object{Action: a.Action, ID: a.Object, File: a.File, Index: a.index})
	}
	text := printable.Log(report.Markdown(run))
	if file == "-" {
		_, err := io.WriteString(out, text)
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
