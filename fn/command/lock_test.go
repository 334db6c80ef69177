package command

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// deployedClone is a clone with an upstream branch, in which deploy was applied and not yet committed.
func deployedClone(t *testing.T) string {
	t.Helper()
	upstream, dir := filepath.Join(t.TempDir(), "upstream"), fixture(t, "deploy")
	git(t, ".", "init", "-q", "--bare", upstream)
	commit(t, dir)
	git(t, dir, "remote", "add", "origin", upstream)
	git(t, dir, "push", "-q", "--set-upstream", "origin", "main")
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
	refused("not in origin/main: ", "cluster/flux.yaml, ", "cluster/sync.yaml", "cluster/flux-operator/operator/helmrelease.yaml")
	git(t, dir, "push", "-q")
	write(t, dir, "cluster/sync.yaml", "# Edited.\n"+read(t, dir, "cluster/sync.yaml"))
	refused("not committed: cluster/sync.yaml;")
	git(t, dir, "checkout", "-q", "cluster/sync.yaml")
	write(t, dir, "apps/podinfo.yaml", "")
	got := must(t, 0, dir, "apply", "DIR", "--phase", "cleanup", "--taken-over", "--proof", "off")
	if strings.Contains(got.out, "not checked that deploy's") {
		t.Errorf("what was checked is warned about:\n%s", got.out)
	}
	must(t, 0, dir, "check", "DIR", "--phase", "cleanup", "--taken-over", "--proof", "off")
}

// TestCleanupWithoutUpstream holds that what cannot be checked is a Warning.
func TestCleanupWithoutUpstream(t *testing.T) {
	dir := fixture(t, "deploy")
	must(t, 0, dir, "apply", "DIR", "--proof", "off")
	plan := func() string {
		return must(t, 0, dir, "plan", "DIR", "--phase", "cleanup", "--taken-over", "--proof", "off").out
	}
	if text := plan(); !strings.Contains(text, "is not a Git checkout: it was not checked") {
		t.Errorf("no Warning outside of Git:\n%s", text)
	}
	commit(t, dir)
	if text := plan(); !strings.Contains(text, "follows no upstream branch: it was not checked") {
		t.Errorf("no Warning without an upstream branch:\n%s", text)
	}
}

// liveCluster is what kubectl prints of the cluster of the fixture.
const liveCluster = `apiVersion: v1
kind: List
items:
- apiVersion: fluxcd.controlplane.io/v1
  kind: FluxInstance
  metadata: {name: flux, namespace: flux-system, generation: 1}
  spec: {sync: {path: ./cluster}}
  status: {conditions: [{type: Ready, status: "True", observedGeneration: 1}]}
- apiVersion: kustomize.toolkit.fluxcd.io/v1
  kind: Kustomization
  metadata:
    name: flux-system
    namespace: flux-system
    labels: &owned {fluxcd.controlplane.io/name: flux, fluxcd.controlplane.io/namespace: flux-system}
    annotations: &guarded {kustomize.toolkit.fluxcd.io/prune: Disabled}
  spec: {path: ./cluster}
- apiVersion: kustomize.toolkit.fluxcd.io/v1
  kind: Kustomization
  metadata: {name: flux, namespace: flux-system}
  spec: {prune: true, deletionPolicy: Orphan}
- apiVersion: source.toolkit.fluxcd.io/v1
  kind: GitRepository
  metadata: {name: flux-system, namespace: flux-system, labels: *owned, annotations: *guarded}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: source-controller, namespace: flux-system, labels: *owned}
- apiVersion: apiextensions.k8s.io/v1
  kind: CustomResourceDefinition
  metadata: {name: kustomizations.kustomize.toolkit.fluxcd.io, labels: *owned}
`

// TestCleanupLooksAtTheCluster holds that --live stands for --taken-over when the cluster shows it, and stops cleanup else.
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
	if got := cleanup(ExitError, ""); !strings.Contains(got.errOut, "takenOver") || !strings.Contains(got.out, "(kubectl get -n flux-system") {
		t.Errorf("cleanup without --taken-over does not say how to look: %s%s", got.out, got.errOut)
	}
	cleanup(0, liveCluster, "--live", file)
	for _, c := range []struct{ old, new, want string }{
		{"source-controller, namespace: flux-system, labels: *owned", "source-controller, namespace: flux-system", "Deployment/flux-system/source-controller is not owned"},
		{"Orphan", "Delete", "neither deletionPolicy: Orphan"},
		{`"True"`, `"False"`, "FluxInstance/flux-system/flux is not Ready"},
	} {
		got := cleanup(ExitError, strings.Replace(liveCluster, c.old, c.new, 1), "--live", file, "--taken-over")
		if !strings.Contains(got.errOut, c.want) || strings.Count(got.errOut, "\n") != 1 {
			t.Errorf("stderr is %q, want %q", got.errOut, c.want)
		}
	}
}

// TestLiveIsOfOneCluster refuses one file for several clusters.
func TestLiveIsOfOneCluster(t *testing.T) {
	dir, file := fixture(t, "two-clusters"), filepath.Join(t.TempDir(), "live.yaml")
	must(t, 0, dir, "apply", "DIR", "--proof", "off")
	if err := os.WriteFile(file, []byte(liveCluster), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := must(t, ExitError, dir, "plan", "DIR", "--phase", "cleanup", "--proof", "off", "--live", file); !strings.Contains(got.errOut, "name one with --cluster") {
		t.Errorf("stderr is %q", got.errOut)
	}
	if got := must(t, ExitError, dir, "plan", "DIR", "--phase", "cleanup", "--proof", "off", "--live", file, "--cluster", "./clusters/staging"); !strings.Contains(got.errOut, "the file is of another cluster") {
		t.Errorf("stderr is %q", got.errOut)
	}
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
