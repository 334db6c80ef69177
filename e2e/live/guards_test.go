package live

import (
	"errors"
	"maps"
	"slices"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/e2e/objects"
)

// cleanupBeforeTheOperator pushes the second commit while the HelmRelease of the operator has not been installed.
func cleanupBeforeTheOperator(t *testing.T, r *replay) {
	r.noCharts.Store(true)
	r.deploy(t)
	r.settle(t, operatorName, instanceName)
	r.kept(t)
	r.refuses(t, "takenOver", "--phase", "cleanup")
	r.is(t, false, isDeploying)
	r.refuses(t, "has not taken over", r.look(t)...)
	r.migrate(t, "--phase", "cleanup", "--taken-over") // which is not true
	r.isNot(t, "is not on the cluster")
	r.expects(r.removed...)
	r.push(t, "cleanup")
	r.settle(t, operatorName, instanceName)
	r.kept(t, r.removed...)
	r.isNot(t, "")
	r.chartsComeBack(t)
	r.recovers(t)
}

// recovers waits until the operator has taken over after all, with nothing lost.
func (r *replay) recovers(t *testing.T) {
	t.Helper()
	r.takenOver(t)
	r.settle(t)
	r.kept(t, r.removed...)
	r.skipped(t)
	r.oneRoot(t)
	r.is(t, true, isCleanedUp)
}

// cleanupDuringTheTakeOver stops the operator between its first objects and the sync pair, and pushes the second commit
// then.
func cleanupDuringTheTakeOver(t *testing.T, r *replay) {
	r.deploy(t)
	eventually(t, 4*time.Minute, "the take-over begins", func() error {
		definition := r.get(t.Context(), definitions, "", "kustomizations.kustomize.toolkit.fluxcd.io")
		if definition.GetLabels()[operatorLabel] == "" {
			return errors.New("not begun")
		}
		return r.operator.Load().Process.Signal(syscall.SIGSTOP)
	})
	for _, name := range []string{controller, r.rootKey(), r.sourceKey()} {
		if r.snapshot(t)[name].GetLabels()[operatorLabel] != "" {
			t.Fatalf("the operator was stopped too late: it owns %s", name)
		}
	}
	r.is(t, false, isDeploying)
	r.refuses(t, "has not taken over", r.look(t)...)
	r.migrate(t, "--phase", "cleanup", "--taken-over") // which is not true
	r.is(t, false, isDeploying)
	r.expects(r.removed...)
	r.push(t, "cleanup")
	r.settle(t, instanceName)
	r.is(t, false, isDeploying)
	r.kept(t, r.removed...)
	if err := r.operator.Load().Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	r.recovers(t)
}

// cleanupWithAStalledInstance pushes the second commit while the FluxInstance cannot be built.
func cleanupWithAStalledInstance(t *testing.T, r *replay) {
	deployed, cleaned := r.planned(t)
	r.pushTree(t, "deploy", deployed.edited(t, r.instanceFile(), "version: 2.9.x", "version: 2.9.99"))
	eventually(t, 4*time.Minute, "the FluxInstance stalls", func() error {
		if conditionOf(r.get(t.Context(), fluxInstances, fluxNamespace, "flux"), "Stalled") != "True" {
			return errors.New("not stalled")
		}
		return nil
	})
	r.kept(t)
	r.is(t, false, isDeploying)
	r.refuses(t, "", "--phase", "cleanup", "--taken-over")
	r.expects(r.removed...)
	r.pushTree(t, "cleanup", cleaned.edited(t, r.instanceFile(), "version: 2.9.x", "version: 2.9.99"))
	r.settle(t, instanceName)
	r.kept(t, r.removed...)
	r.pushTree(t, "repair", cleaned)
	r.recovers(t)
}

// instanceFile is where the first commit puts the FluxInstance.
func (r *replay) instanceFile() string {
	return r.folder + "/flux-operator/instance/instance.yaml"
}

// What keeps the name of the root, and what keeps the operator from deleting the root should that get lost: the paths
// of two operations of the instance's patch for the root.
const (
	renameOperation = "/metadata/name"
	guardOperation  = "/metadata/annotations"
)

// withoutOperation is the repository with one operation less in the instance's patch for the root.
func (r *replay) withoutOperation(t *testing.T, files tree, path string) tree {
	t.Helper()
	instance := files.readObjects(t, r.instanceFile())[0]
	patches, _, _ := unstructured.NestedSlice(instance.Object, "spec", "kustomize", "patches")
	dropped := false
	for _, one := range patches {
		patch := one.(map[string]any)
		if kind, _, _ := unstructured.NestedString(patch, "target", "kind"); kind != "Kustomization" {
			continue
		}
		var operations []map[string]any
		if err := yaml.Unmarshal([]byte(patch["patch"].(string)), &operations); err != nil {
			t.Fatal(err)
		}
		left := slices.DeleteFunc(slices.Clone(operations), func(one map[string]any) bool { return one["path"] == path })
		dropped = dropped || len(left) < len(operations)
		encoded, err := yaml.Marshal(left)
		if err != nil {
			t.Fatal(err)
		}
		patch["patch"] = string(encoded)
	}
	if !dropped {
		t.Fatalf("the instance has no operation on %s", path)
	}
	_ = unstructured.SetNestedSlice(instance.Object, patches, "spec", "kustomize", "patches")
	written, err := objects.Write([]*objects.Object{instance})
	if err != nil {
		t.Fatal(err)
	}
	return files.with(r.instanceFile(), string(written))
}

// renameLostWithItsGuard removes the operation that keeps the root's name: with the guard on the root there are two
// roots, and nothing is deleted.
func renameLostWithItsGuard(t *testing.T, r *replay) {
	r.deploy(t)
	r.takenOver(t)
	r.settle(t)
	r.pushTree(t, "lose the rename", r.withoutOperation(t, r.files(t), renameOperation))
	r.refuses(t, "rename", "--phase", "cleanup", "--taken-over")
	eventually(t, time.Minute, "a second root", func() error {
		if len(r.roots(t)) < 2 {
			return errors.New("one root")
		}
		return nil
	})
	r.settle(t)
	r.kept(t)
	r.isNot(t, "does not generate Kustomization/flux-system/"+r.root)
	r.isNot(t, "two roots")
}

// guardMissing takes all guards off between the two commits, and gets them back as cleanup tells.
func guardMissing(t *testing.T, r *replay) {
	r.deploy(t)
	r.takenOver(t)
	r.settle(t)
	unguarded := r.files(t)
	maps.Copy(unguarded, r.original) // deploy adds files, and changes others only to guard
	r.pushTree(t, "take the guards off", unguarded)
	r.settle(t)
	r.refuses(t, "run the phase deploy, push it, and wait until it is live", "--phase", "cleanup", "--taken-over")
	r.migrate(t, "--phase", "deploy")
	r.push(t, "deploy again")
	r.settle(t)
	r.kept(t)
	r.finish(t)
}

// guardUndone has a kustomization.yaml undo the guards between the two commits, and takes that out as cleanup tells.
func guardUndone(t *testing.T, r *replay) {
	const file, undoing = "kubernetes/flux/config/kustomization.yaml", "commonAnnotations: {kustomize.toolkit.fluxcd.io/prune: enabled}\n"
	r.deploy(t)
	r.takenOver(t)
	r.settle(t)
	guarded := r.files(t)
	r.pushTree(t, "undo the guards", guarded.with(file, guarded[file]+undoing))
	r.settle(t)
	r.refuses(t, "take that out, push it, and wait until the guard is live", "--phase", "cleanup", "--taken-over")
	r.pushTree(t, "take it out", guarded)
	r.settle(t)
	r.kept(t)
	r.finish(t)
}
