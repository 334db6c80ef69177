package command

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const corpus = "../../../shared/corpus"

// TestCommandsCorpus takes every cluster of the corpus through both phases by the commands, and holds that they agree with each other
// and change nothing but what the plan names. The proof that nothing is pruned is left out: it is not about bytes, and e2e has it.
func TestCommandsCorpus(t *testing.T) {
	entries, err := os.ReadDir(corpus)
	if err != nil {
		t.Skip("no ../shared/corpus beside the repository")
	}
	for _, entry := range entries {
		if entry.IsDir() {
			t.Run(entry.Name(), func(t *testing.T) { runRepository(t, filepath.Join(corpus, entry.Name())) })
		}
	}
}

// runRepository migrates each cluster of a repository that can be migrated, on a fresh copy.
func runRepository(t *testing.T, from string) {
	dir := t.TempDir()
	copyTree(t, from, dir)
	commit(t, dir)
	git(t, dir, "tag", "before")
	plan := execAt(t, dir, "plan", "DIR", "--output", "json", "--proof", "off")
	var found planJSON
	if err := json.Unmarshal([]byte(plan.out), &found); err != nil {
		t.Fatalf("exit code %d: %v\n%s", plan.code, err, plan.errOut)
	}
	if names := changedFiles(t, dir); len(names) > 0 {
		t.Errorf("plan changes files: %q", names)
	}
	for _, cluster := range found.Clusters {
		if cluster.Outcome != "deployed" {
			continue
		}
		t.Run(cluster.Path, func(t *testing.T) {
			runPhase(t, dir, "--proof", "off", "--cluster", cluster.Path)
			if strings.HasPrefix(cluster.Layout, "flux2-chart") {
				must(t, ExitError, dir, "check", "DIR", "--proof", "off", "--cluster", cluster.Path, "--phase", "cleanup", "--taken-over")
			} else {
				runPhase(t, dir, "--proof", "off", "--cluster", cluster.Path, "--phase", "cleanup", "--taken-over")
			}
			git(t, dir, "reset", "-q", "--hard", "before")
			git(t, dir, "clean", "-q", "-f", "-d", "-x")
		})
	}
}

// runPhase makes one phase with all commands, and commits it.
func runPhase(t *testing.T, dir string, flags ...string) {
	t.Helper()
	command := func(code int, name string) said {
		return must(t, code, dir, append([]string{name, "DIR"}, flags...)...)
	}
	planned, before := plannedFiles(t, dir, flags...), filesOf(t, dir)
	diff := command(0, "diff").out
	if check := command(ExitChanges, "check"); check.out != diff {
		t.Error("check prints something else than diff")
	}
	command(0, "apply")
	applied := filesOf(t, dir)
	if names := changedFiles(t, dir); !slices.Equal(names, planned) {
		t.Errorf("changed %q, planned %q", names, planned)
	}
	git(t, dir, "stash", "--include-untracked", "--quiet")
	gitWith(t, dir, diff, "apply", "--whitespace=nowarn")
	if !maps.Equal(filesOf(t, dir), applied) || maps.Equal(before, applied) {
		t.Error("git apply of the diff is not apply")
	}
	git(t, dir, "stash", "drop", "--quiet")
	if check := command(0, "check"); check.out != "" {
		t.Errorf("a second run changes:\n%s", check.out)
	}
	commit(t, dir)
}
