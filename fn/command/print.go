package command

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/reason"
)

// formats are the ways to print a plan.
var formats = map[string]func(io.Writer, *Result) error{"text": printText, "json": printReport, "yaml": printYAML}

func printText(out io.Writer, r *Result) error {
	_, err := io.WriteString(out, printable.Log(planText(r, isTerminal(out))))
	return err
}

func printReport(out io.Writer, r *Result) error {
	text, err := json.MarshalIndent(reportOf(r), "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", printable.JSON(text))
	return err
}

func printYAML(out io.Writer, r *Result) error {
	text, err := json.Marshal(reportOf(r))
	if err != nil {
		return err
	}
	node, err := reason.With(kyaml.Parse(string(printable.JSON(text)))) // YAML takes no control character, and JSON escapes it
	if err != nil {
		return err
	}
	inBlocks(node.YNode())
	safe, err := node.String()
	if err != nil {
		return err
	}
	_, err = out.Write(printable.JSON([]byte(safe)))
	return err
}

// inBlocks writes JSON as people write YAML. Texts that could start a line, that a terminal would not show as they are, or in which a CI
// runner finds a command, are in quotes and on one line.
func inBlocks(node *kyaml.Node) {
	node.Style = 0
	if node.Kind == kyaml.ScalarNode && node.Tag == kyaml.NodeTagString && !plain(node.Value) {
		node.Style = kyaml.DoubleQuotedStyle
	}
	for _, entry := range node.Content {
		inBlocks(entry)
	}
}

// plain reports whether a text can stand without quotes: `yes` is none for a parser of YAML 1.1.
func plain(text string) bool {
	var read any
	return printable.Line(text) == text && yaml.Unmarshal([]byte(text), &read) == nil && read == text
}

// planJSON is a plan for machines. Lists are never null, and what has no line has none.
type planJSON struct {
	Clusters []migrate.Cluster `json:"clusters"`
	Findings []placed          `json:"findings"`
	Objects  []Action          `json:"objects"`
	Files    []File            `json:"files"`
}

// placed is a finding with the line in its file.
type placed struct {
	finding.Finding
	Line int `json:"line,omitempty"`
}

func reportOf(r *Result) planJSON {
	all := planJSON{append([]migrate.Cluster{}, r.Clusters...), []placed{}, append([]Action{}, r.Objects...), append([]File{}, r.Files...)}
	for _, f := range r.Findings {
		all.Findings = append(all.Findings, placed{f, r.places.of(f)})
	}
	return all
}

// planText is the plan for people.
func planText(r *Result, color bool) string {
	p := printer{color: color, result: r}
	for i, c := range r.Clusters {
		p.cluster(c, r.Installs[i])
		p.findings(c.Path)
	}
	p.findings("")
	p.objects()
	return p.out.String()
}

type printer struct {
	out    strings.Builder
	color  bool
	result *Result
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(&p.out, format+"\n", args...) }

// paint colours a word on a terminal.
func (p *printer) paint(code, word string) string {
	if !p.color || code == "" {
		return word
	}
	return "\x1b[" + code + "m" + word + "\x1b[0m"
}

// headlines say what will become of a cluster.
var headlines = map[string]string{
	migrate.Deployed:  "Flux Operator will be added beside the classic install",
	migrate.CleanedUp: "the classic install will be removed",
	migrate.Unchanged: "nothing to do",
	migrate.Refused:   "refused, see the errors",
}

// headline says what will become of a cluster; with an Error anywhere, nothing does.
func (p *printer) headline(outcome string) string {
	if p.result.Failed() && outcome != migrate.Refused {
		return "nothing will be changed, because there are errors"
	}
	return cmp.Or(headlines[outcome], outcome)
}

func (p *printer) cluster(c migrate.Cluster, install *classic.Install) {
	p.line("%s", p.paint("1", "Cluster ./"+printable.Line(strings.TrimPrefix(c.Path, "."))+": "+p.headline(c.Outcome)))
	p.line("  install     %s, Flux %s, %s (%s)", c.Layout, c.Version, counted(c.Patches, "patch", "patches"), p.place(install.Anchor))
	p.line("  components  %s", printable.Line(strings.Join(c.Components, ", ")))
	p.line("  source      %s (%s)", c.Source, p.place(install.Pair.Source))
	p.line("  root        %s (%s)", c.Root, p.place(install.Pair.Root))
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// place is the file and line of an object; only the source of a pair that stays as it is may be in no file.
func (p *printer) place(o *object.Object) string {
	if o.File == "" {
		return "not in the input"
	}
	return printable.Line(p.result.places.located(finding.Finding{Object: o.ID, File: o.File, Index: o.Index}).File)
}

// topics are the parts of a plan that come after Errors and Warnings.
var topics = []struct {
	topic finding.Topic
	title string
}{
	{finding.Found, "Found"}, {finding.Moved, "Moved"}, {finding.Reference, "References"}, {finding.Imposed, "What Flux Operator changes"},
	{finding.Proof, "Proof that nothing is pruned"}, {finding.Prerequisite, "Must exist on the cluster"}, {finding.Bootstrap, "To rebuild the cluster"}, {finding.Look, "Look at the cluster first"}, {finding.Wait, "Wait"},
	{finding.Verify, "Check"}, {finding.Rollback, "Go back"}, {notRead, "Not read"},
}

// colors are those of severities and actions.
var colors = map[string]string{string(finding.Error): "31", string(finding.Warning): "33", "created": "32", "configured": "33", "deleted": "31"}

// findings prints those of one cluster, the worst first.
func (p *printer) findings(cluster string) {
	of := func(severity finding.Severity, topic finding.Topic) []finding.Finding {
		return slices.DeleteFunc(slices.Clone(p.result.Findings), func(f finding.Finding) bool {
			return f.Severity != severity || f.Cluster != cluster || topic != "" && f.Topic != topic
		})
	}
	for _, severity := range []finding.Severity{finding.Error, finding.Warning} {
		for _, f := range of(severity, "") {
			p.line("  %s %s", p.paint(colors[string(severity)], string(severity)+":"), p.sentence(f))
		}
	}
	for _, t := range topics {
		p.topic(t.title, of(finding.Info, t.topic))
	}
}

// spelled is how many files that are not read a plan spells out; the rest is for --output json.
const spelled = 3

func (p *printer) topic(title string, findings []finding.Finding) {
	if len(findings) == 0 {
		return
	}
	p.line("  %s", p.paint("1", title))
	for i, f := range findings {
		if f.Topic == notRead && i == spelled {
			p.line("  - and %d more, see --output json", len(findings)-i)
			break
		}
		p.line("  - %s", p.sentence(f))
	}
}

// sentence is a finding with its place: before what has to be looked at, behind what is only told.
func (p *printer) sentence(f finding.Finding) string {
	located := p.result.places.located(f)
	switch where := located.Where(); {
	case f.Severity != finding.Info && where != "":
		return where + ": " + f.Message
	case f.Severity == finding.Info && slices.Contains([]finding.Topic{finding.Found, finding.Moved, finding.Reference, finding.Prerequisite}, f.Topic) && located.File != f.File:
		return f.Message + " (" + printable.Line(located.File) + ")"
	}
	return f.Message
}

// objects prints what becomes of each object and which files change.
func (p *printer) objects() {
	r := p.result
	if len(r.Objects) > 0 {
		p.line("%s", p.paint("1", "Objects in Git"))
	}
	for _, a := range r.Objects {
		file := printable.Line(a.File)
		if a.Line > 0 {
			file = fmt.Sprintf("%s:%d", file, a.Line)
		}
		p.line("  %s %s (%s)", p.paint(colors[a.Action], fmt.Sprintf("%-10s", a.Action)), a.Object, file)
	}
	p.line("%s", p.paint("1", "Files"))
	for _, f := range r.Files {
		p.line("  %s %s", p.paint(colors[f.Action], fmt.Sprintf("%-10s", f.Action)), printable.Line(f.Path))
	}
	if len(r.Files) == 0 {
		p.line("  none changes")
	}
}

// warnings prints what a run warns of.
func (p *printer) warnings() {
	for _, f := range p.result.Findings {
		if f.Severity == finding.Warning {
			p.line("%s %s", p.paint(colors[string(finding.Warning)], "warning:"), p.sentence(f))
		}
	}
}

// printWarnings prints what a run warns of, and nothing else.
func printWarnings(out io.Writer, r *Result) error {
	p := printer{color: isTerminal(out), result: r}
	p.warnings()
	_, err := io.WriteString(out, printable.Log(p.out.String()))
	return err
}

// printApplied says what was written and what comes next.
func printApplied(out io.Writer, r *Result) error {
	p := printer{color: isTerminal(out), result: r}
	for _, f := range r.Files {
		p.line("%s %s", p.paint(colors[f.Action], fmt.Sprintf("%-10s", f.Action)), printable.Line(f.Path))
	}
	if len(r.Files) == 0 {
		p.line("nothing to do: no file changes")
	}
	p.warnings()
	if r.add != "" && printable.Fits(string(r.add)) {
		p.line("next: commit what was changed, and nothing else: %s", r.add)
	}
	for _, f := range r.Findings {
		if f.Topic == finding.Wait || f.Topic == finding.Verify {
			p.line("next: %s", f.Message)
		}
	}
	_, err := io.WriteString(out, printable.Log(p.out.String()))
	return err
}
