package live

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// deploy makes and pushes the first commit, and keeps what the plan of it tells to do.
func (r *replay) deploy(t *testing.T, args ...string) {
	t.Helper()
	r.flags, r.plan = args, r.advise(t, args...)
	r.migrate(t, append([]string{"--phase", "deploy"}, args...)...)
	r.is(t, false, isClassic, isDeploying) // of an earlier try the operator may be left
	r.push(t, "deploy")
}

// adopt makes both commits as they are meant: each waits with the commands that were printed.
func (r *replay) adopt(t *testing.T, args ...string) {
	t.Helper()
	r.deploy(t, args...)
	r.takenOver(t)
	r.finish(t, args...)
}

// takenOver waits until the operator owns Flux, and, where the instance has a sync, the pair: with the commands of the
// plan of deploy.
func (r *replay) takenOver(t *testing.T) {
	t.Helper()
	r.shell(t, r.plan.command(t, "wait until the FluxInstance is Ready"))
	r.ran("wait")
	r.owned(t)
	if one := r.verify(t); one.Phase != isTakenOver && one.Phase != isCleanedUp {
		t.Fatalf("verify does not see the take-over: %+v", one)
	}
}

// owned fails unless the operator owns Flux, as the plan of deploy tells to check.
func (r *replay) owned(t *testing.T) {
	t.Helper()
	rows := 0
	owners := r.shell(t, r.plan.command(t, "Flux Operator owns everything where every row shows"))
	for line := range strings.Lines(owners) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "NAME" {
			continue
		}
		if rows++; fields[len(fields)-1] != "flux" {
			t.Fatalf("not owned: %s", line)
		}
	}
	if rows < 15 {
		t.Fatalf("only %d objects of Flux:\n%s", rows, owners)
	}
	r.ran("check")
}

// finish is what follows the take-over: nothing has changed, and the second commit changes nothing either.
func (r *replay) finish(t *testing.T, args ...string) {
	t.Helper()
	r.settle(t)
	r.kept(t)
	r.skipped(t)
	r.oneRoot(t)
	r.is(t, true, isTakenOver)
	looked := append(r.look(t, args...), args...)
	planned := r.advise(t, looked...)
	r.migrate(t, looked...)
	r.is(t, false, isTakenOver)
	r.expects(r.removed...)
	r.push(t, "cleanup")
	r.shell(t, planned.command(t, "has applied it"))
	r.ran("wait")
	if words := "does not prune, so that it stays"; planned.says(words) {
		r.shell(t, planned.command(t, words))
		r.ran("delete by hand")
	}
	r.settle(t)
	r.is(t, true, isCleanedUp)
	r.kept(t, r.removed...)
	r.skipped(t)
	r.oneRoot(t)
	r.applies(t, r.extra)
}

// look runs what plan prints, with the real kubectl, and returns the flags for a cleanup that looks at the cluster.
func (r *replay) look(t *testing.T, args ...string) []string {
	t.Helper()
	command, _, _ := strings.Cut(r.advise(t, args...).command(t, "see what the cluster says"), " && ")
	file := filepath.Join(t.TempDir(), "live.yaml")
	r.shell(t, strings.NewReplacer("migrate-to-flux-operator", r.product, "/tmp/live.yaml", file).Replace(command))
	r.ran("look")
	return []string{"--phase", "cleanup", "--live", file}
}

// applies fails unless the root still applies what lies beside the install.
func (r *replay) applies(t *testing.T, extra string) {
	t.Helper()
	entries, _, _ := unstructured.NestedSlice(r.get(t.Context(), kustomizations, fluxNamespace, r.root).Object, "status", "inventory", "entries")
	for _, entry := range entries {
		if extra == "" || entry.(map[string]any)["id"] == extra {
			return
		}
	}
	t.Errorf("the root does not apply %s any more: %v", extra, entries)
}

// movePath moves the root to another path with the take-over: below the old one, as the first user did, and beside it.
func movePath(to string) func(t *testing.T, r *replay) {
	return func(t *testing.T, r *replay) {
		to := path.Join(r.folder, to)
		r.deploy(t, "--sync-path", to)
		r.takenOver(t)
		r.before[r.rootKey()] = r.before[r.rootKey()].DeepCopy()
		if err := unstructured.SetNestedField(r.before[r.rootKey()].Object, "./"+to, "spec", "path"); err != nil {
			t.Fatal(err)
		}
		r.folder = to
		r.finish(t, "--sync-path", to)
	}
}

// keep leaves the pair in Git.
func keep(t *testing.T, r *replay) {
	r.adopt(t, "--sync-mode", "keep")
	root := r.get(t.Context(), kustomizations, fluxNamespace, r.root)
	if root.GetLabels()[operatorLabel] != "" || root.GetLabels()[ownerLabel] != r.root {
		t.Errorf("the root belongs to another: %v", root.GetLabels())
	}
}

// adoptAndGoBack is the migration as it is meant, and then every way back from it, in the order in which one would go.
func adoptAndGoBack(flags ...string) func(t *testing.T, r *replay) {
	return func(t *testing.T, r *replay) {
		r.adopt(t, flags...)
		r.revertCleanup(t)
		r.revertDeploy(t)
		r.goBack(t)
	}
}

// deployed is the repository after the first commit, and cleaned after the second.
func (r *replay) planned(t *testing.T) (deployed, cleaned tree) {
	t.Helper()
	scratch := newCheckout(t, r.product, t.TempDir(), r.original)
	scratch.migrate(t, append([]string{"--phase", "deploy"}, r.flags...)...)
	if r.plan == nil {
		r.plan = r.advise(t, r.flags...)
	}
	scratch.commit(t, "deploy")
	deployed = scratch.files(t)
	scratch.migrate(t, append([]string{"--phase", "cleanup", "--taken-over"}, r.flags...)...)
	return deployed, scratch.files(t)
}

// revertCleanup brings the files of the classic install back: everything they hold is skipped.
func (r *replay) revertCleanup(t *testing.T) {
	t.Helper()
	deployed, _ := r.planned(t)
	r.pushTree(t, "revert cleanup", deployed)
	r.settle(t)
	r.kept(t, r.removed...) // what cleanup removed is there again, made anew
	r.skipped(t)
	r.oneRoot(t)
	r.is(t, true, isTakenOver)
}

// revertDeploy takes the files of the first commit away after the take-over: nothing is deleted, and nothing rolls
// back.
func (r *replay) revertDeploy(t *testing.T) {
	t.Helper()
	r.pushTree(t, "revert deploy", r.original)
	r.expects(newKustomizations...)
	r.settle(t)
	r.gone(t)
	r.kept(t, r.removed...)
	r.oneRoot(t)
	if instance := r.get(t.Context(), fluxInstances, fluxNamespace, "flux"); instance == nil || !isReady(instance) {
		t.Fatal("the FluxInstance went with its file")
	}
	r.owned(t)
	r.is(t, false, isTakenOver)
}

// newKustomizations are those that the first commit brings.
var newKustomizations = []string{
	"Kustomization.kustomize.toolkit.fluxcd.io/flux-system/" + operatorName, "Kustomization.kustomize.toolkit.fluxcd.io/flux-system/" + instanceName,
}

// gone waits until the Flux Kustomizations of the first commit are gone.
func (r *replay) gone(t *testing.T) {
	t.Helper()
	r.shell(t, r.plan.command(t, "wait until its Flux Kustomizations are gone"))
}

// goBack gives Flux back to the classic install, as the plan of deploy tells.
func (r *replay) goBack(t *testing.T) {
	t.Helper()
	r.expects("FluxInstance.fluxcd.controlplane.io/flux-system/flux", "HelmRelease.helm.toolkit.fluxcd.io/flux-system/"+operatorName,
		"OCIRepository.source.toolkit.fluxcd.io/flux-system/"+operatorName, "Deployment.apps/flux-system/"+operatorName)
	if slices.Contains(r.flags, "HelmRelease") {
		r.expects("HelmRelease.helm.toolkit.fluxcd.io/flux-system/"+instanceName, "OCIRepository.source.toolkit.fluxcd.io/flux-system/"+instanceName)
	}
	r.shell(t, r.plan.command(t, "disable its reconciliation, then delete it"))
	r.shell(t, r.plan.command(t, "let the classic install have its objects back"))
	r.ran("go back")
	r.reconciled(t)
	r.settle(t)
	r.kept(t, r.removed...)
	r.oneRoot(t)
	for _, name := range []string{controller, sourceCRD, r.rootKey(), r.sourceKey()} {
		if object := r.snapshot(t)[name]; object.GetLabels()[ownerLabel] == "" || !isApplied(object) {
			t.Errorf("%s is not applied again: %v", name, object.GetLabels())
		}
	}
	r.is(t, true, isClassic)
}

// goBackBeforeTheTakeOver reverts the first commit while no operator runs, and then migrates after all.
func goBackBeforeTheTakeOver(t *testing.T, r *replay) {
	deployed, _ := r.planned(t)
	r.noCharts.Store(true)
	r.pushTree(t, "deploy", r.impatient(t, deployed))
	r.settle(t, operatorName, instanceName)
	r.kept(t)
	r.is(t, false, isDeploying)
	r.pushTree(t, "revert deploy", r.original)
	r.expects(newKustomizations...)
	r.gone(t)
	r.settle(t)
	r.kept(t)
	r.is(t, true, isClassic)
	if r.get(t.Context(), helmReleases, fluxNamespace, operatorName) == nil {
		t.Error("the HelmRelease went with its file")
	}
	r.expects("HelmRelease.helm.toolkit.fluxcd.io/flux-system/"+operatorName, "OCIRepository.source.toolkit.fluxcd.io/flux-system/"+operatorName)
	r.shell(t, r.plan.command(t, "let the classic install have its objects back"))
	r.settle(t)
	r.kept(t)
	r.is(t, true, isClassic)
	r.noCharts.Store(false)
	r.adopt(t)
}

// impatient is a repository whose new Flux Kustomizations wait for a moment only: each push after one that cannot
// become ready, and each deletion, waits for the end of that, and no test waits as long as people do.
func (r *replay) impatient(t *testing.T, files tree) tree {
	t.Helper()
	return files.edited(t, r.folder+"/flux-operator/ks.yaml", "timeout: 5m", "timeout: 10s")
}

// chartsComeBack lets the registry answer again, and has the source of the operator look at it now: a source that has
// failed tries again at ever longer intervals.
func (r *replay) chartsComeBack(t *testing.T) {
	t.Helper()
	r.noCharts.Store(false)
	r.requests++
	if err := r.patch(t.Context(), ociRepositories, fluxNamespace, operatorName, r.requested()); err != nil {
		t.Fatal(err)
	}
}

// conditionOf is the status of a condition of an object.
func conditionOf(object *unstructured.Unstructured, kind string) string {
	if object == nil {
		return ""
	}
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, one := range conditions {
		if condition := one.(map[string]any); condition["type"] == kind {
			return condition["status"].(string)
		}
	}
	return ""
}
