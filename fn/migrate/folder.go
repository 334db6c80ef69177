package migrate

import (
	"path"
	"slices"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/object"
)

const guardComment = "Guard of the migration to Flux Operator: what leaves Git is not deleted from the cluster.\nThe phase cleanup removes it."

// guardFolder puts the guard on everything in the folder of the install, by one patch in its kustomization.yaml. Where
// items carry no paths there are no files, and each object carries the guard itself.
func guardFolder(set *object.Set, install *classic.Install) error {
	if install.Anchor.File == "" {
		return annotate(install.Objects)
	}
	if install.Folder.Guarded() {
		return nil
	}
	if install.Folder == nil {
		return newFolder(set, install)
	}
	return install.Folder.Object.EditNode(func(node *kyaml.RNode) error {
		list, err := node.Pipe(kyaml.LookupCreate(kyaml.SequenceNode, "patches"))
		if err != nil {
			return err
		}
		list.YNode().Content = append(list.YNode().Content, guardPatch())
		return nil
	})
}

// guardPatch annotates every object that the kustomization.yaml applies.
func guardPatch() *kyaml.Node {
	body := "apiVersion: v1\nkind: all\nmetadata:\n  name: all\n  annotations:\n    " + instance.PruneKey + ": " + instance.Disabled + "\n"
	patch := object.Map(object.F("patch", body), object.F("target", object.Map(object.F("kind", ".*"))))
	patch.HeadComment = guardComment
	return patch
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
		object.F("patches", []*kyaml.Node{guardPatch()})), path.Join(dir, "kustomization.yaml"))
	if err != nil {
		return err
	}
	set.Add(o)
	return nil
}

// resourcesOf lists what kustomize-controller takes from a folder without kustomization.yaml: the files below it, and of a
// folder that has one, the folder. Source: fluxcd/pkg/kustomize v1.39.0, the walk of the generator.
func resourcesOf(set *object.Set, dir string) []string {
	var names []string
	for _, o := range set.Below(dir) {
		name := o.File
		for below := path.Dir(o.File); below != dir; below = path.Dir(below) {
			if classic.KustomizationIn(set, below) != nil {
				name = below
			}
		}
		names = append(names, name[len(dir)+1:])
	}
	slices.Sort(names)
	return slices.Compact(names)
}
