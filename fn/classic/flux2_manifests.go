package classic

import (
	"path"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
)

// findFlux2Manifests finds the installs that take flux2's own manifests: a Flux Kustomization on a GitRepository of
// fluxcd/flux2, or a kustomization.yaml with the remote base that a Flux Kustomization applies.
func findFlux2Manifests(set *object.Set, cfg config.Config, found *finding.List) []*Install {
	var installs []*Install
	for _, owner := range set.Of(KustomizeGroup, "Kustomization") {
		if source := SourceOf(set, owner); source != nil && isFlux2(source) && syncPath(owner) == "manifests/install" {
			installs = append(installs, readFlux2Source(set, owner, source, cfg, found)...)
		}
	}
	for _, k := range set.Of(ConfigGroup, "Kustomization") {
		if base := BaseVersion(k); base != "" && k.File != "" && applied(set, k) {
			installs = append(installs, readRemoteBase(set, k, base, cfg, found)...)
		}
	}
	return installs
}

// isFlux2 tells a source of the repository fluxcd/flux2.
func isFlux2(source *object.Object) bool {
	url := strings.TrimSuffix(strings.TrimSuffix(source.Str("spec", "url"), "/"), ".git")
	return source.Kind == "GitRepository" && (strings.HasSuffix(url, "/fluxcd/flux2") ||
		strings.HasSuffix(url, ":fluxcd/flux2"))
}

// readFlux2Source reads a Flux Kustomization that applies ./manifests/install of fluxcd/flux2.
func readFlux2Source(set *object.Set, owner, source *object.Object, cfg config.Config, found *finding.List) []*Install {
	var installs []*Install
	for _, read := range readFetched(set, owner, source, cfg, tagVersion, found) {
		install := remoteInstall(owner, read.version, read.pair)
		install.Owner, install.Objects, install.Sharing = owner, []*object.Object{owner, source}, read.sharing
		if !install.readShaped(set, read.liveOwner, found) {
			return nil
		}
		installs = append(installs, install)
	}
	return installs
}

// tagVersion reads the release from the tag of a GitRepository, or from a semver range that stays within a minor
// version.
func tagVersion(source *object.Object, cfg config.Config) (Version, error) {
	ref := func(key string) string { return source.Str("spec", "ref", key) }
	name := strings.TrimPrefix(ref("name"), "refs/tags/")
	for _, tag := range []string{name, ref("tag")} {
		if v, err := parseVersion(tag, "the tag of the source"); err == nil && ref("commit") == "" &&
			ref("semver") == "" {
			return v, nil
		}
	}
	if v, err := parseRange(ref("semver"), "the semver range of the source"); err == nil && ref("semver") != "" &&
		ref("commit") == "" {
		return v, nil
	}
	if v, ok := configuredVersion(cfg.Instance.Version); ok {
		return v, nil
	}
	return Version{}, unreadable(name, ref("tag"))
}

// readRemoteBase reads a kustomization.yaml with the remote base, which the root or a child of it applies: one install
// for each cluster that does.
func readRemoteBase(set *object.Set, k *object.Object, base string, cfg config.Config, found *finding.List) []*Install {
	var installs []*Install
	for _, one := range clustersOf(set, k, cfg, found) {
		install := readBase(set, k, base, one, cfg, found)
		if install == nil {
			return nil
		}
		install.Sharing = one.sharing
		installs = append(installs, install)
	}
	return installs
}

// findByHand finds the installs of a repository that has the sync pair of a cluster and nothing that applies Flux's
// manifests: Flux came from a kustomization.yaml with the remote base that was applied by hand. Each goes to the
// nearest pair; to all where several are equally near.
func findByHand(set *object.Set, cfg config.Config, found *finding.List) []*Install {
	var installs []*Install
	pairs := selfSynced(set)
	for _, k := range oneShots(set) {
		var clusters []cluster
		for _, applied := range appliedByHand(set, k) {
			for _, pair := range nearestPairs(pairs, applied) {
				clusters = append(clusters, cluster{pair: pair, byHand: path.Dir(applied.File)})
			}
		}
		for _, one := range clusters {
			for _, pair := range followed(set, k, []Pair{one.pair}, found) {
				one.pair = pair
				if install := readBase(set, k, BaseVersion(k), one, cfg, found); install != nil {
					install.Layout, install.Sharing = "flux2-manifests", without(clusters, pair)
					installs = append(installs, install)
				}
			}
		}
	}
	return installs
}

// appliedByHand are the kustomization.yaml files through which one can have been applied by hand: those that lead to it
// and to which no other leads, or itself.
func appliedByHand(set *object.Set, k *object.Object) []*object.Object {
	leads := func(from, to *object.Object) bool {
		return from != to && from.File != "" && Applies(set, path.Dir(from.File), to.File)
	}
	all := set.Of(ConfigGroup, "Kustomization")
	tops := slices.DeleteFunc(slices.Clone(all), func(top *object.Object) bool {
		return !leads(top, k) || slices.ContainsFunc(all, func(above *object.Object) bool { return leads(above, top) })
	})
	if len(tops) == 0 {
		return []*object.Object{k}
	}
	return tops
}

// nearestPairs are the pairs whose root shares most folders with a file.
func nearestPairs(pairs []Pair, k *object.Object) []Pair {
	most := 0
	for _, pair := range pairs {
		most = max(most, inventory.Shared(pair.Root.File, k.File))
	}
	return slices.DeleteFunc(slices.Clone(pairs),
		func(p Pair) bool { return inventory.Shared(p.Root.File, k.File) < most })
}

// without are the pairs of the other clusters.
func without(clusters []cluster, pair Pair) []Pair {
	var others []Pair
	for _, one := range clusters {
		if !one.pair.Is(pair) {
			others = append(others, one.pair)
		}
	}
	return others
}

// selfSynced are the pairs of this repository whose root applies its own definition.
func selfSynced(set *object.Set) []Pair {
	type key struct{}
	return object.Until(set, key{}, func(set *object.Set) []Pair {
		var pairs []Pair
		for _, pair := range pairsIn(set) {
			if set.HasPaths() && !isFlux2(pair.Source) && Applies(set, pair.Path, pair.Root.File) {
				pairs = append(pairs, pair)
			}
		}
		return withoutForeign(set, pairs, nil)
	})
}

// readBase reads the install of a kustomization.yaml with the remote base, once its cluster is known; nil where an
// Error says why not.
func readBase(set *object.Set, k *object.Object, base string, of cluster, cfg config.Config,
	found *finding.List) *Install {
	version, err := parseVersion(base, "the ref of the remote base")
	if err != nil {
		configured, ok := configuredVersion(cfg.Instance.Version)
		if !ok {
			found.Error(finding.VersionUnknown, k, "resources", "%s; set the config field instance.version to the "+
				"minor version that runs, such as 2.6.x", err)
			return nil
		}
		version = configured
	}
	install := remoteInstall(k, version, of.pair)
	install.ByHand = of.byHand
	if install.Folder, err = ReadFolder(set, path.Dir(k.File)); err != nil {
		found.Error(finding.NotFollowed, k, "", "%s", err)
		return nil
	}
	if !install.readLayers(set, found) {
		return nil
	}
	if of.byHand != "" && cfg.Phase == config.Deploy {
		own := found.For(install.Cluster())
		own.Warn(finding.CompareWithCluster, k, "resources", "Flux was installed from this by hand: Flux %s and "+
			"these patches are taken to be what runs. Compare them with %s before you push",
			version, deploymentsCommand(install.Namespace))
		found.Merge(own)
	}
	return install
}

func remoteInstall(anchor *object.Object, version Version, pair Pair) *Install {
	install := &Install{Anchor: anchor, Namespace: "flux-system", Version: version, Pair: pair, RemoteBase: true}
	install.Options = flux.DefaultOptions(version.Release.String())
	install.Options.Components = flux.RemoteBaseComponents(version.Release.String())
	return install
}

// Base is what the install consists of before anything of the owner's shapes it, at a release of Flux.
//
// It fails for a release without manifests.
func (i *Install) Base(release string) ([]*kyaml.RNode, error) {
	options := i.Options
	options.Version = release
	options.RemoteBase = i.RemoteBase
	return flux.Install(options)
}
