package live

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

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
  spec: {distribution: {version: 2.6.x}, components: [source-controller, kustomize-controller], sync: {path: ./clusters/one}}
  status: {lastAppliedRevision: "v2.6.4@sha256:0", conditions: [{type: Ready, status: "True", observedGeneration: 2}]}
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
  spec: {url: "https://example.com/home.git"}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: source-controller, namespace: flux-system, ` + owned + `}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: kustomize-controller, namespace: flux-system, ` + owned + `}
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
# snapshot 2026-11-30T10:00:00Z
`

func want() Want {
	id := func(apiVersion, kind, name string) object.ID {
		return object.ID{APIVersion: apiVersion, Kind: kind, Namespace: "flux-system", Name: name}
	}
	return Want{
		Instance: id("fluxcd.controlplane.io/v1", "FluxInstance", "flux"), Source: id("source.toolkit.fluxcd.io/v1", "GitRepository", "home"),
		Root: id("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "cluster"), Path: "clusters/one", Adopted: true,
		Owner: id("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "flux"), URL: "https://example.com/home.git",
		Spec: map[string]any{
			"distribution": map[string]any{"version": "2.6.x"}, "components": []any{"kustomize-controller", "source-controller"},
			"sync": map[string]any{"path": "./clusters/one", "url": "${url}"},
		},
		Owned: []object.ID{
			id("apps/v1", "Deployment", "source-controller"), id("apps/v1", "Deployment", "kustomize-controller"),
			{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition", Name: "kustomizations.kustomize.toolkit.fluxcd.io"},
		},
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
		{name: "no status yet", old: "conditions: [{type: Ready, status: \"True\", observedGeneration: 2}]}", new: "}", want: want(), missing: "is not Ready"},
		{name: "an older FluxInstance without sync", old: ", sync: {path: ./clusters/one}", want: pathless(want()), missing: "only one of the two has spec.sync"},
		{name: "another sync path", old: "sync: {path: ./clusters/one}", new: "sync: {path: ./clusters/two}", want: want(), missing: "another spec.sync.path"},
		{name: "another version asked for", old: "version: 2.6.x", new: "version: 2.5.x", want: want(), missing: "another spec.distribution.version"},
		{name: "an older version applied", old: "v2.6.4@", new: "v2.5.1@", want: want(), missing: "has applied Flux 2.5.1, and Git asks for 2.6.x"},
		{name: "no version applied", old: `lastAppliedRevision: "v2.6.4@sha256:0", `, want: want(), missing: "has applied no version"},
		{name: "a component less", old: "components: [source-controller, kustomize-controller]", new: "components: [source-controller]", want: want(), missing: "another spec.components"},
		{name: "not reconciled", old: "generation: 2}", new: "generation: 2, annotations: {fluxcd.controlplane.io/reconcile: disabled}}", want: want(), missing: "fluxcd.controlplane.io/reconcile: disabled"},
		{name: "not reconciled, in other letters", old: "generation: 2}", new: "generation: 2, annotations: {fluxcd.controlplane.io/reconcile: Disabled}}", want: want(),
			missing: "fluxcd.controlplane.io/reconcile: Disabled"},
		{name: "a FluxInstance that goes", old: "generation: 2}", new: "generation: 2, deletionTimestamp: now}", want: want(), missing: "is being deleted"},
		{name: "a source of another URL", old: "https://example.com/home.git", new: "https://example.com/other.git", want: want(), missing: "it syncs https://example.com/other.git, and Git says https://example.com/home.git"},
		{name: "root not owned", old: "name: cluster, namespace: flux-system, " + owned, new: "name: cluster, namespace: flux-system", want: want(), missing: "Kustomization/flux-system/cluster is not owned"},
		{name: "source of another instance", old: "name: home, namespace: flux-system, labels: {fluxcd.controlplane.io/name: flux", new: "name: home, namespace: flux-system, labels: {fluxcd.controlplane.io/name: other", want: want(), missing: "GitRepository/flux-system/home is not owned"},
		{name: "root not guarded", old: "annotations: {kustomize.toolkit.fluxcd.io/prune: Disabled}}\n  spec: {path", new: "annotations: {}}\n  spec: {path", want: want(), missing: "Kustomization/flux-system/cluster has no annotation"},
		{name: "another cluster", old: "spec: {path: ./clusters/one, prune: true}", new: "spec: {path: ./clusters/two}", want: want(), missing: "probably the snapshot of another cluster: it syncs ./clusters/two, and Git says ./clusters/one"},
		{name: "owner not guarded", old: "deletionPolicy: Orphan", new: "deletionPolicy: Delete", want: want(), missing: "Kustomization/flux-system/flux has neither"},
		{name: "owner guarded by prune", old: "{prune: true, deletionPolicy: Orphan}", new: "{prune: false}", want: want()},
		{name: "controller not owned", old: "name: source-controller, namespace: flux-system, " + owned, new: "name: source-controller, namespace: flux-system", want: want(), missing: "Deployment/flux-system/source-controller is not owned"},
		{name: "one controller of two", old: "name: source-controller", new: "name: other", want: want(), missing: "Deployment/flux-system/source-controller is not in the file"},
		{name: "CRD not owned", old: "kustomizations.kustomize.toolkit.fluxcd.io, " + owned, new: "kustomizations.kustomize.toolkit.fluxcd.io", want: want(), missing: "CustomResourceDefinition/kustomizations.kustomize.toolkit.fluxcd.io is not owned"},
		{name: "no CRD", old: "kustomizations.kustomize.toolkit.fluxcd.io, ", new: "example.com, ", want: want(), missing: "kustomizations.kustomize.toolkit.fluxcd.io is not in the file"},
		{name: "no root", old: "name: cluster,", new: "name: other,", want: want(), missing: "Kustomization/flux-system/cluster is not in the file"},
		{name: "the pair stays in Git", old: ", sync: {path: ./clusters/one}", want: pathless(kept(want()))},
		{name: "the owner is gone already", old: "name: flux, namespace: flux-system}\n  spec: {prune", new: "name: gone, namespace: flux-system}\n  spec: {prune", want: want()},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(takenOver, c.old) {
				t.Fatalf("the case takes away what is not there: %s", c.old)
			}
			snapshot, err := Read(strings.Replace(takenOver, c.old, c.new, 1))
			if err != nil {
				t.Fatal(err)
			}
			missing := check(snapshot, c.want).all()
			if why := snapshot.stranger(c.want); why != "" {
				missing = []Problem{{Message: why}} // which is all that is said then
			}
			said := slices.ContainsFunc(missing, func(m Problem) bool { return strings.Contains(m.Message, c.missing) })
			if said != (c.missing != "") || c.missing != "" && len(missing) != 1 {
				t.Errorf("got %v, want %q alone", missing, c.missing)
			}
		})
	}
}

// kept is what to want where the pair stays in Git: nothing of the pair.
func kept(w Want) Want {
	w.Adopted = false
	return w
}

// pathless is what to want where Git says nothing of the sync.
func pathless(w Want) Want {
	w.Spec = maps.Clone(w.Spec)
	delete(w.Spec, "sync")
	return w
}

// TestFits tells the snapshots of several clusters apart.
func TestFits(t *testing.T) {
	for _, c := range []struct {
		old, new string
		fits     bool
	}{
		{"", "", true}, {"spec: {path: ./clusters/one", "spec: {path: ./clusters/two", false},
		{"example.com/home", "example.com/other", false}, {"name: cluster,", "name: other,", false},
	} {
		snapshot, err := Read(strings.Replace(takenOver, c.old, c.new, 1))
		if err != nil || snapshot.Fits(want()) != c.fits {
			t.Errorf("with %q it fits: %t, %v", c.new, !c.fits, err)
		}
	}
}

// TestOld tells how old a snapshot is by what it says of itself.
func TestOld(t *testing.T) {
	at := func(hour, minute int) time.Time { return time.Date(2026, 11, 30, hour, minute, 0, 0, time.UTC) }
	other := "# snapshot 2026-11-30T09:00:00Z\n"
	for _, c := range []struct {
		text string
		now  time.Time
		want string
	}{
		{takenOver, at(10, 59), ""},
		{takenOver, at(11, 1), "it was taken 2026-11-30T10:00:00Z, more than an hour ago"},
		{takenOver, at(8, 0), "which is not yet"},
		{other + takenOver, at(10, 30), "it was taken 2026-11-30T09:00:00Z, more than"},
		{strings.ReplaceAll(takenOver, "# snapshot ", "# "), at(10, 0), "it does not say when"},
		{strings.ReplaceAll(takenOver, "2026-11-30T10:00:00Z", "today"), at(10, 0), "it does not say when"},
	} {
		snapshot, err := Read(c.text)
		if got := snapshot.Old(c.now); err != nil || !strings.HasPrefix(got, strings.Split(c.want, "which")[0]) || (got == "") != (c.want == "") {
			t.Errorf("got %q, %v; want %q", got, err, c.want)
		}
	}
}

// TestRead leaves Secrets out and refuses what is no object.
func TestRead(t *testing.T) {
	snapshot, err := Read("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n---\n" + takenOver)
	if err != nil {
		t.Fatal(err)
	}
	if objects := snapshot.Objects; len(objects) != 8 || slices.ContainsFunc(objects, func(o *object.Object) bool { return o.Kind == "Secret" }) {
		t.Errorf("read %d objects, want 8 without Secrets", len(objects))
	}
	if s, err := Read(`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod"}]}`); err != nil || len(s.Objects) != 1 {
		t.Errorf("JSON: %d objects, %v", len(s.Objects), err)
	}
	for _, bad := range []string{"", "---\n", "NAME   READY\nflux   True\n", "a: b\n", "apiVersion: [\n", takenOver + "---\n" + takenOver} {
		if _, err := Read(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}
