package command

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
)

// printPlan prints a result for people or for machines.
func printPlan(out io.Writer, r *Result, format string) error {
	switch format {
	case "text":
		_, err := io.WriteString(out, planText(r, isTerminal(out)))
		return err
	case "json":
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s\n", text)
		return err
	case "yaml":
		text, err := yaml.Marshal(r)
		if err != nil {
			return err
		}
		_, err = out.Write(text)
		return err
	}
	return fmt.Errorf("--output %s: use text, json or yaml", format)
}

// planText is the plan for people.
func planText(r *Result, color bool) string {
	p := printer{color: color}
	for _, c := range r.Clusters {
		p.cluster(c)
		p.findings(r.Findings, c.Path)
	}
	p.findings(r.Findings, "")
	p.objects(r)
	return p.out.String()
}

type printer struct {
	out   strings.Builder
	color bool
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(&p.out, format+"\n", args...) }

// paint colours a word on a terminal.
func (p *printer) paint(code, word string) string {
	if !p.color {
		return word
	}
	return "\x1b[" + code + "m" + word + "\x1b[0m"
}

func (p *printer) cluster(c migrate.Cluster) {
	p.line("%s", p.paint("1", "Cluster ./"+strings.TrimPrefix(c.Path, ".")+": "+c.Outcome))
	p.line("  install     %s, Flux %s, %d patches", c.Layout, c.Version, c.Patches)
	p.line("  components  %s", strings.Join(c.Components, ", "))
	p.line("  source      %s (%s)", c.Source, c.SourceFile)
	p.line("  root        %s (%s)", c.Root, c.RootFile)
}

// topics are the parts of a plan that come after Errors and Warnings.
var topics = []struct {
	topic finding.Topic
	title string
}{
	{finding.Found, "Found"}, {finding.Moved, "Moved"}, {finding.Reference, "References"}, {finding.Imposed, "What Flux Operator changes"},
	{finding.Proof, "Proof that nothing is pruned"}, {finding.Prerequisite, "Must exist on the cluster"}, {finding.Wait, "Wait"},
	{finding.Verify, "Check"}, {finding.Rollback, "Go back"},
}

// findings prints those of one cluster, the worst first.
func (p *printer) findings(all []finding.Finding, cluster string) {
	for _, severity := range []finding.Severity{finding.Error, finding.Warning} {
		for _, f := range all {
			if f.Severity == severity && f.Cluster == cluster {
				p.line("  %s %s", p.paint(map[finding.Severity]string{finding.Error: "31", finding.Warning: "33"}[severity], string(severity)+":"), sentence(f))
			}
		}
	}
	for _, t := range topics {
		of := slices.DeleteFunc(slices.Clone(all), func(f finding.Finding) bool {
			return f.Severity != finding.Info || f.Topic != t.topic || f.Cluster != cluster
		})
		if len(of) > 0 {
			p.line("  %s", p.paint("1", t.title))
		}
		for _, f := range of {
			p.line("  - %s", sentence(f))
		}
	}
}

func sentence(f finding.Finding) string {
	if where := f.Where(); where != "" && f.Severity != finding.Info {
		return where + ": " + f.Message
	}
	return f.Message
}

// objects prints what becomes of each object and which files change.
func (p *printer) objects(r *Result) {
	colors := map[string]string{"created": "32", "configured": "33", "deleted": "31"}
	if len(r.Objects) > 0 {
		p.line("%s", p.paint("1", "Objects in Git"))
	}
	for _, a := range r.Objects {
		p.line("  %s %s (%s)", p.paint(colors[a.Action], fmt.Sprintf("%-10s", a.Action)), a.Object, object.Printable(a.File))
	}
	p.line("%s", p.paint("1", "Files"))
	for _, f := range r.Files {
		p.line("  %s %s", p.paint(colors[f.Action], fmt.Sprintf("%-10s", f.Action)), object.Printable(f.Path))
	}
	if len(r.Files) == 0 {
		p.line("  none changes")
	}
}

// printApplied says what was written and what comes next.
func printApplied(out io.Writer, r *Result) error {
	p := printer{color: isTerminal(out)}
	for _, f := range r.Files {
		p.line("%-10s %s", f.Action, object.Printable(f.Path))
	}
	for _, f := range r.Findings {
		if f.Severity == finding.Warning {
			p.line("warning: %s", sentence(f))
		}
	}
	for _, f := range r.Findings {
		if f.Topic == finding.Wait || f.Topic == finding.Verify {
			p.line("next: %s", f.Message)
		}
	}
	_, err := io.WriteString(out, p.out.String())
	return err
}
