package live

import (
	"errors"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// new Flux Kustomizations of the first commit.
const (
	operatorKustomization = "flux-operator"
	instanceKustomization = "flux-instance"
)

// deploy makes and pushes the first commit, with a helm-controller at work.
func (r *replay) deploy(t *testing.T, args ...string) {
	t.Helper()
	r.migrate(t, append([]string{"--phase", "deploy"}, args...)...)
	r.installs.Store(true)
	r.push(t, "deploy")
}

// adopt makes both commits as they are meant: each waits for what the results of the run before say.
func (r *replay) adopt(t *testing.T, args ...string) {
	t.Helper()
	r.deploy(t, args...)
	r.takenOver(t)
	r.finish(t, args...)
}

// finish is what follows the take-over: nothing has changed, and the second commit changes nothing either.
func (r *replay) finish(t *testing.T, args ...string) {
	t.Helper()
	r.settle(t)
	r.kept(t)
	r.skipped(t)
	r.oneRoot(t)
	r.migrate(t, append(r.look(t, args...), args...)...)
	r.push(t, "cleanup")
	r.settle(t)
	r.kept(t, r.removed...)
	r.skipped(t)
	r.oneRoot(t)
	r.applies(t, r.extra)
}

// lookCommand is the flags for a cleanup that looks at the cluster, and the command that shows it to cleanup, as plan prints them.
var lookCommand = regexp.MustCompile(`with (--phase cleanup .*) --live \S+, where this has been written to: (\(kubectl get .*\) > )\S+`)

// look runs what plan prints, with the real kubectl, and returns the flags for a cleanup that looks at the cluster.
func (r *replay) look(t *testing.T, args ...string) []string {
	t.Helper()
	planned, err := r.checkout.run("plan", args...)
	printed := lookCommand.FindStringSubmatch(planned)
	if err != nil || printed == nil {
		t.Fatalf("plan does not say how to look at the cluster: %v\n%s", err, planned)
	}
	file := filepath.Join(t.TempDir(), "live.yaml")
	shell := exec.Command("sh", "-c", printed[2]+file)
	shell.Env = append(os.Environ(), "KUBECONFIG="+r.kubeconfig(t), "PATH="+r.tools.directory+":"+os.Getenv("PATH"))
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", shell, err, out)
	}
	return append(strings.Fields(printed[1]), "--live", file)
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
func adoptAndGoBack(t *testing.T, r *replay) {
	r.adopt(t)
	r.revertCleanup(t)
	r.revertDeploy(t)
	r.goBack(t)
}

// deployed is the repository after the first commit, and cleaned after the second.
func (r *replay) planned(t *testing.T) (deployed, cleaned tree) {
	t.Helper()
	scratch := newCheckout(t, r.product, r.original)
	scratch.migrate(t, "--phase", "deploy")
	scratch.commit(t, "deploy")
	deployed = scratch.files(t)
	scratch.migrate(t, "--phase", "cleanup", "--taken-over")
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
}

// revertDeploy takes the files of the first commit away after the take-over: nothing is deleted, and nothing rolls back.
func (r *replay) revertDeploy(t *testing.T) {
	t.Helper()
	r.pushTree(t, "revert deploy", r.original)
	r.settle(t)
	r.gone(t, operatorKustomization, instanceKustomization)
	r.kept(t, r.removed...)
	r.oneRoot(t)
	if instance := r.get(t.Context(), fluxInstances, fluxNamespace, "flux"); instance == nil || !isReady(instance) {
		t.Fatal("the FluxInstance went with its file")
	}
	r.takenOver(t)
}

// gone waits until Flux Kustomizations are gone.
func (r *replay) gone(t *testing.T, names ...string) {
	t.Helper()
	eventually(t, time.Minute, "Flux Kustomizations go", func() error {
		for _, name := range names {
			if r.get(t.Context(), kustomizations, fluxNamespace, name) != nil {
				return missing{name}
			}
		}
		return nil
	})
}

// goBack gives Flux back to the classic install, as the results of deploy tell.
func (r *replay) goBack(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	disabled := map[string]any{"metadata": map[string]any{"annotations": map[string]any{"fluxcd.controlplane.io/reconcile": "disabled"}}}
	err := errors.Join(
		r.patch(ctx, fluxInstances, fluxNamespace, "flux", disabled),
		r.client(fluxInstances, fluxNamespace).Delete(ctx, "flux", metav1.DeleteOptions{}),
		r.client(helmReleases, fluxNamespace).Delete(ctx, operatorResource, metav1.DeleteOptions{}),
		r.client(ociRepositories, fluxNamespace).Delete(ctx, operatorResource, metav1.DeleteOptions{}),
	)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "the FluxInstance goes", func() error {
		if r.get(ctx, fluxInstances, fluxNamespace, "flux") != nil {
			return missing{"FluxInstance"}
		}
		return nil
	})
	r.operator.Load().stop() // a helm-controller uninstalls it with its HelmRelease
	r.release(t)
	r.reconciled(t)
	r.settle(t)
	r.kept(t, r.removed...)
	r.oneRoot(t)
	for _, name := range []string{controller, sourceCRD, r.rootKey(), r.sourceKey()} {
		if object := r.snapshot(t)[name]; object.GetLabels()[ownerLabel] == "" || !isApplied(object) {
			t.Errorf("%s is not applied again: %v", name, object.GetLabels())
		}
	}
}

// release removes the annotations by which kustomize-controller skips what the operator owns.
func (r *replay) release(t *testing.T) {
	t.Helper()
	free := map[string]any{"metadata": map[string]any{"annotations": map[string]any{
		"kustomize.toolkit.fluxcd.io/ssa": nil, "kustomize.toolkit.fluxcd.io/prune": nil,
	}}}
	for name, object := range r.snapshot(t) {
		if object.GetLabels()["app.kubernetes.io/managed-by"] != operatorResource {
			continue
		}
		if err := r.merge(t, object, free); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

// goBackBeforeTheTakeOver reverts the first commit while no operator runs, and then migrates after all.
func goBackBeforeTheTakeOver(t *testing.T, r *replay) {
	deployed, _ := r.planned(t)
	// The Flux Kustomization cannot go before its wait ends; no test waits that long.
	impatient := deployed.edited(t, r.folder+"/flux-operator/ks.yaml", "timeout: 5m", "timeout: 10s")
	r.pushTree(t, "deploy", impatient)
	r.settle(t, operatorKustomization, instanceKustomization)
	r.kept(t)
	r.pushTree(t, "revert deploy", r.original)
	r.gone(t, operatorKustomization, instanceKustomization)
	r.settle(t)
	r.kept(t)
	if r.get(t.Context(), helmReleases, fluxNamespace, operatorResource) == nil {
		t.Error("the HelmRelease went with its file")
	}
	r.adopt(t)
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
