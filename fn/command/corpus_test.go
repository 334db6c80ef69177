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

// corpusDir holds a corpus of real repositories, firstUser is that of the first user.
const firstUser = "bluevulpine__flux-talos@fb9cd96c9"

var corpusDir = filepath.Join("..", "..", "..", "shared", "corpus")

// corpusNames lists the repositories of the corpus.
func corpusNames(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(corpusDir)
	if os.IsNotExist(err) {
		t.Skipf("skipped: no corpus of repositories at %s", corpusDir)
	}
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names
}

// corpusCopy is a copy of a repository, committed.
func corpusCopy(t testing.TB, name string) string {
	t.Helper()
	dir := t.TempDir()
	copyTree(t, filepath.Join(corpusDir, name), dir)
	commit(t, dir)
	return dir
}

// TestCorpus takes every repository of the corpus through both phases, all clusters at once, and through deploy each cluster
// on its own. What is refused is refused without a change; where only the release stands in the way, another one is named.
func TestCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	migrated := 0
	for _, name := range corpusNames(t) {
		t.Run(name, func(t *testing.T) {
			dir := corpusCopy(t, name)
			flags := []string{"--proof", "off"}
			plan, refused := planOf(t, dir, flags...)
			if strings.Contains(refused, "cannot be installed by Flux Operator") {
				flags = append(flags, "--instance-version", "2.2.3")
				plan, refused = planOf(t, dir, flags...)
			}
			each(t, dir, plan, flags)
			if refused != "" {
				refuses(t, dir, flags)
				return
			}
			phase(t, dir, plan, flags...)
			migrated++
			commit(t, dir)
			flags = append(flags, "--phase", "cleanup", "--taken-over")
			if plan, refused = planOf(t, dir, flags...); refused != "" {
				refuses(t, dir, flags)
				return
			}
			phase(t, dir, plan, flags...)
		})
	}
	if migrated < 15 {
		t.Errorf("only %d repositories were migrated", migrated)
	}
}

// planOf is the plan for a directory, and what is said on stderr where it is refused.
func planOf(t *testing.T, dir string, flags ...string) (plan report, refused string) {
	t.Helper()
	got := execAt(t, dir, append([]string{"plan", "DIR", "-o", "json"}, flags...)...)
	if err := json.Unmarshal([]byte(got.out), &plan); err != nil {
		t.Fatalf("%v: %s%s", err, got.out, got.errOut)
	}
	if (got.code == ExitError) != (got.errOut != "") || got.code == ExitChanges {
		t.Fatalf("exit code %d: %s", got.code, got.errOut)
	}
	return plan, got.errOut
}

// refuses holds that a refused apply changes nothing.
func refuses(t *testing.T, dir string, flags []string) {
	t.Helper()
	must(t, ExitError, dir, append([]string{"apply", "DIR"}, flags...)...)
	if names := changedFiles(t, dir); len(names) > 0 {
		t.Errorf("a refused apply changed %q", names)
	}
}

// each deploys each of several clusters on its own.
func each(t *testing.T, dir string, plan report, flags []string) {
	if len(plan.Clusters) < 2 {
		return
	}
	for _, cluster := range plan.Clusters {
		own := append([]string{"--cluster", cluster.Path}, flags...)
		plan, refused := planOf(t, dir, own...)
		if refused != "" {
			refuses(t, dir, own)
			continue
		}
		phase(t, dir, plan, own...)
		reset(t, dir)
	}
}

func reset(t *testing.T, dir string) {
	t.Helper()
	git(t, dir, "reset", "-q", "--hard")
	git(t, dir, "clean", "-q", "-d", "-x", "--force")
}

// phase makes one phase, once with git and once with apply, and proves what holds for both.
func phase(t *testing.T, dir string, plan report, flags ...string) {
	t.Helper()
	before := filesOf(t, dir)
	if slices.ContainsFunc(plan.Clusters, func(c migrate.Cluster) bool { return c.Outcome == migrate.Unchanged }) && len(plan.Files) == 0 {
		must(t, 0, dir, append([]string{"check", "DIR"}, flags...)...)
		return
	}
	diff := must(t, ExitChanges, dir, append([]string{"check", "DIR"}, flags...)...).out
	gitWith(t, dir, diff, "apply", "--whitespace=nowarn")
	byGit := filesOf(t, dir)
	reset(t, dir)
	must(t, 0, dir, append([]string{"apply", "DIR"}, flags...)...)
	after := filesOf(t, dir)
	if !maps.Equal(byGit, after) {
		t.Error("git apply of the diff is not apply")
	}
	var planned []string
	for _, f := range plan.Files {
		planned = append(planned, f.Path)
	}
	names := changedFiles(t, dir)
	slices.Sort(names)
	if slices.Sort(planned); !slices.Equal(names, planned) {
		t.Errorf("changed %q, planned %q", names, planned)
	}
	for _, name := range names {
		keepsLines(t, name, before[name], after[name])
	}
	if out := must(t, 0, dir, append([]string{"check", "DIR"}, flags...)...).out; out != "" {
		t.Errorf("a second run changes:\n%s", out)
	}
}

// keepsLines holds that an edited file has the lines that it had, but for those that go, in their order and with their line
// ends, and every comment for editors of what stays.
func keepsLines(t *testing.T, name, before, after string) {
	t.Helper()
	if before == "" || after == "" {
		return
	}
	const schema = "# yaml-language-server"
	if gone := documents(before) - documents(after); strings.Count(before, schema)-strings.Count(after, schema) > gone {
		t.Errorf("%s lost a comment for editors", name)
	}
	if strings.Contains(before, "\r\n") != strings.Contains(after, "\r\n") {
		t.Errorf("%s has other line ends", name)
	}
}

func documents(text string) int { return strings.Count(text, "\nkind: ") }

// TestFirstUser holds that deploy on the first user's repository adds files, and to existing ones the guards and the entry
// for the new folder, each a line or two, and takes no line away; that reading
// it complains of nothing; and that Flux prunes nothing.
func TestFirstUser(t *testing.T) {
	corpusNames(t)
	dir := corpusCopy(t, firstUser)
	// The proof warns of what the copy of the repository lacks: only its configuration files were kept.
	plan := must(t, 0, dir, "plan", "DIR", "--proof=off").out
	if strings.Contains(plan, "Not read") || strings.Contains(plan, "warning:") {
		t.Errorf("the plan complains:\n%s", plan)
	}
	schemas := git(t, dir, "grep", "--count", "yaml-language-server")
	must(t, 0, dir, "apply", "DIR")
	for line := range strings.Lines(git(t, dir, "diff", "--numstat")) {
		if fields := strings.Fields(line); fields[1] != "0" || len(fields[0]) > 1 {
			t.Errorf("more than guards and entries: %s", line)
		}
	}
	if after := git(t, dir, "grep", "--count", "yaml-language-server"); after != schemas {
		t.Errorf("comments for editors were lost:\n%s", after)
	}
}
