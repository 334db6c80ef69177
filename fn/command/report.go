package command

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"migrate-to-flux-operator/fn/checkout"
	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/report"
	"migrate-to-flux-operator/fn/shell"
)

// reportMark is the first line of a report, which Markdown does not show: a file that begins otherwise is somebody
// else's.
const reportMark = "<!-- Written by migrate-to-flux-operator, which overwrites only what begins with this line. -->\n"

// view is what people are told of a result.
func (r *Result) view() *report.View {
	return report.Of(report.Run{Outcome: r.Outcome, Config: r.config, Trees: r.trees, Files: r.Files,
		Objects: r.Objects, Line: r.places.line,
		Again: r.call.again("apply"), Cleanup: r.cleanup(), Stages: r.stages, Commit: r.commit})
}

// cleanup is the command that plans cleanup, once a cluster has taken over.
func (r *Result) cleanup() shell.Line {
	if len(r.Clusters) > 1 {
		return r.call.cleanup("plan", livesFile)
	}
	return r.call.cleanup("plan", liveFile)
}

// writeReport writes the report for the pull request into a file, or to stdout for -.
func writeReport(out io.Writer, dir, file string, r *Result) error {
	text := printable.Log(r.view().Markdown())
	if ext := strings.ToLower(filepath.Ext(file)); ext == ".html" || ext == ".htm" {
		page, err := r.view().Page()
		if err != nil {
			return err
		}
		text = printable.Log(page)
	}
	if file == "-" {
		_, err := io.WriteString(out, text)
		return err
	}
	name, inside := nameIn(dir, file)
	if !inside {
		dir, name = filepath.Dir(file), filepath.Base(file)
	}
	err := checkout.WriteOwn(dir, name, []byte(reportMark+"\n"+text), func(old []byte) bool {
		// What a runner of CI or mktemp has just made is empty; an empty file of the repository may have a meaning.
		return bytes.HasPrefix(old, []byte(reportMark)) || len(old) == 0 && !inside
	})
	if err != nil {
		return fmt.Errorf("--report %s: %w", printable.Line(file), err)
	}
	return nil
}
