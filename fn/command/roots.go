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
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/printable"
)

// generated is a root that Flux Operator generates, and the file of its FluxInstance.
type generated struct {
	file string
	root inventory.Root
}

// generatedRoots are the roots of a repository that no file defines, because a FluxInstance generates them.
//
// It fails on a FluxInstance that Flux Operator would refuse.
func generatedRoots(tree fs.FS) ([]generated, error) {
	var all []generated
	err := fs.WalkDir(tree, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(file) != ".yaml" && path.Ext(file) != ".yml" {
			return err
		}
		content, err := fs.ReadFile(tree, file)
		if err != nil || !bytes.Contains(content, []byte(classic.OperatorGroup+"/")) {
			return err
		}
		for _, doc := range split.Split(content) {
			o, err := object.Parse(string(content[doc.Body:doc.End]), file, 0)
			if err != nil || !o.Is(classic.OperatorGroup, "FluxInstance") || o.Str("spec", "sync", "path") == "" {
				continue // what is no object is no FluxInstance
			}
			root, err := generatedRoot(o)
			if err != nil {
				return err
			}
			all = append(all, generated{file, root})
		}
		return nil
	})
	return all, err
}

// generatedRoot is the sync pair that Flux Operator generates for a FluxInstance.
func generatedRoot(o *object.Object) (inventory.Root, error) {
	nodes, err := instance.Render(o.Map())
	if err != nil {
		return inventory.Root{}, fmt.Errorf("%s: Flux Operator would refuse %s: %w", printable.Line(o.File), o.ID, err)
	}
	root := inventory.Root{Fixed: true}
	for _, node := range nodes {
		group := object.ID{APIVersion: node.GetApiVersion()}.Group()
		target := map[string]*map[string]any{classic.KustomizeGroup: &root.Kustomization, classic.SourceGroup: &root.Source}[group]
		if target == nil {
			continue
		}
		if *target, err = contentOf(node); err != nil {
			return inventory.Root{}, err
		}
	}
	return root, nil
}

// contentOf is an object as JSON has it.
func contentOf(node *kyaml.RNode) (map[string]any, error) {
	text, err := node.String()
	if err != nil {
		return nil, err
	}
	o, err := object.Parse(text, "", 0)
	if err != nil {
		return nil, err
	}
	return o.Map(), nil
}

// rootsOf are the roots alone.
func rootsOf(all []generated) []inventory.Root {
	var roots []inventory.Root
	for _, g := range all {
		roots = append(roots, g.root)
	}
	return roots
}

// followers are the roots of a cluster in the state after: where a FluxInstance generated one and is still there, the one that it
// generates now. One whose FluxInstance is gone stays: Flux Operator is asked to keep it.
func followers(cluster inventory.Cluster, before, after []generated) []inventory.Root {
	roots := slices.Clone(cluster.Roots)
	for i, root := range roots {
		was := slices.IndexFunc(before, func(g generated) bool { return root.Fixed && sameRoot(g.root, root) })
		if was < 0 {
			continue
		}
		if is := slices.IndexFunc(after, func(g generated) bool { return g.file == before[was].file }); is >= 0 {
			roots[i] = after[is].root
		}
	}
	return roots
}

// sameRoot tells whether two roots are one and the same.
func sameRoot(a, b inventory.Root) bool {
	key := func(r inventory.Root) string {
		name, _ := object.Get[string](r.Kustomization, "metadata", "name")
		at, _ := object.Get[string](r.Kustomization, "spec", "path")
		return name + " " + at
	}
	return key(a) == key(b)
}
