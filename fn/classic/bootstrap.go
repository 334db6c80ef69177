package classic

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// partOf is the label that Flux puts on everything that it installs.
const partOf = "app.kubernetes.io/part-of"

// findBootstrap finds the installs whose manifests are in the input, as `flux bootstrap`, `flux install --export` and
// Terraform's flux_bootstrap_git write them: by the Deployments of Flux's controllers, one install for each folder.
func findBootstrap(set *object.Set, cfg config.Config, found *finding.List) []*Install {
	byFolder := map[string][]*object.Object{}
	for _, o := range set.Of("apps", "Deployment") {
		if isController(o) {
			dir := path.Dir(o.File)
			byFolder[dir] = append(byFolder[dir], o)
		}
	}
	var installs []*Install
	for _, dir := range slices.Sorted(maps.Keys(byFolder)) {
		if install := readBootstrap(set, byFolder[dir], cfg, found); install != nil {
			installs = append(installs, install)
		}
	}
	return installs
}

// isController tells a Deployment that installs a Flux controller from a patch for one: it has a selector and an image.
func isController(o *object.Object) bool {
	if !slices.Contains(flux.AllComponents("2.9.4"), o.Name) || o.Annotation(helmRelease) != "" {
		return false
	}
	if _, whole := object.Get[map[string]any](o.Map(), "spec", "selector"); !whole {
		return false
	}
	image := containerOf(o).image
	return strings.Contains(image, "/"+o.Name+":") || strings.Contains(image, "/"+o.Name+"@")
}

// helmRelease is the annotation that Helm puts on what it installs.
const helmRelease = "meta.helm.sh/release-name"

func readBootstrap(set *object.Set, deployments []*object.Object, cfg config.Config, found *finding.List) *Install {
	anchor := deployments[0]
	if set.HasPaths() && !applied(set, anchor) && hasOtherInstall(set) {
		found.Warn(anchor, "", "these manifests are left alone: no Flux Kustomization applies them (%s)", whyNoPair(set, anchor))
		return nil
	}
	pair, ok := findPair(set, anchor, cfg, found)
	if !ok {
		return nil
	}
	install := &Install{Anchor: anchor, Namespace: cmp.Or(anchor.Namespace, "flux-system"), Pair: pair, Objects: manifestsBeside(set, deployments)}
	folder, err := readFolder(set, path.Dir(anchor.File))
	if err != nil {
		found.Error(KustomizationIn(set, path.Dir(anchor.File)), "", "%s", err)
		return nil
	}
	if folder != nil && !folder.Lists(anchor.File) && anchor.File != "" {
		found.Error(folder.Object, "resources", "%s is not listed, so it is not what Flux installs: remove it or list it", anchor.File)
		return nil
	}
	if other := listedElsewhere(set, anchor.File, folder); other != nil {
		found.Error(other, "resources", "%s is listed here too, as shards of Flux's controllers are: what this adds is in no FluxInstance, so remove it first, "+
			"or move it to manifests of its own", anchor.File)
		return nil
	}
	install.Folder = folder
	if folder != nil {
		install.Fields = folder.Fields
	}
	if !install.readManifests(deployments, found) || !install.readFolderPatches(found) {
		return nil
	}
	return install
}

// listedElsewhere is another kustomization.yaml that applies the manifests once more, under other names; nil when there is none.
func listedElsewhere(set *object.Set, file string, folder *Folder) *object.Object {
	for _, k := range set.Of(ConfigGroup, "Kustomization") {
		if folder != nil && k == folder.Object || file == "" {
			continue
		}
		list, _ := object.Get[[]any](k.Map(), "resources")
		for _, entry := range list {
			if name, _ := entry.(string); path.Join(path.Dir(k.File), name) == file {
				return k
			}
		}
	}
	return nil
}

// hasOtherInstall tells whether the input has Flux from the flux-manifests artifact, so that manifests which nobody applies
// are leftovers and not the install.
func hasOtherInstall(set *object.Set) bool {
	return slices.ContainsFunc(set.Of(KustomizeGroup, "Kustomization"), func(k *object.Object) bool {
		source := SourceOf(set, k)
		return source != nil && isManifestSource(source)
	})
}

// manifestsBeside are the objects that Flux installs, of the files that the Deployments are in.
func manifestsBeside(set *object.Set, deployments []*object.Object) []*object.Object {
	files := map[string]bool{}
	for _, d := range deployments {
		files[d.File] = true
	}
	var all []*object.Object
	for _, o := range set.Current() {
		if files[o.File] && isInstalled(o) {
			all = append(all, o)
		}
	}
	slices.SortStableFunc(all, object.Compare)
	return all
}

// isInstalled tells what `flux install` writes from what people add to the same file: by label, and by kind and name for
// those that releases before 2.0 did not label.
func isInstalled(o *object.Object) bool {
	if o.Kind == "CustomResourceDefinition" {
		return strings.HasSuffix(o.Name, ".toolkit.fluxcd.io") || strings.HasSuffix(o.Name, ".extensions.fluxcd.io")
	}
	labels, _ := object.Get[map[string]any](o.Map(), "metadata", "labels")
	return labels[partOf] == "flux"
}

// readManifests reads version, components and flags from what is installed.
func (i *Install) readManifests(deployments []*object.Object, found *finding.List) bool {
	version, ok := manifestVersion(i.Objects, deployments, found)
	if !ok {
		return false
	}
	i.Version = version
	i.Options = flux.DefaultOptions(version.Release.String())
	i.Options.Namespace = i.Namespace
	i.Options.Components = componentsOf(deployments)
	readFlags(&i.Options, i.Objects, deployments)
	written := i.Options
	if label, labelled := labelVersion(i.Objects); labelled {
		written.Version = label.Release.String()
	}
	return i.compareManifests(written, found)
}

func componentsOf(deployments []*object.Object) []string {
	var components []string
	for _, c := range flux.AllComponents("2.9.4") {
		if slices.ContainsFunc(deployments, func(d *object.Object) bool { return d.Name == c }) {
			components = append(components, c)
		}
	}
	return components
}

// compareManifests holds the manifests against what `flux install` writes for the flags that were read, at the release that
// wrote them. What a person changed in them is not known to any flag.
func (i *Install) compareManifests(written flux.Options, found *finding.List) bool {
	if !flux.Has(written.Version) {
		return true
	}
	differences, err := i.handMade(written)
	if err != nil {
		found.Error(i.Anchor, "", "Flux %s cannot be rendered: %s", written.Version, err)
		return false
	}
	for _, d := range differences {
		found.Error(i.Anchor, "", "the manifests of Flux %s were changed by hand, in a way that no flag of flux install makes: %s; make the change "+
			"a patch in kustomization.yaml first", written.Version, d)
	}
	return len(differences) == 0
}

// handMade are the differences between the manifests and what `flux install` writes, but for CRDs, which are taken as they
// are, and images, which may be those of a newer release.
func (i *Install) handMade(written flux.Options) ([]flux.Difference, error) {
	isCRD := func(kind string) bool { return kind == "CustomResourceDefinition" }
	here, err := Nodes(slices.DeleteFunc(slices.Clone(i.Objects), func(o *object.Object) bool { return isCRD(o.Kind) }))
	if err != nil {
		return nil, err
	}
	release, err := flux.Install(written)
	if err != nil {
		return nil, err
	}
	differences, err := flux.Compare(here, slices.DeleteFunc(release, func(n *kyaml.RNode) bool { return isCRD(n.GetKind()) }))
	return slices.DeleteFunc(differences, func(d flux.Difference) bool { return strings.HasSuffix(d.Path, ".image") }), err
}

// readFolderPatches takes the patches that apply to the install; those that apply to the pair are in the live pair, and
// those for the resources beside it stay where they are.
func (i *Install) readFolderPatches(found *finding.List) bool {
	if i.Folder == nil {
		return true
	}
	if err := i.Folder.checkComponents(); err != nil {
		found.Error(i.Folder.Object, "components", "%s", err)
		return false
	}
	installed, err := i.installed()
	if err != nil {
		found.Error(i.Anchor, "", "%s", err)
		return false
	}
	for _, patch := range i.Folder.Patches {
		selected, err := flux.Selects(installed, patch.Target)
		if err != nil {
			found.Error(patch.Object, patch.Field, "kustomize refuses the target of the patch: %s", err)
			return false
		}
		if len(selected) > 0 {
			i.Patches = append(i.Patches, patch)
		}
	}
	return true
}

// installed are the objects that the folder's patches can select: those in the input, or those of the remote base.
func (i *Install) installed() ([]*kyaml.RNode, error) {
	if !i.RemoteBase {
		return Nodes(i.Objects)
	}
	release := i.Options.Version
	if !flux.Has(release) {
		release = "2.2.3"
	}
	return i.Base(release)
}
