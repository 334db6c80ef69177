package inventory

import (
	"strings"
	"testing"
	"testing/fstest"
)

// files makes a tree of names and contents.
func files(pairs ...string) fstest.MapFS {
	out := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return out
}

// root makes a Flux Kustomization of path `apps` with more spec.
func root(spec string) Root {
	object := documents([]byte(`apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: root, namespace: flux-system}
spec:
  path: ./apps
  prune: true
  sourceRef: {kind: GitRepository, name: home}
` + spec))
	return Root{Kustomization: object[0]}
}

// configMap is a ConfigMap of that name.
func configMap(name string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  namespace: default\n  name: " + name + "\n"
}

// identities builds a tree and returns the identities, one a line.
func identities(t *testing.T, tree fstest.MapFS, r Root) (*Inventory, string) {
	t.Helper()
	inv := open(t, tree).Build(r)
	var ids []string
	for _, id := range inv.IDs() {
		ids = append(ids, id.String())
	}
	return inv, strings.Join(ids, " ")
}

// specTree is what the specs are about.
func specTree() fstest.MapFS {
	return files("apps/a.yaml", configMap("a"), "apps/sub/kustomization.yaml", "resources: [c.yaml]\nnamePrefix: sub-\n", "apps/sub/c.yaml", configMap("c"),
		"apps/sub/not-listed.yaml", configMap("d"), "apps/deep/e.yml", configMap("e"), "apps/readme.md", "text", "more/kustomization.yaml",
		"kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nresources: [b.yaml]\n", "more/b.yaml", configMap("b"))
}

// specs are fields of a Flux Kustomization that go into the build, and what
// comes of them.
var specs = map[string]string{
	"":                                  "ConfigMap/default/a ConfigMap/default/e ConfigMap/default/sub-c",
	"  namePrefix: x-":                  "ConfigMap/default/x-a ConfigMap/default/x-e ConfigMap/default/x-sub-c",
	"  nameSuffix: -x":                  "ConfigMap/default/a-x ConfigMap/default/e-x ConfigMap/default/sub-c-x",
	"  targetNamespace: other":          "ConfigMap/other/a ConfigMap/other/e ConfigMap/other/sub-c",
	"  components: [../more]":           "ConfigMap/default/a ConfigMap/default/b ConfigMap/default/e ConfigMap/default/sub-c",
	"  images: [{name: x, newTag: v1}]": "ConfigMap/default/a ConfigMap/default/e ConfigMap/default/sub-c",
	"  components: [../more, ../nowhere]\n  ignoreMissingComponents: true":                                                   "ConfigMap/default/a ConfigMap/default/b ConfigMap/default/e ConfigMap/default/sub-c",
	"  patches: [{target: {name: a}, patch: '- {op: replace, path: /metadata/name, value: z}'}]":                             "ConfigMap/default/e ConfigMap/default/sub-c ConfigMap/default/z",
	"  patches: [{target: {name: a}, patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {x: y}}}'}]": "ConfigMap/default/a ConfigMap/default/e ConfigMap/default/sub-c",
	"  patches: [{patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default}, $patch: delete}'}]":     "ConfigMap/default/e ConfigMap/default/sub-c",
}

func TestBuildTakesTheSpecIntoAccount(t *testing.T) {
	for spec, want := range specs {
		if _, got := identities(t, specTree(), root(spec)); got != want {
			t.Errorf("%s: got %q, want %q", spec, got, want)
		}
	}
	for spec, cluster := range map[string]string{
		"  kubeConfig: {secretRef: {name: far}}": "far", "  kubeConfig: {configMapRef: {name: farther}}": "farther",
	} {
		if _, got := identities(t, specTree(), root(spec)); !strings.Contains(got, "ConfigMap/default/a on "+cluster) {
			t.Errorf("%s: got %q", spec, got)
		}
	}
	inv, _ := identities(t, specTree(), root("  commonMetadata: {annotations: {kustomize.toolkit.fluxcd.io/prune: Disabled}}"))
	if !inv.Entries[0].Guarded() {
		t.Error("commonMetadata does not guard")
	}
	inv, got := identities(t, specTree(), root("  components: [../nowhere]"))
	if !strings.Contains(got, "ConfigMap/default/a") || len(inv.Opaque) != 1 || inv.Opaque[0].Reason != OpaqueMissing {
		t.Errorf("a missing component: %v", inv.Opaque)
	}
}

func TestSubstitution(t *testing.T) {
	settings := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: flux-system}\ndata: {NAME: known, SECRET: 'ENC[AES256_GCM,data:x]'}\n"
	for _, c := range []struct {
		name, post, want string
		unknown          bool
	}{
		{"${NAME}", "", "${NAME}", false},
		{"${NAME}", "substitute: {NAME: inline}", "inline", false},
		{"${NAME}", "substituteFrom: [{kind: ConfigMap, name: settings}]", "known", false},
		{"x-${SECRET}", "substituteFrom: [{kind: ConfigMap, name: settings}]", "x-${SECRET}", true},
		{"x-${OTHER}", "substituteFrom: [{kind: ConfigMap, name: settings}]", "x-", false},
		{"x-${OTHER}", "substituteFrom: [{kind: Secret, name: by-hand}]", "x-${OTHER}", true},
		{"${OTHER:=default}", "substituteFrom: [{kind: ConfigMap, name: settings}]", "default", false},
	} {
		tree := files("apps/a.yaml", configMap(c.name), "apps/settings.yaml", settings)
		inv, got := identities(t, tree, root("  postBuild: {"+c.post+"}"))
		want := "ConfigMap/default/" + c.want + " ConfigMap/flux-system/settings"
		if got != want || inv.Entries[0].Unknown != c.unknown {
			t.Errorf("%s with %s: got %q, unknown %v", c.name, c.post, got, inv.Entries[0].Unknown)
		}
	}
}

func TestOpaqueParts(t *testing.T) {
	tree := files("apps/kustomization.yaml", `resources:
  - a.yaml
  - https://example.com/crds.yaml
  - github.com/fluxcd/flux2/manifests/install?ref=v2.0.0
  - missing.yaml
  - ../../../../etc/passwd
components: [../nowhere]
configMapGenerator:
  - {name: g, namespace: default, files: [big.json, key=here.txt], options: {disableNameSuffixHash: true}}
patches: [{path: gone.yaml}]
helmCharts: [{name: chart, repo: https://example.com}]
`, "apps/a.yaml", configMap("a"), "apps/here.txt", "x")
	inv, got := identities(t, tree, root(""))
	if got != "ConfigMap/default/a ConfigMap/default/g" {
		t.Errorf("the rest is not built: %q %v", got, inv.Problems)
	}
	count := map[string]int{}
	for _, o := range inv.Opaque {
		count[o.Reason]++
	}
	if count[OpaqueRemote] != 2 || count[OpaqueMissing] != 5 || count[OpaqueHelm] != 1 {
		t.Errorf("got %v: %v", count, inv.Opaque)
	}
}

// TestWhatIsOpaqueIsPatched builds what names objects of a remote base: Flux builds it, and here they are not.
func TestWhatIsOpaqueIsPatched(t *testing.T) {
	const base, merge = "resources:\n- a.yaml\n- github.com/fluxcd/flux2/manifests/install?ref=v2.6.4\n",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: kustomize-controller, namespace: flux-system}\nspec: {replicas: 2}\n"
	own := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default, labels: {patched: yes-it-is}}\n"
	indent := func(text string) string {
		return "- |\n  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ") + "\n"
	}
	for name, k := range map[string]string{
		"merges":            "patchesStrategicMerge:\n" + indent(merge) + "- p.yaml\n",
		"patches":           "patches:\n- path: p.yaml\n",
		"replicas":          "replicas: [{name: kustomize-controller, count: 2}]\npatches: [{path: own.yaml}]\n",
		"an own target":     "patches:\n- path: own.yaml\n  target: {kind: ConfigMap}\n- path: merge.yaml\n",
		"a replacement":     "patches: [{path: own.yaml}]\nreplacements:\n- source: {kind: Deployment, name: helm-controller}\n  targets: [{select: {kind: Service}, fieldPaths: [metadata.name]}]\n",
		"operations of old": "patches: [{path: own.yaml}]\npatchesJson6902:\n- target: {version: v1, kind: Service, name: x}\n  patch: '[{\"op\": \"remove\", \"path\": \"/spec\"}]'\n",
	} {
		tree := files("apps/kustomization.yaml", base+k, "apps/a.yaml", configMap("a"), "apps/p.yaml", "---\n# Two.\n---\n"+merge+"---\n"+own, "apps/own.yaml", own, "apps/merge.yaml", merge)
		inv, got := identities(t, tree, root(""))
		if got != "ConfigMap/default/a" || len(inv.Problems) > 0 || len(inv.Opaque) == 0 {
			t.Errorf("%s: got %q, %v, %v", name, got, inv.Problems, inv.Opaque)
		} else if inv.Entries[0].Labels["patched"] != "yes-it-is" {
			t.Errorf("%s: the patch of what is there does not apply", name)
		}
	}
	if inv, _ := identities(t, files("apps/kustomization.yaml", base, "apps/a.yaml", configMap("a")), root("  patches:\n  - patch: |\n      "+
		strings.ReplaceAll(strings.TrimSpace(merge), "\n", "\n      "))); len(inv.Problems) > 0 {
		t.Errorf("a patch of the Flux Kustomization: %v", inv.Problems)
	}
	if inv, _ := identities(t, files("apps/kustomization.yaml", "resources: [a.yaml]\npatches: [{path: merge.yaml}]\n", "apps/a.yaml", configMap("a"), "apps/merge.yaml", merge), root("")); len(inv.Problems) != 1 {
		t.Errorf("a patch that finds nothing where everything is there: %v", inv.Problems)
	}
}

func TestIgnore(t *testing.T) {
	tree := files("apps/a.yaml", configMap("a"), "apps/b.yaml", configMap("b"), "apps/.sops.yaml", "creation_rules: []\n", "other/.sourceignore", "x\n")
	ignore := func(text string) Root {
		r := root("")
		r.Source = map[string]any{"kind": "GitRepository", "metadata": map[string]any{"name": "home", "namespace": "flux-system"}, "spec": map[string]any{"ignore": text}}
		return r
	}
	if _, got := identities(t, tree, ignore("b.yaml\n.sops.yaml\n")); got != "ConfigMap/default/a" {
		t.Errorf("spec.ignore: got %q", got)
	}
	if inv, _ := identities(t, tree, root("")); inv.Owners[0].Broken == "" {
		t.Error("a .sourceignore anywhere replaces the default list, so .sops.yaml has to fail the build")
	}
	delete(tree, "other/.sourceignore")
	if _, got := identities(t, tree, root("")); got != "ConfigMap/default/a ConfigMap/default/b" {
		t.Errorf("default list: got %q", got)
	}
	tree[".sourceignore"] = files("x", "/apps/a.yaml\n.sops.yaml\n")["x"]
	if _, got := identities(t, tree, root("")); got != "ConfigMap/default/b" {
		t.Errorf(".sourceignore: got %q", got)
	}
}

func TestCycle(t *testing.T) {
	ks := func(name, path string) string {
		return "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: " + name + ", namespace: flux-system}\nspec: {path: " + path + ", prune: true, sourceRef: {kind: GitRepository, name: home}}\n"
	}
	tree := files("apps/b.yaml", ks("b", "b"), "b/c.yaml", ks("c", "c"), "c/b.yaml", ks("b", "b"))
	inv, got := identities(t, tree, root(""))
	if got != "Kustomization/flux-system/b Kustomization/flux-system/c" || len(inv.Opaque) != 1 || inv.Opaque[0].Reason != OpaqueCycle {
		t.Errorf("got %q %v", got, inv.Opaque)
	}
}

// TestBuildIsReusedOnlyWhereItHolds changes what a path reads without
// changing a file in it: a folder that it lists goes or gains a file.
func TestBuildIsReusedOnlyWhereItHolds(t *testing.T) {
	tree := files("apps/sub/a.yaml", configMap("a"), "apps/none/readme.txt", "x", "apps/b.yaml", configMap("b"))
	inv, _ := identities(t, tree, root("  components: [none]\n  ignoreMissingComponents: true"))
	if inv.Owners[0].Broken == "" {
		t.Fatal("a component without a kustomization.yaml builds")
	}
	delete(tree, "apps/none/readme.txt")
	tree["apps/sub/c.yaml"] = files("x", configMap("c"))["x"]
	again := follow(t, inv, tree, root("  components: [none]\n  ignoreMissingComponents: true"))
	if again.Owners[0].Broken != "" || len(again.Entries) != 3 {
		t.Errorf("got %v %v", again.Owners[0].Broken, again.List())
	}
}

// TestSparseCheckoutAndIncludes leaves out what the source does not check out,
// and says where it puts files of another repository.
func TestSparseCheckoutAndIncludes(t *testing.T) {
	r := root("")
	r.Source = map[string]any{"kind": "GitRepository", "metadata": map[string]any{"name": "home", "namespace": "flux-system"}, "spec": map[string]any{
		"sparseCheckout": []any{"apps/in"},
		"include": []any{map[string]any{"repository": map[string]any{"name": "shared"}, "toPath": "apps/shared"},
			map[string]any{"repository": map[string]any{"name": "elsewhere"}}},
	}}
	inv, got := identities(t, files("apps/in/a.yaml", configMap("a"), "apps/inner/b.yaml", configMap("b"), "apps/c.yaml", configMap("c")), r)
	if got != "ConfigMap/default/a" || len(inv.Opaque) != 1 || !strings.Contains(inv.Opaque[0].What, "shared") {
		t.Errorf("got %q, opaque %v", got, inv.Opaque)
	}
}

// TestErrorsAreTheSame builds what kustomize refuses with an address of its memory in its words.
func TestErrorsAreTheSame(t *testing.T) {
	inv, _ := identities(t, files("apps/kustomization.yaml", "configMapGenerator:\n- {name: a, behavior: merge, literals: [a=b]}\n"), root(""))
	if broken := inv.Owners[0].Broken; broken != "a generator merges into an object that is not there" {
		t.Error(broken)
	}
}
