package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"migrate-to-flux-operator/e2e/classic"
	"migrate-to-flux-operator/e2e/compare"
	"migrate-to-flux-operator/e2e/objects"
)

// firstUser is the first user's repository in the corpus.
const firstUser = "bluevulpine__flux-talos@fb9cd96c9"

// firstCluster returns the first user's cluster and a FluxInstance for it that was written by hand.
func firstCluster(t *testing.T) (string, classic.Cluster, *objects.Object) {
	t.Helper()
	repository := corpus(t, firstUser)
	return repository, firstClusterOf(t, repository), readOne(t, "testdata/first-user/fluxinstance.yaml")
}

// TestHandWrittenInstance shows that the comparison can succeed.
func TestHandWrittenInstance(t *testing.T) {
	repository, cluster, instance := firstCluster(t)
	found, err := hold(t, repository, cluster, instance)
	if err != nil {
		t.Fatal(err)
	}
	report(t, found)
}

// TestComparisonFails shows that the comparison can fail, at the object that was harmed.
func TestComparisonFails(t *testing.T) {
	for _, mutation := range mutations {
		t.Run(mutation.name, func(t *testing.T) {
			repository, cluster, instance := firstCluster(t)
			found, err := hold(t, repository, cluster, mutation.apply(t, instance))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(found, func(d compare.Difference) bool { return strings.Contains(d.String(), mutation.harms) }) {
				t.Errorf("no difference at %q among %d: %v", mutation.harms, len(found), found)
			}
		})
	}
}

// mutation is a mistake in a FluxInstance and the object that it harms.
type mutation struct {
	name, harms string
	apply       func(*testing.T, *objects.Object) *objects.Object
}

// replacing is a mutation by text.
func replacing(old, replacement string) func(*testing.T, *objects.Object) *objects.Object {
	return func(t *testing.T, instance *objects.Object) *objects.Object {
		return edit(t, instance, old, replacement)
	}
}

// dropping is a mutation that loses the patch that contains a text.
func dropping(text string) func(*testing.T, *objects.Object) *objects.Object {
	return func(t *testing.T, instance *objects.Object) *objects.Object {
		t.Helper()
		patches, _, _ := unstructured.NestedSlice(instance.Object, "spec", "kustomize", "patches")
		kept := slices.DeleteFunc(slices.Clone(patches), func(one any) bool {
			return strings.Contains(one.(map[string]any)["patch"].(string), text)
		})
		if len(kept) != len(patches)-1 {
			t.Fatalf("%d patches contain %q, want one", len(patches)-len(kept), text)
		}
		if err := unstructured.SetNestedSlice(instance.Object, kept, "spec", "kustomize", "patches"); err != nil {
			t.Fatal(err)
		}
		return instance
	}
}

// mutations are the mistakes that people make by hand.
var mutations = []mutation{
	{"component dropped", "Deployment.apps/flux-system/image-automation-controller", replacing("  - image-automation-controller\n", "")},
	{"patch lost", "Deployment.apps/flux-system/helm-controller /spec/template/spec/containers/0/args", dropping("OOMWatch")},
	{"patch value changed", "Deployment.apps/flux-system/source-controller /spec/template/spec/containers/0/args", replacing("--concurrent=8", "--concurrent=4")},
	{"limits lost", "/spec/template/spec/containers/0/resources/limits/memory", dropping("memory: 2Gi")},
	{"decryption lost", "flux-system/cluster /spec/decryption", replacing("path: /spec/decryption", "path: /spec/force")},
	{"another branch", "home-kubernetes /spec/ref/branch", replacing("branch: main", "branch: master")},
	{"ref not restated", "home-kubernetes /spec/ref", dropping("/spec/ref")},
	{"another minor", "/metadata/labels/app.kubernetes.io~1version", replacing("2.6.x", "2.7.x")},
	{"network policies back", "NetworkPolicy.networking.k8s.io/flux-system/allow-egress", replacing("networkPolicy: false", "networkPolicy: true")},
	{"network policies left to the default", "NetworkPolicy.networking.k8s.io/flux-system/allow-egress", replacing("    networkPolicy: false\n", "    domain: cluster.local\n")},
	{"rename lost", "Kustomization.kustomize.toolkit.fluxcd.io/flux-system/home-kubernetes", dropping("/metadata/name")},
	{"interval lost", "flux-system/cluster /spec/interval", replacing("value: 30m", "value: 10m")},
	{"secret lost", "home-kubernetes /spec/secretRef", replacing("    pullSecret: github-deploy-key\n", "")},
	{"another registry", "/spec/template/spec/containers/0/image", replacing("registry: ghcr.io/fluxcd", "registry: docker.io/fluxcd")},
}

// TestRefusedByTheCluster shows that an instance which the API server would refuse is refused here.
func TestRefusedByTheCluster(t *testing.T) {
	for _, refused := range []struct{ name, old, replacement, why string }{
		{"unknown field", "networkPolicy:", "networkPolicies:", "unknown fields"},
		{"name", "name: flux\n", "name: other\n", "the only accepted name"},
		{"enum", "- source-controller", "- source", "Unsupported value"},
		{"provider", "kind: GitRepository\n    name", "kind: GitRepository\n    provider: gcp\n    name", "only supported for OCIRepository"},
		{"patch option", "- patch: |", "- options: {allowNameChange: true}\n      patch: |", "unknown fields"},
	} {
		t.Run(refused.name, func(t *testing.T) {
			instance := edit(t, readOne(t, "testdata/first-user/fluxinstance.yaml"), refused.old, refused.replacement)
			_, err := theOperator(t).Admit(instance)
			if err == nil || !strings.Contains(err.Error(), refused.why) {
				t.Errorf("got %v, want an error with %q", err, refused.why)
			}
		})
	}
}

// TestFlagsAreRecovered shows that the generator writes what real repositories hold: with the flags found in
// each, `flux install` gives the same manifests.
func TestFlagsAreRecovered(t *testing.T) {
	root := corpus(t, ".")
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		for _, cluster := range findClusters(t, filepath.Join(root, entry.Name())) {
			if cluster.Layout == classic.Bootstrap && manifests(t).Has(cluster.Version) {
				file := filepath.Join(entry.Name(), cluster.Components)
				t.Run(file, func(t *testing.T) { recoverFlags(t, filepath.Join(root, file), cluster.Version) })
			}
		}
	}
}

// recoverFlags generates a file of manifests again, from the flags found in it.
func recoverFlags(t *testing.T, file, version string) {
	t.Helper()
	held, err := objects.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if label := objects.Find(held, "apps", "Deployment", "source-controller").GetLabels()["app.kubernetes.io/version"]; label != version {
		t.Skipf("skipped: changed by hand, its header says %s and its labels %s", version, label)
	}
	content, err := manifests(t).Install(classic.Flags(held, version))
	if err != nil {
		t.Fatal(err)
	}
	generated, err := objects.Read([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	found, err := compare.Objects(held, generated)
	if err != nil {
		t.Fatal(err)
	}
	report(t, found)
}
