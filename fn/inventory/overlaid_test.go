package inventory

import (
	"fmt"
	"testing"
	"testing/fstest"
)

// TestOverlaid finds a cluster that gives the root which it shares with others its own path, in whatever form a patch
// can do that.
func TestOverlaid(t *testing.T) {
	const (
		root = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: flux-system, namespace: " +
			"flux-system}\nspec: {path: ./base, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}\n"
		source = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: flux-system, namespace: " +
			"flux-system}\nspec: {url: https://example.com/fleet}\n"
		merge = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: flux-system, namespace: " +
			"flux-system}\nspec: {path: ./prod}\n"
	)
	operations := func(text string) string {
		return "patches:\n- target: {kind: Kustomization}\n  patch: '" + text + "'\n"
	}
	for name, c := range map[string]struct {
		patches string
		file    string
		want    string
	}{
		"operation":                  {operations("- {op: replace, path: /spec/path, value: ./prod}"), "", "[base prod]"},
		"operation, value first":     {operations("- {op: replace, value: ./prod, path: /spec/path}"), "", "[base prod]"},
		"operation in JSON":          {operations(`[{"op": "replace", "path": "/spec/path", "value": "prod/"}]`), "", "[base prod]"},
		"operation on the spec":      {operations("- {op: replace, path: /spec/path, value: ./prod}"), "", "[base prod]"},
		"operations in a file":       {"patches:\n- path: p.yaml\n  target: {kind: Kustomization}\n", "- op: replace\n  path: /spec/path\n  value: ./prod\n", "[base prod]"},
		"merge":                      {"patches:\n- patch: |\n    apiVersion: kustomize.toolkit.fluxcd.io/v1\n    kind: Kustomization\n    metadata: {name: flux-system, namespace: flux-system}\n    spec: {path: ./prod}\n", "", "[base prod]"},
		"merge in a file":            {"patches:\n- path: p.yaml\n", merge, "[base prod]"},
		"patchesStrategicMerge":      {"patchesStrategicMerge:\n- p.yaml\n", merge, "[base prod]"},
		"another field":              {operations("- {op: replace, path: /spec/prune, value: false}"), "", "[base]"},
		"a path that is not its own": {operations("- {op: replace, path: /spec/path, value: ./other}"), "", "[base]"},
	} {
		files := fstest.MapFS{
			"base/sync.yaml":          {Data: []byte(source + "---\n" + root)},
			"base/kustomization.yaml": {Data: []byte("resources: [sync.yaml]\n")},
			"prod/kustomization.yaml": {Data: []byte("resources: [../base]\n" + c.patches)},
			"other/a.yaml":            {Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")},
		}
		if c.file != "" {
			files["prod/p.yaml"] = &fstest.MapFile{Data: []byte(c.file)}
		}
		var paths []string
		for _, cluster := range open(t, files).Discover() {
			paths = append(paths, cluster.Path)
		}
		if have := fmt.Sprint(paths); have != c.want {
			t.Errorf("%s: found %s, want %s", name, have, c.want)
		}
	}
}
