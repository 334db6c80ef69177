package classic

import (
	"path"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/shell"
)

// Shard is a set of controllers beside the main ones that reconciles a part of the objects, as the guide on sharding of
// fluxcd.io has it: a kustomization.yaml that makes it of the same manifests, under names with a suffix.
type Shard struct {
	// Name is what follows the names of the controllers and a hyphen.
	Name string
	// Key is the label that tells the objects of the shards.
	Key string
	// Folder is the kustomization.yaml of the shard.
	Folder *Folder
}

// shardSelector is the argument that tells a controller which objects are its own. Source: fluxcd.io, the guide on
// sharding.
const shardSelector = "--watch-label-selector="

// readShards reads what else is made of the manifests. What is no shard that the folder of the install lists is
// refused: it is in no FluxInstance.
func (i *Install) readShards(set *object.Set, found *finding.List) bool {
	for _, k := range otherListings(set, i.Anchor.File, i.Folder) {
		if i.Folder != nil && !Applies(set, i.Pair.Dir(), i.Folder.Object.File) {
			found.Error(finding.NotListed, k, "resources", "this lists %s and not its folder, so that %s, which is "+
				"beside it, is not applied: list the folder in the place of its files, once both list the same",
				i.Anchor.File, i.Folder.Object.File)
			return false
		}
		shard, why := i.readShard(set, k)
		if why != "" {
			found.Error(finding.Shard, k, "resources", "%s is listed here too, so it is applied once more, and this "+
				"is no shard that a FluxInstance can make: %s; change that. To take it out instead, do so where this "+
				"shows that only its controllers are lost, and neither a Namespace nor a CRD: %s",
				i.Anchor.File, why, shell.Run("migrate-to-flux-operator", "inventory", ".", "--against", "HEAD"))
			return false
		}
		i.Shards = append(i.Shards, shard)
	}
	i.warnOfOthers(set, found)
	slices.SortFunc(i.Shards, func(a, b Shard) int { return strings.Compare(a.Name, b.Name) })
	return true
}

// warnOfOthers says of controllers of Flux under other names that they stay as they are.
func (i *Install) warnOfOthers(set *object.Set, found *finding.List) {
	for _, o := range set.Of("apps", "Deployment") {
		image := containerOf(o).image
		runs := slices.ContainsFunc(i.Options.Components, func(c string) bool {
			return o.Name != c && (strings.Contains(image, "/"+c+":") || strings.Contains(image, "/"+c+"@"))
		})
		if runs && o.Namespace == i.Namespace && Applies(set, i.Pair.Dir(), o.File) {
			found.Warn(finding.Shard, o, "", "this controller of Flux is no part of the FluxInstance: it stays as it "+
				"is, and does not follow when the FluxInstance upgrades Flux; spec.sharding of the FluxInstance "+
				"makes shards that do")
		}
	}
}

// readShard reads a kustomization.yaml as a shard, or tells why it is none.
func (i *Install) readShard(set *object.Set, k *object.Object) (shard Shard, why string) {
	folder, err := ReadFolder(set, path.Dir(k.File))
	if err != nil {
		return shard, err.Error()
	}
	shard = Shard{Name: strings.TrimPrefix(k.Str("nameSuffix"), "-"), Folder: folder}
	switch namespace, moved := folder.Fields["namespace"]; {
	case !slices.Contains(i.Folder.Folders, folder.Dir):
		return shard, "the kustomization.yaml beside the manifests does not list its folder"
	case len(folder.Files)+len(folder.Folders) != 1 || Makes(k) || k.Map()["components"] != nil:
		return shard, "it applies more than that file, which belongs into another folder"
	case shard.Name == "" || "-"+shard.Name != k.Str("nameSuffix") || k.Str("namePrefix") != "":
		return shard, "its nameSuffix is no hyphen and a name, which is how Flux Operator names the controllers of a " +
			"shard"
	case moved && namespace != i.Namespace:
		return shard, "it is for another namespace"
	}
	if shard.Key, err = i.shardKey(shard); err != nil {
		return shard, err.Error()
	}
	if shard.Key == "" {
		return shard, "none of its controllers has the argument " + shardSelector + "KEY=VALUE"
	}
	return shard, ""
}

// shardKey is the label in the arguments of a shard's controllers; empty where none has the argument.
func (i *Install) shardKey(shard Shard) (string, error) {
	objects, err := i.installed()
	if err != nil {
		return "", err
	}
	if objects, err = shard.of(objects); err != nil {
		return "", err
	}
	for _, o := range objects {
		args, _ := o.Pipe(kyaml.Lookup("spec", "template", "spec", "containers", "0", "args"))
		for _, arg := range args.Content() {
			selector, is := strings.CutPrefix(arg.Value, shardSelector)
			if key, _, equals := strings.Cut(selector, "="); is && equals {
				return key, nil
			}
		}
	}
	return "", nil
}

// of is the shard of these manifests. Its objects are still known by the names that they come from, so that a patch for
// the name selects them as well, as in kustomize.
func (s Shard) of(manifests []*kyaml.RNode) ([]*kyaml.RNode, error) {
	return flux.PatchRenamed(manifests, shapeOf(s.Folder.Patches, s.Folder.Fields))
}

// WithShards are the manifests and what the shards make of them, which patches select as they do in one build.
//
// It fails where kustomize does not build a shard.
func (i *Install) WithShards(manifests []*kyaml.RNode) ([]*kyaml.RNode, error) {
	all := slices.Clone(manifests)
	for _, shard := range i.Shards {
		objects, err := shard.of(manifests)
		if err != nil {
			return nil, err
		}
		all = append(all, objects...)
	}
	return all, nil
}

// otherListings are the other kustomization.yaml files that apply the manifests once more.
func otherListings(set *object.Set, file string, folder *Folder) []*object.Object {
	var all []*object.Object
	for _, k := range set.Of(ConfigGroup, "Kustomization") {
		if file == "" || folder != nil && k == folder.Object {
			continue
		}
		if slices.Contains(entriesOf(k, "resources"), file) {
			all = append(all, k)
		}
	}
	return all
}
