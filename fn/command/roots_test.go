package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"migrate-to-flux-operator/fn/inventory"
)

// operated is a repository whose root no file defines: the FluxInstance generates it, under a name that a patch sets.
func operated(t *testing.T) fstest.MapFS {
	t.Helper()
	const at = "kubernetes/flux/flux-operator"
	files := fstest.MapFS{}
	for name, from := range map[string]string{
		at + "/ks.yaml":                                  "expected",
		at + "/kustomization.yaml":                       "expected",
		at + "/instance/instance.yaml":                   "expected",
		at + "/instance/kustomization.yaml":              "expected",
		"kubernetes/flux/apps.yaml":                      "input",
		"kubernetes/flux/vars/kustomization.yaml":        "input",
		"kubernetes/flux/vars/cluster-settings.yaml":     "input",
		"kubernetes/flux/vars/cluster-secrets.sops.yaml": "input",
		"kubernetes/apps/default/podinfo.yaml":           "input",
	} {
		content, err := os.ReadFile(filepath.Join("../../testdata/home-deploy", from, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: content}
	}
	return files
}

// TestInventoryOfAnOperatedCluster sees what a commit prunes where Flux Operator generates the root.
func TestInventoryOfAnOperatedCluster(t *testing.T) {
	const instance = "kubernetes/flux/flux-operator/instance/instance.yaml"
	for _, c := range []struct {
		name, want string
		change     func(fstest.MapFS)
	}{
		{"nothing", "0 lost", func(fstest.MapFS) {}},
		{"an app", "lost ConfigMap/default/podinfo: Flux Kustomization flux-system/cluster-apps goes", func(f fstest.MapFS) { delete(f, "kubernetes/flux/apps.yaml") }},
		{"the path", "lost Kustomization/flux-system/cluster-apps: Flux Kustomization flux-system/cluster prunes it", func(f fstest.MapFS) {
			f[instance] = &fstest.MapFile{Data: []byte(strings.Replace(string(f[instance].Data), "path: ./kubernetes/flux", "path: ./kubernetes/apps", 1))}
		}},
		{"the instance", "lost Kustomization/flux-system/flux-instance", func(f fstest.MapFS) {
			for name := range f {
				if strings.HasPrefix(name, "kubernetes/flux/flux-operator/") {
					delete(f, name)
				}
			}
		}},
	} {
		before, after := operated(t), operated(t)
		c.change(after)
		if text := comparedText(t, before, after); !strings.Contains(text, c.want) {
			t.Errorf("%s: want %q, got\n%s", c.name, c.want, text)
		}
	}
}

// comparedText compares the one cluster of two states.
func comparedText(t *testing.T, before, after fstest.MapFS) string {
	t.Helper()
	was, err := inventory.Open(before)
	if err != nil {
		t.Fatal(err)
	}
	is, err := was.With(after)
	if err != nil {
		t.Fatal(err)
	}
	operated, err := generatedRoots(before)
	if err != nil {
		t.Fatal(err)
	}
	operates, err := generatedRoots(after)
	if err != nil {
		t.Fatal(err)
	}
	clusters := was.Discover(rootsOf(operated)...)
	if len(clusters) != 1 || clusters[0].Path != "kubernetes/flux" {
		t.Fatalf("clusters: %v", clusters)
	}
	return inventory.Compare(clusters[0].Inventory, is.Follow(clusters[0].Inventory, followers(clusters[0], operated, operates)...), inventory.CompareOptions{}).Text()
}
