package command

import "testing"

// TestInventoryAgainstNothing holds that a comparison that found nothing to compare says so: silence would mean that
// nothing is pruned.
func TestInventoryAgainstNothing(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "README.md", "no Flux\n")
	commit(t, dir)
	says(t, ExitError, dir, []string{"no root Flux Kustomization found"}, "inventory", "DIR", "--against", "HEAD")

	copyTree(t, fixture(t, "deploy"), dir)
	says(t, 0, dir, []string{"warning: HEAD: no root Flux Kustomization found", "there is nothing to compare with"}, "inventory", "DIR", "--against", "HEAD")
	if got := must(t, 0, dir, "inventory", "DIR", "--against", "HEAD", "--output", "json").out; got != "[]\n" {
		t.Errorf("it prints %s", got)
	}
	commit(t, dir)
	says(t, 0, dir, []string{"cluster cluster\n", " 0 lost\n"}, "inventory", "DIR", "--against", "HEAD")
	says(t, ExitError, dir, []string{"--output yaml: use tree, text or json"}, "inventory", "DIR", "--against", "HEAD", "--output", "yaml")
}
