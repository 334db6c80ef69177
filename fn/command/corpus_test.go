package command

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"migrate-to-flux-operator/fn/migrate"
)

const corpus = "../../../shared/corpus"

// TestCommandsCorpus takes every cluster of the corpus through both phases by the commands, and holds that they agree
// with each other and change nothing but what the plan names. The proof that nothing is pruned is left out: it is not
// about bytes, and e2e has it.
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
	runGit(t, dir, "tag", "before")
	plan := execAt(t, dir, "plan", "DIR", "--output", "json", "--proof", "off")
	var found planJSON
	if err := json.Unmarshal([]byte(plan.out), &found); err != nil {
		t.Fatalf("exit code %d: %v\n%s", plan.code, err, plan.errOut)
	}
	if names := changedFiles(t, dir); len(names) > 0 {
		t.Errorf("plan changes files: %q", names)
	}
	for _, group := range groupsOf(found) {
		t.Run(group[0].Path, func(t *testing.T) {
			flags := []string{"--proof", "off"}
			for _, cluster := range group {
				flags = append(flags, "--cluster", cluster.Path)
			}
			runPhase(t, dir, flags...)
			flags = append(flags, "--phase", "cleanup", "--taken-over")
			if strings.HasPrefix(group[0].Layout, "flux2-chart") {
				must(t, ExitError, dir, append([]string{"check", "DIR"}, flags...)...)
			} else {
				runPhase(t, dir, flags...)
			}
			runGit(t, dir, "reset", "-q", "--hard", "before")
			runGit(t, dir, "clean", "-q", "-f", "-d", "-x")
		})
	}
}

// manyClusters are so many that they are taken in one run.
const manyClusters = 8

// groupsOf are the clusters that can be migrated, as they are taken: each alone, or, where there are many, all at once.
func groupsOf(found planJSON) [][]migrate.Cluster {
	open := slices.DeleteFunc(slices.Clone(found.Clusters), func(c migrate.Cluster) bool { return c.Outcome != "deployed" })
	if len(open) >= manyClusters {
		return [][]migrate.Cluster{open}
	}
	return slices.Collect(slices.Chunk(open, 1))
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
	runGit(t, dir, "stash", "--include-untracked", "--quiet")
	gitWith(t, dir, diff, "apply", "--whitespace=nowarn")
	if !maps.Equal(filesOf(t, dir), applied) || maps.Equal(before, applied) {
		t.Error("git apply of the diff is not apply")
	}
	runGit(t, dir, "stash", "drop", "--quiet")
	if check := command(0, "check"); check.out != "" {
		t.Errorf("a second run changes:\n%s", check.out)
	}
	commit(t, dir)
}
