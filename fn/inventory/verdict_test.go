package inventory

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"migrate-to-flux-operator/fn/finding"
)

// live is the identity of the Flux Kustomization cluster-apps of the base.
var live = ID{Group: kustomizeGroup, Kind: "Kustomization", Namespace: "flux-system", Name: "cluster-apps"}

// dropped is the base, and the base without cluster-apps.
func dropped(t *testing.T) (*Inventory, *Inventory) {
	t.Helper()
	before := overlay(t, os.DirFS("testdata/base"), "testdata/none")
	after := overlay(t, before, "testdata/f080c5fe-apps-deleted/after")
	return pair(t, before, after)
}

// TestAdoptedNeedsAGuard is the heart of a two-commit migration: what leaves
// the files before the operator has it is deleted unless a guard is live.
func TestAdoptedNeedsAGuard(t *testing.T) {
	was, is := dropped(t)
	adopted := map[ID]string{live: "the operator applies it"}
	v := Compare(was, is, CompareOptions{Adopted: adopted})
	if c := v.Of(Adopted); len(c) != 1 || c[0].Severity != finding.Error {
		t.Errorf("unguarded: %v", v.Text())
	}
	v = Compare(was, is, CompareOptions{Adopted: adopted, TakenOver: true})
	if !v.OK() || len(v.Of(Lost)) > 0 {
		t.Errorf("taken over: %v", v.Text())
	}
}

// TestRemovedOnPurpose removes a Flux Kustomization: what it applied is lost
// all the same, unless that is on purpose too.
func TestRemovedOnPurpose(t *testing.T) {
	was, is := dropped(t)
	v := Compare(was, is, CompareOptions{Removed: func(e Entry) string {
		if e.ID == live {
			return "not needed"
		}
		return ""
	}})
	if len(v.Of(Removed)) != 1 || len(v.Of(Lost)) != 3 {
		t.Errorf("only the Kustomization: %s", v.Text())
	}
	v = Compare(was, is, CompareOptions{Removed: func(Entry) string { return "not needed" }})
	if !v.OK() {
		t.Errorf("all: %s", v.Text())
	}
}

// TestMoved moves an object between two owners.
func TestMoved(t *testing.T) {
	owner := func(name, spec string) string {
		return "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: " + name + ", namespace: flux-system}\nspec: {path: " + name + ", prune: true, " + spec + "sourceRef: {kind: GitRepository, name: home}}\n"
	}
	guard := "  annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}\n"
	for _, c := range []struct {
		name, spec, object string
		ok                 bool
	}{
		{"a race", "", configMap("m"), false},
		{"guarded", "", configMap("m") + guard, true},
		{"in order", "dependsOn: [{name: to}], ", configMap("m"), true},
		{"suspended", "suspend: true, ", configMap("m"), true},
	} {
		before := files("apps/from.yaml", owner("from", c.spec), "apps/to.yaml", owner("to", ""), "from/m.yaml", c.object, "to/x.yaml", configMap("x"), "from/y.yaml", configMap("y"))
		after := files("to/m.yaml", c.object)
		for name, f := range before {
			if name != "from/m.yaml" {
				after[name] = f
			}
		}
		was, _ := identities(t, before, root(""))
		is := follow(t, was, after, root(""))
		v := Compare(was, is, CompareOptions{})
		if len(v.Of(Moved)) != 1 || v.OK() != c.ok {
			t.Errorf("%s: %s", c.name, v.Text())
		}
	}
}

// TestOneOfTwoOwnersLeaves takes an object from one of two that apply it: the one that labelled it last deletes it.
func TestOneOfTwoOwnersLeaves(t *testing.T) {
	guard := "  annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}\n"
	for _, c := range []struct {
		name, object string
		gone         []string
		ok           bool
	}{
		{"the object", configMap("m"), []string{"b/m.yaml"}, false},
		{"the owner", configMap("m"), []string{"b/m.yaml", "apps/b.yaml"}, false},
		{"a guarded object", configMap("m") + guard, []string{"b/m.yaml"}, true},
	} {
		before := files("apps/a.yaml", kustomization("a"), "apps/b.yaml", kustomization("b"), "a/m.yaml", c.object, "b/m.yaml", c.object, "b/n.yaml", configMap("n")+guard)
		after := maps.Clone(before)
		for _, file := range c.gone {
			delete(after, file)
		}
		was, _ := identities(t, before, root(""))
		v := Compare(was, follow(t, was, after, root("")), CompareOptions{})
		if v.OK() != c.ok || !c.ok && !strings.Contains(v.Text(), "may have been the last to apply it") {
			t.Errorf("%s: %s", c.name, v.Text())
		}
	}
}

// TestRemoteBaseGone takes a remote base out: all that came from it is pruned, which no file shows.
func TestRemoteBaseGone(t *testing.T) {
	const guard = "patches: [{patch: '- {op: add, path: /metadata/annotations, value: {kustomize.toolkit.fluxcd.io/prune: disabled}}', target: {kind: .*}}]\n"
	tree := func(base, more string) fstest.MapFS {
		return files("apps/kustomization.yaml", "resources: [a.yaml"+base+"]\n"+more, "apps/a.yaml", configMap("a"))
	}
	const base = ", 'https://github.com/o/r/releases/download/v1.2.0/all.yaml'"
	for _, c := range []struct {
		name, base, now, more string
		options               CompareOptions
		ok                    bool
	}{
		{"gone", base, "", "", CompareOptions{}, false},
		{"another version of it", base, strings.Replace(base, "1.2.0", "1.3.0", 1), "", CompareOptions{}, true},
		{"another folder of it", ", 'https://github.com/o/r//config/one?ref=v1'", ", 'https://github.com/o/r//config/two?ref=v1'", "", CompareOptions{}, false},
		{"guarded", base, "", guard, CompareOptions{}, true},
		{"guarded, which is undone", base, "", guard + "commonAnnotations: {kustomize.toolkit.fluxcd.io/prune: enabled}\n", CompareOptions{}, false},
		{"guarded by another kustomization.yaml", base, "", "commonAnnotations: {kustomize.toolkit.fluxcd.io/prune: Disabled}\n", CompareOptions{}, true},
		{"taken over", base, "", "", CompareOptions{AdoptedBase: func(string) bool { return true }}, true},
		{"without a path", ", 'https://'", "", "", CompareOptions{}, false},
	} {
		was, _ := identities(t, tree(c.base, c.more), root(""))
		if v := Compare(was, follow(t, was, tree(c.now, ""), root("")), c.options); v.OK() != c.ok {
			t.Errorf("%s: %s", c.name, v.Text())
		}
	}
}

// TestSourceFetchesSomethingElse points the source of the repository at another branch, which no file shows.
func TestSourceFetchesSomethingElse(t *testing.T) {
	tree := func(branch string) fstest.MapFS {
		return files("apps/source.yaml", "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: home, namespace: flux-system}\nspec: {url: https://example.org/home, ref: {branch: "+branch+"}}\n")
	}
	was, _ := identities(t, tree("main"), root(""))
	for branch, told := range map[string]bool{"main": false, "next": true} {
		v := Compare(was, follow(t, was, tree(branch), root("")), CompareOptions{})
		if !v.OK() || strings.Contains(v.Text(), "refs/heads/next from now on and not") != told {
			t.Errorf("%s: %s", branch, v.Text())
		}
	}
}

// TestSuspended drops an object of a Flux Kustomization that is suspended: it
// goes when that is resumed. An object that moves to such a one is lost.
func TestSuspended(t *testing.T) {
	asleep := strings.Replace(kustomization("apps"), "prune: true", "prune: true, suspend: true", 1)
	tree := func(more ...string) fstest.MapFS {
		return files(append([]string{"apps/asleep.yaml", strings.ReplaceAll(asleep, "apps", "asleep"), "asleep/b.yaml", configMap("b"), "apps/c.yaml", configMap("c")}, more...)...)
	}
	was, _ := identities(t, tree("asleep/a.yaml", configMap("a")), root(""))
	if v := Compare(was, follow(t, was, tree(), root("")), CompareOptions{}); len(v.Of(Lost)) != 1 || !strings.Contains(v.Text(), "resumed") {
		t.Error(v.Text())
	}
	was, _ = identities(t, tree("apps/a.yaml", configMap("a")), root(""))
	if v := Compare(was, follow(t, was, tree("asleep/a.yaml", configMap("a")), root("")), CompareOptions{}); v.OK() || !strings.Contains(v.Text(), "does not reconcile") {
		t.Error(v.Text())
	}
}

// TestBlind repairs what did not build: what it prunes then, no file shows.
func TestBlind(t *testing.T) {
	was, _ := identities(t, files("apps/a.yaml", configMap("a"), "apps/b.yaml", configMap("a")), root(""))
	is := follow(t, was, files("apps/a.yaml", configMap("a")), root(""))
	if v := Compare(was, is, CompareOptions{}); !strings.Contains(v.Text(), "warning flux-system/root not judged: it prunes what it applied last") {
		t.Error(v.Text())
	}
}

// kustomization is a Flux Kustomization of that name and path.
func kustomization(name string) string {
	return "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: " + name + ", namespace: flux-system}\nspec: {path: " + name +
		", prune: true, sourceRef: {kind: GitRepository, name: home}}\n"
}

// TestGeneratedName takes a new hash for what it is.
func TestGeneratedName(t *testing.T) {
	tree := func(value string) string {
		return "configMapGenerator: [{name: g, namespace: default, literals: [k=" + value + "]}]\n"
	}
	was, _ := identities(t, files("apps/kustomization.yaml", tree("1")), root(""))
	is, _ := identities(t, files("apps/kustomization.yaml", tree("2")), root(""))
	if v := Compare(was, is, CompareOptions{}); !v.OK() || len(v.Of(Replaced)) != 1 {
		t.Error(v.Text())
	}
	none, _ := identities(t, files("apps/kustomization.yaml", "resources: []\n"), root(""))
	if v := Compare(was, none, CompareOptions{}); len(v.Of(Lost)) != 1 || !strings.Contains(v.Text(), "prunes it") {
		t.Error(v.Text())
	}
}

// TestGuardCountsOnlyBefore adds a guard and drops the object below it in one
// push, and keeps the guard for the push after.
func TestGuardCountsOnlyBefore(t *testing.T) {
	guard := "  annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}\n"
	plain, guarded := files("apps/a.yaml", configMap("a")), files("apps/a.yaml", configMap("a")+guard)
	gone := files("apps/b.yaml", configMap("b"))
	for _, c := range []struct {
		before fstest.MapFS
		ok     bool
	}{{plain, false}, {guarded, true}} {
		was, _ := identities(t, c.before, root(""))
		is, _ := identities(t, gone, root(""))
		if v := Compare(was, is, CompareOptions{}); v.OK() != c.ok {
			t.Error(v.Text())
		}
	}
}

// TestCodes holds that what is found has its code, in JSON beside the fields, and in the text once.
func TestCodes(t *testing.T) {
	name := Name{"flux-system", "apps"}
	v := Verdict{Changes: []Change{{Action: Lost, Severity: finding.Error}, {Action: Unjudged, Severity: finding.Warning},
		{Action: New, Severity: finding.Info}},
		Issues: []Issue{{Severity: finding.Error, Owner: name}, {Severity: finding.Warning, Owner: name, What: ProblemTwice},
			{Severity: finding.Warning, Owner: name, What: "not judged: "}}}
	var read struct{ Changes, Issues []map[string]any }
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &read)
	}
	if err != nil {
		t.Fatal(err)
	}
	var codes []any
	for _, m := range append(read.Changes, read.Issues...) {
		codes = append(codes, m["code"])
		if m["severity"] == nil || m["what"] == nil && m["action"] == nil {
			t.Errorf("the other fields are gone: %v", m)
		}
	}
	want := []any{"would-delete", "not-judged", nil, "would-break", "two-owners", "incomplete"}
	if !slices.Equal(codes, want) {
		t.Errorf("got %v, want %v", codes, want)
	}
	if said := "more: migrate-to-flux-operator explain incomplete not-judged two-owners would-break would-delete\n"; !strings.HasSuffix(v.Text(), said) {
		t.Errorf("unlike %s:\n%s", said, v.Text())
	}
	if text, err := json.Marshal(Opaque{Owner: name, What: "x"}); err != nil || !strings.Contains(string(text), `"code":"incomplete"`) ||
		!strings.Contains(string(text), `"what":"x"`) {
		t.Errorf("%v: %s", err, text)
	}
}
