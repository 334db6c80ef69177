package flux

import (
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// The patches of the table below, as they stand in spec.kustomize.patches.
const (
	addFlag     = `- {op: add, path: /spec/template/spec/containers/0/args/-, value: --x=y}`
	addLabel    = `- {op: add, path: /metadata/labels/team, value: a}`
	addWait     = `- {op: add, path: /spec/wait, value: true}`
	rename      = `- {op: replace, path: /metadata/name, value: cluster}`
	deleteAny   = `{$patch: delete, apiVersion: v1, kind: any, metadata: {name: any}}`
	threeSource = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: source-controller}, spec: {replicas: 3}}`
	threeInNS   = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: source-controller, namespace: flux-system}, spec: {replicas: 3}}`
	threeImages = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: image-reflector-controller}, spec: {replicas: 3}}`
	threeHelm   = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: helm-controller}, spec: {replicas: 3}}`
	waitSync    = `{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {name: home, namespace: flux-system}, spec: {wait: true}}`
	waitRenamed = `{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {name: cluster}, spec: {wait: true}}`
	dropEgress  = `{$patch: delete, apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: allow-egress}}`
	mergeSSA    = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: any, annotations: {kustomize.toolkit.fluxcd.io/ssa: Merge}}}`
)

// patched is the spec of a FluxInstance with patches; each is a target in YAML flow style, which may be empty, and a
// patch.
func patched(extra string, patches ...[2]string) string {
	spec := extra + "kustomize:\n  patches:\n"
	for _, p := range patches {
		spec += "    - patch: |\n        " + strings.ReplaceAll(p[1], "\n", "\n        ") + "\n"
		if p[0] != "" {
			spec += "      target: " + p[0] + "\n"
		}
	}
	return spec
}

// TestInstancePatches fixes what each form of patch does in the operator's build, as measured with the real operator.
func TestInstancePatches(t *testing.T) {
	const (
		source  = "Deployment source-controller"
		root    = "Kustomization home"
		noNP    = "cluster: {networkPolicy: false}\n"
		applied = "spec.replicas"
	)
	for _, c := range []struct {
		name, spec, object, path, want string // want starting with "error:" is a part of the error
	}{
		{"t01 rename of the Kustomization", patched("", [2]string{"{kind: Kustomization}", rename}), "Kustomization cluster", "spec.sourceRef.name", "home"},
		{"t02 namespace in target on the sync pair", patched("", [2]string{"{kind: Kustomization, namespace: flux-system}", addWait}), root, "spec.wait", "true"},
		{"t04 old name after rename", patched("", [2]string{"{kind: Kustomization}", rename}, [2]string{"{kind: Kustomization, name: home}", addWait}), "Kustomization cluster", "spec.wait", "true"},
		{"t04 new name after rename", patched("", [2]string{"{kind: Kustomization}", rename}, [2]string{"{kind: Kustomization, name: cluster}", addWait}), "Kustomization cluster", "spec.wait", "true"},
		{"t05 merge patch with target does not rename", patched("", [2]string{"{kind: Kustomization}", waitRenamed}), root, "spec.wait", "true"},
		{"t06 target matches nothing", patched("", [2]string{"{kind: Deployment, name: none}", addFlag}), source, args("x"), "absent"},
		{"t07 merge patch with namespace", patched("", [2]string{"", threeInNS}), "", "", "error:a patch finds no object"},
		{"t07b merge patch without namespace", patched("", [2]string{"", threeSource}), source, applied, "3"},
		{"t07c merge patch for a component that is not there", patched("", [2]string{"", threeImages}), "", "", "error:a patch finds no object"},
		{"t08 delete with target", patched("", [2]string{"{kind: NetworkPolicy}", deleteAny}), "NetworkPolicy allow-egress", "", "gone"},
		{"t08b delete of nothing with target", patched(noNP, [2]string{"{kind: NetworkPolicy}", deleteAny}), source, "kind", "Deployment"},
		{"t08c delete of nothing without target", patched(noNP, [2]string{"", dropEgress}), "", "", "error:a patch finds no object"},
		{"t09 several merge patches with target", patched("", [2]string{"{kind: Deployment}", threeSource + "\n---\n" + threeHelm}), "", "", "error:several patches in one entry"},
		{"t09b several merge patches", patched("", [2]string{"", threeSource + "\n---\n" + threeHelm}), "Deployment helm-controller", applied, "3"},
		{"t12 metadata of the operator stays", patched("", [2]string{"{kind: Deployment}", mergeSSA}), source, "metadata.annotations.kustomize.toolkit.fluxcd.io/ssa", "Ignore"},
		{"t14 part-of label", patched("", [2]string{"{labelSelector: app.kubernetes.io/part-of=flux}", addLabel}), source, "metadata.labels.team", "a"},
		{"t14b instance label", patched("", [2]string{"{labelSelector: app.kubernetes.io/instance=flux-system}", addLabel}), source, "metadata.labels.team", "absent"},
		{"t15 cluster role without suffix", patched("", [2]string{"{kind: ClusterRole, name: crd-controller}", addLabelTo}), "ClusterRole crd-controller-flux-system", "metadata.labels.team", "a"},
		{"t15 cluster role with suffix", patched("", [2]string{"{kind: ClusterRole, name: crd-controller-flux-system}", addLabelTo}), "ClusterRole crd-controller-flux-system", "metadata.labels.team", "a"},
		{"t17 delete of the Kustomization", patched("", [2]string{"{kind: Kustomization}", deleteAny}), root, "", "gone"},
		{"t17 leaves the source", patched("", [2]string{"{kind: Kustomization}", deleteAny}), "GitRepository home", "kind", "GitRepository"},
		{"t20 namespace in target", patched("", [2]string{"{kind: Deployment, namespace: flux-system}", addFlag}), source, args("x"), "absent"},
		{"t20 the same without", patched("", [2]string{"{kind: Deployment}", addFlag}), source, args("x"), "y"},
		{"t21 merge patch with namespace on the sync pair", patched("", [2]string{"", waitSync}), root, "spec.wait", "true"},
		{"t22 rename of the source", patched("", [2]string{"{kind: GitRepository}", rename}), root, "spec.sourceRef.name", "home"},
	} {
		t.Run(c.name, func(t *testing.T) {
			objects, err := Instance(fluxInstance(t, c.spec), "")
			if part, ok := strings.CutPrefix(c.want, "error:"); ok || err != nil {
				if !ok || err == nil || !strings.Contains(err.Error(), part) {
					t.Fatalf("error %v, want %s", err, c.want)
				}
				return
			}
			kind, name, _ := strings.Cut(c.object, " ")
			if c.want == "gone" {
				absent(t, objects, kind, name)
				return
			}
			if got := at(t, find(t, objects, kind, name), c.path); got != c.want {
				t.Errorf("%s %s is %q, want %q", c.object, c.path, got, c.want)
			}
		})
	}
}

// addLabelTo sets a label where there are none yet.
const addLabelTo = `- {op: add, path: /metadata/labels, value: {team: a}}`

// absent fails the test when an object is there.
func absent(t *testing.T, objects []*yaml.RNode, kind, name string) {
	t.Helper()
	for _, object := range objects {
		if object.GetKind() == kind && object.GetName() == name {
			t.Errorf("%s %s is still there", kind, name)
		}
	}
}

func TestInstanceSelectEach(t *testing.T) {
	object := fluxInstance(t, patched("", [2]string{"{kind: Deployment, name: helm-controller}", deleteAny}))
	for _, c := range []struct {
		target map[string]any
		want   string
	}{
		{map[string]any{"kind": "Deployment"}, "[Deployment/flux-system/source-controller Deployment/flux-system/kustomize-controller Deployment/flux-system/notification-controller]"},
		{map[string]any{"kind": "Deployment", "name": "helm.*"}, "[]"},
		{map[string]any{"kind": "Deployment", "name": "source"}, "[]"},
		{map[string]any{"kind": "Deployment", "namespace": "flux-system"}, "[]"},
		{map[string]any{"group": "source.toolkit.fluxcd.io"}, "[GitRepository/flux-system/home]"},
	} {
		each, err := InstanceSelectEach(object, "", []map[string]any{c.target})
		if got := each[0]; err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%v selects %v (%v), want %s", c.target, got, err, c.want)
		}
	}
	if count := len(object["spec"].(map[string]any)["kustomize"].(map[string]any)["patches"].([]any)); count != 1 {
		t.Errorf("the given FluxInstance has %d patches now", count)
	}
}

func TestSelects(t *testing.T) {
	objects, err := Install(DefaultOptions("v2.7.5"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		target map[string]any
		want   int
	}{
		{map[string]any{"kind": "Deployment"}, 4},
		{map[string]any{"kind": "Deployment", "namespace": "flux-system"}, 4},
		{map[string]any{"kind": "Deployment", "namespace": "flux"}, 0},
		{map[string]any{"kind": "(Deployment|Service)", "name": "source-controller"}, 2},
		{map[string]any{"labelSelector": "app.kubernetes.io/instance=flux-system"}, len(objects)},
		{map[string]any{"annotationSelector": "none"}, 0},
	} {
		got, err := Selects(objects, c.target)
		if err != nil || len(got) != c.want {
			t.Errorf("%v selects %v (%v), want %d", c.target, got, err, c.want)
		}
	}
	if _, err := Selects(objects, map[string]any{"name": "("}); err == nil {
		t.Error("a broken pattern is no error")
	}
}

func TestPatch(t *testing.T) {
	objects, err := Install(DefaultOptions("v2.7.5"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Patch(objects, map[string]any{
		"namespace": "other",
		"images":    []any{map[string]any{"name": "ghcr.io/fluxcd/source-controller", "newTag": "v9"}},
		"patches":   []map[string]any{{"target": map[string]any{"kind": "Deployment", "name": "source-controller"}, "patch": addFlag}},
	})
	if err != nil {
		t.Fatal(err)
	}
	source := find(t, got, "Deployment", "source-controller")
	for path, want := range map[string]string{
		"metadata.namespace": "other", args("x"): "y",
		"spec.template.spec.containers[manager].image": "ghcr.io/fluxcd/source-controller:v9",
	} {
		if value := at(t, source, path); value != want {
			t.Errorf("%s is %s, want %s", path, value, want)
		}
	}
	if value := at(t, find(t, objects, "Deployment", "source-controller"), "metadata.namespace"); value != "flux-system" {
		t.Error("the given objects were changed")
	}
}

func TestPatchReadsNothing(t *testing.T) {
	for _, fields := range []map[string]any{
		{"components": []any{"../c"}}, {"bases": []string{"https://example.com/a"}}, {"crds": []any{"a.yaml"}}, {"openapi": map[string]any{"path": "a"}},
		{"patches": []map[string]any{{"path": "https://example.com/a.yaml"}}},
		{"patchesStrategicMerge": []string{"https://example.com/a.yaml\n"}},
		{"patchesJson6902": []any{map[string]any{"path": "a.yaml"}}},
		{"replacements": []any{map[string]any{"path": "a.yaml"}}},
		{"configMapGenerator": []any{map[string]any{"name": "a", "files": []any{"b"}}}},
	} {
		if _, err := Patch(nil, fields); err == nil || !strings.Contains(err.Error(), "kustomization.yaml field") {
			t.Errorf("%v: %v", fields, err)
		}
	}
}
