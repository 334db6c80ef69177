package live

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"
)

// cleanupWithoutDeploy removes the install from Git as one would a file that nobody needs.
func cleanupWithoutDeploy(t *testing.T, r *replay) {
	r.refuses(t, "FluxInstance", "--phase", "cleanup", "--taken-over")
	files := r.original
	if r.manifests != "" {
		files = files.without(t, r.folder+"/flux-system")
	} else {
		files = files.without(t, "kubernetes/flux/config/flux.yaml").edited(t, "kubernetes/flux/config/kustomization.yaml", "- ./flux.yaml\n", "")
	}
	r.pushTree(t, "remove the install", files)
	r.loses(t, sourceCRD, controller, r.rootKey(), r.sourceKey())
	r.isUnsafe(t)
}

// bothInOnePush is the two commits with nothing between them: guards that were never live do not count.
func bothInOnePush(t *testing.T, r *replay) {
	_, cleaned := r.planned(t)
	r.migrate(t, "--phase", "deploy")
	r.refuses(t, "is not committed", "--phase", "cleanup", "--taken-over")
	r.git(t, "add", "--all")
	r.git(t, "commit", "--quiet", "--message", "deploy, not pushed")
	r.refuses(t, "is not in origin/main", "--phase", "cleanup", "--taken-over")
	r.is(t, false, isClassic)
	r.pushTree(t, "both", cleaned)
	r.loses(t, sourceCRD, controller, r.rootKey(), r.sourceKey())
	r.isUnsafe(t)
}

// withoutGuards is the first commit without its guards, and the second one before the take-over.
func withoutGuards(t *testing.T, r *replay) {
	deployed, cleaned := r.planned(t)
	r.noCharts.Store(true)
	unguarded := maps.Clone(deployed)
	maps.Copy(unguarded, r.original) // deploy adds files, and changes others only to guard
	r.pushTree(t, "deploy", unguarded)
	r.settle(t, operatorName, instanceName)
	r.kept(t)
	r.refuses(t, "guard", "--phase", "cleanup", "--taken-over")
	r.is(t, false, isDeploying)
	r.pushTree(t, "cleanup", cleaned)
	r.loses(t, r.rootKey(), r.sourceKey(), widget, workload)
	r.isUnsafe(t)
}

// fieldNotRestated leaves a field of the root out of the instance: the take-over drops it from the cluster.
func fieldNotRestated(t *testing.T, r *replay) {
	deployed, _ := r.planned(t)
	r.pushTree(t, "deploy", r.withoutOperation(t, deployed, "/spec/decryption"))
	r.takenOver(t)
	r.settle(t)
	if changed := r.before.changed(r.snapshot(t)); !slices.Contains(changed, r.rootKey()) {
		t.Errorf("the root kept what was not restated; changed: %s", list(changed))
	}
	r.isNot(t, "spec.decryption")
}

// renameLost removes the operation that keeps the root's name, and before it the guard on the root: the operator
// deletes the root, and with it go all that it applied.
func renameLost(t *testing.T, r *replay) {
	r.deploy(t)
	r.takenOver(t)
	r.settle(t)
	unguarded := r.withoutOperation(t, r.files(t), guardOperation)
	r.pushTree(t, "lose the guard", unguarded)
	eventually(t, time.Minute, "the guard goes", func() error {
		if r.get(t.Context(), kustomizations, fluxNamespace, r.root).GetAnnotations()["fluxcd.controlplane.io/prune"] != "" {
			return errors.New("guarded")
		}
		return nil
	})
	r.settle(t)
	r.kept(t)
	r.pushTree(t, "lose the rename", r.withoutOperation(t, unguarded, renameOperation))
	r.refuses(t, "rename", "--phase", "cleanup", "--taken-over")
	r.loses(t, r.rootKey(), widget, workload)
	r.isUnsafe(t)
}

// narrowedKustomization puts a kustomization.yaml into the folder of the root that lists less than what is there.
func narrowedKustomization(t *testing.T, r *replay) {
	listed := "config"
	if r.manifests != "" {
		listed = "flux-system"
	}
	content := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- ./" + listed + "\n"
	r.pushTree(t, "narrow", r.original.with(r.folder+"/kustomization.yaml", content))
	r.loses(t, "Kustomization.kustomize.toolkit.fluxcd.io/flux-system/cluster-apps", shopNamespace, widget, workload)
}
