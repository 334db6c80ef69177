package inventory

import (
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
	"sigs.k8s.io/yaml"
)

func TestGuarded(t *testing.T) {
	for _, c := range []struct {
		metadata string
		guarded  bool
		frozen   string
	}{
		{"annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}", true, ""},
		{"annotations: {kustomize.toolkit.fluxcd.io/prune: Disabled}", true, ""},
		{"labels: {kustomize.toolkit.fluxcd.io/prune: disabled}", true, ""},
		{"labels: {kustomize.toolkit.fluxcd.io/prune: disabled}, annotations: {kustomize.toolkit.fluxcd.io/prune: enabled}", true, ""},
		{"annotations: {kustomize.toolkit.fluxcd.io/prune: enabled}", false, ""},
		{"annotations: {kustomize.toolkit.fluxcd.io/prune: 'false'}", false, ""},
		{"annotations: {}", false, ""},
		{"annotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled}", false, "kustomize.toolkit.fluxcd.io/reconcile: disabled"},
		{"annotations: {kustomize.toolkit.fluxcd.io/prune: disabled, kustomize.toolkit.fluxcd.io/reconcile: disabled}", false, "kustomize.toolkit.fluxcd.io/reconcile: disabled"},
		{"annotations: {kustomize.toolkit.fluxcd.io/prune: disabled, kustomize.toolkit.fluxcd.io/ssa: ignore}", false, "kustomize.toolkit.fluxcd.io/ssa: Ignore"},
		{"annotations: {kustomize.toolkit.fluxcd.io/prune: disabled, kustomize.toolkit.fluxcd.io/ssa: IfNotPresent}", true, "kustomize.toolkit.fluxcd.io/ssa: IfNotPresent"},
		{"annotations: {kustomize.toolkit.fluxcd.io/prune: disabled, kustomize.toolkit.fluxcd.io/ssa: Merge}", true, ""},
	} {
		var content map[string]any
		if err := yaml.Unmarshal([]byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, "+c.metadata+"}\n"), &content); err != nil {
			t.Fatal(err)
		}
		if e := EntryOf(content); e.Guarded() != c.guarded || e.Frozen() != c.frozen {
			t.Errorf("%s: guarded %t, frozen %q", c.metadata, e.Guarded(), e.Frozen())
		}
	}
}

func TestOrphans(t *testing.T) {
	for _, c := range []struct {
		version, spec, release string
		orphans                bool
	}{
		{"v1", "prune: true", "2.6.4", false},
		{"v1", "prune: false", "2.6.4", true},
		{"v1", "prune: false", "2.4.0", true},
		{"v1", "prune: true, deletionPolicy: Orphan", "2.6.4", true},
		{"v1", "prune: true, deletionPolicy: Orphan", "2.5.0", true},
		{"v1", "prune: true, deletionPolicy: Orphan", "2.4.0", false},
		{"v1", "prune: false, deletionPolicy: Orphan", "2.4.0", false}, // Flux refuses the object and keeps what it had
		{"v1beta2", "prune: true, deletionPolicy: Orphan", "2.6.4", false},
		{"v1", "prune: false, deletionPolicy: MirrorPrune", "2.6.4", true},
		{"v1", "prune: false, deletionPolicy: Delete", "2.6.4", false},
		{"v1", "prune: false, deletionPolicy: WaitForTermination", "2.6.4", false},
		{"v1", "prune: '${PRUNE}'", "2.6.4", false},
		{"v1", "prune: true, commonMetadata: {annotations: {kustomize.toolkit.fluxcd.io/prune: Disabled}}", "2.4.0", true},
		{"v1", "prune: true, commonMetadata: {labels: {kustomize.toolkit.fluxcd.io/prune: disabled}}", "2.4.0", true},
	} {
		var content map[string]any
		text := "apiVersion: kustomize.toolkit.fluxcd.io/" + c.version + "\nkind: Kustomization\nmetadata: {name: a, namespace: b}\nspec: {" + c.spec + "}\n"
		if err := yaml.Unmarshal([]byte(text), &content); err != nil {
			t.Fatal(err)
		}
		if why := OwnerOf(content).Orphans(semver.MustParse(c.release)); (why != "") != c.orphans {
			t.Errorf("%s, %s of Flux %s: %q", c.spec, c.version, c.release, why)
		}
	}
}

// TestSets names what sets a key on the way of an object, whatever it is.
func TestSets(t *testing.T) {
	const patch = "  - patch: '{apiVersion: v1, kind: all, metadata: {name: all, annotations: {kustomize.toolkit.fluxcd.io/prune: enabled}}}'\n    target: {kind: .*}\n"
	for _, c := range []struct{ file, spec, want string }{
		{"", "", ""},
		{"commonAnnotations: {kustomize.toolkit.fluxcd.io/prune: enabled}\n", "", "commonAnnotations of apps/kustomization.yaml"},
		{"patches:\n" + patch, "", "patches[0] of apps/kustomization.yaml"},
		{"patches:\n  - {path: p.yaml, target: {kind: .*}}\n", "", "patches[0] of apps/kustomization.yaml"},
		{"", "  patches:\n" + strings.ReplaceAll("\n"+patch, "\n", "\n  "), "spec.patches[0] of Kustomization/flux-system/root"},
		{"commonAnnotations: {kustomize.toolkit.fluxcd.io/prune: enabled}\n", "  commonMetadata: {annotations: {kustomize.toolkit.fluxcd.io/prune: enabled}}\n",
			"spec.commonMetadata of Kustomization/flux-system/root, commonAnnotations of apps/kustomization.yaml"},
	} {
		tree := files("apps/kustomization.yaml", "resources: [a.yaml]\n"+c.file, "apps/a.yaml", configMap("a"),
			"apps/p.yaml", "apiVersion: v1\nkind: all\nmetadata: {name: all, annotations: {kustomize.toolkit.fluxcd.io/prune: enabled}}\n")
		inv, _ := identities(t, tree, root(c.spec))
		at := slices.IndexFunc(inv.Entries, func(e Entry) bool { return e.Name == "a" })
		if got := strings.Join(inv.Sets(inv.Entries[at], PruneKey), ", "); got != c.want {
			t.Errorf("%s%s: %q, want %q", c.file, c.spec, got, c.want)
		}
	}
}

// TestUndoes names what takes a guard away, and never the guard.
func TestUndoes(t *testing.T) {
	const guard = "patches:\n  - patch: '{apiVersion: v1, kind: all, metadata: {name: all, annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}}}'\n    target: {kind: .*}\n"
	const of = "spec.patches[0] of Kustomization/flux-system/root"
	patch := func(text, kind string) string {
		return "  patches:\n    - patch: |\n        " + text + "\n      target: {kind: " + kind + "}\n"
	}
	for _, c := range []struct{ spec, want string }{
		{"", ""},
		{patch(`[{"op": "remove", "path": "/metadata/annotations"}]`, "ConfigMap"), of},
		{patch("- {op: replace, path: /metadata/annotations, value: {a: b}}", ".*"), of},
		{patch("- op: remove\n          path: /metadata/annotations/kustomize.toolkit.fluxcd.io~1prune", "Config.*"), of},
		{patch("- op: replace\n          value: {name: a, namespace: default}\n          path: /metadata", "ConfigMap"), of},
		{patch("{apiVersion: v1, kind: all, metadata: {name: all, annotations: {$patch: delete}}}", ".*"), of},
		{patch(`[{"op": "remove", "path": "/metadata/annotations"}]`, "Secret"), ""},
		{patch("- {op: add, path: /metadata/annotations/a, value: b}", ".*"), ""},
	} {
		inv, _ := identities(t, files("apps/kustomization.yaml", "resources: [a.yaml]\n"+guard, "apps/a.yaml", configMap("a")), root(c.spec))
		at := slices.IndexFunc(inv.Entries, func(e Entry) bool { return e.Name == "a" })
		if at < 0 {
			t.Fatalf("%s: %+v", c.spec, inv.Problems)
		}
		e := inv.Entries[at]
		if got := strings.Join(inv.Undoes(e, PruneKey), ", "); got != c.want {
			t.Errorf("%s: %q, want %q", c.spec, got, c.want)
		}
		if e.Guarded() != (c.want == "") || e.File.String() != "apps/a.yaml" {
			t.Errorf("%s: guarded %v, from %q", c.spec, e.Guarded(), e.File)
		}
	}
}
