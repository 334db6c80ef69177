package inventory

import (
	"fmt"
	"strings"
	"testing"
)

// waitingFor is a Flux Kustomization with more in its spec.
func waitingFor(name, spec string) string {
	return strings.Replace(kustomization(name), "spec: {", "spec: {"+spec+", ", 1)
}

// release is a HelmRelease with more in its spec.
func release(name, spec string) string {
	return "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: " + name + ", namespace: apps}\nspec: {" + spec + "}\n"
}

// TestCycles finds what waits for itself, and nothing else.
func TestCycles(t *testing.T) {
	const onA, onB = "dependsOn: [{name: a}]", "dependsOn: [{name: b}]"
	for _, c := range []struct {
		name  string
		files []string
		cycle string
	}{
		{"a chain", []string{"apps/a.yaml", waitingFor("a", onB), "apps/b.yaml", kustomization("b")}, ""},
		{"two", []string{"apps/a.yaml", waitingFor("a", onB), "apps/b.yaml", waitingFor("b", onA)}, "Kustomization/flux-system/a waits for Kustomization/flux-system/b, which waits for Kustomization/flux-system/a "},
		{"alone", []string{"apps/a.yaml", waitingFor("a", onA)}, "Kustomization/flux-system/a waits for Kustomization/flux-system/a "},
		{"one more waits for both", []string{"apps/a.yaml", waitingFor("a", onB), "apps/b.yaml", waitingFor("b", onA), "apps/0.yaml", waitingFor("0", onA)}, "Kustomization/flux-system/a waits for"},
		{"to another namespace", []string{"apps/a.yaml", waitingFor("a", "dependsOn: [{name: a, namespace: other}]")}, ""},
		{"suspended", []string{"apps/a.yaml", waitingFor("a", onB), "apps/b.yaml", waitingFor("b", "suspend: true, "+onA)}, ""},
		{"an expression decides", []string{"apps/a.yaml", waitingFor("a", "dependsOn: [{name: b, readyExpr: 'true'}]"), "apps/b.yaml", waitingFor("b", onA)}, ""},
		{"releases", []string{"apps/a.yaml", release("a", onB), "apps/b.yaml", release("b", onA)}, "HelmRelease/apps/a waits for HelmRelease/apps/b"},
		{"a release of that name", []string{"apps/a.yaml", release("a", onB), "apps/b.yaml", waitingFor("b", onA)}, ""},
		{"the one above waits for all", []string{"apps/a.yaml", waitingFor("a", "wait: true"), "a/b.yaml", waitingFor("b", onA)}, "Kustomization/flux-system/a waits for Kustomization/flux-system/b"},
		{"the one above is suspended", []string{"apps/a.yaml", waitingFor("a", "wait: true, suspend: true"), "a/b.yaml", waitingFor("b", onA)}, ""},
		{"it applies itself", []string{"apps/a.yaml", waitingFor("a", "wait: true"), "a/a.yaml", waitingFor("a", "wait: true")}, ""},
		{"health", []string{"apps/a.yaml", waitingFor("a", "healthChecks: [{kind: Kustomization, name: b, namespace: flux-system}]"), "apps/b.yaml", waitingFor("b", onA)}, "Kustomization/flux-system/a waits for"},
		{"its own health", []string{"apps/a.yaml", waitingFor("a", "healthChecks: [{kind: Kustomization, name: a, namespace: flux-system}]")}, ""},
		{"on another cluster", []string{"apps/a.yaml", waitingFor("a", "wait: true, kubeConfig: {secretRef: {name: other}}"), "a/b.yaml", waitingFor("b", onA)}, ""},
	} {
		inv, _ := identities(t, files(c.files...), root(""))
		var found []string
		for _, p := range inv.Problems {
			if p.Kind == ProblemCycle {
				found = append(found, p.What)
			}
		}
		if c.cycle == "" && len(found) > 0 || c.cycle != "" && (len(found) != 1 || !strings.Contains(found[0], c.cycle)) {
			t.Errorf("%s: %q", c.name, found)
		}
	}
}

// TestCycleIsNew is an Error only where it was not there before.
func TestCycleIsNew(t *testing.T) {
	chain := files("apps/a.yaml", waitingFor("a", "dependsOn: [{name: b}]"), "apps/b.yaml", kustomization("b"))
	cycle := files("apps/a.yaml", waitingFor("a", "dependsOn: [{name: b}]"), "apps/b.yaml", waitingFor("b", "dependsOn: [{name: a}]"))
	was, _ := identities(t, chain, root(""))
	v := Compare(was, follow(t, was, cycle, root("")), CompareOptions{})
	if v.OK() || !strings.Contains(v.Text(), "error   flux-system/root has a cycle") {
		t.Error(v.Text())
	}
	was, _ = identities(t, cycle, root(""))
	if v := Compare(was, follow(t, was, cycle, root("")), CompareOptions{}); !v.OK() || !strings.Contains(v.Text(), "warning flux-system/root has a cycle") {
		t.Error(v.Text())
	}
	if v := Compare(was, follow(t, was, chain, root("")), CompareOptions{}); !v.OK() || strings.Contains(v.Text(), "cycle") {
		t.Error(v.Text())
	}
}

// TestManyWaiting is as long a chain as there may be, and a ring of it.
func TestManyWaiting(t *testing.T) {
	const n = 100_000
	name := func(i int) Ref { return Ref{"Kustomization", "flux-system", fmt.Sprint(i % n)} }
	w := waiting{}
	for i := range n - 1 {
		w.add(name(i), name(i+1))
		w.add(name(i), name(i+2))
	}
	delete(w[name(n-2)], name(n))
	w.prune()
	if len(w) != 0 {
		t.Errorf("a chain waits for itself: %d", len(w))
	}
	for i := range n {
		w.add(name(i), name(i+1))
	}
	if w.prune(); len(w.cycle(name(n/2))) != n {
		t.Error("the ring is not found")
	}
}
