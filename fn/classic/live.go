package classic

import (
	"fmt"
	"maps"
	"path"
	"slices"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/reason"
)

// live finds the pair as it is on the cluster.
//
// It fails where what shapes it cannot be followed.
func (p *Pair) live(set *object.Set) (err error) {
	if p.LiveSource = p.Source; !p.SourceUnseen {
		if p.LiveSource, err = p.OnCluster(set, p.Source); err != nil {
			return err
		}
	}
	p.LiveRoot, err = p.OnCluster(set, p.Root)
	return err
}

// OnCluster is an object of the pair's cluster as it is there: the file, then what the kustomization.yaml files above
// it do, then what the Flux Kustomization that applies it does to everything that it applies. An object that nothing
// shapes comes back as it is, with its comments.
//
// It fails where what shapes it cannot be followed.
func (p *Pair) OnCluster(set *object.Set, o *object.Object) (*object.Object, error) {
	return p.onCluster(set, o, maxDepth)
}

// NamespaceOf is the namespace that an object of the pair's cluster has there. One that the object does not say comes
// from what applies it; where that cannot be followed it is the object's own.
func (p *Pair) NamespaceOf(set *object.Set, o *object.Object) string {
	if o.Namespace == "" && set.HasPaths() {
		if live, err := p.OnCluster(set, o); err == nil {
			return substituted(set, live.Namespace)
		}
	}
	return substituted(set, o.Namespace)
}

// maxDepth is how many Flux Kustomizations may stand above an object: more is a circle.
const maxDepth = 16

func (p *Pair) onCluster(set *object.Set, o *object.Object, depth int) (*object.Object, error) {
	owner, top := p.applier(set, o)
	live, err := throughFolders(set, o, top)
	if err != nil || owner == nil {
		return live, err
	}
	switch {
	case owner == p.Root:
		owner, err = throughFolders(set, owner, top)
	case owner != o && depth == 0:
		err = fmt.Errorf("%s is applied by a circle of Flux Kustomizations", o.ID)
	case owner != o:
		owner, err = p.onCluster(set, owner, depth-1)
	}
	if err != nil {
		return nil, err
	}
	return throughOwner(set, live, owner, top)
}

// applier is the Flux Kustomization that applies an object of the cluster, and its path in the input; nil when none
// does, as for a root that was applied by hand and does not apply itself.
func (p *Pair) applier(set *object.Set, o *object.Object) (owner *object.Object, top string) {
	if !set.HasPaths() || o.File == "" || p.Prefix != "" || (o == p.Root || o == p.Source) &&
		Applies(set, p.Path, o.File) {
		return p.Root, p.Dir()
	}
	all := appliersFrom(set, o, p.Source.Str("spec", "url"))
	if own := slices.DeleteFunc(slices.Clone(all),
		func(k *object.Object) bool { return !reaches(set, *p, k.File, map[string]bool{}) }); len(all) > 1 &&
		len(own) > 0 {
		all = own // the others are of clusters that share the object
	}
	if owner = Nearest(all, o); owner == nil {
		return nil, "."
	}
	top, _ = pathFor(owner, o.File)
	return owner, top
}

// reaches climbs, within the source of the pair, from a file to the Flux Kustomizations that apply it, until it is the
// root's.
func reaches(set *object.Set, pair Pair, file string, seen map[string]bool) bool {
	if seen[file] {
		return false
	}
	seen[file] = true
	ways := reaching(set, file)
	// its path may be another one than it has in its file
	if !set.Removed(pair.Root) && !slices.Contains(ways, pair.Root) {
		ways = append(ways, pair.Root)
	}
	for _, k := range ways {
		at := syncPath(k)
		if k == pair.Root {
			at = pair.Path
		}
		if k != pair.Root && k.Str("spec", "path") == "" || !pair.Syncs(set, k) || !Applies(set, at, file) {
			continue
		}
		if k == pair.Root || reaches(set, pair, k.File, seen) {
			return true
		}
	}
	return false
}

// Folders are the kustomization.yaml files through which the root applies the two objects of the pair.
func (p Pair) Folders(set *object.Set) []*Folder {
	var all []*Folder
	for _, o := range []*object.Object{p.Source, p.Root} {
		if owner, top := p.applier(set, o); owner == p.Root && o.File != "" {
			if folders, err := layersOf(set, top, o.File); err == nil { // an error would have stopped live
				all = append(all, folders...)
			}
		}
	}
	return all
}

// PatchesOn are the patches that select an object on its way to the cluster: of the kustomization.yaml files, then of
// the Flux Kustomization that applies it.
func (p *Pair) PatchesOn(set *object.Set, o *object.Object) ([]Patch, error) {
	owner, top := p.applier(set, o)
	if owner == p.Root {
		owner = p.LiveRoot
	}
	var all []Patch
	if o.File != "" {
		folders, err := layersOf(set, top, o.File)
		if err != nil {
			return nil, err
		}
		for _, folder := range folders {
			all = append(all, folder.Patches...)
		}
	}
	if owner != nil {
		patches, err := patchesOf(owner, "spec", "patches")
		if err != nil {
			return nil, err
		}
		all = append(all, patches...)
	}
	nodes, err := Nodes([]*object.Object{o})
	return slices.DeleteFunc(all, func(patch Patch) bool {
		selected, failed := flux.Selects(nodes, patch.Target)
		return failed != nil || len(selected) == 0
	}), err
}

// throughFolders applies what the kustomization.yaml files do on the way from the object's file to top.
func throughFolders(set *object.Set, o *object.Object, top string) (*object.Object, error) {
	if o.File == "" {
		return o, nil
	}
	folders, err := layersOf(set, top, o.File)
	if err != nil {
		return nil, err
	}
	return throughAll(o, folders)
}

func throughAll(o *object.Object, folders []*Folder) (*object.Object, error) {
	for _, folder := range folders {
		err := folder.replaces(o)
		if err != nil {
			return nil, err
		}
		if o, err = through(o, folder.Fields, folder.Patches); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// replaces fails where a replacement of the kustomization.yaml sets fields of an object: its value comes from another
// one, which is not followed.
func (f *Folder) replaces(o *object.Object) error {
	list, _ := object.Get[[]any](f.Fields, "replacements")
	for i, entry := range list {
		if m, _ := entry.(map[string]any); m["path"] != nil || replacesIn(m, o) {
			return fmt.Errorf("field replacements[%d] of %s sets fields of %s from another object: write the values "+
				"into %s first", i, f.Object.File, o.ID, o.File)
		}
	}
	return nil
}

// replacesIn reports whether a replacement has a target that selects an object.
func replacesIn(replacement map[string]any, o *object.Object) bool {
	nodes, err := Nodes([]*object.Object{o})
	targets, _ := replacement["targets"].([]any)
	return err != nil || slices.ContainsFunc(targets, func(target any) bool {
		m, _ := target.(map[string]any)
		selector, _ := m["select"].(map[string]any)
		selected, err := flux.Selects(nodes, selector)
		return err != nil || len(selected) > 0
	})
}

// throughOwner applies what a Flux Kustomization does to every object: its components, as far as they are in the input,
// then its patches and what else it sets. Source: kustomize-controller v1.7.3.
func throughOwner(set *object.Set, o, owner *object.Object, top string) (*object.Object, error) {
	components, _ := object.Get[[]any](owner.Map(), "spec", "components")
	for i, entry := range components {
		name, _ := entry.(string)
		folders, err := withComponents(set, path.Join(top, name), map[string]bool{})
		if err == nil {
			o, err = throughAll(o, folders)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: spec.components[%d]: %w", owner.ID, i, err)
		}
	}
	patches, err := patchesOf(owner, "spec", "patches")
	if err != nil {
		return nil, fmt.Errorf("%s: spec.patches: %w", owner.ID, err)
	}
	if common, set := object.Get[map[string]any](owner.Map(), "spec", "commonMetadata"); set {
		patches = append(patches, metadataPatch(owner, "spec.commonMetadata", common))
	}
	fields := map[string]any{}
	if namespace := owner.Str("spec", "targetNamespace"); namespace != "" {
		fields["namespace"] = namespace
	}
	return through(o, fields, patches)
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
	fields = maps.Clone(fields)
	for _, field := range []string{"images", "replicas", "replacements"} {
		delete(fields, field)
	}
	if len(own)+len(fields) == 0 {
		return o, nil
	}
	built, err := flux.Patch(nodes, shapeOf(own, fields))
	if err != nil {
		return nil, fmt.Errorf("%s does not build: %w", o.ID, err)
	}
	if len(built) != 1 {
		return nil, fmt.Errorf("%s is deleted by a patch, so it does not run: take it out of %s, and the patch with "+
			"it", o.ID, o.File)
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
		node, err := reason.With(kyaml.FromMap(o.Map()))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.ID, err)
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}
