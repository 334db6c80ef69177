package classic

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/checkout/split"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/shell"
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
		installs = append(installs, readBootstrap(set, withoutUnlisted(set, byFolder[dir]), cfg, found)...)
	}
	return installs
}

// isController tells a Deployment that installs a Flux controller from a patch for one: it has a selector and an image.
func isController(o *object.Object) bool {
	if !isNamedAsController(o) || o.Annotation(helmRelease) != "" {
		return false
	}
	if _, whole := object.Get[map[string]any](o.Map(), "spec", "selector"); !whole {
		return false
	}
	image := containerOf(o).image
	return strings.Contains(image, "/"+o.Name+":") || strings.Contains(image, "/"+o.Name+"@")
}

func isNamedAsController(o *object.Object) bool {
	return slices.Contains(flux.EveryComponent(), o.Name)
}

// helmRelease is the annotation that Helm puts on what it installs.
const helmRelease = "meta.helm.sh/release-name"

// readBootstrap reads the manifests of one folder: one install for each cluster that applies them.
func readBootstrap(set *object.Set, deployments []*object.Object, cfg config.Config, found *finding.List) []*Install {
	anchor := deployments[0]
	if set.HasPaths() && !applied(set, anchor) && hasOtherInstall(set) {
		found.Warn(finding.InstallNotApplied, anchor, "", "these manifests are left alone: no Flux Kustomization "+
			"applies them (%s)", whyNoPair(set, anchor))
		return nil
	}
	pairs := findPairs(set, anchor, cfg, found)
	if len(pairs) == 0 {
		return nil
	}
	folder, ok := readOwnFolder(set, anchor, found)
	if !ok {
		return nil
	}
	var installs []*Install
	for _, pair := range pairs {
		root, ok := pairOfRoot(set, pair, cfg, found)
		if !ok {
			return nil
		}
		install := &Install{
			Anchor: anchor, Namespace: cmp.Or(anchor.Namespace, "flux-system"), Pair: root,
			Objects: manifestsBeside(set, deployments),
			Folder:  folder, Sharing: rootsOf(set, pair.others(set, anchor), cfg, found),
		}
		if !install.readManifests(deployments, cfg, found) || !install.readShards(set, found) ||
			!install.readLayers(set, found) {
			return nil
		}
		installs = append(installs, install)
	}
	return installs
}

// rootsOf are the pairs of the clusters that others apply the same manifests on.
func rootsOf(set *object.Set, pairs []Pair, cfg config.Config, found *finding.List) []Pair {
	var roots []Pair
	for _, pair := range pairs {
		if root, ok := pairOfRoot(set, pair, cfg, found); ok {
			roots = append(roots, root)
		}
	}
	return roots
}

// readOwnFolder reads the kustomization.yaml beside the manifests, nil when there is none.
func readOwnFolder(set *object.Set, anchor *object.Object, found *finding.List) (*Folder, bool) {
	folder, err := ReadFolder(set, path.Dir(anchor.File))
	switch {
	case err != nil:
		found.Error(finding.NotFollowed, KustomizationIn(set, path.Dir(anchor.File)), "", "%s", err)
		return nil, false
	case folder != nil && !folder.Lists(anchor.File) && anchor.File != "":
		found.Error(finding.NotListed, folder.Object, "resources", "%s is not listed, so it is not what Flux "+
			"installs: to have Flux install it, list it; where nothing lists it, it can go", anchor.File)
		return nil, false
	}
	if others := otherListings(set, anchor.File, folder); folder == nil && len(others) > 0 {
		found.Error(finding.NoKustomizationFile, others[0], "resources", "%s is listed here and has no "+
			"kustomization.yaml beside it, which is where deploy puts the guard: add one to ./%s that lists it and "+
			"all else that is applied from there, list that folder here in its place, push, and run again",
			anchor.File, path.Dir(anchor.File))
		return nil, false
	}
	return folder, true
}

// hasOtherInstall reports whether the input has Flux from the flux-manifests artifact, so that manifests which nobody
// applies are leftovers and not the install.
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

// isInstalled tells what `flux install` writes from what people add to the same file: by label, and by kind and name
// for those that releases before 2.0 did not label.
func isInstalled(o *object.Object) bool {
	if o.Kind == "CustomResourceDefinition" {
		return strings.HasSuffix(o.Name, ".toolkit.fluxcd.io") || strings.HasSuffix(o.Name, ".extensions.fluxcd.io")
	}
	labels, _ := object.Get[map[string]any](o.Map(), "metadata", "labels")
	return labels[partOf] == "flux"
}

// readManifests reads version, components and flags from what is installed.
func (i *Install) readManifests(deployments []*object.Object, cfg config.Config, found *finding.List) bool {
	version, ok := manifestVersion(i.Objects, deployments, cfg, found)
	if !ok {
		return false
	}
	i.Version = version
	i.Options = flux.DefaultOptions(version.Release.String())
	i.Options.Namespace = i.Namespace
	i.Options.Components = componentsOf(deployments)
	i.InGit = isBuiltBase(i.Objects)
	i.RemoteBase = i.InGit
	readFlags(&i.Options, i.Objects, deployments)
	i.Pins = i.readPins(deployments)
	if label, labelled := labelVersion(i.Objects); labelled && !label.Release.Equal(version.Release) {
		i.Labels = label.Release.String()
	}
	return i.readEdits(found)
}

// isBuiltBase tells the manifests of flux2's manifests/install, which end up in install.yaml of a release, from those
// that flux install writes: only these have the namespace at the end of the names of the cluster roles.
func isBuiltBase(objects []*object.Object) bool {
	return slices.ContainsFunc(objects, func(o *object.Object) bool {
		return o.Kind == "ClusterRole" &&
			o.Name == "crd-controller"
	})
}

func componentsOf(deployments []*object.Object) []string {
	var components []string
	for _, c := range flux.EveryComponent() {
		if slices.ContainsFunc(deployments, func(d *object.Object) bool { return d.Name == c }) {
			components = append(components, c)
		}
	}
	return components
}

// Edits are what a person changed in the manifests: the differences from what `flux install` writes for the flags that
// were read, at a release.
type Edits struct {
	// Here and Release are the manifests as they are, and as flux install writes them.
	Here, Release []*kyaml.RNode
	Differences   []flux.Difference
}

// readEdits holds the manifests against what `flux install` writes at the release that runs.
func (i *Install) readEdits(found *finding.List) (ok bool) {
	release := i.Version.Release.String()
	if !flux.Has(release) {
		if i.Version.Release.Major() == 0 { // refused anyway
			return true
		}
		found.Warn(finding.CompareWithCluster, i.Anchor, "", "what flux install writes for %s is not known here, so "+
			"changes that were made by hand in these manifests are not carried: compare them with %s, and make "+
			"patches of what differs", release,
			shell.Run("flux", "install", "--version", "v"+release, "--export"))
		return true
	}
	var err error
	if i.Edits, err = i.EditsSince(release); err != nil {
		found.Error(finding.InstallDoesNotBuild, i.Anchor, "", "Flux %s cannot be rendered: %s", release, err)
		return false
	}
	return true
}

// EditsSince are the edits since `flux install` wrote the manifests of a release, but for CRDs, which are taken as they
// are, and images, which are pins. It fails where the release is not known.
func (i *Install) EditsSince(release string) (e Edits, err error) {
	if e.Here, err = Nodes(slices.DeleteFunc(slices.Clone(i.Objects),
		func(o *object.Object) bool { return isCRD(o.Kind) })); err != nil {
		return e, err
	}
	written, err := i.Base(release)
	if err != nil {
		return e, err
	}
	e.Release = slices.DeleteFunc(written, func(n *kyaml.RNode) bool { return isCRD(n.GetKind()) })
	differences, _, err := flux.Compare(e.Here, e.Release)
	e.Differences = slices.DeleteFunc(differences,
		func(d flux.Difference) bool { return strings.HasSuffix(d.Path, ".image") })
	if len(e.Differences) == 0 {
		return Edits{}, err // as of most, and with many clusters the manifests take memory
	}
	return e, err
}

// Unseen reports whether the manifests of the install are not in the input, and so neither is what could carry a guard.
func (i *Install) Unseen() bool { return i.RemoteBase && !i.InGit || i.Placeholder != "" }

// withoutSchemas are the objects with CRDs whose schemas are empty: nothing here looks into them, and they are most of
// the bytes.
func withoutSchemas(objects []*object.Object) []*object.Object {
	all := slices.Clone(objects)
	for n, o := range all {
		if lean, cut := split.WithoutSchemas([]byte(o.Text())); cut {
			all[n] = object.New(o.ID, string(lean), o.File, o.Index)
		}
	}
	return all
}

// installed are the objects that patches can select, without schemas: those in the input, or those of the release.
func (i *Install) installed() ([]*kyaml.RNode, error) {
	if !i.Unseen() {
		return Nodes(withoutSchemas(i.Objects))
	}
	release := i.Options.Version
	if !flux.Has(release) {
		release = "2.2.3"
	}
	return i.Base(release)
}
