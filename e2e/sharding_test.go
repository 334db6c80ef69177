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
)

// TestShardsComeBack does what the refusal of shards says, and holds what the operator then makes against the install with its shards:
// first the shards are taken out, then the cluster is migrated, and then the FluxInstance gets spec.sharding.
func TestShardsComeBack(t *testing.T) {
	fn, sharded := commands(t), whole(t, caseInput(t, "bootstrap-sharding-refused"))
	refused, err := fn.plan(newCheckout(t, sharded).directory)
	if err != nil {
		t.Fatal(err)
	}
	const remedy = "spec.sharding (key, shards: [shard1]) brings the shard back"
	if said := strings.Join(refused.errors(), "\n"); !strings.Contains(said, remedy) {
		t.Fatalf("the remedy is not said: %s", said)
	}

	taken := newCheckout(t, sharded)
	folder := filepath.Join(taken.directory, "clusters/prod/flux-system")
	without := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- gotk-components.yaml\n- gotk-sync.yaml\n"
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(without), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(folder, "shard1")); err != nil {
		t.Fatal(err)
	}
	taken.push(t, "take the shards out")
	if _, err := fn.run("apply", taken.directory); err != nil {
		t.Fatal(err)
	}

	instance := newInstance(t, taken, "clusters/prod")
	sharding := map[string]any{"key": "sharding.fluxcd.io/key", "shards": []any{"shard1"}}
	if err := unstructured.SetNestedMap(instance.Object, sharding, "spec", "sharding"); err != nil {
		t.Fatal(err)
	}
	cluster, err := classic.FindAt(sharded, "clusters/prod")
	if err != nil {
		t.Fatal(err)
	}
	found, err := hold(t, sharded, cluster, instance)
	if err != nil {
		t.Fatal(err)
	}
	// The operator gives the shard its address after that of the main controller, and the last one counts.
	report(t, slices.DeleteFunc(found, func(one compare.Difference) bool {
		return strings.Contains(one.String(), "/source-controller-shard1 /spec/template/spec/containers/0/args")
	}))
}
