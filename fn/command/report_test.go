package command

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"migrate-to-flux-operator/fn/finding"
)

// TestReport holds that both phases have a report, that it is the same each time, and that it says whatever the plan
// says.
func TestReport(t *testing.T) {
	dir := fixture(t, "deploy")
	for _, phase := range [][]string{{}, {"--phase", "cleanup", "--taken-over"}} {
		args := append([]string{"plan", "DIR"}, phase...)
		text := must(t, 0, dir, append(args, "--report", "-")...).out
		file := filepath.Join(t.TempDir(), "report.md")
		plan := must(t, 0, dir, append(args, "--report", file)...).out
		if written, err := os.ReadFile(file); err != nil || string(written) != reportMark+"\n"+text || strings.Contains(plan, "```mermaid") {
			t.Errorf("the file is not its mark and what - prints: %v", err)
		}
		if strings.Count(text, "```mermaid\n") != 2 || strings.Count(text, "```")%2 != 0 {
			t.Errorf("there are not two pictures:\n%s", text)
		}
		said := strings.NewReplacer(`\`, "", "&gt;", ">", "&lt;", "<", "&amp;", "&").Replace(text)
		for _, f := range findingsOf(t, dir, phase...) {
			if sentence := f.Sentence(); !strings.Contains(said, sentence[1:]) {
				t.Errorf("the report does not say %q:\n%s", sentence, text)
			}
			for command := range strings.SplitSeq(f.Command, "\n") {
				if !strings.Contains(text, command) {
					t.Errorf("the report does not have the command %q", command)
				}
			}
		}
		if len(phase) == 0 {
			must(t, 0, dir, "apply", "DIR")
		}
	}
}

// TestReportOfARefusal holds that a refusal has a report as well, with the line of each Error, and exits as it does without.
func TestReportOfARefusal(t *testing.T) {
	dir := fixture(t, "deploy")
	write(t, dir, "cluster/flux.yaml", "# A comment.\n"+strings.Replace(read(t, dir, "cluster/flux.yaml"), "prune: true", "prune: true\n  components: [a]", 1))
	text := must(t, 2, dir, "plan", "DIR", "--report", "-").out
	for _, want := range []string{"> [!CAUTION]\n> Refused: nothing is changed", "- field spec.components changes what is installed", "`cluster/flux.yaml:18: Kustomization/flux-system/flux: spec`"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// TestReportHasNoSecrets holds that nothing confidential gets into a pull request by its report.
func TestReportHasNoSecrets(t *testing.T) {
	dir := fixture(t, "deploy")
	const secret = "aHVudGVyMg"
	write(t, dir, "cluster/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: flux-system\n  namespace: flux-system\nstringData:\n  password: "+secret+"\n")
	sync := strings.Replace(read(t, dir, "cluster/sync.yaml"), "prune: true", "prune: true\n  postBuild:\n    substitute:\n      token: "+secret, 1)
	write(t, dir, "cluster/sync.yaml", strings.Replace(sync, "ssh://git@", "ssh://git:"+secret+"@", 1))
	if !strings.Contains(read(t, dir, "cluster/sync.yaml"), "git:"+secret+"@") {
		t.Fatal("the address has no password")
	}
	for _, output := range []string{"text", "json"} {
		got := must(t, 0, dir, "plan", "DIR", "--report", "-", "--output", output)
		if strings.Contains(got.out, secret) {
			t.Errorf("the report has the secret:\n%s", got.out)
		}
		if !strings.Contains(got.out, "defined in cluster/secret.yaml") {
			t.Errorf("the report does not say where the Secret is:\n%s", got.out)
		}
	}
}

// findingsOf are the findings of a plan.
func findingsOf(t *testing.T, dir string, flags ...string) []finding.Finding {
	t.Helper()
	var all []finding.Finding
	for _, f := range planOf(t, dir, flags...).Findings {
		all = append(all, f.Finding)
	}
	if !slices.ContainsFunc(all, func(f finding.Finding) bool { return f.Command != "" }) {
		t.Fatal("no finding has a command")
	}
	return all
}

// TestReportOverwritesNothing holds that a report takes the place of an older one only, and of what a runner of CI has just made.
func TestReportOverwritesNothing(t *testing.T) {
	dir, outside := fixture(t, "deploy"), t.TempDir()
	write(t, dir, "report.md", "# Theirs.\n")
	write(t, outside, "summary", "")
	write(t, outside, "theirs", "# Theirs.\n")
	for link, to := range map[string]string{"link.md": filepath.Join(outside, "summary"), "out": outside} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	before := filesOf(t, dir)
	for file, want := range map[string]string{
		"report.md": "remove it, or name another", "cluster/sync.yaml": "remove it, or name another", "link.md": "symbolic link", "out/new.md": "symbolic link",
		filepath.Join("..", filepath.Base(outside), "theirs"): "remove it, or name another",
	} {
		if got := must(t, ExitError, dir, "plan", "DIR", "--report", filepath.Join(dir, file)); !strings.Contains(got.errOut, want) {
			t.Errorf("%s: stderr is %q, want %q", file, got.errOut, want)
		}
	}
	if !maps.Equal(before, filesOf(t, dir)) || read(t, outside, "summary") != "" || read(t, outside, "theirs") != "# Theirs.\n" {
		t.Error("a file was overwritten")
	}
	for range 2 {
		must(t, 0, dir, "plan", "DIR", "--report", filepath.Join(outside, "summary"))
		must(t, 0, dir, "plan", "DIR", "--report", filepath.Join(dir, "new.md"))
	}
	if read(t, outside, "summary") != read(t, dir, "new.md") || !strings.HasPrefix(read(t, dir, "new.md"), reportMark) {
		t.Error("the report is not what was written")
	}
}
