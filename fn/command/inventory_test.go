package command

import (
	"testing"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/inventory"
)

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

// TestSummary says in one sentence what a commit makes Flux prune, what it may, and that there is more to read.
func TestSummary(t *testing.T) {
	change := func(action inventory.Action, severity finding.Severity, name string) inventory.Change {
		return inventory.Change{Action: action, Severity: severity, ID: inventory.ID{Kind: "ConfigMap", Namespace: "x", Name: name}}
	}
	lost := func(name string) inventory.Change { return change(inventory.Lost, finding.Error, name) }
	for _, c := range []struct {
		want    string
		verdict inventory.Verdict
	}{
		{"nothing that files show", inventory.Verdict{Changes: []inventory.Change{
			change(inventory.Kept, finding.Info, "a"), change(inventory.Unjudged, finding.Warning, "b")}}},
		{"1 object: ConfigMap/x/a", inventory.Verdict{Changes: []inventory.Change{lost("a")}}},
		{"2 objects: ConfigMap/x/a, ConfigMap/x/b; it may make it prune 1 object: ConfigMap/x/c", inventory.Verdict{Changes: []inventory.Change{
			lost("a"), lost("b"), change(inventory.Moved, finding.Error, "c")}}},
		{"6 objects: ConfigMap/x/a, ConfigMap/x/b, ConfigMap/x/c, ConfigMap/x/d, ConfigMap/x/e and 1 more", inventory.Verdict{Changes: []inventory.Change{
			lost("a"), lost("b"), lost("c"), lost("d"), lost("e"), lost("f")}}},
		{"nothing that files show; errors about more than one object: 1", inventory.Verdict{
			Issues: []inventory.Issue{{Severity: finding.Error}, {Severity: finding.Warning}}}},
	} {
		if got, want := summaryOf(c.verdict), "this commit makes Flux prune "+c.want; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
