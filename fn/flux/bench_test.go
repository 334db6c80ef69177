package flux

import "testing"

func BenchmarkInstall(b *testing.B) {
	for b.Loop() {
		clear(builds.built) // as in a process that has rendered nothing yet
		o := DefaultOptions("v2.7.5")
		o.Components = AllComponents("v2.7.5")
		if _, err := Install(o); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInstance(b *testing.B) {
	object := map[string]any{"metadata": map[string]any{"name": "flux", "namespace": "flux-system"},
		"spec": map[string]any{"distribution": map[string]any{"version": "2.7.x", "registry": "ghcr.io/fluxcd"}}}
	for b.Loop() {
		clear(builds.built) // as in a process that has rendered nothing yet
		if _, err := Instance(object, ""); err != nil {
			b.Fatal(err)
		}
	}
}
