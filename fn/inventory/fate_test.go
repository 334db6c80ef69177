package inventory

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestFate drops an object from its Flux Kustomization, or that from its parent: what becomes of the object is for the
// fields of the Flux Kustomization to say.
func TestFate(t *testing.T) {
	const prune = "prune: true"
	for _, c := range []struct {
		name, spec string
		ownerGoes  bool
		action     Action
		why        string
	}{
		{"it prunes", prune, false, Lost, "prunes it"},
		{"it does not prune", "prune: false", false, Kept, "does not prune"},
		{"it goes and prunes", prune, true, Lost, "its finalizer deletes it"},
		{"it goes suspended", prune + ", suspend: true", true, Kept, "goes while it is suspended"},
		{"it goes and orphans", prune + ", deletionPolicy: Orphan", true, Kept, "orphans what it applied"},
		{"it goes and does not prune", "prune: false", true, Kept, "goes, and does not prune"},
		{"it goes, and mirrors that it does not prune", "prune: false, deletionPolicy: MirrorPrune", true, Kept, "goes, and does not prune"},
		{"it goes, does not prune, and deletes", "prune: false, deletionPolicy: Delete", true, Lost, "its finalizer deletes it"},
	} {
		before := files("apps/b.yaml", configMap("b"), "apps/owner.yaml", strings.Replace(kustomization("owner"), prune, c.spec, 1),
			"owner/a.yaml", configMap("a"), "owner/c.yaml", configMap("c"))
		after := fstest.MapFS{}
		for name, f := range before {
			if name != "owner/a.yaml" && !(c.ownerGoes && name == "apps/owner.yaml") {
				after[name] = f
			}
		}
		was, _ := identities(t, before, root(""))
		v := Compare(was, follow(t, was, after, root("")), CompareOptions{})
		id := ID{Kind: "ConfigMap", Namespace: "default", Name: "a"}
		var got Change
		for _, change := range v.Changes {
			if change.ID == id {
				got = change
			}
		}
		if got.Action != c.action || !strings.Contains(got.Why, c.why) {
			t.Errorf("%s: %s", c.name, v.Text())
		}
	}
}

// TestNameGetsUnknown puts a variable that has no value in the repository into the name of an object: whether the old
// one is pruned cannot be told.
func TestNameGetsUnknown(t *testing.T) {
	spec := "  postBuild: {substituteFrom: [{kind: Secret, name: settings}]}\n"
	was, _ := identities(t, files("apps/a.yaml", configMap("a"), "apps/b.yaml", configMap("b")), root(spec))
	v := Compare(was, follow(t, was, files("apps/a.yaml", configMap("${NAME}"), "apps/b.yaml", configMap("b")), root(spec)), CompareOptions{})
	if v.OK() || !strings.Contains(v.Text(), "its name now depends on a value that is not in the repository") {
		t.Error(v.Text())
	}
}
