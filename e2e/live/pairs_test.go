package live

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"migrate-to-flux-operator/e2e/objects"
)

// generated is what Flux Operator calls a sync pair that the FluxInstance does not name.
const generated = "flux-system"

// twoPairs has the FluxInstance generate a second pair beside the one in Git, and takes that out as a plan tells where
// both are live.
func twoPairs(t *testing.T, r *replay) {
	deployed, _ := r.planned(t)
	unnamed := r.instanceEdited(t, r.withoutOperation(t, deployed, renameOperation), func(spec map[string]any) {
		unstructured.RemoveNestedField(spec, "sync", "name")
	})
	r.pushTree(t, "deploy", r.impatient(t, unnamed).with(r.pair, r.original[r.pair])) // no guard but those that it tells to set
	r.shell(t, r.plan.command(t, "wait until the FluxInstance is Ready"))
	r.settle(t)
	r.kept(t)
	r.finds(t, "second-sync-pair", "--phase", "cleanup", "--taken-over")

	guarded := r.instanceEdited(t, r.files(t), func(spec map[string]any) {
		patches, _, _ := unstructured.NestedSlice(spec, "kustomize", "patches")
		patches = append(patches, map[string]any{
			"patch": "- {op: add, path: /spec/deletionPolicy, value: Orphan}\n", "target": map[string]any{"kind": "Kustomization"},
		})
		_ = unstructured.SetNestedSlice(spec, patches, "kustomize", "patches")
	}).edited(t, r.pair, "prune: true", "prune: true\n  deletionPolicy: Orphan")
	r.pushToBoth(t, "guard both", guarded)
	eventually(t, 2*time.Minute, "both orphan", func() error {
		for _, name := range []string{r.root, generated} {
			root := r.get(t.Context(), kustomizations, fluxNamespace, name)
			if policy, _, _ := unstructured.NestedString(root.Object, "spec", "deletionPolicy"); policy != "Orphan" {
				return errors.New(name + " does not")
			}
		}
		return nil
	})
	r.settle(t)

	r.pushToBoth(t, "name the generated source", r.sourceNamed(t, guarded, generated))
	r.settle(t)
	old := []string{r.rootKey(), r.sourceKey()}
	r.expects(old...)
	r.pushToBoth(t, "take the old pair out", r.files(t).without(t, r.pair).edited(t, "kubernetes/flux/config/kustomization.yaml", "- ./cluster.yaml\n", ""))
	r.shell(t, "kubectl -n flux-system wait --for=delete --timeout=2m kustomization/"+r.root+" gitrepository/"+r.source)
	r.root, r.source = generated, generated
	r.settle(t)
	if gone := r.before.lost(r.snapshot(t)); !slices.Equal(gone, slices.Sorted(slices.Values(old))) {
		t.Fatalf("deleted or made anew: %s; want: %s", list(gone), list(old))
	}
	r.oneRoot(t)
}

// sourceNamed is the repository in which all that names the source, but the pair that defines it, names another: the
// Flux Kustomizations of deploy are among it, and a variable, and what keeps the old name fails once the source is gone.
func (r *replay) sourceNamed(t *testing.T, files tree, name string) tree {
	t.Helper()
	named := regexp.MustCompile(`(?m)^( +\w+: )` + regexp.QuoteMeta(r.source) + `$`)
	edited, count := maps.Clone(files), 0
	for path, content := range files {
		if path != r.pair && named.MatchString(content) {
			edited[path] = named.ReplaceAllString(content, "${1}"+name)
			count++
		}
	}
	if count < 2 {
		t.Fatalf("%d files name %s", count, r.source)
	}
	return edited
}

// pushToBoth pushes for both sources.
func (r *replay) pushToBoth(t *testing.T, message string, files tree) {
	t.Helper()
	r.pushTree(t, message, files)
	if err := r.patch(t.Context(), gitRepositories, fluxNamespace, generated, r.requested()); err != nil {
		t.Fatal(err)
	}
}

// instanceEdited is the repository with another spec of the FluxInstance.
func (r *replay) instanceEdited(t *testing.T, files tree, edit func(spec map[string]any)) tree {
	t.Helper()
	instance := files.readObjects(t, r.instanceFile())[0]
	edit(instance.Object["spec"].(map[string]any))
	written, err := objects.Write([]*objects.Object{instance})
	if err != nil {
		t.Fatal(err)
	}
	return files.with(r.instanceFile(), string(written))
}
