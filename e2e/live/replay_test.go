package live

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
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

// world is what all replays share: what was built, and what the registry holds.
type world struct {
	tools
	product  string
	registry http.Handler
	table    *table
}

// replay is one migration on one cluster.
type replay struct {
	*kubelet
	layout
	*checkout
	*row

	deleted  *deletions
	flags    []string // of deploy
	plan     advice   // of deploy
	before   snapshot // once Flux runs the classic way
	original tree
	requests int
	looks    int // of verify
}

// newReplay starts a cluster with Flux's controllers, installs Flux on it the classic way, and lets it apply the
// repository.
func newReplay(t *testing.T, w world, l layout, line *row) *replay {
	t.Helper()
	files := l.repository(t, manifests(t, w.tools, l.release()))
	outside := serveInternet(t, w.registry)
	r := &replay{
		kubelet: &kubelet{cluster: startCluster(t, w.tools), internet: outside},
		layout:  l, checkout: newCheckout(t, w.product, outside.repository(l.url(t, files)), files), original: files, row: line,
	}
	r.begin(t)
	return r
}

// join starts one more cluster that syncs from the same repository.
func (r *replay) join(t *testing.T, l layout) *replay {
	t.Helper()
	other := &replay{
		kubelet: &kubelet{cluster: startCluster(t, r.tools), internet: r.internet},
		layout:  l, checkout: r.checkout, original: r.original, row: r.table.row(r.scenario + ", second cluster"),
	}
	other.begin(t)
	return other
}

// begin installs Flux on the cluster the classic way, and lets it apply the repository.
func (r *replay) begin(t *testing.T) {
	t.Helper()
	r.installFlux(t, manifests(t, r.tools, r.release()))
	r.kubelet.run(t)
	r.startFlux(t)
	r.settle(t)
	r.before = r.snapshot(t)
	installed := strings.Replace(controller, "/kustomize-", "/"+r.prefix+"kustomize-", 1)
	for _, name := range []string{widget, workload, shopNamespace, sourceCRD, installed, fluxNamespaceID, r.rootKey(), r.sourceKey()} {
		if r.before[name] == nil {
			t.Fatalf("the classic install has no %s", name)
		}
	}
	r.decrypts(t)
	if r.layout.edit == nil {
		r.is(t, true, isClassic)
	}
	r.deleted = r.watchDeletions(t)
}

// decrypts fails unless what is encrypted in the repository, and what is a variable, is plain on the cluster. What a
// migration changes of that, kept sees.
func (r *replay) decrypts(t *testing.T) {
	t.Helper()
	if r.layout.name != fluxManifests.name {
		return
	}
	zone, _, _ := unstructured.NestedString(r.before["Secret/flux-system/cluster-secrets"].Object, "data", "ZONE")
	stage, _, _ := unstructured.NestedString(r.before["ConfigMap/flux-system/stage"].Object, "data", "stage")
	if want := base64.StdEncoding.EncodeToString([]byte("north")); zone != want || stage != "one" {
		t.Fatalf("ZONE is %q, want %q; stage is %q, want one", zone, want, stage)
	}
}

// startFlux runs Flux's controllers.
func (r *replay) startFlux(t *testing.T) {
	t.Helper()
	storage := freeAddress(t)
	r.startController(t, "source-controller", r.environment(), "--storage-path="+t.TempDir(),
		"--storage-addr="+storage, "--storage-adv-addr="+storage, "--requeue-dependency=1s", "--interval-jitter-percentage=0")
	for _, name := range []string{"kustomize-controller", "helm-controller"} {
		r.startController(t, name, r.environment(), "--requeue-dependency=1s", "--interval-jitter-percentage=0")
	}
}

// run is the checkout's: the other ones have methods of that name as well.
func (r *replay) run(command string, args ...string) (string, error) {
	return r.checkout.run(command, args...)
}

// push is a commit that the cluster's source fetches, as a webhook would tell it to.
func (r *replay) push(t *testing.T, message string) {
	t.Helper()
	r.commit(t, message)
	r.ran("push %s", message)
	r.fetch(t)
}

// fetch asks for the source to be fetched.
func (r *replay) fetch(t *testing.T) {
	t.Helper()
	r.requests++
	if err := r.patch(t.Context(), gitRepositories, r.pairNamespace(), r.source, r.requested()); err != nil {
		t.Fatal(err)
	}
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
	rendered := r.pairOf(t, r.original)
	components, err := objects.Read([]byte(manifests))
	if err != nil {
		t.Fatal(err)
	}
	if r.manifests == "" && !r.chart {
		install := objects.Find(r.original.readObjects(t, path.Dir(r.pair)+"/flux.yaml"), "kustomize.toolkit.fluxcd.io", "Kustomization", r.install)
		if components, err = classic.Apply(manifests, install); err != nil {
			t.Fatal(err)
		}
	}
	r.applyAll(t, r.manager, components)
	r.applyAll(t, "owner", []*objects.Object{
		secret("sops-age", "age.agekey", ageKey(t)), secret("deploy-key", "username", "git"), secret("flux-system", "username", "git"),
	})
	r.applyAll(t, r.manager, rendered)
}

// secret is a Secret that nothing in the repository defines. Each has a password as well, as a Secret for Git must.
func secret(name, key, value string) *objects.Object {
	return &objects.Object{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": name, "namespace": fluxNamespace},
		"stringData": map[string]any{key: value, "password": "none"},
	}}
}

// settle waits until every Flux Kustomization has applied the last push, but for those named. Those that have failed
// are asked to try again, sooner than they would by themselves.
func (r *replay) settle(t *testing.T, except ...string) {
	t.Helper()
	calm := 0
	// A health check that waits for what has gone ends with its timeout, 5m, and only then the next push is applied.
	eventually(t, 7*time.Minute, "the cluster settles", func() error {
		var waiting []error
		for _, one := range r.list(t.Context(), kustomizations) {
			if !slices.Contains(except, one.GetName()) {
				waiting = append(waiting, r.unsettled(&one))
			}
		}
		if err := errors.Join(waiting...); err != nil || len(waiting) == 0 {
			if calm = min(calm, 0) - 1; calm%12 == 0 {
				r.request(t, "False")
			}
			return cmpError(err, "no Flux Kustomizations")
		}
		if calm = max(calm, 0) + 1; calm < 3 {
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
	if suspended, _, _ := unstructured.NestedBool(one.Object, "spec", "suspend"); suspended {
		return nil
	}
	source, _, _ := unstructured.NestedString(one.Object, "spec", "sourceRef", "name")
	applied, _, _ := unstructured.NestedString(one.Object, "status", "lastAppliedRevision")
	if source == r.source && !strings.HasSuffix(applied, r.head) {
		return fmt.Errorf("%s has applied %q, not %s: %s", one.GetName(), applied, r.head, message(one))
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
	eventually(t, 4*time.Minute, "everything reconciles", func() error {
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

// skipped fails when a Flux Kustomization still applies what the operator owns, or the other way round: a fight would
// change objects with every reconciliation, and leave two owners.
func (r *replay) skipped(t *testing.T) {
	t.Helper()
	before := r.snapshot(t)
	r.reconciled(t)
	r.settle(t) // one that waits for another answers before that is ready, with an error, and tries again a second later
	owned := 0
	for name, object := range r.snapshot(t) {
		if object.GetLabels()["app.kubernetes.io/managed-by"] != operatorName {
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
