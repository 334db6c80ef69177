// Package report writes the account of a run for the people who review it: Markdown with Mermaid pictures, as GitHub and
// GitLab render it in a pull request. It is pure, and the same run is the same text.
package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/proof"
)

// Run is what a report is about.
type Run struct {
	migrate.Outcome
	Config config.Config
	// Trees are what each Flux Kustomization applies, of the clusters for which the proof built it.
	Trees []proof.Trees
	// Files are the files that change, Objects what becomes of each object that the run is about.
	Files   []File
	Objects []Object
	// Line finds the line of a field of an object in its file, 0 where it cannot be told; nil where items have no lines.
	Line func(file string, index int, field string) int
}

// File is what becomes of a file: created, configured or deleted.
type File struct{ Action, Path string }

// Object is what becomes of an object in Git: created, configured, unchanged or deleted.
type Object struct {
	Action string
	object.ID
	File  string
	Index int
}

// Markdown writes the report.
func Markdown(run Run) string {
	w := &writer{run: run, told: map[finding.Finding]bool{}}
	w.head()
	for i := range run.Clusters {
		w.cluster(&run.Clusters[i], run.Installs[i])
	}
	w.rest()
	w.leaving()
	w.files()
	return strings.TrimRight(w.out.String(), "\n") + "\n"
}

// writer writes one report.
type writer struct {
	run Run
	out strings.Builder
	// told are the findings that the report has said, so that none is forgotten whatever its topic.
	told map[finding.Finding]bool
}

// line writes one line of Markdown.
func (w *writer) line(format string, args ...any) { fmt.Fprintf(&w.out, format+"\n", args...) }

// paragraph writes a line and the empty one that ends it.
func (w *writer) paragraph(format string, args ...any) { w.line(format+"\n", args...) }

// titles name what the commit does.
var titles = map[string]string{
	config.Deploy:  "Hand Flux over to Flux Operator",
	config.Cleanup: "Remove the classic Flux install",
}

// orders say what to mind before the commit is pushed.
var orders = map[string]string{
	config.Deploy: "This commit adds Flux Operator beside the classic install, which stays in Git. Push it alone, and remove nothing of the " +
		"classic install until the checks below show that Flux Operator owns it: both in one push delete every Flux object and what Flux applied.",
	config.Cleanup: "This commit removes the classic install from Git. Push it only when Flux Operator owns everything below on the cluster: before " +
		"that, Flux would delete what the commit removes.",
}

func (w *writer) head() {
	w.paragraph("# %s", titles[w.run.Config.Phase])
	switch {
	case w.run.Failed():
		w.paragraph("> [!CAUTION]\n> Refused: nothing is changed. The errors below say what to do first.")
	case len(w.run.Files) == 0 && len(w.run.Objects) == 0:
		w.paragraph("> [!NOTE]\n> Nothing to do: no file changes.")
	default:
		w.paragraph("> [!IMPORTANT]\n> %s", orders[w.run.Config.Phase])
	}
	w.summary()
}

// outcomes say what becomes of a cluster.
var outcomes = map[string]string{
	migrate.Deployed:  "Flux Operator is added",
	migrate.CleanedUp: "the classic install goes",
	migrate.Unchanged: "nothing to do",
	migrate.Refused:   "refused",
}

// summary is one row for each cluster.
func (w *writer) summary() {
	if len(w.run.Clusters) == 0 {
		return
	}
	w.line("| cluster | classic install | Flux | sync pair | result | errors | warnings |\n|---|---|---|---|---|---|---|")
	for _, c := range w.run.Clusters {
		w.line("| %s | %s | %s | %s, %s | %s | %d | %d |", code(clusterPath(c)), cell(c.Layout), cell(c.Version), code(c.Source.String()),
			code(c.Root.String()), outcomes[c.Outcome], len(w.of(c.Path, finding.Error, "")), len(w.of(c.Path, finding.Warning, "")))
	}
	w.line("")
}

func clusterPath(c migrate.Cluster) string { return "./" + strings.TrimPrefix(c.Path, ".") }

// cluster writes everything about one cluster.
func (w *writer) cluster(c *migrate.Cluster, install *classic.Install) {
	w.paragraph("## Cluster %s", code(clusterPath(*c)))
	w.problems(c.Path)
	w.found(c, install)
	if c.Outcome == migrate.Deployed || c.Outcome == migrate.CleanedUp {
		w.pictures(c, install)
	}
	w.fields(c.Fields)
	for _, s := range sections {
		w.section(c.Path, s)
	}
	w.steps(c.Path)
}

// found says what the install was recognised by.
func (w *writer) found(c *migrate.Cluster, install *classic.Install) {
	w.paragraph("### What was found")
	w.line("| | | where |\n|---|---|---|")
	w.line("| classic install | %s, Flux %s, %d %s | %s |", cell(c.Layout), cell(c.Version), c.Patches, plural("patch", c.Patches), w.where(install.Anchor))
	w.line("| components | %s | |", cell(strings.Join(c.Components, ", ")))
	w.line("| source | %s | %s |", code(c.Source.String()), w.whereSource(install.Pair))
	w.line("| root | %s | %s |", code(c.Root.String()), w.where(install.Pair.Root))
	if c.Instance != "" {
		w.line("| FluxInstance | | %s |", code(c.Instance))
	}
	w.line("")
	w.list(w.of(c.Path, finding.Info, finding.Found), "-")
}

// where is the file and line of an object.
func (w *writer) where(o *object.Object) string { return code(w.at(o.File, o.Index, "", true)) }

// whereSource is the file and line of the source of a pair.
func (w *writer) whereSource(pair classic.Pair) string {
	if pair.SourceUnseen {
		return "not in the input"
	}
	return w.where(pair.Source)
}

// section is a part of the report that lists findings of one topic.
type section struct {
	topic        finding.Topic
	title, intro string
	bullet       string
	// bare leaves out where a finding stands: it is about the install as a whole.
	bare bool
}

// sections are the lists between the fields and the steps.
var sections = []section{
	{finding.Moved, "Worth a look", "", "-", false},
	{finding.Imposed, "What Flux Operator changes by itself", "With these releases and this install, whoever migrates it:", "-", true},
	{finding.Reference, "References", "", "-", false},
	{finding.Proof, "Proof that nothing is pruned", "", "-", true},
	{finding.Prerequisite, "Must exist on the cluster", "", "- [ ]", false},
	{finding.Bootstrap, "To rebuild the cluster", "", "-", false},
}

func (w *writer) section(cluster string, s section) {
	findings := w.of(cluster, finding.Info, s.topic)
	if len(findings) == 0 {
		return
	}
	w.paragraph("### %s", s.title)
	if s.intro != "" {
		w.paragraph("%s", s.intro)
	}
	for _, f := range findings {
		place := w.place(f)
		if s.bare {
			place = ""
		}
		w.finding(f, s.bullet, place)
	}
	w.line("")
}

// problems are the Errors and Warnings, which come first.
func (w *writer) problems(cluster string) {
	for _, level := range []struct {
		severity finding.Severity
		title    string
	}{{finding.Error, "Errors"}, {finding.Warning, "Warnings"}} {
		if findings := w.of(cluster, level.severity, ""); len(findings) > 0 {
			w.paragraph("### %s", level.title)
			w.list(findings, "-")
		}
	}
}

// of are the findings of a cluster of one severity and topic, all topics when it is empty.
func (w *writer) of(cluster string, severity finding.Severity, topic finding.Topic) []finding.Finding {
	return slices.DeleteFunc(slices.Clone(w.run.Findings), func(f finding.Finding) bool {
		return f.Severity != severity || f.Cluster != cluster || topic != "" && f.Topic != topic
	})
}

// list writes findings, each with its place.
func (w *writer) list(findings []finding.Finding, bullet string) {
	for _, f := range findings {
		w.finding(f, bullet, w.place(f))
	}
	if len(findings) > 0 {
		w.line("")
	}
}

// finding writes one finding.
func (w *writer) finding(f finding.Finding, bullet, place string) {
	w.told[f] = true
	w.line("%s %s%s", bullet, text(f.Message), place)
}

// place is where a finding stands, in parentheses.
func (w *writer) place(f finding.Finding) string {
	var parts []string
	if f.File != "" {
		parts = append(parts, code(w.at(f.File, f.Index, f.Field, f.Object.Kind != "")))
	}
	if f.Object.Kind != "" {
		parts = append(parts, code(f.Object.String()))
	}
	if f.Field != "" {
		parts = append(parts, code(f.Field))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// at is a file with the line of a field, where it is known.
func (w *writer) at(file string, index int, field string, known bool) string {
	if w.run.Line == nil || !known {
		return file
	}
	if line := w.run.Line(file, index, field); line > 0 {
		return fmt.Sprintf("%s:%d", file, line)
	}
	return file
}

// fields is the table of everything that the classic install says.
func (w *writer) fields(moves []instance.Move) {
	if len(moves) == 0 {
		return
	}
	w.paragraph("### What becomes of each field")
	said, dropped := split(moves)
	w.paragraph("%d fields and patches of the classic install go into the FluxInstance, %d need no counterpart there.", len(said), len(dropped))
	if w.run.Config.Instance.Form == config.HelmRelease {
		w.paragraph("The fields are named as in a FluxInstance: in the HelmRelease %s stands as %s.", code("spec"), code("spec.values.instance"))
	}
	w.table(said)
	if len(dropped) > 0 {
		w.paragraph("<details><summary>No counterpart needed: %d %s</summary>", len(dropped), plural("field", len(dropped)))
		w.table(dropped)
		w.paragraph("</details>")
	}
}

// split tells what the FluxInstance says from what it need not say.
func split(moves []instance.Move) (said, dropped []instance.Move) {
	for _, move := range moves {
		if move.To == "" {
			dropped = append(dropped, move)
		} else {
			said = append(said, move)
		}
	}
	return said, dropped
}

// table writes the moves, those of one object below its name.
func (w *writer) table(moves []instance.Move) {
	head := "| field | value | goes to | |\n|---|---|---|---|"
	if w.run.Line != nil {
		head = "| line | field | value | goes to | |\n|---|---|---|---|---|"
	}
	var last instance.Move
	for i, move := range moves {
		if i == 0 || move.Object != last.Object || move.File != last.File {
			if i > 0 {
				w.line("")
			}
			w.paragraph("%s in %s:", code(move.Object.String()), code(cmp.Or(move.File, "the input")))
			w.line("%s", head)
		}
		w.line("|%s %s | %s | %s | %s |", w.number(move), code(move.Field), value(move.Value), destination(move.To), cell(move.Why))
		last = move
	}
	w.line("")
}

// number is the cell with the line of a field; there is none where items have no lines.
func (w *writer) number(move instance.Move) string {
	switch {
	case w.run.Line == nil:
		return ""
	case move.File == "":
		return " |"
	}
	if line := w.run.Line(move.File, move.Index, move.Field); line > 0 {
		return fmt.Sprintf(" %d |", line)
	}
	return " |"
}

// destination is where a field goes: each part of it as code.
func destination(to string) string {
	if to == "" {
		return ""
	}
	var parts []string
	for _, part := range strings.Split(to, ", ") {
		field, pointer, _ := strings.Cut(part, " ")
		parts = append(parts, strings.TrimSpace(code(field)+" "+code(pointer)))
	}
	return strings.Join(parts, ", ")
}

// steps are what to do after the push, with commands to copy.
func (w *writer) steps(cluster string) {
	for _, s := range []struct {
		topic finding.Topic
		title string
	}{{finding.Look, "Look at the cluster first"}, {finding.Wait, "Wait"}, {finding.Verify, "Check"}, {finding.Rollback, "Go back"}} {
		findings := w.of(cluster, finding.Info, s.topic)
		if len(findings) == 0 {
			continue
		}
		w.paragraph("### %s", s.title)
		for i, f := range findings {
			w.told[f] = true
			w.paragraph("%d. %s", i+1, text(capital(f.Sentence())+ending(f)))
			if f.Command != "" {
				w.paragraph("   ```shell\n   %s\n   ```", strings.ReplaceAll(f.Command, "\n", "\n   "))
			}
		}
	}
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// ending is the mark between a sentence and its command.
func ending(f finding.Finding) string {
	if f.Command != "" {
		return ":"
	}
	return "."
}

// rest is what concerns no cluster in particular, and whatever else was found.
func (w *writer) rest() {
	if len(w.of("", finding.Error, ""))+len(w.of("", finding.Warning, "")) > 0 {
		w.paragraph("## The whole repository")
		w.problems("")
	}
	other := slices.DeleteFunc(slices.Clone(w.run.Findings), func(f finding.Finding) bool { return w.told[f] })
	if len(other) == 0 {
		return
	}
	w.paragraph("<details><summary>Also noted: %d</summary>", len(other))
	w.list(other, "-")
	w.paragraph("</details>")
}

// files lists the files that change, folded where they are many.
func (w *writer) files() {
	if len(w.run.Files) == 0 {
		return
	}
	w.paragraph("## Files")
	w.line("| | |\n|---|---|")
	for _, f := range w.run.Files {
		w.line("| %s | %s |", f.Action, code(f.Path))
	}
}

// leaving lists the objects that leave Git by their files, and what becomes of them on the cluster.
func (w *writer) leaving() {
	var operator []flux.ID
	for _, c := range w.run.Clusters {
		operator = append(operator, c.Operator...)
	}
	type group struct{ file, fate string }
	groups := map[group]*box{}
	for _, o := range w.run.Objects {
		if o.Action != "deleted" {
			continue
		}
		g := group{o.File, "goes"}
		if slices.ContainsFunc(operator, func(id flux.ID) bool { return isObject(id, o.ID) }) {
			g.fate = "stays: Flux Operator has it"
		}
		if groups[g] == nil {
			groups[g] = &box{}
		}
		groups[g].objects = append(groups[g].objects, flux.ID{Kind: o.Kind, Name: o.Name})
	}
	if len(groups) == 0 {
		return
	}
	w.paragraph("## What leaves Git")
	w.line("| file | objects | on the cluster |\n|---|---|---|")
	for _, g := range slices.SortedFunc(maps.Keys(groups), func(a, b group) int { return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.fate, b.fate)) }) {
		w.line("| %s | %s | %s |", code(g.file), cell(strings.Join(groups[g].kinds(math.MaxInt), ", ")), g.fate)
	}
	w.line("")
}
