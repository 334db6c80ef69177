package command

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/checkout/split"
	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
)

// operated is a FluxInstance of a repository, and what Flux Operator generates for it.
type operated struct {
	at      *object.Object // what defines it
	objects []*kyaml.RNode
	root    inventory.Root // of the cluster, if it generates that
	err     error          // why it is not known what it generates
}

// operatedBy are the FluxInstances of a repository, in either form.
func operatedBy(tree fs.FS) ([]operated, error) {
	var objects []*object.Object
	err := fs.WalkDir(tree, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || path.Ext(file) != ".yaml" && path.Ext(file) != ".yml" {
			return err
		}
		content, err := fs.ReadFile(tree, file)
		if err != nil || !bytes.Contains(content, []byte(classic.OperatorGroup+"/")) &&
			!bytes.Contains(content, []byte(flux.InstanceChart)) {
			return err
		}
		for n, doc := range split.Split(content) {
			if o, err := object.Parse(string(content[doc.Body:doc.End]), file, n); err == nil {
				objects = append(objects, o) // what is no object is no FluxInstance
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var all []operated
	for _, e := range instance.ExistingsIn(object.NewSet(objects), "flux-system") {
		o := operated{at: e.At, err: e.Err}
		if o.err == nil {
			o.objects, o.err = instance.Render(e.Instance)
		}
		if o.err == nil {
			o.root, o.err = instance.RootAmong(o.objects)
		}
		all = append(all, o)
	}
	return all, nil
}

// rootsOf are the roots that Flux Operator generates.
func rootsOf(all []operated) []inventory.Root {
	var roots []inventory.Root
	for _, o := range all {
		if o.root.Kustomization != nil {
			roots = append(roots, o.root)
		}
	}
	return roots
}

// transition is what a commit does to the FluxInstances of a cluster.
type transition struct {
	cluster inventory.Cluster
	roots   []inventory.Root        // those that are there afterwards
	deleted map[inventory.ID]string // what Flux Operator deletes, with the reason
}

// transitionOf follows the FluxInstances of a cluster from one state of the repository to another. One that is gone
// goes on generating: Flux Operator is asked to keep it, and if it is not, the FluxInstance is lost.
func transitionOf(cluster inventory.Cluster, before, after []operated) transition {
	t := transition{cluster: cluster, roots: slices.Clone(cluster.Roots), deleted: map[inventory.ID]string{}}
	for _, was := range before {
		n := was.among(after)
		if n < 0 || was.err != nil || after[n].err != nil || !t.has(was) {
			continue
		}
		t.collect(was, after[n])
		t.follow(was.root, after[n].root)
	}
	return t
}

// among finds a FluxInstance in another state of the repository: in its file, or in the one that it has moved to.
func (o operated) among(all []operated) int {
	here := slices.IndexFunc(all, func(other operated) bool {
		return other.at.ID == o.at.ID &&
			other.at.File == o.at.File
	})
	if here >= 0 {
		return here
	}
	moved := -1
	for n, other := range all {
		if other.at.ID != o.at.ID {
			continue
		}
		if moved >= 0 {
			return -1 // of several clusters, and nothing tells which
		}
		moved = n
	}
	return moved
}

// verdict compares the cluster with what the files of the state after make of it, and lets go what is meant to.
func (t transition) verdict(after *inventory.Files, meant inventory.CompareOptions) inventory.Verdict {
	meant.Deleted = t.deleted
	return inventory.Compare(t.cluster.Inventory, after.Follow(t.cluster.Inventory, t.roots...), meant)
}

// has reports whether a FluxInstance is one of the cluster's.
func (t *transition) has(o operated) bool {
	return slices.ContainsFunc(t.cluster.Roots,
		func(r inventory.Root) bool { return r.Fixed && sameRoot(r, o.root) }) ||
		slices.ContainsFunc(t.cluster.Inventory.Entries, func(e inventory.Entry) bool {
			return e.Kind == o.at.Kind && e.Name == o.at.Name && e.File.String() == o.at.File
		})
}

// collect adds what a FluxInstance has generated and generates no longer, unless it is annotated to stay, and the
// objects of the kinds that go. Source: MIGRATION facts 1.4, rows K2, K5, L and N.
func (t *transition) collect(was, is operated) {
	stays := map[flux.ID]bool{}
	for _, node := range is.objects {
		stays[flux.IDOf(node)] = true
	}
	for _, node := range was.objects {
		id := flux.IDOf(node)
		if stays[id] || node.GetAnnotations()[classic.OperatorGroup+"/prune"] == instance.Disabled {
			continue
		}
		t.deleted[inventory.ID{Group: id.Group, Kind: id.Kind, Namespace: id.Namespace, Name: id.Name}] =
			fmt.Sprintf("Flux Operator deletes it: %s in %s does not generate it any longer", was.at.ID, was.at.File)
		if id.Kind == "CustomResourceDefinition" {
			t.collectKind(node)
		}
	}
}

// collectKind adds the objects of a kind that goes.
func (t *transition) collectKind(crd *kyaml.RNode) {
	group, _ := crd.GetString("spec.group")
	kind, _ := crd.GetString("spec.names.kind")
	for _, e := range t.cluster.Inventory.Entries {
		if e.Group == group && e.Kind == kind && e.Cluster == "" {
			t.deleted[e.ID] = fmt.Sprintf("its kind goes: Flux Operator deletes CustomResourceDefinition/%s",
				crd.GetName())
		}
	}
}

// follow sets in the place of a generated root the one that is generated now. One of another name comes beside it,
// unless the old one is deleted.
func (t *transition) follow(was, is inventory.Root) {
	n := slices.IndexFunc(t.roots, func(r inventory.Root) bool { return r.Fixed && sameRoot(r, was) })
	if n < 0 {
		return
	}
	switch _, deleted := t.deleted[rootID(was)]; {
	case is.Kustomization != nil && (deleted || rootID(is) == rootID(was)):
		t.roots[n] = is
	case is.Kustomization != nil:
		t.roots = append(t.roots, is)
	case deleted:
		t.roots = slices.Delete(t.roots, n, n+1)
	}
}

// rootID is the identity of a root.
func rootID(r inventory.Root) inventory.ID {
	name, _ := object.Get[string](r.Kustomization, "metadata", "name")
	namespace, _ := object.Get[string](r.Kustomization, "metadata", "namespace")
	return inventory.ID{Group: classic.KustomizeGroup, Kind: "Kustomization", Namespace: namespace, Name: name}
}

// sameRoot reports whether two roots are one and the same.
func sameRoot(a, b inventory.Root) bool {
	at := func(r inventory.Root) string {
		path, _ := object.Get[string](r.Kustomization, "spec", "path")
		return path
	}
	return rootID(a) == rootID(b) && at(a) == at(b)
}
