package command

import (
	"strings"
	"testing"
)

// TestKustomizationWithoutAPIVersion cleans up beside a kustomization.yaml that leaves its API version out, as
// kustomize allows: what goes leaves its list too.
func TestKustomizationWithoutAPIVersion(t *testing.T) {
	dir := fixture(t, "deploy")
	write(t, dir, "cluster/kustomization.yaml", "kind: Kustomization\nresources:\n  - apps.yaml\n  - flux.yaml\n  - sync.yaml\n")
	must(t, 0, dir, "apply", "DIR", "--proof", "off")
	got := must(t, 0, dir, "diff", "DIR", "--phase", "cleanup", "--taken-over", "--proof", "off")
	if !strings.Contains(got.out, "-  - flux.yaml") || !strings.Contains(got.out, "-  - sync.yaml") {
		t.Errorf("the entries of what goes stay:\n%s", got.out)
	}
}
