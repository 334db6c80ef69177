package command

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"migrate-to-flux-operator/fn/finding"
)

// says runs the command line and wants texts in what it prints.
func says(t *testing.T, code int, dir string, want []string, args ...string) said {
	t.Helper()
	got := must(t, code, dir, args...)
	for _, part := range want {
		if !strings.Contains(got.out+got.errOut, part) && !strings.Contains(flat(got.out), part) {
			t.Errorf("%q does not say %q:\n%s%s", args, part, got.out, got.errOut)
		}
	}
	return got
}

// commands are those that look at a checkout.
var commands = []string{"plan", "diff", "apply", "check", "inventory"}

// TestGitThatCannotBeRead holds that a `.git` above which cannot be read is no checkout without Git: no command goes
// on.
func TestGitThatCannotBeRead(t *testing.T) {
	dir := deployedClone(t)
	commit(t, dir)
	runGit(t, dir, "push", "-q")
	t.Setenv("PATH", t.TempDir()) // nothing is run, so nothing is missed
	must(t, 0, dir, "plan", "DIR", "--phase", "cleanup", "--taken-over")
	if err := os.Remove(filepath.Join(dir, ".git", "HEAD")); err != nil {
		t.Fatal(err)
	}
	before := filesOf(t, dir)
	for _, name := range commands {
		args := []string{name, "DIR"}
		if name != "inventory" {
			args = append(args, "--phase", "cleanup", "--taken-over")
		}
		says(t, ExitError, dir, []string{"cannot be read: it has no HEAD"}, args...)
	}
	if !maps.Equal(before, filesOf(t, dir)) {
		t.Error("files were changed")
	}
}

// TestUpstreamThatIsNotThere holds that cleanup waits where what the branch follows was never fetched, and says what
// else it cannot tell.
func TestUpstreamThatIsNotThere(t *testing.T) {
	dir := deployedClone(t)
	commit(t, dir)
	runGit(t, dir, "push", "-q")
	cleanup := []string{"plan", "DIR", "--phase", "cleanup", "--taken-over", "--proof", "off"}
	runGit(t, dir, "checkout", "-q", "--detach")
	runGit(t, dir, "update-ref", "refs/kept", "refs/remotes/origin/main")
	runGit(t, dir, "update-ref", "-d", "refs/remotes/origin/main")
	says(t, 0, dir, []string{"warning: ", "HEAD is detached: it was not checked that deploy's commit is pushed"}, cleanup...)
	runGit(t, dir, "update-ref", "refs/remotes/origin/main", "refs/kept")
	runGit(t, dir, "checkout", "-q", "main")
	runGit(t, dir, "commit", "-q", "--allow-empty", "-m", "theirs")
	runGit(t, dir, "push", "-q")
	runGit(t, dir, "reset", "-q", "--hard", "HEAD~1")
	says(t, 0, dir, []string{"warning: ", "origin/main holds commits that HEAD does not: pull, and run again"}, cleanup...)
	runGit(t, dir, "update-ref", "-d", "refs/remotes/origin/main")
	says(t, ExitError, dir, []string{"origin/main, which the branch main follows, is not in this clone: run git fetch"}, cleanup...)
}

// TestPartOfACheckout holds that no command takes a part of a checkout for all of it, and that a flag says that it is
// meant.
func TestPartOfACheckout(t *testing.T) {
	dir := fixture(t, "deploy")
	commit(t, dir)
	for _, name := range commands {
		got := says(t, ExitError, dir, []string{"is a folder of the checkout " + dir, "--subfolder"}, name, filepath.Join(dir, "cluster"))
		if strings.Count(got.errOut, "\n") != 1 || got.out != "" {
			t.Errorf("%s prints %q, %q", name, got.out, got.errOut)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "repo"), 0o755); err != nil {
		t.Fatal(err)
	}
	copyTree(t, filepath.Join("..", "..", "testdata", "deploy", "input"), filepath.Join(dir, "repo"))
	must(t, 0, dir, "apply", filepath.Join(dir, "repo"), "--subfolder")
	must(t, 0, dir, "inventory", filepath.Join(dir, "repo"), "--subfolder")
	// A proof that did not run is a Warning.
	says(t, 0, dir, []string{"warning: left out (proof: off)"}, "plan", "DIR", "--proof", "off")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Join(dir, "cluster"), link); err == nil {
		says(t, ExitError, dir, []string{"is a folder of the checkout " + dir}, "plan", link)
	}
	runGit(t, dir, "sparse-checkout", "set", "--cone", "cluster")
	says(t, ExitError, dir, []string{"is a sparse checkout", "git sparse-checkout disable"}, "plan", "DIR")
	runGit(t, dir, "sparse-checkout", "disable")
	must(t, 0, dir, "plan", "DIR")
}

// TestWorkingTreeThatIsNotClean holds that what HEAD does not hold is said, and that the command for the commit takes
// what the run changes and nothing else.
func TestWorkingTreeThatIsNotClean(t *testing.T) {
	dir := fixture(t, "deploy")
	commit(t, dir)
	if have := placesOf(t, dir, finding.UncommittedChanges); have != nil {
		t.Errorf("a clean tree is warned about: %v", have)
	}
	write(t, dir, "apps/podinfo.yaml", read(t, dir, "apps/podinfo.yaml")+"# Edited.\n")
	write(t, dir, "a new file.yaml", "x: 1\n")
	write(t, dir, "cluster/sync.yaml", "# Edited.\n"+read(t, dir, "cluster/sync.yaml"))
	got := says(t, 0, dir, []string{"this run edits files with changes of yours that are not committed, and a commit of them takes both: cluster/sync.yaml; commit these first, or use git add -p",
		"HEAD does not hold all that was judged: a new file.yaml, apps/podinfo.yaml; ", "git -C " + dir + " add -- cluster/"}, "apply", "DIR")
	_, command, found := strings.Cut(got.out, "commit what was changed, and nothing else, and push it:\n  git -C "+dir+" ")
	command, _, _ = strings.Cut(command, "\n")
	if !found {
		t.Fatalf("apply does not say what to commit:\n%s", got.out)
	}
	runGit(t, dir, strings.Fields(command)...)
	for _, line := range strings.Split(strings.TrimRight(runGit(t, dir, "status", "--porcelain", "--untracked-files=all"), "\n"), "\n") {
		if mine := strings.Contains(line, "cluster/"); mine != (line[0] == 'A' || line[0] == 'M') || mine && line[1] != ' ' {
			t.Errorf("git status says %q", line)
		}
	}
}

// TestPathspec holds that a file of any name, and no other one, is what Git is told to add.
func TestPathspec(t *testing.T) {
	for file, want := range map[string]string{"a/b.yaml": "a/b.yaml", "a*.yaml": ":(literal)a*.yaml", ":x": ":(literal):x", "[a].yaml": ":(literal)[a].yaml", "-x": "-x"} {
		if got := pathspec(file); got != want {
			t.Errorf("%s is %s, want %s", file, got, want)
		}
	}
}

// TestTakenOverInDeploy holds that a word which means nothing is said to mean nothing.
func TestTakenOverInDeploy(t *testing.T) {
	says(t, 0, fixture(t, "deploy"), []string{"warning: config field takenOver (--taken-over) has no meaning in the phase deploy"}, "plan", "DIR", "--taken-over", "--proof", "off")
}

// TestInventoryRunsNothing holds that what a repository configures does not run, and that what an attribute hides is
// seen.
func TestInventoryRunsNothing(t *testing.T) {
	dir, marker := fixture(t, "deploy"), filepath.Join(t.TempDir(), "ran")
	write(t, dir, ".gitattributes", "apps export-ignore\n* filter=x\n")
	commit(t, dir)
	runGit(t, dir, "config", "filter.x.smudge", "touch "+marker)
	runGit(t, dir, "config", "filter.x.clean", "touch "+marker)
	runGit(t, dir, "config", "core.fsmonitor", "touch "+marker)
	if err := os.Remove(filepath.Join(dir, "apps", "podinfo.yaml")); err != nil {
		t.Fatal(err)
	}
	says(t, ExitChanges, dir, []string{"lost "}, "inventory", "DIR", "--against", "main")
	// A bare repository in the tree is files.
	bare := filepath.Join(dir, "cluster")
	runGit(t, dir, "clone", "-q", "--bare", dir, filepath.Join(dir, "bare"))
	for _, name := range []string{"HEAD", "config", "objects", "refs", "packed-refs"} {
		if err := os.Rename(filepath.Join(dir, "bare", name), filepath.Join(bare, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, bare, "config", read(t, bare, "config")+"[filter \"x\"]\n\tsmudge = touch "+marker+"\n[core]\n\tfsmonitor = touch "+marker+"\n")
	says(t, ExitError, dir, []string{"is a folder of the checkout"}, "inventory", bare, "--against", "main")
	execAt(t, dir, "inventory", bare, "--subfolder", "--against", "main")
	// What a promisor remote would be asked for is not there.
	blob := strings.TrimSpace(runGit(t, dir, "rev-parse", "main:apps/podinfo.yaml"))
	if err := os.Remove(filepath.Join(dir, ".git", "objects", blob[:2], blob[2:])); err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{"core.repositoryFormatVersion": "1", "extensions.partialClone": "o", "remote.o.url": dir, "remote.o.promisor": "true", "remote.o.uploadpack": "touch " + marker} {
		runGit(t, dir, "config", key, value)
	}
	says(t, ExitError, dir, []string{blob + " of apps/podinfo.yaml is not in this clone, which is a partial one: run git fetch"}, "inventory", "DIR", "--against", "main")
	if _, err := os.Stat(marker); err == nil {
		t.Error("something of the repository has run")
	}
}

// TestInventoryOfCleanup holds that what cleanup removes on purpose is not lost to a comparison, as long as the guards
// are in what it is compared with.
func TestInventoryOfCleanup(t *testing.T) {
	dir := deployedClone(t)
	commit(t, dir)
	runGit(t, dir, "push", "-q")
	must(t, 0, dir, "apply", "DIR", "--phase", "cleanup", "--taken-over")
	says(t, 0, dir, []string{"removed Kustomization/flux-system/flux: it installed Flux the classic way", "0 lost"}, "inventory", "DIR", "--against", "HEAD")
	says(t, ExitChanges, dir, []string{"lost Kustomization/flux-system/flux"}, "inventory", "DIR", "--against", "HEAD~1")
}

// TestNewFilesThatGitIgnores refuses to write what no commit would bring to Flux.
func TestNewFilesThatGitIgnores(t *testing.T) {
	for _, place := range []string{".gitignore", "cluster/.gitignore", ".git/info/exclude"} {
		dir := fixture(t, "deploy")
		commit(t, dir)
		write(t, dir, place, "flux-operator/\n")
		got := must(t, ExitError, dir, "apply", "DIR", "--proof", "off")
		if !strings.Contains(got.errOut, "Git ignores this new file") || !strings.Contains(got.errOut, "git check-ignore -v cluster/flux-operator/") {
			t.Errorf("%s: %s", place, got.errOut)
		}
		write(t, dir, place, "flux-operator/*.txt\n!*.yaml\n")
		must(t, 0, dir, "apply", "DIR", "--proof", "off")
	}
}
