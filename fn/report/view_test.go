package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/shell"
)

// TestEveryFindingIsTold holds that each finding is in one part, whatever its topic, and that all ways to write a run have it.
func TestEveryFindingIsTold(t *testing.T) {
	known := []finding.Topic{"", "a topic of tomorrow"}
	for _, part := range topics {
		known = append(known, part.Topic)
	}
	var run Run
	run.Config = config.Default()
	for n, of := range known {
		for _, severity := range []finding.Severity{finding.Info, finding.Warning} {
			f := finding.Finding{Severity: severity, Topic: of, Message: fmt.Sprintf("word-%d-%s", n, severity)}
			run.Findings = append(run.Findings, f)
			holding := slices.DeleteFunc(slices.Clone(topics), func(part topic) bool { return !part.holds(f) })
			if len(holding) != 1 {
				t.Errorf("%q, %s is in %d parts", of, severity, len(holding))
			}
		}
	}
	v := Of(run)
	page, err := v.Page()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range run.Findings {
		for way, text := range map[string]string{"text": v.Text(Style{Width: 80, Verbose: true}), "Markdown": v.Markdown(), "page": page} {
			// A step begins with a capital.
			if !strings.Contains(strings.ToLower(text), f.Message) && !strings.Contains(text, f.Message) {
				t.Errorf("%s does not say %q", way, f.Message)
			}
		}
	}
}

// TestBudget holds that a report stays within what a pull request takes, whatever is in it, and says that it was cut.
func TestBudget(t *testing.T) {
	for _, message := range []string{"plain ", "<details>", "</details>", "details> "} {
		var run Run
		run.Config = config.Default()
		for n := range 3000 {
			run.Findings = append(run.Findings, finding.Finding{Severity: finding.Warning, Message: fmt.Sprint(strings.Repeat(message, 5), n)})
		}
		report := Of(run).Markdown()
		if len(report) > Budget || !strings.Contains(report, "Left out: ") {
			t.Errorf("%q: %d bytes, the end is %q", message, len(report), report[len(report)-100:])
		}
	}
}

// TestDoneIsWhole holds that what comes after apply leaves no Warning and no command to a flag that apply does not have.
func TestDoneIsWhole(t *testing.T) {
	run := Run{}
	run.Config = config.Default()
	long := "kubectl wait " + strings.Repeat("kustomization/a ", 30) + "--for=condition=Ready"
	run.Findings = append(run.Findings, finding.Finding{Severity: finding.Info, Topic: finding.Wait, Message: "wait: " + long, Command: long})
	for n := range 9 {
		run.Findings = append(run.Findings, finding.Finding{Severity: finding.Warning, Code: finding.Incomplete, Message: fmt.Sprintf("word-%d-", n)})
	}
	said := Of(run).Done(Style{Width: 80}, []shell.Line{shell.Line("git add -- " + strings.Repeat("a ", 200))})
	for _, f := range run.Findings[1:] {
		if !strings.Contains(said, f.Message) {
			t.Errorf("%q is not said:\n%s", f.Message, said)
		}
	}
	if !strings.Contains(said, "\n  "+long+"\n") || strings.Contains(said, "verbose") {
		t.Errorf("the command is not said:\n%s", said)
	}
}

// TestVerdictsAreWhole holds that of several clusters, too, a plan says what could not be seen.
func TestVerdictsAreWhole(t *testing.T) {
	const verdict = "nothing is pruned: 9 of 9 objects kept; 1 of 4 Flux Kustomizations are seen in part"
	p := &plain{Style: Style{Width: 200}, view: &View{Clusters: []Cluster{{Name: "./a", Verdict: verdict}, {Name: "./b", Verdict: verdict}}}}
	p.clusters()
	if said := p.out.String(); strings.Count(said, "; 1 of 4 seen in part\n") != 2 {
		t.Errorf("the verdicts are not whole:\n%s", said)
	}
}

// What is not judged says so once above the lines, and neither these nor the last line are wider than the terminal.
func TestLinesFit(t *testing.T) {
	var run Run
	for n := range 2 {
		run.Findings = append(run.Findings, finding.Finding{Severity: finding.Warning, Code: finding.Incomplete,
			Message: fmt.Sprintf("flux-system/app-%d: not judged: remote base: %s", n, strings.Repeat("long", 20))})
	}
	for range 12 {
		run.Findings = append(run.Findings, finding.Finding{Severity: finding.Info, Topic: finding.Imposed, Message: "more"})
	}
	const width = 50
	said := Of(run).Text(Style{Width: width})
	if !strings.Contains(said, "  flux-system/app-0: remote base: ") || !strings.Contains(said, "\n1 remark: --verbose.\n") {
		t.Errorf("unlike what is expected:\n%s", said)
	}
	for line := range strings.Lines(said) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > width {
			t.Errorf("%d runes: %s", n, line)
		}
	}
}
