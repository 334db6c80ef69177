package live

import (
	"slices"
	"strings"
	"testing"

	"migrate-to-flux-operator/fn/object"
)

// owned are the labels that Flux Operator sets.
const owned = `labels: {fluxcd.controlplane.io/name: flux, fluxcd.controlplane.io/namespace: flux-system}`

// takenOver is what kubectl prints of a cluster that Flux Operator has taken over.
const takenOver = `apiVersion: v1
kind: List
items:
- apiVersion: fluxcd.controlplane.io/v1
  kind: FluxInstance
  metadata: {name: flux, namespace: flux-system, generation: 2}
  spec: {sync: {path: ./clusters/one}}
  status: {conditions: [{type: Ready, status: "True", observedGeneration: 2}]}
- apiVersion: kustomize.toolkit.fluxcd.io/v1
  kind: Kustomization
  metadata: {name: cluster, namespace: flux-system, ` + owned + `, annotations: {kustomize.toolkit.fluxcd.io/prune: Disabled}}
  spec: {path: ./clusters/one, prune: true}
- apiVersion: kustomize.toolkit.fluxcd.io/v1
  kind: Kustomization
  metadata: {name: flux, namespace: flux-system}
  spec: {prune: true, deletionPolicy: Orphan}
- apiVersion: source.toolkit.fluxcd.io/v1
  kind: GitRepository
  metadata: {name: home, namespace: flux-system, ` + owned + `, annotations: {kustomize.toolkit.fluxcd.io/prune: Disabled}}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: source-controller, namespace: flux-system, ` + owned + `}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: flux-operator, namespace: flux-system}
- apiVersion: v1
  kind: Secret
  metadata: {name: sops, namespace: flux-system}
---
apiVersion: v1
kind: List
items:
- apiVersion: apiextensions.k8s.io/v1
  kind: CustomResourceDefinition
  metadata: {name: kustomizations.kustomize.toolkit.fluxcd.io, ` + owned + `}
`

func want() Want {
	id := func(apiVersion, kind, name string) object.ID {
		return object.ID{APIVersion: apiVersion, Kind: kind, Namespace: "flux-system", Name: name}
	}
	return Want{
		Instance: id("fluxcd.controlplane.io/v1", "FluxInstance", "flux"), Source: id("source.toolkit.fluxcd.io/v1", "GitRepository", "home"),
		Root: id("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "cluster"), Path: "clusters/one", Adopted: true,
		Owner: id("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "flux"), Components: []string{"source-controller"},
	}
}

// TestCheck takes one thing at a time away from a cluster that is taken over.
func TestCheck(t *testing.T) {
	cases := []struct {
		name, old, new string
		want           Want
		missing        string
	}{
		{name: "taken over", want: want()},
		{name: "no separator between the two outputs", old: "---\n", want: want()},
		{name: "not ready", old: `status: "True"`, new: `status: "False"`, want: want(), missing: "FluxInstance/flux-system/flux is not Ready"},
		{name: "ready for an older generation", old: "observedGeneration: 2", new: "observedGeneration: 1", want: want(), missing: "is not Ready at its generation 2"},
		{name: "no status yet", old: "status: {conditions: [{type: Ready, status: \"True\", observedGeneration: 2}]}", want: want(), missing: "is not Ready"},
		{name: "an older FluxInstance without sync", old: "spec: {sync: {path: ./clusters/one}}", new: "spec: {}", want: want(), missing: "only one of the two has spec.sync"},
		{name: "root not owned", old: "name: cluster, namespace: flux-system, " + owned, new: "name: cluster, namespace: flux-system", want: want(), missing: "Kustomization/flux-system/cluster is not owned"},
		{name: "source of another instance", old: "name: home, namespace: flux-system, labels: {fluxcd.controlplane.io/name: flux", new: "name: home, namespace: flux-system, labels: {fluxcd.controlplane.io/name: other", want: want(), missing: "GitRepository/flux-system/home is not owned"},
		{name: "root not guarded", old: "annotations: {kustomize.toolkit.fluxcd.io/prune: Disabled}}\n  spec: {path", new: "annotations: {}}\n  spec: {path", want: want(), missing: "Kustomization/flux-system/cluster has no annotation"},
		{name: "another cluster", old: "spec: {path: ./clusters/one, prune: true}", new: "spec: {path: ./clusters/two}", want: want(), missing: "the file is of another cluster"},
		{name: "owner not guarded", old: "deletionPolicy: Orphan", new: "deletionPolicy: Delete", want: want(), missing: "Kustomization/flux-system/flux has neither"},
		{name: "owner guarded by prune", old: "{prune: true, deletionPolicy: Orphan}", new: "{prune: false}", want: want()},
		{name: "controller not owned", old: "name: source-controller, namespace: flux-system, " + owned, new: "name: source-controller, namespace: flux-system", want: want(), missing: "Deployment/flux-system/source-controller is not owned"},
		{name: "no controller", old: "name: source-controller", new: "name: other", want: want(), missing: "holds no Deployment of Flux"},
		{name: "CRD not owned", old: "kustomizations.kustomize.toolkit.fluxcd.io, " + owned, new: "kustomizations.kustomize.toolkit.fluxcd.io", want: want(), missing: "CustomResourceDefinition/kustomizations.kustomize.toolkit.fluxcd.io is not owned"},
		{name: "no CRD", old: "kustomizations.kustomize.toolkit.fluxcd.io, ", new: "example.com, ", want: want(), missing: "holds no CRD of Flux"},
		{name: "no root", old: "name: cluster,", new: "name: other,", want: want(), missing: "Kustomization/flux-system/cluster is not in the file"},
		{name: "the pair stays in Git", old: "spec: {sync: {path: ./clusters/one}}", new: "spec: {}", want: kept(want())},
		{name: "the owner is gone already", old: "name: flux, namespace: flux-system}\n  spec: {prune", new: "name: gone, namespace: flux-system}\n  spec: {prune", want: want()},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(takenOver, c.old) {
				t.Fatalf("the case takes away what is not there: %s", c.old)
			}
			objects, err := Read(strings.Replace(takenOver, c.old, c.new, 1))
			if err != nil {
				t.Fatal(err)
			}
			missing := Check(objects, c.want)
			said := slices.ContainsFunc(missing, func(m string) bool { return strings.Contains(m, c.missing) })
			if said != (c.missing != "") || c.missing != "" && len(missing) != 1 {
				t.Errorf("got %q, want %q alone", missing, c.missing)
			}
		})
	}
}

// kept is what to want where the pair stays in Git: nothing of the pair.
func kept(w Want) Want {
	w.Adopted = false
	return w
}

// TestRead leaves Secrets out and refuses what is no object.
func TestRead(t *testing.T) {
	objects, err := Read("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n---\n" + takenOver)
	if err != nil {
		t.Fatal(err)
	}
	if len(objects) != 7 || slices.ContainsFunc(objects, func(o *object.Object) bool { return o.Kind == "Secret" }) {
		t.Errorf("read %d objects, want 7 without Secrets", len(objects))
	}
	if objects, err := Read(`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod"}]}`); err != nil || len(objects) != 1 {
		t.Errorf("JSON: %d objects, %v", len(objects), err)
	}
	for _, bad := range []string{"", "---\n", "NAME   READY\nflux   True\n", "a: b\n", "apiVersion: [\n"} {
		if _, err := Read(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}
