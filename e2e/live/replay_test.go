package live

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"migrate-to-flux-operator/e2e/classic"
	"migrate-to-flux-operator/e2e/objects"
)

// installKey is the Flux Kustomization of the flux-manifests layout. Deploy guards it, so that its content changes.
const installKey = "Kustomization.kustomize.toolkit.fluxcd.io/flux-system/flux"

// The labels and the annotation by which owners are told.
const (
	operatorLabel = "fluxcd.controlplane.io/name"
	ownerLabel    = "kustomize.toolkit.fluxcd.io/name"
	requestedAt   = "reconcile.fluxcd.io/requestedAt"
)

// replay is one migration on one cluster.
type replay struct {
	*standIns
	layout
	checkout

	before   snapshot // once Flux runs the classic way
	original tree
	revision string
	requests int
}

// newReplay starts a cluster, installs Flux on it the classic way, and lets it apply the repository.
func newReplay(t *testing.T, built tools, product string, l layout) *replay {
	t.Helper()
	manifests := l.fluxManifests(t, built)
	files := l.repository(t, manifests)
	r := &replay{
		standIns: &standIns{cluster: startCluster(t, built), sources: serveSources(t)},
		layout:   l, checkout: newCheckout(t, product, files), original: files,
	}
	r.sources.push(t, "flux-manifests", tree{"gotk-components.yaml": manifests})
	r.sources.push(t, operatorResource, tree{"README.md": "the chart is not read"})
	r.run(t)
	r.installFlux(t, manifests)
	r.startController(t, "kustomize-controller", r.server.URL, "--requeue-dependency=1s", "--interval-jitter-percentage=0")
	r.push(t, "before")
	r.settle(t)
	r.before = r.snapshot(t)
	for _, name := range []string{widget, workload, shopNamespace, sourceCRD, controller, fluxNamespaceID, r.rootKey(), r.sourceKey()} {
		if r.before[name] == nil {
			t.Fatalf("the classic install has no %s", name)
		}
	}
	return r
}

// run starts the stand-ins: replay has two embedded types with that name.
func (r *replay) run(t *testing.T) { r.standIns.run(t) }

// push is a commit that the cluster's source fetches.
func (r *replay) push(t *testing.T, message string) {
	t.Helper()
	r.commit(t, message)
	r.revision = r.sources.push(t, r.source, r.files(t))
}

// pushTree is a commit made by hand: these files and no others.
func (r *replay) pushTree(t *testing.T, message string, files tree) {
	t.Helper()
	r.replace(t, files)
	r.push(t, message)
}

// installFlux does what the owner once did: `flux bootstrap`, or `kubectl apply` of the manifests and of the pair.
func (r *replay) installFlux(t *testing.T, manifests string) {
	t.Helper()
	rendered := r.original.readObjects(t, r.pair)
	components, err := objects.Read([]byte(manifests))
	if err != nil {
		t.Fatal(err)
	}
	if r.manifests == "" {
		install := objects.Find(r.original.readObjects(t, path.Dir(r.pair)+"/flux.yaml"), "kustomize.toolkit.fluxcd.io", "Kustomization", r.install)
		if components, err = classic.Apply(manifests, install); err != nil {
			t.Fatal(err)
		}
	}
	r.applyAll(t, r.manager, components)
	for _, name := range []string{"sops-age", "deploy-key", "flux-system"} {
		r.applyAll(t, "owner", []*objects.Object{secret(name)})
	}
	r.applyAll(t, r.manager, rendered)
}

// secret is a Secret that nothing in the repository defines.
func secret(name string) *objects.Object {
	return &objects.Object{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": name, "namespace": fluxNamespace},
	}}
}

// settle waits until every Flux Kustomization has applied the last push, but for those named. Those that have failed are
// asked to try again, sooner than they would by themselves.
func (r *replay) settle(t *testing.T, except ...string) {
	t.Helper()
	calm := 0
	eventually(t, 4*time.Minute, "the cluster settles", func() error {
		var waiting []error
		for _, one := range r.list(t.Context(), kustomizations) {
			if !slices.Contains(except, one.GetName()) {
				waiting = append(waiting, r.unsettled(&one))
			}
		}
		if err := errors.Join(waiting...); err != nil || len(waiting) == 0 {
			if calm = min(calm, 0) - 1; calm%30 == 0 {
				r.request(t, "False")
			}
			return cmpError(err, "no Flux Kustomizations")
		}
		if calm = max(calm, 0) + 1; calm < 5 {
			return errors.New("not calm yet")
		}
		return nil
	})
}

// cmpError is the error, or one with these words.
func cmpError(err error, words string) error {
	if err == nil {
		return errors.New(words)
	}
	return err
}

// unsettled says what a Flux Kustomization still has to do.
func (r *replay) unsettled(one *objects.Object) error {
	source, _, _ := unstructured.NestedString(one.Object, "spec", "sourceRef", "name")
	applied, _, _ := unstructured.NestedString(one.Object, "status", "lastAppliedRevision")
	if source == r.source && applied != r.revision {
		return fmt.Errorf("%s has applied %q, not %s: %s", one.GetName(), applied, r.revision, message(one))
	}
	if !isReady(one) {
		return fmt.Errorf("%s is not ready: %s", one.GetName(), message(one))
	}
	return nil
}

// isReady tells that an object's own controller says that it is ready as it is now.
func isReady(object *objects.Object) bool {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, one := range conditions {
		condition := one.(map[string]any)
		if condition["type"] == "Ready" {
			return condition["status"] == "True" && condition["observedGeneration"] == object.GetGeneration() && object.GetDeletionTimestamp() == nil
		}
	}
	return false
}

// message is what the condition Ready of an object says.
func message(object *objects.Object) string {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, one := range conditions {
		condition := one.(map[string]any)
		if condition["type"] == "Ready" {
			return fmt.Sprint(condition["reason"], ": ", condition["message"])
		}
	}
	return "no condition"
}

// request asks Flux Kustomizations to reconcile now: those whose condition Ready has one of these states.
func (r *replay) request(t *testing.T, states ...string) {
	t.Helper()
	r.requests++
	for _, one := range r.list(t.Context(), kustomizations) {
		if slices.Contains(states, conditionOf(&one, "Ready")) {
			_ = r.patch(t.Context(), kustomizations, one.GetNamespace(), one.GetName(), r.requested())
		}
	}
}

// requested is the annotation that asks for a reconciliation.
func (r *replay) requested() map[string]any {
	return map[string]any{"metadata": map[string]any{"annotations": map[string]any{requestedAt: fmt.Sprint("replay-", r.requests)}}}
}

// reconciled asks for one more reconciliation of everything, and waits until all have answered.
func (r *replay) reconciled(t *testing.T) {
	t.Helper()
	r.request(t, "True", "False", "Unknown")
	_ = r.patch(t.Context(), fluxInstances, fluxNamespace, "flux", r.requested()) // there may be none
	wanted := fmt.Sprint("replay-", r.requests)
	eventually(t, time.Minute, "everything reconciles", func() error {
		answers := r.list(t.Context(), kustomizations)
		if instance := r.get(t.Context(), fluxInstances, fluxNamespace, "flux"); instance != nil {
			answers = append(answers, *instance)
		}
		for _, one := range answers {
			if handled, _, _ := unstructured.NestedString(one.Object, "status", "lastHandledReconcileAt"); handled != wanted {
				return fmt.Errorf("%s has not answered: %s", one.GetName(), message(&one))
			}
		}
		return nil
	})
}

// takenOver waits until the operator owns Flux, and, where the instance has a sync, the pair: as the results of deploy tell to check.
func (r *replay) takenOver(t *testing.T) {
	t.Helper()
	eventually(t, 4*time.Minute, "Flux Operator takes over", func() error {
		instance := r.get(t.Context(), fluxInstances, fluxNamespace, "flux")
		if instance == nil {
			return errors.New("no FluxInstance")
		}
		if !isReady(instance) {
			return errors.New("FluxInstance: " + message(instance))
		}
		return r.unowned(t, instance)
	})
}

// unowned names an object that the operator does not own yet.
func (r *replay) unowned(t *testing.T, instance *objects.Object) error {
	t.Helper()
	var rows []unstructured.Unstructured
	for _, one := range r.list(t.Context(), definitions) {
		if one.GetLabels()["app.kubernetes.io/part-of"] == "flux" {
			rows = append(rows, one)
		}
	}
	for _, one := range r.list(t.Context(), deployments) {
		if one.GetNamespace() == fluxNamespace {
			rows = append(rows, one)
		}
	}
	if _, synced, _ := unstructured.NestedMap(instance.Object, "spec", "sync"); synced {
		rows = append(rows, *r.get(t.Context(), kustomizations, fluxNamespace, r.root), *r.get(t.Context(), gitRepositories, fluxNamespace, r.source))
	}
	if len(rows) < 15 {
		return fmt.Errorf("only %d objects of Flux", len(rows))
	}
	for _, one := range rows {
		if one.GetLabels()[operatorLabel] != "flux" {
			return fmt.Errorf("%s is not owned", objects.Name(&one))
		}
	}
	return nil
}

// skipped fails when a Flux Kustomization still applies what the operator owns, or the other way round: a fight would
// change objects with every reconciliation, and leave two owners.
func (r *replay) skipped(t *testing.T) {
	t.Helper()
	before := r.snapshot(t)
	r.reconciled(t)
	owned := 0
	for name, object := range r.snapshot(t) {
		if object.GetLabels()["app.kubernetes.io/managed-by"] != operatorResource {
			continue
		}
		owned++
		if object.GetLabels()[ownerLabel] != "" || isApplied(object) {
			t.Errorf("%s has two owners: %v %v", name, object.GetLabels(), object.GetManagedFields())
		}
		// The status of Flux's own resources moves all the time.
		was, moves := before[name], strings.HasSuffix(objects.Group(object), "toolkit.fluxcd.io")
		if !moves && was != nil && was.GetResourceVersion() != object.GetResourceVersion() {
			t.Errorf("%s changes with every reconciliation", name)
		}
	}
	if owned < 30 {
		t.Errorf("the operator owns %d objects, want all of Flux", owned)
	}
}

// isApplied tells that kustomize-controller still applies an object.
func isApplied(object *objects.Object) bool {
	return slices.ContainsFunc(object.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == "kustomize-controller" && entry.Operation == metav1.ManagedFieldsOperationApply
	})
}

// oneRoot fails unless exactly one Flux Kustomization applies the folder of the root.
func (r *replay) oneRoot(t *testing.T) {
	t.Helper()
	if roots := r.roots(t); !slices.Equal(roots, []string{r.root}) {
		t.Fatalf("the folder %s is applied by %s", r.folder, list(roots))
	}
}

// roots are the Flux Kustomizations that apply the folder of the root.
func (r *replay) roots(t *testing.T) []string {
	t.Helper()
	var roots []string
	for _, one := range r.list(t.Context(), kustomizations) {
		folder, _, _ := unstructured.NestedString(one.Object, "spec", "path")
		if path.Clean(strings.TrimPrefix(folder, "./")) == r.folder {
			roots = append(roots, one.GetName())
		}
	}
	return roots
}
