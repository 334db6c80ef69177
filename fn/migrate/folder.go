package migrate

import (
	"fmt"
	"maps"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/reason"
)

const guardComment = "# Guard of the migration to Flux Operator: what leaves Git is not deleted from the cluster.\n# " +
	"The phase cleanup removes it."

// guardFolder puts the guard on everything in the folder of the install, by one patch in its kustomization.yaml. Where
// items carry no paths there are no files, and each object carries the guard itself.
func guardFolder(set *object.Set, install *classic.Install, others others) error {
	if install.Anchor.File == "" {
		return annotate(install.Objects)
	}
	folder, err := classic.ReadFolder(set, path.Dir(install.Anchor.File))
	if err != nil || folder.Guarded() {
		return err
	}
	if _, shared := (sharing{set, others}).with(install.Anchor.File); shared {
		if done, err := (sharing{set, others}).patchOwn(install, install.Anchor, guardPatch(ofFlux())); done ||
			err != nil {
			return err
		}
	}
	if folder == nil {
		return newFolder(set, install)
	}
	return addPatch(folder.Object, guardPatch(everything()))
}

// addPatch appends a patch to a kustomization.yaml, unless it has it.
func addPatch(k *object.Object, patch *kyaml.Node) error {
	return k.EditNode(func(node *kyaml.RNode) error {
		list, err := reason.With(node.Pipe(kyaml.LookupCreate(kyaml.SequenceNode, "patches")))
		if err != nil {
			return err
		}
		for _, there := range list.YNode().Content {
			if sameNode(there, patch) {
				return nil
			}
			if there.HeadComment == patch.HeadComment {
				patch.HeadComment = "" // said once
			}
		}
		list.YNode().Content = append(list.YNode().Content, patch)
		return nil
	})
}

// sameNode reports whether two nodes have the same value.
func sameNode(a, b *kyaml.Node) bool {
	var is, other any
	return a.Decode(&is) == nil && b.Decode(&other) == nil && reflect.DeepEqual(is, other)
}

// guardPatch annotates what a target selects of what the kustomization.yaml applies.
func guardPatch(target *kyaml.Node) *kyaml.Node {
	body := "apiVersion: v1\nkind: all\nmetadata:\n  name: all\n  annotations:\n    " + instance.PruneKey + ": " +
		instance.Disabled + "\n"
	patch := object.Map(object.F("patch", body), object.F("target", target))
	patch.HeadComment = guardComment
	return patch
}

// everything is the target of all that a kustomization.yaml applies.
func everything() *kyaml.Node { return object.Map(object.F("kind", ".*")) }

// ofFlux is the target of what flux install renders. Source: the labels of its manifests, Flux v2.0.0 to v2.9.4.
func ofFlux() *kyaml.Node {
	return object.Map(object.F("labelSelector", "app.kubernetes.io/part-of=flux"))
}

// newFolder writes the kustomization.yaml that kustomize-controller would generate for the folder, with the guard.
func newFolder(set *object.Set, install *classic.Install) error {
	dir := path.Dir(install.Anchor.File)
	var entries []*kyaml.Node
	for _, name := range resourcesOf(set, dir) {
		entries = append(entries, object.Value(name))
	}
	o, err := object.Build(object.Map(
		object.F("apiVersion", classic.ConfigGroup+"/v1beta1"),
		object.F("kind", "Kustomization"),
		object.F("resources", entries),
		object.F("patches", []*kyaml.Node{guardPatch(everything())})), path.Join(dir, "kustomization.yaml"))
	if err != nil {
		return err
	}
	set.Add(o)
	return nil
}

// resourcesOf lists what kustomize-controller takes from a folder without kustomization.yaml: the files below it, and
// of a folder that has one, the folder. Source: fluxcd/pkg/kustomize v1.39.0, the walk of the generator.
func resourcesOf(set *object.Set, dir string) []string {
	var names []string
	for _, o := range set.Below(dir) {
		name := o.File
		if ext := path.Ext(name); ext != ".yaml" && ext != ".yml" {
			continue
		}
		for below := path.Dir(o.File); below != dir; below = path.Dir(below) {
			if classic.KustomizationIn(set, below) != nil {
				name = below
			}
		}
		names = append(names, relative(dir, name))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// shapingFolders are the kustomization.yaml files that shape the install or the pair on their way to the cluster, each
// once.
func shapingFolders(set *object.Set, install *classic.Install) []*classic.Folder {
	all := []*classic.Folder{}
	if install.Folder != nil {
		all = append(all, install.Folder)
	}
	for _, shard := range install.Shards {
		all = append(all, shard.Folder)
	}
	for _, layer := range install.Layers {
		if layer.Folder != nil {
			all = append(all, layer.Folder)
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(append(all, install.Pair.Folders(set)...), func(f *classic.Folder) bool {
		again := seen[f.Dir]
		seen[f.Dir] = true
		return again
	})
}

// trimFolders takes out of every kustomization.yaml that shaped the install or the pair what was only there for it: the
// guard and the patches that select nothing of what stays. Patches for other resources stay as they are.
func trimFolders(set *object.Set, install *classic.Install, shaping []*classic.Folder, findings *finding.List) {
	for _, folder := range shaping {
		// Another cluster that shares the folder may have been there before.
		if now, err := classic.ReadFolder(set, folder.Dir); err == nil && now != nil {
			folder = now
		}
		trimFolder(set, folder, uselessPatches(set, install, folder, findings), findings)
	}
	keepFolders(set, install, findings)
}

func trimFolder(set *object.Set, folder *classic.Folder, useless []classic.Patch, findings *finding.List) {
	if len(useless) == 0 {
		return
	}
	if !set.Removed(folder.Object) {
		if err := folder.Object.EditNode(func(node *kyaml.RNode) error {
			return dropPatches(node,
				useless)
		}); err != nil {
			findings.Error(finding.CannotBeEdited, folder.Object, "patches",
				"the patches for the install cannot be removed: %s", err)
		}
		if err := dropEmptied(set, folder.Object); err != nil {
			findings.Error(finding.CannotBeEdited, folder.Object, "", "the entry for the emptied component cannot be "+
				"dropped: %s", err)
		}
	}
	dropPatchFiles(set, folder, useless, findings)
}

// dropEmptied takes out a component that does nothing any more.
func dropEmptied(set *object.Set, k *object.Object) error {
	does := slices.ContainsFunc(slices.Collect(maps.Keys(k.Map())),
		func(key string) bool { return !slices.Contains([]string{"apiVersion", "kind", "metadata"}, key) })
	if k.Kind != "Component" || does {
		return nil
	}
	set.Remove(k)
	return dropEntry(set, path.Dir(k.File))
}

// uselessPatches are the guard, and the patches that were there for the install or the pair only: none of their
// documents selects what stays, or what is not in the input. Of a kustomization.yaml that goes they are all.
func uselessPatches(set *object.Set, install *classic.Install, folder *classic.Folder,
	findings *finding.List) []classic.Patch {
	if set.Removed(folder.Object) {
		return folder.Patches
	}
	stays, err := classic.Nodes(appliedBy(set, install, folder))
	if err != nil {
		findings.Error(finding.CannotBeEdited, folder.Object, "resources", "%s", err)
		return nil
	}
	goes, err := classic.Nodes(append([]*object.Object{install.Pair.Source, install.Pair.Root}, install.Objects...))
	var release []*kyaml.RNode // also what the owner has not installed, and what is not in the input
	if err == nil && flux.Has(install.Options.Version) {
		release, err = instance.Everything(install.Options)
	}
	if err != nil {
		findings.Error(finding.CannotBeEdited, folder.Object, "resources", "%s", err)
		return nil
	}
	unseen, useful := appliesUnseen(set, install, folder), map[string]bool{}
	for _, patch := range folder.Patches {
		selected, err := flux.Selects(stays, patch.Target)
		needed := err != nil || len(selected) > 0 || !selects(goes, patch) && !selects(release, patch) || unseen &&
			!namesOne(patch)
		useful[patch.Field] = useful[patch.Field] || !patch.IsGuard() && needed
	}
	return slices.DeleteFunc(slices.Clone(folder.Patches), func(p classic.Patch) bool { return useful[p.Field] })
}

// namesOne tells a patch of one object by its name, from one that can select others as well.
func namesOne(patch classic.Patch) bool {
	name, _ := patch.Target["name"].(string)
	return name != "" && regexp.QuoteMeta(name) == name
}

// appliesUnseen reports whether a kustomization.yaml applies objects that are not in the input as they come out: of a
// remote base, of a generator or a chart, or under another name than their files say.
func appliesUnseen(set *object.Set, install *classic.Install, folder *classic.Folder) bool {
	dir := appliedFrom(install, folder)
	return slices.ContainsFunc(set.Of(classic.ConfigGroup, "Kustomization"), func(k *object.Object) bool {
		return classic.Applies(set, dir, k.File) &&
			(classic.Makes(k) || k != folder.Object && renames(k) || leadsOut(set, k))
	})
}

func renames(k *object.Object) bool { return k.Str("namePrefix")+k.Str("nameSuffix") != "" }

// leadsOut tells a kustomization.yaml with an entry that is not in the input.
func leadsOut(set *object.Set, k *object.Object) bool {
	return slices.ContainsFunc(classic.EntryFields, func(field string) bool {
		return slices.ContainsFunc(classic.TextsIn(k.Map(), field), func(entry string) bool {
			at := path.Join(path.Dir(k.File), entry)
			return len(set.InFile(at)) == 0 && classic.KustomizationIn(set, at) == nil
		})
	})
}

func selects(objects []*kyaml.RNode, patch classic.Patch) bool {
	selected, err := flux.Selects(objects, patch.Target)
	return err == nil && len(selected) > 0
}

// appliedFrom is the folder from which comes what a kustomization.yaml does something to; a component does so to all of
// the root's.
func appliedFrom(install *classic.Install, folder *classic.Folder) string {
	if folder.Object.Kind == "Component" {
		return install.Pair.Dir()
	}
	return folder.Dir
}

// appliedBy are the objects that a kustomization.yaml applies now.
func appliedBy(set *object.Set, install *classic.Install, folder *classic.Folder) []*object.Object {
	dir := appliedFrom(install, folder)
	var all []*object.Object
	for _, o := range set.Current() {
		if o.Kind != "" && !o.Is(classic.ConfigGroup, "Kustomization") && classic.Applies(set, dir, o.File) {
			all = append(all, o)
		}
	}
	return all
}

// dropPatches removes entries of the lists of patches, found by their fields; an emptied list goes.
func dropPatches(node *kyaml.RNode, useless []classic.Patch) error {
	for _, field := range []string{"patches", "patchesStrategicMerge", "patchesJson6902"} {
		list, err := reason.With(node.Pipe(kyaml.Lookup(field)))
		if err != nil {
			return err
		}
		if list == nil {
			continue
		}
		var kept []*kyaml.Node
		for i, entry := range list.YNode().Content {
			at := fmt.Sprintf("%s[%d]", field, i)
			if !slices.ContainsFunc(useless, func(p classic.Patch) bool { return p.Field == at }) {
				kept = append(kept, entry)
			}
		}
		list.YNode().Content = kept
		if len(kept) == 0 {
			if err := reason.Of(node.PipeE(kyaml.Clear(field))); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropPatchFiles removes the files of patches that are gone: kustomize-controller would apply them as objects.
func dropPatchFiles(set *object.Set, folder *classic.Folder, useless []classic.Patch, findings *finding.List) {
	for _, patch := range useless {
		used := slices.ContainsFunc(folder.Patches, func(p classic.Patch) bool {
			return p.File == patch.File && !slices.ContainsFunc(useless,
				func(u classic.Patch) bool { return u.Field == p.Field })
		})
		if patch.File == "" || strings.HasPrefix(patch.Field, "components[") || used ||
			!object.Within(path.Dir(patch.File), folder.Dir) {
			continue
		}
		objects := set.InFile(patch.File)
		for _, o := range objects {
			set.Remove(o)
		}
		if len(objects) == 0 {
			set.RemoveFile(patch.File)
		}
		findings.Info(finding.FileWithoutUse, finding.Moved, folder.Object, patch.Field,
			"the patch file %s is not used any more: the FluxInstance has the patch", patch.File)
	}
}

// keepFolders leaves a kustomization.yaml without entries in a folder with files that it did not list: without it
// kustomize-controller would apply them.
func keepFolders(set *object.Set, install *classic.Install, findings *finding.List) {
	for _, k := range set.Input() {
		if !k.Is(classic.ConfigGroup, "Kustomization") || k.File == "" || !set.Removed(k) {
			continue
		}
		stray := strayIn(set, install, path.Dir(k.File))
		if stray == "" {
			continue
		}
		set.Keep(k)
		if err := k.EditNode(emptyEntries); err != nil {
			findings.Error(finding.CannotBeEdited, k, "resources", "the entries cannot be taken out: %s", err)
		}
		findings.Info(finding.FileWithoutUse, finding.Moved, k, "resources",
			"this file stays, without entries: without it Flux would apply %s, which it does not list", stray)
	}
}

// strayIn is a file in a folder that the root applies as soon as the kustomization.yaml of the folder goes; empty when
// there is none. One without objects, such as a patch for elsewhere, would break what the root builds.
func strayIn(set *object.Set, install *classic.Install, dir string) string {
	for _, o := range set.Below(dir) {
		if o.Kind != "" && !o.Is(classic.ConfigGroup, "Kustomization") && !set.Removed(o) &&
			classic.Applies(set, install.Pair.Dir(), o.File) {
			return o.File
		}
	}
	if set.Files == nil {
		return ""
	}
	known := map[string]bool{}
	for _, o := range set.Input() {
		known[o.File] = true
	}
	for _, file := range set.RemovedFiles() {
		known[file] = true
	}
	for _, file := range set.Files(dir) {
		isYAML := path.Ext(file) == ".yaml" || path.Ext(file) == ".yml"
		if isYAML && !known[file] && classic.Applies(set, install.Pair.Dir(), file) {
			return file
		}
	}
	return ""
}

// emptyEntries leaves of a kustomization.yaml a list without entries: kustomize takes one without any list for a
// mistake.
func emptyEntries(k *kyaml.RNode) error {
	fields, err := reason.With(k.Fields())
	if err != nil {
		return err
	}
	for _, field := range fields {
		if slices.Contains([]string{"apiVersion", "kind", "metadata"}, field) {
			continue
		}
		if err := reason.Of(k.PipeE(kyaml.Clear(field))); err != nil {
			return err
		}
	}
	return reason.Of(k.PipeE(kyaml.SetField("resources", kyaml.NewListRNode())))
}
