package classic

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/shell"
)

// Layer is one step on the way from the manifests to the cluster: what a kustomization.yaml, or the Flux Kustomization
// at last, does to what it applies.
type Layer struct {
	// Folder is the kustomization.yaml; nil for the Flux Kustomization that applies it.
	Folder *Folder
	// Patches are those that select the install.
	Patches []Patch
	// Fields are what else it does: images, labels and the like.
	Fields map[string]any
}

// steps are the layers of an install; the patches alone where it is no kustomization.yaml that shapes it.
func (i *Install) steps() []Layer {
	if len(i.Layers) > 0 {
		return i.Layers
	}
	return []Layer{{Patches: i.Patches}}
}

// Shape does to manifests what the owner did to the install, shards included, but for the patches that keep refuses.
//
// It fails where kustomize does not build.
func (i *Install) Shape(manifests []*kyaml.RNode, keep func(Patch) bool) ([]*kyaml.RNode, error) {
	objects, err := i.WithShards(manifests)
	if err != nil {
		return nil, err
	}
	for _, layer := range i.steps() {
		patches := slices.DeleteFunc(slices.Clone(layer.Patches), func(p Patch) bool { return !keep(p) })
		if objects, err = (Layer{Patches: patches, Fields: layer.Fields}).apply(objects); err != nil {
			return nil, err
		}
	}
	if len(i.Shards) == 0 {
		return objects, nil
	}
	return flux.Bare(objects)
}

// apply builds objects through a layer.
func (l Layer) apply(objects []*kyaml.RNode) ([]*kyaml.RNode, error) {
	if len(l.Patches)+len(l.Fields) == 0 {
		return objects, nil
	}
	return flux.Patch(objects, shapeOf(l.Patches, l.Fields))
}

// layersOf are the kustomization.yaml files through which a Flux Kustomization for the folder dir applies a file, from
// the file's own to that of dir. Where it does not apply the file, as when it was applied by hand, they are those of
// the folders above that lead to it: what flux bootstrap applies from its own folder passes no kustomization.yaml that
// leaves that out.
//
// It fails on a kustomization.yaml that cannot be followed, naming it.
func layersOf(set *object.Set, dir, file string) ([]*Folder, error) {
	dirs, applied := waysFrom(set, dir).to(set, file)
	if !applied {
		dirs = above(set, dir, file)
	}
	var layers []*Folder
	for _, at := range dirs {
		folders, err := withComponents(set, at, map[string]bool{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		layers = append(layers, folders...)
	}
	return layers, nil
}

// above are the folders from the one of a file to dir, or to the root of the input, as far as each leads to the file.
func above(set *object.Set, dir, file string) []string {
	var dirs []string
	for at := path.Dir(file); Applies(set, at, file); at = path.Dir(at) {
		dirs = append(dirs, at)
		if at == "." || at == dir {
			break
		}
	}
	return dirs
}

// entriesOf are the files and folders that lists of a kustomization.yaml name, from the root of the input.
func entriesOf(k *object.Object, fields ...string) []string {
	var all []string
	for _, field := range fields {
		for _, entry := range TextsIn(k.Map(), field) {
			all = append(all, path.Join(path.Dir(k.File), entry))
		}
	}
	return all
}

// TextsIn are the texts in a list, such as the entries of a kustomization.yaml.
func TextsIn(m map[string]any, field string) []string {
	list, _ := object.Get[[]any](m, field)
	var texts []string
	for _, entry := range list {
		if text, isString := entry.(string); isString {
			texts = append(texts, text)
		}
	}
	return texts
}

// withComponents reads the kustomization.yaml of a folder and, before it, those of its components, which apply to
// everything that it applies; nothing where there is none. A component that is listed twice is met once.
func withComponents(set *object.Set, dir string, seen map[string]bool) ([]*Folder, error) {
	folder, err := ReadFolder(set, dir)
	if folder == nil || err != nil || seen[dir] {
		return nil, err
	}
	seen[dir] = true
	var all []*Folder
	for _, at := range entriesOf(folder.Object, "components") {
		if KustomizationIn(set, at) == nil {
			return nil, fmt.Errorf("field components: %s is not in the input, so what it does is not known: run on "+
				"the whole repository, or inline what it does as patches first", at)
		}
		below, err := withComponents(set, at, seen)
		if err != nil {
			return nil, err
		}
		all = append(all, below...)
	}
	return append(all, folder), nil
}

// readLayers takes over what shapes the install on its way to the cluster, what applies it included: the patches that
// apply to it, and all that else is done. Patches for the pair are in the live pair, and those for the resources beside
// stay where they are.
func (i *Install) readLayers(set *object.Set, found *finding.List) bool {
	top := i.ByHand
	if top == "" {
		top = i.findChild(set)
	}
	folders, err := layersOf(set, top, i.Anchor.File)
	if err != nil {
		found.Error(finding.NotFollowed, i.Anchor, "", "the install cannot be followed to the cluster: %s", err)
		return false
	}
	objects, err := i.installed()
	if err == nil {
		objects, err = i.WithShards(objects)
	}
	if err != nil {
		found.Error(finding.InstallDoesNotBuild, i.Anchor, "", "%s", err)
		return false
	}
	beside, known := i.beside(set)
	var layers []Layer
	for _, folder := range folders {
		if !i.checkFields(folder, found) {
			return false
		}
		layers = append(layers, Layer{Folder: folder, Patches: folder.Patches, Fields: folder.Fields})
	}
	if i.ByHand == "" {
		components, err := i.rootComponents(set)
		if err != nil {
			found.Error(finding.NotFollowed, i.Pair.Root, "spec.components",
				"the install cannot be followed to the cluster: %s", err)
			return false
		}
		last, ok := i.lastLayer(set, found)
		if !ok {
			return false
		}
		layers = append(append(layers, components...), last)
	}
	for _, layer := range layers {
		meant := func(patch Patch) bool { return known && layer.Folder.Is(i.Folder) && selectsNone(beside, patch) }
		if objects, err = i.addLayer(layer, objects, meant, found); err != nil ||
			!checkGenerated(layer.Folder, objects, found) {
			return false
		}
	}
	return i.ByHand != "" || i.ownChild(set, top, found) && i.checkSpecPatches(found)
}

// checkSpecPatches refuses a patch of the Flux Kustomization that applies the install and more, or of a component of
// it, that names an object of the install and has no target: once the install is no longer among what that applies,
// kustomize refuses the patch, and with it all the rest.
func (i *Install) checkSpecPatches(found *finding.List) bool {
	for _, layer := range i.Layers {
		at := slices.IndexFunc(layer.Patches, func(p Patch) bool { return p.named })
		if layer.Folder == nil && i.Owner == nil && at >= 0 {
			found.Error(finding.PatchTarget, layer.Patches[at].Object, layer.Patches[at].Field,
				"the patch names an object of Flux and has no target: cleanup takes that object out of what %s "+
					"applies, and kustomize then refuses all of it; give the patch a target with kind and name first",
				cmp.Or(i.Child, i.Pair.Root).ID)
			return false
		}
	}
	return true
}

// rootComponents are the layers of what the root's spec lists as components. The root goes on listing them, so they are
// no folders that cleanup trims.
func (i *Install) rootComponents(set *object.Set) ([]Layer, error) {
	if i.Child != nil {
		return nil, nil
	}
	list, _ := object.Get[[]any](i.Pair.LiveRoot.Map(), "spec", "components")
	var layers []Layer
	for n, entry := range list {
		name, _ := entry.(string)
		folders, err := withComponents(set, path.Join(i.Pair.Dir(), name), map[string]bool{})
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", n, err)
		}
		for _, folder := range folders {
			layers = append(layers, Layer{Patches: folder.Patches, Fields: folder.Fields})
		}
	}
	return layers, nil
}

// beside is what the install's own kustomization.yaml applies beside the install; false where the input does not show
// all of it.
func (i *Install) beside(set *object.Set) ([]*kyaml.RNode, bool) {
	if i.Folder == nil || len(i.Folder.Folders) > 0 {
		return nil, false
	}
	for field := range i.Folder.Object.Map() {
		if field == "components" || strings.HasSuffix(strings.ToLower(field), "generator") || field == "generators" ||
			field == "helmCharts" {
			return nil, false
		}
	}
	var others []*object.Object
	for _, file := range i.Folder.Files {
		others = append(others, slices.DeleteFunc(slices.Clone(set.InFile(file)),
			func(o *object.Object) bool { return slices.Contains(i.Objects, o) })...)
	}
	nodes, err := Nodes(others)
	return nodes, err == nil
}

// selectsNone reports whether a patch selects none of the objects.
func selectsNone(objects []*kyaml.RNode, patch Patch) bool {
	selected, err := flux.Selects(objects, patch.Target)
	return err == nil && len(selected) == 0
}

// addLayer keeps the patches of a layer that select the install, or were meant to, and returns the install behind it.
func (i *Install) addLayer(layer Layer, objects []*kyaml.RNode, meant func(Patch) bool,
	found *finding.List) ([]*kyaml.RNode, error) {
	own, err := selecting(layer.Patches, objects, meant, found)
	if err != nil {
		return nil, err
	}
	layer.Patches = own
	i.Layers = append(i.Layers, layer)
	i.Patches = append(i.Patches, own...)
	built, err := Layer{Patches: slices.DeleteFunc(slices.Clone(own), Patch.OnSchemas),
		Fields: layer.Fields}.apply(objects)
	switch _, replaces := layer.Fields["replacements"]; {
	case err != nil && replaces:
		found.Error(finding.InstallDoesNotBuild, layer.Folder.Object, "replacements",
			"the install does not build with them: %s; where one takes its value from an object that Flux does not "+
				"install, make it a patch with that value first", err)
	case err != nil:
		found.Error(finding.InstallDoesNotBuild, i.Anchor, "", "the install does not build: %s", err)
	}
	return built, err
}

// selecting are the patches that select one of the objects, or were meant to.
func selecting(patches []Patch, objects []*kyaml.RNode, meant func(Patch) bool, found *finding.List) ([]Patch, error) {
	if len(patches) == 0 {
		return nil, nil
	}
	var targets []map[string]any
	for _, patch := range patches {
		targets = append(targets, patch.Target)
	}
	selected, err := flux.SelectEach(objects, targets)
	if err != nil {
		return nil, refusedTarget(patches, objects, err, found)
	}
	var own []Patch
	for n, patch := range patches {
		if len(selected[n]) > 0 || meant(patch) {
			own = append(own, patch)
		}
	}
	return own, nil
}

// refusedTarget says which of the targets kustomize refuses.
func refusedTarget(patches []Patch, objects []*kyaml.RNode, err error, found *finding.List) error {
	for _, patch := range patches {
		if _, own := flux.Selects(objects, patch.Target); own != nil {
			found.Error(finding.PatchTarget, patch.Object, patch.Field, "kustomize refuses the target of the patch: "+
				"%s", own)
			return own
		}
	}
	found.Error(finding.PatchTarget, patches[0].Object, patches[0].Field, "kustomize refuses the targets of the "+
		"patches: %s", err)
	return err
}

// checkFields refuses what would give the install other names or another namespace than its manifests have.
func (i *Install) checkFields(folder *Folder, found *finding.List) bool {
	for _, field := range []string{"namePrefix", "nameSuffix"} {
		if value, set := folder.Fields[field]; set && value != "" {
			found.Error(finding.NamePrefix, folder.Object, field, "%q renames everything that Flux installs, and "+
				"Flux Operator installs it under Flux's own names, so it could take nothing over. Set prune: false "+
				"on what applies it and on each Flux Kustomization that has the name, push, and wait until that is "+
				"applied: Flux deletes what such a Kustomization applied otherwise. Then take it out, and once the "+
				"controllers without the name run, delete by hand what has it", value)
			return false
		}
	}
	if namespace, set := folder.Fields["namespace"]; set && namespace != i.Namespace {
		found.Error(finding.NamespaceField, folder.Object, "namespace", "the field moves Flux to %v, while its "+
			"manifests are made for %s: regenerate them with %s first", namespace, i.Namespace,
			shell.Run("flux", "install", "--namespace", fmt.Sprint(namespace), "--export"))
		return false
	}
	return true
}

// rootLayer is what the root's own spec does to everything that it applies. Source: kustomize-controller v1.7.3.
func rootLayer(pair Pair) (Layer, error) {
	root := pair.LiveRoot
	patches, err := patchesOf(root, "spec", "patches")
	if err != nil {
		return Layer{}, err
	}
	if common, set := object.Get[map[string]any](root.Map(), "spec", "commonMetadata"); set {
		patches = append(patches, metadataPatch(root, "spec.commonMetadata", common))
	}
	for i := range patches {
		patches[i].Object = pair.Root
	}
	fields := map[string]any{}
	if images, set := object.Get[[]any](root.Map(), "spec", "images"); set {
		fields["images"] = images
	}
	return Layer{Patches: patches, Fields: fields}, nil
}
