package classic

import (
	"fmt"
	"path"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// live finds the pair as it is on the cluster.
//
// It fails where what shapes it cannot be followed.
func (p *Pair) live(set *object.Set) (err error) {
	if p.LiveSource, err = p.onCluster(set, p.Source); err != nil {
		return err
	}
	p.LiveRoot, err = p.onCluster(set, p.Root)
	return err
}

// onCluster is an object that the root applies, as it is on the cluster: the file, then what the kustomization.yaml files
// above it do, then what the root does to everything that it applies, itself included. An object that nothing shapes comes
// back as it is, with its comments.
func (p *Pair) onCluster(set *object.Set, o *object.Object) (*object.Object, error) {
	live := o
	for dir := path.Dir(o.File); o.File != ""; dir = path.Dir(dir) {
		folder, err := readFolder(set, dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		if folder.Shapes() {
			if live, err = through(live, folder.fields(), folder.Patches); err != nil {
				return nil, err
			}
		}
		if dir == "." || dir == p.Dir() {
			break
		}
	}
	return p.throughRoot(live)
}

// throughRoot applies what the root's own spec does to every object. Source: kustomize-controller v1.7.3.
func (p *Pair) throughRoot(o *object.Object) (*object.Object, error) {
	patches, err := patchesOf(p.Root, "spec", "patches")
	if err != nil {
		return nil, fmt.Errorf("%s: spec.patches: %w", p.Root.ID, err)
	}
	if common, set := object.Get[map[string]any](p.Root.Map(), "spec", "commonMetadata"); set {
		patches = append(patches, metadataPatch(p.Root, "spec.commonMetadata", common))
	}
	return through(o, map[string]any{}, patches)
}

// metadataPatch puts labels and annotations on everything.
func metadataPatch(o *object.Object, field string, common map[string]any) Patch {
	metadata := map[string]any{"name": "all"}
	for _, key := range []string{"labels", "annotations"} {
		if value, set := common[key]; set {
			metadata[key] = value
		}
	}
	// The value was decoded from YAML, so it can be written as YAML.
	body, _ := yaml.Marshal(map[string]any{"apiVersion": "v1", "kind": "all", "metadata": metadata})
	return Patch{Body: string(body), Target: map[string]any{"kind": ".*"}, Object: o, Field: field}
}

// through builds an object through the fields of a kustomization, with the patches that select it.
func through(o *object.Object, fields map[string]any, patches []Patch) (*object.Object, error) {
	nodes, err := Nodes([]*object.Object{o})
	if err != nil {
		return nil, err
	}
	var own []Patch
	for _, patch := range patches {
		if selected, err := flux.Selects(nodes, patch.Target); err != nil || len(selected) > 0 {
			own = append(own, patch)
		}
	}
	for _, field := range []string{"images", "replicas", "replacements"} {
		delete(fields, field)
	}
	delete(fields, "patches")
	if len(own)+len(fields) == 0 {
		return o, nil
	}
	fields["patches"] = Entries(own)
	built, err := flux.Patch(nodes, fields)
	if err != nil {
		return nil, fmt.Errorf("%s does not build: %w", o.ID, err)
	}
	if len(built) != 1 {
		return nil, fmt.Errorf("%s is deleted by a patch", o.ID)
	}
	text, err := built[0].String()
	if err != nil {
		return nil, err
	}
	return object.Parse(text, o.File, o.Index)
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
