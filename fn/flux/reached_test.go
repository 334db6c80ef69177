package flux

import (
	"os"
	"path/filepath"
	"testing"

	kyaml "sigs.k8s.io/yaml"
)

// TestBuildOfWhatPatchesReach holds a build of what patches reach against one of everything, for each FluxInstance that
// a case expects, and for patches that reach further than they select.
func TestBuildOfWhatPatchesReach(t *testing.T) {
	files, err := filepath.Glob("../../testdata/*/expected/*/*/flux-operator/instance/instance.yaml")
	if err != nil || len(files) < 100 {
		t.Fatalf("there are %d cases: %v", len(files), err)
	}
	for i, file := range files {
		if testing.Short() && i%20 > 0 {
			continue
		}
		t.Run(filepath.Base(filepath.Join(file, "../../../../../..")), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sameBuilds(t, string(content))
		})
	}
	for name, patches := range map[string]string{
		"renamed service account": `
      - {target: {kind: ServiceAccount, name: helm-controller}, patch: '[{"op": "replace", "path": "/metadata/name", "value": "fetcher"}]'}`,
		"renamed by its metadata": `
      - {target: {kind: ServiceAccount, name: helm-controller}, patch: '[{"op": "replace", "path": "/metadata", "value": {"name": "fetcher"}}]'}`,
		"selected by what another patch sets": `
      - {target: {kind: ServiceAccount, name: source-controller}, patch: '[{"op": "add", "path": "/metadata/labels", "value": {"mine": "yes"}}]'}
      - {target: {labelSelector: mine=yes}, patch: '[{"op": "add", "path": "/metadata/annotations", "value": {"seen": "yes"}}]'}`,
		"deleted": `
      - {target: {kind: NetworkPolicy}, patch: '{"$patch": "delete", "apiVersion": "v1", "kind": "NetworkPolicy", "metadata": {"name": "all"}}'}`,
		"everything": `
      - {target: {}, patch: '{"apiVersion": "v1", "kind": "all", "metadata": {"name": "all", "labels": {"mine": "yes"}}}'}`,
		"in the namespace": `
      - {target: {namespace: flux-system}, patch: '{"apiVersion": "v1", "kind": "all", "metadata": {"name": "all", "labels": {"mine": "yes"}}}'}`,
		"without a target": `
      - {patch: '{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "source-controller", "labels": {"mine": "yes"}}}'}`,
	} {
		// Before 2.6 no patch of the operator's own reaches all Deployments.
		for namespace, version := range map[string]string{"flux-system": "2.7.x", "gitops": "2.3.x"} {
			t.Run(name+" in "+namespace, func(t *testing.T) {
				sameBuilds(t, `
metadata: {name: flux, namespace: `+namespace+`}
spec:
  distribution: {version: `+version+`, registry: ghcr.io/fluxcd}
  storage: {class: standard, size: 10Gi}
  kustomize:
    patches:`+patches)
			})
		}
	}
}

// sameBuilds builds a FluxInstance both ways.
func sameBuilds(t *testing.T, text string) {
	t.Helper()
	var object map[string]any
	if err := kyaml.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	in, err := decodeInstance(object)
	if err != nil {
		t.Fatal(err)
	}
	version, err := Latest(in.Spec.Distribution.Version)
	if err != nil {
		t.Fatal(err)
	}
	o := in.options(version.Original())
	tree, root, err := in.tree(o)
	if err != nil {
		t.Fatal(err)
	}
	whole, wholeErr := tree.run()
	reached, err := in.build(tree, root, o)
	if (err == nil) != (wholeErr == nil) {
		t.Fatalf("%v, but all at once: %v", err, wholeErr)
	}
	found, byOperator, err := Compare(whole, reached)
	if err != nil {
		t.Fatal(err)
	}
	for _, difference := range append(found, byOperator...) {
		t.Error(difference)
	}
}
