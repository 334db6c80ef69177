// Package classic knows the ways in which Flux is installed without Flux Operator: what each looks like in Git, and the
// facts that each carries: version, components, flags, patches and the sync pair. It changes nothing.
package classic

import (
	"cmp"
	"slices"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/fields"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// The API groups that the layouts are made of.
const (
	SourceGroup     = "source.toolkit.fluxcd.io"
	KustomizeGroup  = "kustomize.toolkit.fluxcd.io"
	HelmGroup       = "helm.toolkit.fluxcd.io"
	NotifyGroup     = "notification.toolkit.fluxcd.io"
	OperatorGroup   = "fluxcd.controlplane.io"
	ConfigGroup     = "kustomize.config.k8s.io"
	DefaultRegistry = "ghcr.io/fluxcd"
)

// Install is one classic install and the sync pair of its cluster.
type Install struct {
	// Layout is the name of the way in which Flux was installed.
	Layout string
	// Anchor is the object that the install was recognised by.
	Anchor *object.Object
	// Objects are what the install consists of; cleanup removes them.
	Objects []*object.Object
	// Owner is the Flux Kustomization that applies the install and nothing else; nil when the root applies it, or a
	// child with more.
	Owner *object.Object
	// Child is the Flux Kustomization between the root and manifests that are in the repository; nil when there is
	// none.
	Child *object.Object
	// Namespace is where the controllers run.
	Namespace string
	// Version is the release of Flux.
	Version Version
	// Options are the components and flags of `flux install` that show in the manifests.
	Options flux.Options
	// Dropped are the fields of the anchor that have no counterpart, and why each needs none.
	Dropped []fields.Leaf
	// Pins are the images in the manifests that are not those of the release.
	Pins []Pin
	// Labels is the release that the labels say, where another one runs: manifests in which only the images were
	// brought up to date.
	Labels string
	// Edits are what was changed by hand in the manifests, or is of that release.
	Edits Edits
	// Patches are what the owner changed, in the order in which they apply.
	Patches []Patch
	// Layers are what the kustomization.yaml files on the way to the cluster do to the install, the patches among it.
	Layers []Layer
	// Shards are further controllers that are made of the same manifests.
	Shards []Shard
	// Folder is the kustomization.yaml that lists the install, nil when there is none.
	Folder *Folder
	// Substitute is the postBuild that the patches go through before they apply; nil when there is none.
	Substitute map[string]any
	// Pair is the sync pair.
	Pair Pair
	// Sharing are the pairs of the other clusters that apply the same manifests.
	Sharing []Pair
	// Others are the installs of the other clusters in the input.
	Others []*Install
	// Remote is a Flux Kustomization that applies the same manifests to another cluster, through a kubeConfig; nil when
	// there is none.
	Remote *object.Object
	// RemoteBase tells that flux2's manifests/install is what is installed, under names of its own.
	RemoteBase bool
	// Reached tells that the paths of the root, and of what it applies, lead to the anchor, whatever its source leaves
	// out.
	Reached bool
	// InGit tells that the manifests of a RemoteBase are in the input, built, as each release of flux2 has them in
	// install.yaml.
	InGit bool
	// ByHand is the folder that was applied by hand, once, where no Flux Kustomization applies the install: nothing in
	// Git deletes it when it goes. It is empty for others.
	ByHand string
	// Placeholder is the file without objects that stands for the manifests; empty where they are there.
	Placeholder string
	// Bootstrap are kustomization.yaml files that installed Flux once and that no Flux Kustomization applies.
	Bootstrap []*object.Object
	// KeepReason says why cleanup cannot remove the install, and what its owner does instead; empty where it can.
	KeepReason string
	// Guarded are the objects that carry the guard of the phase deploy, for an install that is neither a Flux
	// Kustomization's nor a folder's.
	Guarded []*object.Object
}

// Cluster names the cluster by its sync path, as the config's clusters do.
func (i *Install) Cluster() string {
	if i.Pair.Root == nil {
		return ""
	}
	return i.Pair.Path
}

// Goes tells what cleanup takes off the cluster, the Flux Kustomizations that apply the install and its source, from
// what Flux Operator has taken over by then.
func (i *Install) Goes(o *object.Object) bool {
	return i.Owner != nil && slices.Contains(i.Objects, o) && (o.Group() == KustomizeGroup || o.Group() == SourceGroup)
}

// layout finds the installs of one kind; what it finds but cannot read it says in findings.
type layout struct {
	name string
	find func(*object.Set, config.Config, *finding.List) []*Install
}

// layouts are all the ways to install Flux that are recognised, in the order in which they are looked for.
var layouts = []layout{
	{"flux-manifests", findFluxManifests},
	{"bootstrap", findBootstrap},
	{"bootstrap placeholder", findPlaceholders},
	{"flux2-manifests", findFlux2Manifests},
	{"flux2-chart", findFlux2Chart},
}

// Layouts are the names of the layouts.
func Layouts() []string {
	var names []string
	for _, l := range layouts {
		names = append(names, l.name)
	}
	return names
}

// Decides reports whether an object says what is synced and from where: one that cannot be read must not go unnoticed.
func Decides(o *object.Object) bool {
	return o.Group() == KustomizeGroup || o.Group() == ConfigGroup || o.Group() == SourceGroup
}

// KustomizationFiles are the names that kustomize gives its own file. Source: kustomize api/konfig v0.21.
var KustomizationFiles = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// Detect finds every classic install of the input, with its sync pair, in the order of the sync paths.
func Detect(set *object.Set, cfg config.Config, found *finding.List) []*Install {
	var installs []*Install
	for _, layout := range layouts {
		for _, install := range layout.find(set, cfg, found) {
			install.Layout = layout.name
			installs = append(installs, install)
		}
	}
	installs = withoutLeftovers(set, installs, found)
	if len(installs) == 0 && !found.Failed() {
		installs = findByHand(set, cfg, found)
	}
	shareOneShots(set, installs)
	for _, install := range installs {
		install.Reached = leadsTo(set, install.Pair, install.Anchor.File)
		if install.Layout == "bootstrap" && !install.Reached && set.HasPaths() && cfg.Phase == config.Deploy {
			tellNotApplied(install, found)
		}
		install.Others = slices.DeleteFunc(slices.Clone(installs),
			func(other *Install) bool { return other.Pair.Is(install.Pair) })
	}
	slices.SortStableFunc(installs, func(a, b *Install) int {
		return cmp.Or(cmp.Compare(a.Cluster(), b.Cluster()), object.Compare(a.Anchor, b.Anchor))
	})
	return installs
}

// tellNotApplied says that flux bootstrap has applied the manifests, and nothing since: what was changed in them after
// it does not run.
func tellNotApplied(install *Install, found *finding.List) {
	own := found.For(install.Cluster())
	own.Warn(finding.CompareWithCluster, install.Anchor, "", "no Flux Kustomization applies this: the path of %s does "+
		"not lead to it. Flux %s and its patches are taken to be what runs. Compare them with %s before you push",
		install.Pair.Root.ID, install.Version, deploymentsCommand(install.Namespace))
	found.Merge(own)
}

// withoutLeftovers leaves out what no Flux Kustomization applies, as when its entry was taken out of a
// kustomization.yaml, where another install of the same cluster is applied: that one runs.
func withoutLeftovers(set *object.Set, installs []*Install, found *finding.List) []*Install {
	return slices.DeleteFunc(slices.Clone(installs), func(i *Install) bool {
		runs := slices.IndexFunc(installs, func(other *Install) bool {
			return other.Pair.Is(i.Pair) &&
				applied(set, other.Anchor)
		})
		if runs < 0 || !set.HasPaths() || applied(set, i.Anchor) {
			return false
		}
		found.Warn(finding.InstallNotApplied, i.Anchor, "", "this install is left alone: no Flux Kustomization "+
			"applies it, and %s is what runs", installs[runs].Anchor.ID)
		return true
	})
}
