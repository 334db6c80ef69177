package flux

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/reason"
)

// build has kustomize build the objects that a patch reaches, and gives the others no more than their namespace: no
// patch reaches most of what Flux installs, and a small object costs kustomize as much as a large one.
//
// A patch reaches what it selects at first, and what an earlier patch has made it select, which that one reached. Where
// shards multiply the objects, where images change, and where a patch gives an object a name that others may refer to,
// kustomize builds all.
func (in *instance) build(tree files, root types.Kustomization, o Options) ([]*yaml.RNode, error) {
	if in.Spec.Sharding != nil || len(root.Images) > 0 || slices.ContainsFunc(root.Patches, untargeted) {
		return tree.build()
	}
	fewer := maps.Clone(tree)
	parts := []string{"policies.yaml"}
	for _, component := range o.Components {
		parts = append(parts, component+".yaml")
	}
	var all []document
	for _, part := range parts {
		if slices.Contains(root.Resources, part) {
			read, err := documentsOf(tree["/"+part])
			if err != nil {
				return nil, err
			}
			all = append(all, read...)
		}
		delete(fewer, "/"+part)
	}
	reached, others, err := reach(all, root.Patches)
	if err != nil {
		return tree.build() // and have kustomize say what is wrong
	}
	root.Resources = slices.DeleteFunc(slices.Clone(root.Resources),
		func(name string) bool { return slices.Contains(parts, name) })
	if len(reached) > 0 {
		root.Resources = append(root.Resources, "reached.yaml")
		fewer["/reached.yaml"] = bytes.Join(reached, []byte("---\n"))
	}
	if err := fewer.add("/kustomization.yaml", root); err != nil {
		return nil, err
	}
	built, err := fewer.build()
	if err != nil || slices.ContainsFunc(built, func(object *yaml.RNode) bool { return renamed(object, all, o) }) {
		return tree.build()
	}
	for _, object := range others {
		err = first(err, o.place(object))
	}
	return append(others, built...), err
}

// untargeted tells a patch that names itself what it changes.
func untargeted(p types.Patch) bool { return p.Target == nil }

// reach tells the documents that one of the patches selects from the others.
func reach(all []document, patches []types.Patch) (reached [][]byte, others []*yaml.RNode, err error) {
	var objects []*yaml.RNode
	for _, d := range all {
		objects = append(objects, d.object)
	}
	among, err := selectable(objects)
	if err != nil {
		return nil, nil, err
	}
	ids := map[ID]bool{}
	for _, patch := range patches {
		selected, err := reason.With(among.Select(*patch.Target))
		if err != nil {
			return nil, nil, err
		}
		for _, r := range selected {
			ids[IDOf(&r.RNode)] = true
		}
	}
	for _, d := range all {
		if ids[IDOf(d.object)] {
			reached = append(reached, d.text)
		} else {
			others = append(others, d.object)
		}
	}
	return reached, others, nil
}

// renamed tells an object that did not have its name before the patches. Nothing refers to Flux's own objects by name
// in a way that kustomize follows, and the roles are always built with what refers to them.
func renamed(object *yaml.RNode, all []document, o Options) bool {
	id := IDOf(object)
	switch {
	case strings.HasSuffix(id.Group, ".toolkit.fluxcd.io"), strings.HasPrefix(id.Kind, "ClusterRole"),
		id.Kind == "ResourceQuota":
		return false
	case id.Kind == "Namespace":
		return id.Name != o.Namespace
	case id.Kind == "PersistentVolumeClaim":
		return id.Name != sourceController
	}
	return !slices.ContainsFunc(all, func(d document) bool {
		return d.object.GetKind() == id.Kind &&
			d.object.GetName() == id.Name
	})
}
