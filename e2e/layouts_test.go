package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fluxcd/flux2/v2/pkg/manifestgen/install"

	"migrate-to-flux-operator/e2e/classic"
	"migrate-to-flux-operator/e2e/objects"
)

// writeFiles writes a repository.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// syncPair is what `flux bootstrap` writes as gotk-sync.yaml.
const syncPair = `apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata:
  name: flux-system
  namespace: flux-system
spec:
  interval: 1m0s
  ref:
    branch: main
  secretRef:
    name: flux-system
  url: ssh://git@example.com/owner/fleet
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: flux-system
  namespace: flux-system
spec:
  interval: 10m0s
  path: ./clusters/one
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
`

// kustomization is a kustomization.yaml with a patch that many people have.
const kustomization = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
%s
patches:
  - target: {kind: Deployment, name: source-controller}
    patch: |
      - op: add
        path: /spec/template/spec/containers/0/args/-
        value: --concurrent=7
`

// instanceFor is a FluxInstance for that patch and pair.
const instanceFor = `apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata:
  name: flux
  namespace: flux-system
spec:
  distribution:
    version: %s
    registry: ghcr.io/fluxcd
  components: [%s]
  sync:
    kind: GitRepository
    url: ssh://git@example.com/owner/fleet
    ref: refs/heads/main
    path: ./clusters/one
    pullSecret: flux-system
  kustomize:
    patches:
      - target: {kind: Deployment, name: source-controller}
        patch: |
          - op: add
            path: /spec/template/spec/containers/0/args/-
            value: --concurrent=7
      - target: {kind: GitRepository}
        patch: |
          - op: replace
            path: /spec/ref
            value: {branch: main}
`

// TestLayoutsByHand shows that every layout which the harness renders can be held against the operator, at versions
// on both sides of what changed in Flux: not the newest of its minor, no token rule before 2.6, gates from 2.7.
func TestLayoutsByHand(t *testing.T) {
	for _, version := range []string{"v2.2.3", "v2.5.0", "v2.6.1", "v2.7.1", "v2.8.8", "v2.9.5"} {
		t.Run("bootstrap "+version, func(t *testing.T) {
			options := install.MakeDefaultOptions()
			options.Version = version
			content, err := manifests(t).Install(options)
			if err != nil {
				t.Fatal(err)
			}
			repository := writeFiles(t, map[string]string{
				"clusters/one/flux-system/gotk-components.yaml": content,
				"clusters/one/flux-system/gotk-sync.yaml":       syncPair,
				"clusters/one/flux-system/extra.yaml":           "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra, namespace: default}\n",
				"clusters/one/flux-system/kustomization.yaml": fmt.Sprintf(kustomization,
					"  - gotk-components.yaml\n  - gotk-sync.yaml\n  - extra.yaml"),
			})
			holdLayout(t, repository, classic.Bootstrap, version, options.Components, 1)
		})
		t.Run("flux2-manifests "+version, func(t *testing.T) {
			repository := writeFiles(t, map[string]string{
				"clusters/one/flux-system/sync.yaml": syncPair,
				"clusters/one/flux-system/kustomization.yaml": fmt.Sprintf(kustomization,
					"  - https://github.com/fluxcd/flux2/manifests/install?ref="+version+"\n  - sync.yaml"),
			})
			holdLayout(t, repository, classic.Flux2Manifests, version, classic.BaseComponents(version), 0)
		})
	}
}

// holdLayout finds the one cluster of a repository and holds it against its FluxInstance.
func holdLayout(t *testing.T, repository, layout, version string, components []string, extra int) {
	t.Helper()
	clusters := findClusters(t, repository)
	if len(clusters) != 1 || clusters[0].Layout != layout || clusters[0].Version != version || clusters[0].Path != "clusters/one" {
		t.Fatalf("found %+v", clusters)
	}
	rendering, err := clusters[0].Render(repository, manifests(t), "")
	if err != nil {
		t.Fatal(err)
	}
	if len(rendering.Extra) != extra || len(rendering.Sync) != 2 {
		t.Errorf("%d extra and %d sync objects, want %d and 2", len(rendering.Extra), len(rendering.Sync), extra)
	}
	minorRange := strings.Join(slices.Concat(strings.Split(strings.TrimPrefix(version, "v"), ".")[:2], []string{"x"}), ".")
	instance, err := objects.Read(fmt.Appendf(nil, instanceFor, minorRange, strings.Join(components, ", ")))
	if err != nil {
		t.Fatal(err)
	}
	found, err := hold(t, repository, clusters[0], instance[0])
	if err != nil {
		t.Fatal(err)
	}
	report(t, found)
}
