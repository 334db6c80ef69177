package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"migrate-to-flux-operator/fn/inventory"
)

// operatedFiles are a repository whose root no file defines: the FluxInstance generates it, under a name that a patch
// sets.
func operatedFiles(t *testing.T) fstest.MapFS {
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
	const unguarded = "fluxcd.controlplane.io/prune: disabled"
	text := string(operatedFiles(t)[instance].Data)
	_, rest, _ := strings.Cut(text, "  sync:\n")
	rest, _, _ = strings.Cut(rest, "  kustomize:\n")
	sync := "  sync:\n" + rest
	// edit replaces a text in the state after, and takes others out of both.
	edit := func(old, now string, without ...string) func(before, after fstest.MapFS) {
		return func(before, after fstest.MapFS) {
			both := text
			for _, gone := range without {
				both = strings.Replace(both, gone, "of: nobody", 1)
			}
			before[instance] = &fstest.MapFile{Data: []byte(both)}
			after[instance] = &fstest.MapFile{Data: []byte(strings.Replace(both, old, now, 1))}
		}
	}
	for _, c := range []struct {
		name, want string
		change     func(before, after fstest.MapFS)
	}{
		{"nothing", "0 lost", func(_, _ fstest.MapFS) {}},
		{"an app", "lost ConfigMap/default/podinfo: Flux Kustomization flux-system/cluster-apps goes", func(_, f fstest.MapFS) { delete(f, "kubernetes/flux/apps.yaml") }},
		{"the path", "lost Kustomization/flux-system/cluster-apps: Flux Kustomization flux-system/cluster prunes it", edit("path: ./kubernetes/flux", "path: ./kubernetes/apps")},
		{"the instance", "lost Kustomization/flux-system/flux-instance", func(_, f fstest.MapFS) {
			for name := range f {
				if strings.HasPrefix(name, "kubernetes/flux/flux-operator/") {
					delete(f, name)
				}
			}
		}},
		{"the sync", "lost GitRepository/flux-system/home: Flux Operator deletes it", edit(sync, "")},
		{"the sync of a root that is not to stay", "lost Kustomization/flux-system/cluster: Flux Operator deletes it: FluxInstance/flux-system/flux in " + instance +
			" does not generate it any longer", edit(sync, "", unguarded)},
		{"a component", "lost CustomResourceDefinition/alerts.notification.toolkit.fluxcd.io: Flux Operator deletes it", edit("  - notification-controller\n", "")},
		{"a component, in a file that moves", "lost CustomResourceDefinition/alerts.notification.toolkit.fluxcd.io: Flux Operator deletes it", func(before, after fstest.MapFS) {
			edit("  - notification-controller\n", "")(before, after)
			after["kubernetes/flux/flux-operator/instance/flux.yaml"] = after[instance]
			delete(after, instance)
			const list = "kubernetes/flux/flux-operator/instance/kustomization.yaml"
			after[list] = &fstest.MapFile{Data: []byte(strings.Replace(string(after[list].Data), "instance.yaml", "flux.yaml", 1))}
		}},
		{"a component, beside another FluxInstance", "lost CustomResourceDefinition/alerts.notification.toolkit.fluxcd.io: Flux Operator deletes it", func(before, after fstest.MapFS) {
			edit("  - notification-controller\n", "")(before, after)
			other := strings.Replace(strings.Replace(text, "name: flux\n", "name: another\n", 1), sync, "", 1) + "---\n"
			for _, files := range []fstest.MapFS{before, after} {
				files[instance] = &fstest.MapFile{Data: []byte(other + string(files[instance].Data))}
			}
		}},
		{"a component, for its objects", "lost Kustomization/flux-system/cluster-apps: its kind goes: Flux Operator deletes CustomResourceDefinition/kustomizations.kustomize.toolkit.fluxcd.io",
			edit("  - kustomize-controller\n", "")},
		{"the name of a root that is not to stay", "lost Kustomization/flux-system/cluster: Flux Operator deletes it",
			edit("value: cluster\n", "value: other\n", unguarded)},
		{"the name of a root, which is to stay", "has two owners", edit("value: cluster\n", "value: other\n")},
	} {
		before, after := operatedFiles(t), operatedFiles(t)
		c.change(before, after)
		if text := comparedText(t, before, after); !strings.Contains(text, c.want) {
			t.Errorf("%s: want %q, got\n%s", c.name, c.want, text)
		}
	}
}

// TestInventoryOfAVariableInstance warns where no file shows what Flux Operator generates.
func TestInventoryOfAVariableInstance(t *testing.T) {
	dir := t.TempDir()
	for name, file := range operatedFiles(t) {
		text := strings.Replace(string(file.Data), "version: 2.6.x", "version: ${FLUX}", 1)
		write(t, dir, name, text)
	}
	got := execAt(t, dir, "inventory", "DIR")
	if want := "it is not known what Flux Operator generates for FluxInstance"; !strings.Contains(got.errOut, want) {
		t.Errorf("%q is not in\n%s%s", want, got.out, got.errOut)
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
	operated, err := operatedBy(before)
	if err != nil {
		t.Fatal(err)
	}
	operates, err := operatedBy(after)
	if err != nil {
		t.Fatal(err)
	}
	clusters := was.Discover(rootsOf(operated)...)
	if len(clusters) != 1 || clusters[0].Path != "kubernetes/flux" {
		t.Fatalf("clusters: %v", clusters)
	}
	return transitionOf(clusters[0], operated, operates).verdict(is, inventory.CompareOptions{}).Text()
}
