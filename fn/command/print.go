package command

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/reason"
	"migrate-to-flux-operator/fn/report"
	"migrate-to-flux-operator/fn/shell"
)

// formats are the ways to print a plan for machines.
var formats = map[string]func(io.Writer, *Result) error{"json": printReport, "yaml": printYAML}

// printAs prints a plan in one of the formats.
func printAs(out io.Writer, r *Result, format string, verbose bool) error {
	if format == "text" {
		return printPlan(out, r, verbose)
	}
	return formats[format](out, r)
}

// printPlan prints the plan for people, all of it where they ask for it.
func printPlan(out io.Writer, r *Result, verbose bool) error {
	_, err := io.WriteString(out, printable.Log(r.view().Text(report.Style{Color: colored(out), Verbose: verbose,
		Width: widthOf(out)})))
	return err
}

// widthOf is how many columns a terminal has, within reason; 100 where there is none.
func widthOf(out io.Writer) int {
	const usual, least, most = 100, 60, 140
	if !isTerminal(out) {
		return usual
	}
	if p, isPipe := out.(pipe); isPipe {
		out = p.Writer
	}
	width, _, err := term.GetSize(int(out.(*os.File).Fd()))
	if err != nil {
		return usual
	}
	return min(max(width, least), most)
}

// colored reports whether a stream gets colours: a terminal does, unless NO_COLOR is set (no-color.org) or it is dumb.
func colored(out any) bool {
	return isTerminal(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
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
	// YAML takes no control character, and JSON escapes it
	node, err := reason.With(kyaml.Parse(string(printable.JSON(text))))
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

// inBlocks writes JSON as people write YAML. Texts that could start a line, that a terminal would not show as they are,
// or in which a CI runner finds a command, are in quotes and on one line.
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
	Objects  []report.Object   `json:"objects"`
	Files    []report.File     `json:"files"`
}

// placed is a finding with the line in its file.
type placed struct {
	finding.Finding
	Line int `json:"line,omitempty"`
}

func reportOf(r *Result) planJSON {
	all := planJSON{append([]migrate.Cluster{}, r.Clusters...), []placed{}, []report.Object{},
		append([]report.File{}, r.Files...)}
	for _, f := range r.Findings {
		all.Findings = append(all.Findings, placed{f, r.places.of(f)})
	}
	for _, o := range r.Objects {
		if o.Object.Name != "" { // a kustomization.yaml is on no cluster
			all.Objects = append(all.Objects, o)
		}
	}
	return all
}

// sentence is a finding with its place.
func (r *Result) sentence(f finding.Finding) string {
	if where := r.places.located(f).Where(); where != "" {
		return where + ": " + f.Message
	}
	return f.Message
}

// warnings are what a run warns of, each on a line.
func (r *Result) warnings(style report.Style) string {
	var said strings.Builder
	for _, f := range r.Findings {
		if f.Severity == finding.Warning {
			fmt.Fprintf(&said, "%s %s\n", style.Paint(string(finding.Warning), "warning:"), r.sentence(f))
		}
	}
	return said.String()
}

// printWarnings prints what a run warns of, and nothing else.
func printWarnings(out io.Writer, r *Result) error {
	_, err := io.WriteString(out, printable.Log(r.warnings(report.Style{Color: colored(out)})))
	return err
}

// printApplied says what was written and what comes next.
func printApplied(out io.Writer, r *Result) error {
	style := report.Style{Color: colored(out), Width: widthOf(out)}
	var said strings.Builder
	for _, f := range r.Files {
		fmt.Fprintf(&said, "%s %s\n", style.Paint(f.Action, fmt.Sprintf("%-10s", f.Action)), printable.Line(f.Path))
	}
	if len(r.Files) == 0 {
		said.WriteString("nothing to do: no file changes\n")
	}
	for _, f := range r.Findings {
		if len(r.Clusters) == 0 && f.Topic == finding.Found {
			said.WriteString(r.sentence(f) + "\n")
		}
	}
	commit := r.commit
	if !printable.Fits(string(shell.And(commit...))) {
		commit = nil
	}
	said.WriteString(r.view().Done(style, commit))
	_, err := io.WriteString(out, printable.Log(said.String()))
	return err
}
