package classic

import (
	"fmt"
	"path"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// live is the pair as it is on the cluster: the files, then what the kustomization.yaml files above them do, then what the
// root does to everything that it applies, itself included.
//
// It fails where that cannot be followed.
func (p *Pair) live(set *object.Set) error {
	p.LiveSource, p.LiveRoot = p.Source, p.Root
	if p.Root.File != "" {
		for dir := path.Dir(p.Root.File); ; dir = path.Dir(dir) {
			if err := p.throughFolder(set, dir); err != nil {
				return err
			}
			if dir == "." || dir == p.Dir() {
				break
			}
		}
	}
	return p.throughRoot()
}

func (p *Pair) throughFolder(set *object.Set, dir string) error {
	folder, err := readFolder(set, dir)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	if !folder.Shapes() {
		return nil
	}
	return p.through(folder.fields(), folder.Patches)
}

// throughRoot applies what the root's own spec does to every object. Source: kustomize-controller v1.7.3.
func (p *Pair) throughRoot() error {
	patches, err := patchesOf(p.Root, "spec", "patches")
	if err != nil {
		return fmt.Errorf("%s: spec.patches: %w", p.Root.ID, err)
	}
	fields := map[string]any{}
	if labels, set := object.Get[map[string]any](p.Root.Map(), "spec", "commonMetadata", "labels"); set {
		fields["labels"] = []any{map[string]any{"pairs": labels}}
	}
	if annotations, set := object.Get[map[string]any](p.Root.Map(), "spec", "commonMetadata", "annotations"); set {
		fields["commonAnnotations"] = annotations
	}
	if len(patches)+len(fields) == 0 {
		return nil
	}
	return p.through(fields, patches)
}

// through builds the pair through the fields of a kustomization, with the patches that select one of the two.
func (p *Pair) through(fields map[string]any, patches []Patch) error {
	pair := []*object.Object{p.LiveSource, p.LiveRoot}
	nodes, err := Nodes(pair)
	if err != nil {
		return err
	}
	var own []Patch
	for _, patch := range patches {
		if selected, err := flux.Selects(nodes, patch.Target); err != nil || len(selected) > 0 {
			own = append(own, patch)
		}
	}
	delete(fields, "replicas")
	delete(fields, "replacements")
	fields["patches"] = Entries(own)
	built, err := flux.Patch(nodes, fields)
	if err != nil {
		return fmt.Errorf("the sync pair does not build: %w", err)
	}
	return p.take(built)
}

// take finds the two objects among what was built.
func (p *Pair) take(built []*kyaml.RNode) error {
	for _, node := range built {
		text, err := node.String()
		if err != nil {
			return err
		}
		was := &p.LiveSource
		if node.GetKind() == p.Root.Kind {
			was = &p.LiveRoot
		}
		o, err := object.Parse(text, (*was).File, (*was).Index)
		if err != nil {
			return err
		}
		*was = o
	}
	return nil
}

// Nodes are the objects as YAML trees.
//
// It fails on an object whose text is not YAML.
func Nodes(objects []*object.Object) ([]*kyaml.RNode, error) {
	var nodes []*kyaml.RNode
	for _, o := range objects {
		node, err := kyaml.FromMap(o.Map())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.ID, err)
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}
