package flux

import (
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// FuzzPatch builds a Deployment with any patch, JSON6902 or strategic merge, and any target: it ends, and with an error
// or objects.
func FuzzPatch(f *testing.F) {
	for _, seed := range [][2]string{
		{"- {op: add, path: /spec/template/spec/containers/0/args/-, value: --x=1}", "{kind: Deployment}"},
		{"- {op: test, path: /a~1b~0c, value: 1}\n- {op: move, from: /spec, path: /x}\n- {op: copy, from: '', path: /y}", "{name: .*, labelSelector: 'a in (b,c)'}"},
		{"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec:\n  template: {spec: {containers: [{name: m, args: null}, {$patch: delete, name: x}]}}", ""},
		{"$patch: delete\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}", "{kind: 'Depl(oy', namespace: x}"},
		{"a: 1\n---\nb: 2\n---\n", "{annotationSelector: a=b}"}, {"a: &a [*a]", "{kind: x}"}, {"[{}]", "{group: a/b}"},
	} {
		f.Add(seed[0], seed[1])
	}
	const deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: x\n  namespace: y\n  labels: {a: b}\nspec:\n  template:\n    spec:\n      containers:\n      - name: m\n        args: [--a=b]\n"
	f.Fuzz(func(t *testing.T, patch, target string) {
		var selector map[string]any
		if yaml.Unmarshal([]byte(target), &selector) != nil {
			return
		}
		entry := map[string]any{"patch": patch}
		if len(selector) > 0 {
			entry["target"] = selector
		}
		objects, err := Patch([]*yaml.RNode{yaml.MustParse(deployment)}, map[string]any{"patches": []any{entry}})
		if err == nil && len(objects) > 2 {
			t.Errorf("%d objects of one", len(objects))
		}
		if err != nil && strings.Contains(err.Error(), "goroutine") {
			t.Error(err)
		}
	})
}
