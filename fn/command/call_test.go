package command

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// ownLines are the commands of this program that a text gives, each as a shell takes it.
func ownLines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if command, found := strings.CutPrefix(line, "  migrate-to-flux-operator "); found {
			all = append(all, strings.TrimSpace(command))
		}
	}
	return all
}

// TestPrintedCommands holds that what is to be run next is about the checkout and the clusters of the run, and that the
// commands are taken as they are printed.
func TestPrintedCommands(t *testing.T) {
	dir := fixture(t, "two-clusters")
	commit(t, dir)
	flags := []string{"--cluster", "./clusters/staging", "--output-dir", "clusters/staging/new"}
	about := " " + dir + " --cluster ./clusters/staging"
	planned := must(t, 0, dir, append([]string{"plan", "DIR"}, flags...)...).out
	want := []string{
		"apply" + about + " --output-dir clusters/staging/new",
		"verify" + about + " --script | sh > /tmp/live.yaml",
		"verify" + about + " --live /tmp/live.yaml",
	}
	if got := ownLines(planned); !slices.Equal(got, want) {
		t.Errorf("the plan prints %q, want %q", got, want)
	}
	must(t, 0, dir, strings.Fields(want[0])...)
	commit(t, dir)
	after := ownLines(must(t, 0, dir, append([]string{"plan", "DIR"}, flags...)...).out)
	cleanup := "plan" + about + " --output-dir clusters/staging/new --phase cleanup --live /tmp/live.yaml"
	if len(after) == 0 || after[0] != cleanup {
		t.Errorf("after deploy the plan prints %q, want first %q", after, cleanup)
	}
	for _, line := range []string{want[1], want[2], cleanup} {
		words := strings.Fields(strings.Split(line, " | ")[0])
		if got := execAt(t, dir, words...); strings.Contains(got.errOut, "flag") {
			t.Errorf("%s: %s", line, got.errOut)
		}
	}
	if here := must(t, 0, dir, "plan", "DIR", "--output", "json", "--redact").out; strings.Contains(here, dir) {
		t.Error("a plan to be shown to others names the folder of the checkout")
	}
}

// TestCommandsOfSeveralClusters holds that what is to be run on each of several clusters says on which.
func TestCommandsOfSeveralClusters(t *testing.T) {
	planned := flat(must(t, 0, fixture(t, "two-clusters"), "plan", "DIR").out)
	for _, want := range []string{"is Ready, on each cluster (add --context NAME): ", "| sh -s -- --context NAME > /tmp/NAME.yaml ", "--live /tmp/NAME.yaml "} {
		if !strings.Contains(planned, want) {
			t.Errorf("the plan does not say %q:\n%s", want, planned)
		}
	}
}

// TestCommitCommands holds that apply prints the whole way to a commit of its changes alone, and the way back.
func TestCommitCommands(t *testing.T) {
	dir := fixture(t, "deploy")
	commit(t, dir)
	write(t, dir, "other.txt", "of somebody else\n")
	runGit(t, dir, "add", "other.txt") // as somebody does who has removed the classic install already
	applied := must(t, 0, dir, "apply", "DIR").out
	if !strings.Contains(applied, "\n  git -C "+dir+" push\n") || !strings.Contains(applied, "managed-by=flux-operator kustomize.toolkit.fluxcd.io/ssa-") {
		t.Errorf("apply says:\n%s", applied)
	}
	for line := range strings.Lines(applied) {
		if command := strings.TrimSpace(line); strings.HasPrefix(command, "git ") && !strings.HasSuffix(command, " push") {
			if out, err := exec.Command("sh", "-c", "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b; "+command).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", command, err, out)
			}
		}
	}
	if left := changedFiles(t, dir); !slices.Equal(left, []string{"other.txt"}) {
		t.Errorf("not committed: %q", left)
	}
}
