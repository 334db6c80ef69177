package instance

import (
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
)

// Root is the root that Flux Operator generates; false where it generates none, or where that is not known.
func (e *Existing) Root() (inventory.Root, bool) {
	if e.Err != nil {
		return inventory.Root{}, false
	}
	rendered, err := Render(e.Instance)
	if err != nil {
		return inventory.Root{}, false
	}
	root, err := RootAmong(rendered)
	return root, err == nil && root.Kustomization != nil
}

// RootAmong is the sync pair among what Flux Operator generates.
func RootAmong(nodes []*kyaml.RNode) (inventory.Root, error) {
	root := inventory.Root{Fixed: true}
	for _, node := range nodes {
		target := map[string]*map[string]any{classic.KustomizeGroup: &root.Kustomization,
			classic.SourceGroup: &root.Source}[flux.IDOf(node).Group]
		if target == nil {
			continue
		}
		var err error
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
