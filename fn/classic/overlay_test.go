package classic

import "testing"

// TestMaySetPath proves that no patch which sets the path of a Flux Kustomization is passed over without being read.
func TestMaySetPath(t *testing.T) {
	target := map[string]any{"kind": "Kustomization"}
	for body, want := range map[string]bool{
		"- op: replace\n  path: /spec/path\n  value: ./b":              true,
		"- op: replace\n  value: {path: ./b}\n  path: /spec":           true,
		"- op: replace\n  path: /spec\n  value: {path: ./b}\n":         true,
		`[{"op": "replace", "path": "/spec", "value": {"path": "b"}}]`: true,
		"spec: {path: ./b}": true,
		"- op: replace\n  path: \"\"\n  value: {spec: {path: ./b}}": true,
		"- op: replace\n  path: \"/sp\\x65c/path\"\n  value: ./b":   true,
		"- op: replace\n  path: /spec/prune\n  value: false\n":      false,
		"- op: replace\n  path: /metadata/name\n  value: b\n":       false,
	} {
		if have := maySetPath(Patch{Body: body, Target: target}); have != want {
			t.Errorf("%q: %t", body, have)
		}
	}
}
