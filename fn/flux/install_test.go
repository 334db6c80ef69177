package flux

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/resid"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// corpus is a collection of real repositories beside this one.
const corpus = "../../../shared/corpus"

// parse reads a stream of objects.
func parse(t *testing.T, stream []byte) []*yaml.RNode {
	t.Helper()
	objects, err := kio.FromBytes(stream)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// find is the object of a kind and name.
func find(t *testing.T, objects []*yaml.RNode, kind, name string) *yaml.RNode {
	t.Helper()
	for _, object := range objects {
		if object.GetKind() == kind && object.GetName() == name {
			return object
		}
	}
	t.Fatalf("no %s %s in %d objects", kind, name, len(objects))
	return nil
}

// rawDifferences compares without forgiving anything but what Compare normalises.
func rawDifferences(t *testing.T, want, got []*yaml.RNode) []string {
	t.Helper()
	before, err := index(want)
	if err != nil {
		t.Fatal(err)
	}
	after, err := index(got)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for id := range before {
		for _, d := range compareObject(id, before[id], after[id]) {
			out = append(out, d.String())
		}
	}
	for id := range after {
		if before[id] == nil {
			out = append(out, "extra "+id.String())
		}
	}
	slices.Sort(out)
	return out
}

// header reads a value of the comment that `flux install` writes on top.
func header(content []byte, key string) string {
	for line := range strings.Lines(string(content)) {
		if value, ok := strings.CutPrefix(line, "# "+key+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func TestInstallIsWhatRealRepositoriesHold(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: it reads the corpus")
	}
	files := gotkComponents(t)
	compared := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		version := header(content, "Flux Version")
		if !Has(version) {
			continue
		}
		name, _ := filepath.Rel(corpus, file)
		t.Run(name, func(t *testing.T) {
			want := parse(t, content)
			if label := find(t, want, "Namespace", "flux-system").GetLabels()["app.kubernetes.io/version"]; label != version {
				t.Skipf("its header says %s and its labels %s: not what one release prints", version, label)
			}
			got, err := Install(optionsOf(version, header(content, "Components"), string(content)))
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range rawDifferences(t, want, got) {
				t.Error(d)
			}
		})
		compared++
	}
	if compared == 0 {
		t.Fatal("no gotk-components.yaml of a release with manifests")
	}
}

// gotkComponents lists the gotk-components.yaml files of the corpus.
func gotkComponents(t *testing.T) []string {
	t.Helper()
	if _, err := os.Stat(corpus); err != nil {
		t.Skipf("no corpus of real repositories at %s", corpus)
	}
	var files []string
	err := filepath.WalkDir(corpus, func(path string, _ os.DirEntry, err error) error {
		if filepath.Base(path) == "gotk-components.yaml" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// optionsOf guesses the flags that a file was made with.
func optionsOf(version, components, content string) Options {
	o := DefaultOptions(version)
	o.Components = strings.Split(components, ",")
	o.NetworkPolicy = strings.Contains(content, "kind: NetworkPolicy")
	if _, domain, ok := strings.Cut(content, "--storage-adv-addr=source-controller.$(RUNTIME_NAMESPACE).svc."); ok {
		o.Domain, _, _ = strings.Cut(domain, ".\n")
	}
	return o
}

func TestInstallRemoteBase(t *testing.T) {
	const version = "v2.8.8"
	objects, err := Install(Options{Version: version, Components: RemoteBaseComponents(version), Namespace: "ignored", Registry: "ignored", RemoteBase: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ kind, name, path, want string }{
		{"ClusterRole", "crd-controller", "metadata.labels.app.kubernetes.io/instance", "flux-system"},
		{"ClusterRole", "crd-controller", "metadata.labels.app.kubernetes.io/version", "absent"},
		{"NetworkPolicy", "allow-egress", "metadata.namespace", "flux-system"},
		{"Deployment", "source-watcher", "spec.template.spec.containers[manager].image", "ghcr.io/fluxcd/source-watcher:v2.1.1"},
		{"Deployment", "source-controller", "spec.template.spec.nodeSelector.kubernetes.io/os", "absent"},
	} {
		if got := at(t, find(t, objects, c.kind, c.name), c.path); got != c.want {
			t.Errorf("%s %s %s is %q, want %q", c.kind, c.name, c.path, got, c.want)
		}
	}
}

// TestInstallSameAsKustomize holds every release against the kustomizations that `flux install` and manifests/install
// consist of.
func TestInstallSameAsKustomize(t *testing.T) {
	for i, release := range Releases() {
		version := release.Original()
		if !Has(version) || testing.Short() && i%5 > 0 {
			continue
		}
		plain, other, base := DefaultOptions(version), DefaultOptions(version), Options{Version: version, RemoteBase: true}
		plain.Components, base.Components = AllComponents(version), RemoteBaseComponents(version)
		other.Namespace, other.NetworkPolicy = "other", false
		for _, o := range []Options{plain, other, base} {
			got, err := Install(o)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range rawDifferences(t, kustomized(t, o.withDefaults()), got) {
				t.Errorf("%s: %s", version, d)
			}
		}
	}
}

// kustomized is what kustomize makes of an install.
func kustomized(t *testing.T, o Options) []*yaml.RNode {
	t.Helper()
	ops, roles, label := o.installOps, o.roles(), map[string]string{"app.kubernetes.io/instance": o.Namespace, "app.kubernetes.io/part-of": "flux"}
	if o.RemoteBase {
		ops, roles.NameSuffix, o.NetworkPolicy = func(string) []op { return nil }, "", true
	} else {
		label["app.kubernetes.io/version"] = o.Version
	}
	tree, err := o.tree(ops)
	root := o.root()
	fields := []types.FieldSpec{{Path: "metadata/labels", CreateIfNotPresent: true}}
	if atLeast(o.Version, "2.7.0") {
		fields = append(fields, types.FieldSpec{Gvk: resid.FromKind("Deployment"), Path: "spec/template/metadata/labels", CreateIfNotPresent: true})
	}
	root.Labels = []types.Label{{Pairs: label, FieldSpecs: fields}}
	if err := first(err, tree.add("/roles/kustomization.yaml", roles), tree.add("/kustomization.yaml", root)); err != nil {
		t.Fatal(err)
	}
	objects, err := tree.build()
	if err != nil {
		t.Fatal(err)
	}
	return objects
}
