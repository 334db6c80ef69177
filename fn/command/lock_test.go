package command

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/live"
	"migrate-to-flux-operator/fn/object"
)

// deployedClone is a clone with an upstream branch, in which deploy was applied and not yet committed.
func deployedClone(t *testing.T) string {
	t.Helper()
	upstream, dir := filepath.Join(t.TempDir(), "upstream"), fixture(t, "deploy")
	runGit(t, ".", "init", "-q", "--bare", upstream)
	commit(t, dir)
	runGit(t, dir, "remote", "add", "origin", upstream)
	runGit(t, dir, "push", "-q", "--set-upstream", "origin", "main")
	must(t, 0, dir, "apply", "DIR", "--proof", "off")
	return dir
}

// TestCleanupWaitsForPush holds that cleanup does nothing until deploy's files are in the upstream branch as they are.
func TestCleanupWaitsForPush(t *testing.T) {
	dir := deployedClone(t)
	refused := func(want ...string) {
		t.Helper()
		before := filesOf(t, dir)
		got := must(t, ExitError, dir, "apply", "DIR", "--phase", "cleanup", "--taken-over", "--proof", "off")
		for _, part := range want {
			if !strings.Contains(got.errOut, part) {
				t.Errorf("the Error does not say %q: %s", part, got.errOut)
			}
		}
		if !maps.Equal(before, filesOf(t, dir)) {
			t.Error("files were changed")
		}
	}
	refused("not committed: ", "cluster/flux-operator/instance/instance.yaml, ", "cluster/flux-operator/ks.yaml, ", "cluster/flux-operator/operator/source.yaml",
		"cluster/flux.yaml, ", "cluster/sync.yaml")
	commit(t, dir)
	refused("not in origin/main, which Flux reads: ", "cluster/flux.yaml, ", "cluster/sync.yaml", "cluster/flux-operator/operator/helmrelease.yaml")
	runGit(t, dir, "push", "-q")
	write(t, dir, "cluster/sync.yaml", "# Edited.\n"+read(t, dir, "cluster/sync.yaml"))
	refused("not committed: cluster/sync.yaml;")
	runGit(t, dir, "checkout", "-q", "cluster/sync.yaml")
	write(t, dir, "apps/podinfo.yaml", "")
	if warned := placesOf(t, dir, finding.PushNotChecked, "--phase", "cleanup", "--taken-over", "--proof", "off"); warned != nil {
		t.Errorf("what was checked is warned about: %v", warned)
	}
	must(t, 0, dir, "apply", "DIR", "--phase", "cleanup", "--taken-over", "--proof", "off")
	must(t, 0, dir, "check", "DIR", "--phase", "cleanup", "--taken-over", "--proof", "off")
}

// TestCleanupWithoutUpstream holds that what cannot be checked is a Warning.
func TestCleanupWithoutUpstream(t *testing.T) {
	dir := fixture(t, "deploy")
	must(t, 0, dir, "apply", "DIR", "--proof", "off")
	warned := func() bool {
		return placesOf(t, dir, finding.PushNotChecked, "--phase", "cleanup", "--taken-over", "--proof", "off") != nil
	}
	if !warned() {
		t.Error("no Warning outside of Git")
	}
	commit(t, dir)
	if !warned() {
		t.Error("no Warning without an upstream branch")
	}
}

// liveOf is what the script of verify writes of a cluster on which the FluxInstance in a file is applied.
func liveOf(t *testing.T, dir, file string) string {
	t.Helper()
	o, err := object.Parse(read(t, dir, file), file, 0)
	if err != nil {
		t.Fatal(err)
	}
	generated, err := instance.Render(o.Map())
	if err != nil {
		t.Fatal(err)
	}
	version, _ := object.Get[string](o.Map(), "spec", "distribution", "version")
	ready := []any{map[string]any{"type": "Ready", "status": "True", "observedGeneration": 1}}
	metadata := maps.Clone(o.Map()["metadata"].(map[string]any))
	metadata["generation"] = 1
	all := []any{map[string]any{
		"apiVersion": o.APIVersion, "kind": o.Kind, "metadata": metadata, "spec": o.Map()["spec"],
		"status": map[string]any{"lastAppliedRevision": "v" + strings.Replace(version, "x", "9", 1) + "@sha256:0", "conditions": ready},
	}}
	for _, node := range generated {
		var content map[string]any
		if err := yaml.Unmarshal([]byte(node.MustString()), &content); err != nil {
			t.Fatal(err)
		}
		content["status"] = map[string]any{"conditions": ready, "readyReplicas": 1, "updatedReplicas": 1}
		all = append(all, content)
	}
	text, err := yaml.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": all})
	if err != nil {
		t.Fatal(err)
	}
	listed := ""
	for _, mark := range regexp.MustCompile(`# listed [^'\n]*`).FindAllString(live.Script("flux-system"), -1) {
		listed += mark + "\n"
	}
	return "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: flux, namespace: flux-system}\nspec: {prune: true, deletionPolicy: Orphan}\n---\n" +
		string(text) + "{apiVersion: v1, kind: Secret, metadata: {namespace: flux-system, name: flux-system}}\n" +
		listed + "# snapshot " + time.Now().UTC().Format(time.RFC3339) + "\n"
}

// TestCleanupLooksAtTheCluster holds that --live stands for --taken-over when the cluster shows it, and stops cleanup
// else.
func TestCleanupLooksAtTheCluster(t *testing.T) {
	dir, file := fixture(t, "deploy"), filepath.Join(t.TempDir(), "live.yaml")
	cleanup := func(code int, text string, flags ...string) said {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return must(t, code, dir, append([]string{"plan", dir, "--phase", "cleanup", "--proof", "off"}, flags...)...)
	}
	must(t, 0, dir, "apply", "DIR", "--proof", "off")
	if got := cleanup(ExitError, ""); !strings.Contains(got.errOut, "takenOver") || !strings.Contains(got.out, "--script | sh > /tmp/live.yaml") {
		t.Errorf("cleanup without --taken-over does not say how to look: %s%s", got.out, got.errOut)
	}
	liveCluster := liveOf(t, dir, "cluster/flux-operator/instance/instance.yaml")
	if got := cleanup(0, liveCluster, "--live", file); !strings.Contains(got.out, "was taken") {
		t.Errorf("the plan does not say when the snapshot was taken:\n%s", got.out)
	}
	for _, c := range []struct{ old, new, want string }{
		{"name: notification-controller\n    namespace: flux-system\n  spec", "name: other\n    namespace: flux-system\n  spec", "Deployment/flux-system/notification-controller is not in the file"},
		{"Orphan", "Delete", "neither deletionPolicy: Orphan"},
		{`"True"`, `"False"`, "FluxInstance/flux-system/flux is not Ready"},
		{"# snapshot 2", "# snapshot 1", "it was taken 1"},
		{"# snapshot 2", "# 2", "it does not say when it was taken"},
		{"# listed kustomizations", "# kustomizations", "the file lacks kustomizations"},
		{"kind: Secret", "kind: ConfigMap", "Secret/flux-system/flux-system is not on the cluster"},
		{"readyReplicas: 1", "readyReplicas: 0", "says " + file + ":\n  - the controller helm-controller is not ready (0 of 1)\n  - "},
		{"readyReplicas: 1", "readyReplicas: 0", "the controller source-controller is not ready (0 of 1)"},
		{"    url: ssh://git@", "    url: ssh://other@", "another spec."},
	} {
		if !strings.Contains(liveCluster, c.old) {
			t.Fatalf("the cluster has no %q", c.old)
		}
		got := cleanup(ExitError, strings.ReplaceAll(liveCluster, c.old, c.new), "--live", file, "--taken-over")
		if !strings.Contains(got.errOut, c.want) {
			t.Errorf("stderr is %q, want %q", got.errOut, c.want)
		}
	}
	var out, errOut bytes.Buffer
	if code := Execute(t.Context(), []string{"plan", dir, "--phase", "cleanup", "--proof", "off", "--live", "-"}, strings.NewReader(liveCluster), &out, &errOut); code != 0 {
		t.Errorf("from stdin: exit code %d\n%s", code, errOut.String())
	}
}

// TestLiveOfSeveralClusters takes one snapshot for each cluster, in any order, and refuses a cluster without one and
// one without a cluster.
func TestLiveOfSeveralClusters(t *testing.T) {
	dir, files := fixture(t, "two-clusters"), t.TempDir()
	must(t, 0, dir, "apply", "DIR", "--proof", "off")
	staging, production := filepath.Join(files, "staging"), filepath.Join(files, "production")
	write(t, files, "staging", liveOf(t, dir, "clusters/staging/flux-operator/instance/instance.yaml"))
	write(t, files, "production", liveOf(t, dir, "clusters/production/flux-operator/instance/instance.yaml"))
	write(t, files, "third", strings.ReplaceAll(read(t, files, "staging"), "./clusters/staging", "./clusters/third"))
	write(t, files, "twin", strings.ReplaceAll(read(t, files, "staging"), `"True"`, `"False"`))
	cleanup := func(code int, want string, flags ...string) {
		t.Helper()
		got := must(t, code, dir, append([]string{"plan", dir, "--phase", "cleanup", "--proof", "off"}, flags...)...)
		if !strings.Contains(got.errOut, want) {
			t.Errorf("stderr is %q, want %q", got.errOut, want)
		}
	}
	cleanup(0, "", "--live", production, "--live", staging)
	cleanup(0, "", "--live", staging, "--cluster", "./clusters/staging")
	cleanup(ExitError, "no --live file is of this cluster", "--live", staging)
	cleanup(ExitError, "probably the snapshot of another cluster", "--live", production, "--cluster", "./clusters/staging")
	cleanup(ExitError, "third is of none of the clusters", "--live", staging, "--live", production, "--live", filepath.Join(files, "third"))
	cleanup(ExitError, "says "+filepath.Join(files, "twin")+":\n  - FluxInstance/flux-system/flux is not Ready", "--live", staging, "--live", production, "--live", filepath.Join(files, "twin"))

	verify := func(code int, want ...string) {
		t.Helper()
		args := []string{"verify", dir}
		for _, name := range want[1:] {
			args = append(args, "--live", filepath.Join(files, name))
		}
		if got := must(t, code, dir, args...); !strings.Contains(got.out+got.errOut, want[0]) {
			t.Errorf("verify %q says %s%s, want %q", want[1:], got.out, got.errOut, want[0])
		}
	}
	verify(0, "--cluster ./clusters/staging --phase cleanup", "staging")
	verify(0, "All\n    ./clusters/production  taken over  safe: cleanup\n    ./clusters/staging     taken over  safe: cleanup\n", "production", "staging")
	verify(ExitChanges, "./clusters/staging  taken over  not yet safe: cleanup\n", "staging", "twin")
	verify(ExitError, "third is of none of the clusters here", "staging", "third")
	write(t, dir, "clusters/staging/broken.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\n\tkind: x\n")
	verify(0, "warning: clusters/staging/broken.yaml", "staging")
}

// TestFullDisk lets a disk run full while apply writes, and holds that the checkout is then as it was.
func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("skipped: only root can mount a small disk")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("skipped: no small disk can be mounted: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if err := exec.Command("umount", dir).Run(); err != nil {
			t.Error(err)
		}
	})
	copyTree(t, filepath.Join("..", "..", "testdata", "deploy", "input"), dir)
	fill(t, filepath.Join(dir, "filler"), 16<<10)
	before := filesOf(t, dir)
	got := must(t, ExitError, dir, "apply", "DIR", "--proof", "off")
	if !strings.Contains(got.errOut, "no space left on device; nothing was changed") {
		t.Errorf("stderr is %q", got.errOut)
	}
	if !maps.Equal(before, filesOf(t, dir)) {
		t.Error("the checkout is not as it was")
	}
	if err := os.Remove(filepath.Join(dir, "filler")); err != nil {
		t.Fatal(err)
	}
	must(t, 0, dir, "apply", "DIR", "--proof", "off")
}

// fill writes a file until so much of the disk is left.
func fill(t *testing.T, name string, leave int64) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var size int64
	for {
		n, err := f.Write(make([]byte, 4096))
		if size += int64(n); err != nil {
			break
		}
	}
	if err := f.Truncate(size - leave); err != nil {
		t.Fatal(err)
	}
}

// TestCleanupWaitsForTheBranchThatFluxReads holds that a push to another branch is not what a cluster has taken over
// from.
func TestCleanupWaitsForTheBranchThatFluxReads(t *testing.T) {
	dir := deployedClone(t)
	runGit(t, dir, "checkout", "-q", "-b", "feature")
	commit(t, dir)
	runGit(t, dir, "push", "-q", "--set-upstream", "origin", "feature")
	cleanup := []string{"apply", "DIR", "--phase", "cleanup", "--taken-over", "--proof", "off"}
	if got := must(t, ExitError, dir, cleanup...); !strings.Contains(got.errOut, "not in origin/main, which Flux reads: ") {
		t.Error(got.errOut)
	}
	runGit(t, dir, "push", "-q", "origin", "feature:main")
	must(t, 0, dir, cleanup...)
}

// TestCleanupBeforeThePush holds that cleanup waits for the branch that Flux reads, whatever is checked out: a branch that
// follows none, one that follows one of this clone, and none at all.
func TestCleanupBeforeThePush(t *testing.T) {
	for name, at := range map[string][]string{
		"a new branch":                {"checkout", "-q", "-b", "feature", "--no-track"},
		"one that follows local main": {"checkout", "-q", "-b", "feature", "--track", "main"},
		"a detached HEAD":             {"checkout", "-q", "--detach"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := deployedClone(t)
			runGit(t, dir, at...)
			commit(t, dir)
			before, cleanup := filesOf(t, dir), []string{"apply", dir, "--phase", "cleanup", "--taken-over", "--proof", "off"}
			if got := must(t, ExitError, dir, cleanup...); !strings.Contains(got.errOut, "not in origin/main, which Flux reads: ") ||
				!maps.Equal(before, filesOf(t, dir)) {
				t.Error(got.errOut)
			}
			runGit(t, dir, "push", "-q", "origin", "HEAD:main")
			if got := must(t, 0, dir, cleanup...); strings.Contains(got.errOut+got.out, "deploy's commit is") {
				t.Errorf("what was checked is warned about: %s%s", got.out, got.errOut)
			}
		})
	}
}

// TestCleanupInAFork holds that the remote with the address that Flux reads decides, and not that of the fork.
func TestCleanupInAFork(t *testing.T) {
	dir := deployedClone(t)
	reads := regexp.MustCompile(`url: ssh://git@([^/]+)/(\S+)`).FindStringSubmatch(read(t, dir, "cluster/sync.yaml"))
	runGit(t, dir, "remote", "add", "company", "git@"+reads[1]+":"+reads[2])
	runGit(t, dir, "update-ref", "refs/remotes/company/main", "origin/main")
	commit(t, dir)
	runGit(t, dir, "push", "-q") // to the fork
	cleanup := []string{"check", "DIR", "--phase", "cleanup", "--taken-over", "--proof", "off"}
	if got := must(t, ExitError, dir, cleanup...); !strings.Contains(got.errOut, "not in company/main, which Flux reads: ") {
		t.Error(got.errOut)
	}
	runGit(t, dir, "update-ref", "refs/remotes/company/main", "HEAD")
	runGit(t, dir, "push", "-q", "--force", "origin", "HEAD~1:main")
	must(t, ExitChanges, dir, cleanup...)
}

// TestCleanupOfASourceWithoutABranch holds that what follows no branch is looked for in the upstream branch, and is warned of
// where there is none.
func TestCleanupOfASourceWithoutABranch(t *testing.T) {
	for _, ref := range []string{"tag: v1", "semver: '>=1'", "name: refs/tags/v1", "commit: 0123456789012345678901234567890123456789", "branch: ${BRANCH}"} {
		t.Run(ref, func(t *testing.T) {
			dir := deployedClone(t)
			for _, file := range []string{"cluster/sync.yaml", "cluster/flux-operator/instance/instance.yaml"} {
				write(t, dir, file, strings.ReplaceAll(read(t, dir, file), "    branch: main", "    "+ref))
			}
			commit(t, dir)
			cleanup := []string{"check", "DIR", "--phase", "cleanup", "--taken-over", "--proof", "off"}
			if got := must(t, ExitError, dir, cleanup...); !strings.Contains(got.errOut, "what deploy wrote is not in origin/main: ") {
				t.Error(got.errOut)
			}
			runGit(t, dir, "checkout", "-q", "-b", "feature", "--no-track")
			if got := must(t, ExitChanges, dir, cleanup...); !strings.Contains(got.errOut, "it was not checked that deploy's commit is pushed") {
				t.Error(got.errOut)
			}
		})
	}
}

// TestCleanupInABranchOfTheSameEnd holds that release/main is not taken for main where main was not fetched.
func TestCleanupInABranchOfTheSameEnd(t *testing.T) {
	dir := deployedClone(t)
	runGit(t, dir, "checkout", "-q", "-b", "release/main")
	commit(t, dir)
	runGit(t, dir, "push", "-q", "--set-upstream", "origin", "release/main")
	runGit(t, dir, "update-ref", "-d", "refs/remotes/origin/main")
	if placesOf(t, dir, finding.PushNotChecked, "--phase", "cleanup", "--taken-over", "--proof", "off") == nil {
		t.Error("no Warning of a branch that is not fetched")
	}
}

// TestClusterThatIsNone refuses a flag that names nothing: without it all clusters are meant.
func TestClusterThatIsNone(t *testing.T) {
	for _, name := range []string{"", ",", " "} {
		if got := must(t, ExitError, fixture(t, "deploy"), "plan", "DIR", "--cluster", name); !strings.Contains(got.errOut, "names no cluster") {
			t.Errorf("%q: %s", name, got.errOut)
		}
	}
}

// TestWarningsOfACheck holds that the commands that print a diff say on stderr what they warn of.
func TestWarningsOfACheck(t *testing.T) {
	for _, command := range [][]string{{"check", "DIR"}, {"diff", "DIR"}, {"apply", "DIR", "--dry-run"}} {
		code := map[string]int{"check": ExitChanges}[command[0]]
		if got := must(t, code, fixture(t, "deploy"), append(command, "--proof", "off")...); !strings.Contains(got.errOut, "warning: left out (proof: off)") {
			t.Errorf("%s: %s", command[0], got.errOut)
		}
	}
}
