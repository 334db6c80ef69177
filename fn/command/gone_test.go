package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// bothPhases is a clone in which deploy and cleanup were both made, and neither was pushed.
func bothPhases(t *testing.T) string {
	t.Helper()
	dir := deployedClone(t)
	runGit(t, dir, "checkout", "-q", "-b", "feature", "--no-track")
	commit(t, dir)
	cleaned := t.TempDir() // where nothing tells what Flux reads
	for name := range filesOf(t, dir) {
		write(t, cleaned, name, read(t, dir, name))
	}
	must(t, 0, cleaned, "apply", "DIR", "--phase", "cleanup", "--taken-over", "--proof", "off")
	for name := range filesOf(t, dir) {
		if _, err := os.Stat(filepath.Join(cleaned, name)); err != nil {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		write(t, dir, name, read(t, cleaned, name))
	}
	return dir
}

// TestBothPhasesUnmerged holds that files without a classic install are no migration that is done while the branch that
// Flux reads has the install and not the FluxInstance.
func TestBothPhasesUnmerged(t *testing.T) {
	dir := bothPhases(t)
	refused := func() {
		t.Helper()
		for _, args := range [][]string{{"plan"}, {"check"}, {"apply"}, {"check", "--phase", "cleanup", "--taken-over"}} {
			got := must(t, ExitError, dir, append(append([]string{}, args...), dir)...)
			for _, want := range []string{"origin/main, which Flux reads, lacks this FluxInstance", "inventory " + dir + " --against origin/main"} {
				if !strings.Contains(got.errOut, want) {
					t.Errorf("%q does not say %q: %s", args, want, got.errOut)
				}
			}
			if strings.Contains(got.out, "Nothing to do") || strings.Contains(got.out, "no classic install is left") {
				t.Errorf("%q: %s", args, got.out)
			}
		}
	}
	refused()
	commit(t, dir)
	refused()
	runGit(t, dir, "push", "-q", "origin", "HEAD~1:main") // deploy
	for _, verb := range []string{"plan", "check"} {      // as in the CI of the pull request of cleanup
		if got := must(t, 0, dir, verb, "DIR"); strings.Contains(got.errOut+got.out, "origin/main") {
			t.Error(got.errOut)
		}
	}
	runGit(t, dir, "push", "-q", "origin", "HEAD:main")
	must(t, 0, dir, "check", "DIR")
}

// TestCleanedWithoutTheBranch holds that where the branch that Flux reads is not fetched, that is warned of, and that
// nothing is said outside of Git.
func TestCleanedWithoutTheBranch(t *testing.T) {
	dir := bothPhases(t)
	commit(t, dir)
	runGit(t, dir, "update-ref", "-d", "refs/remotes/origin/main")
	if got := must(t, 0, dir, "check", "DIR"); !strings.Contains(got.errOut, "it was not checked that the branch main, which Flux reads, has this FluxInstance") {
		t.Error(got.errOut)
	}
	runGit(t, dir, "remote", "remove", "origin")
	must(t, 0, dir, "check", "DIR")
	if err := os.RemoveAll(filepath.Join(dir, ".git")); err != nil {
		t.Fatal(err)
	}
	if got := must(t, 0, dir, "check", "DIR"); got.errOut != "" {
		t.Error(got.errOut)
	}
}

// TestOneClusterOfTwoUnmerged holds that it is seen of each cluster, whatever is left of another.
func TestOneClusterOfTwoUnmerged(t *testing.T) {
	upstream, dir := filepath.Join(t.TempDir(), "upstream"), fixture(t, "two-clusters")
	runGit(t, ".", "init", "-q", "--bare", upstream)
	commit(t, dir)
	runGit(t, dir, "remote", "add", "origin", upstream)
	runGit(t, dir, "push", "-q", "origin", "main")
	must(t, 0, dir, "apply", "DIR", "--proof", "off", "--cluster", "./clusters/staging")
	runGit(t, dir, "remote", "rename", "origin", "away")
	runGit(t, dir, "update-ref", "-d", "refs/remotes/away/main")
	commit(t, dir)
	must(t, 0, dir, "apply", "DIR", "--proof", "off", "--cluster", "./clusters/staging", "--phase", "cleanup", "--taken-over")
	must(t, ExitChanges, dir, "check", "DIR", "--proof", "off")
	runGit(t, dir, "fetch", "-q", "away")
	if got := must(t, ExitError, dir, "check", "DIR", "--proof", "off"); !strings.Contains(got.errOut, "away/main, which Flux reads, lacks this FluxInstance") {
		t.Error(got.errOut)
	}
}

// TestHalfRemoved holds that an install of which a listed file was removed by hand is not one that is migrated.
func TestHalfRemoved(t *testing.T) {
	dir := fixture(t, "bootstrap-deploy")
	must(t, 0, dir, "apply", "DIR", "--proof", "off")
	var removed string
	for name := range filesOf(t, dir) {
		if filepath.Base(name) == "gotk-components.yaml" {
			removed = name
		}
	}
	if err := os.Remove(filepath.Join(dir, removed)); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"plan", "check", "apply"} {
		got := must(t, ExitError, dir, verb, "DIR")
		for _, want := range []string{"kustomization.yaml", "lists gotk-components.yaml, which is not there: Flux cannot build the root", "git checkout -- " + removed} {
			if !strings.Contains(got.errOut, want) {
				t.Errorf("%s does not say %q: %s", verb, want, got.errOut)
			}
		}
		if strings.Contains(got.out, "Nothing to do") {
			t.Error(got.out)
		}
	}
}

// TestListsWhatIsInNoCommit holds that a root which lists a file that CI or Terraform makes stays one that is migrated.
func TestListsWhatIsInNoCommit(t *testing.T) {
	dir := fixture(t, "bootstrap-deploy")
	write(t, dir, "clusters/prod/flux-system/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"+
		"resources:\n- gotk-components.yaml\n- gotk-sync.yaml\n- made-by-ci.yaml\n")
	must(t, 0, dir, "apply", "DIR", "--proof", "off")
	must(t, 0, dir, "apply", "DIR", "--proof", "off", "--phase", "cleanup", "--taken-over")
	got := must(t, 0, dir, "plan", "DIR")
	if want := "lists made-by-ci.yaml, which is not there"; !strings.Contains(strings.Join(strings.Fields(got.out), " "), want) {
		t.Errorf("%s is not in %s", want, got.out)
	}
}

// TestStages holds that plan says "deployed" of nothing that is not committed yet, or not in the branch that Flux
// reads, and what to do about it.
func TestStages(t *testing.T) {
	dir := deployedClone(t)
	says := func(wants ...string) {
		t.Helper()
		text := flat(must(t, 0, dir, "plan", "DIR").out)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("the plan does not say %q:\n%s", want, text)
			}
		}
	}
	says("deploy is in the files, and not committed", "Next commit what deploy wrote, and nothing else, and push it: git -C "+dir+" add -- ",
		"commit -m 'Deploy Flux Operator' -- cluster/", "git -C "+dir+" push Wait", "Not deployed yet: no file changes")
	commit(t, dir)
	says("deploy is in the files, and not in origin/main, which Flux reads", "Next push or merge the commit of deploy")
	runGit(t, dir, "push", "-q", "origin", "HEAD:main")
	says("deployed; wait until it has taken over", "Deployed: no file changes")
}
