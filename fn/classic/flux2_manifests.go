package classic

import (
	"path"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// findFlux2Manifests finds the installs that take flux2's own manifests: a Flux Kustomization on a GitRepository of
// fluxcd/flux2, or a kustomization.yaml with the remote base that a Flux Kustomization applies.
func findFlux2Manifests(set *object.Set, cfg config.Config, found *finding.List) []*Install {
	var installs []*Install
	for _, owner := range set.Of(KustomizeGroup, "Kustomization") {
		if source := SourceOf(set, owner); source != nil && isFlux2(source) && CleanPath(owner.Str("spec", "path")) == "manifests/install" {
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
	return source.Kind == "GitRepository" && (strings.HasSuffix(url, "/fluxcd/flux2") || strings.HasSuffix(url, ":fluxcd/flux2"))
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

// tagVersion reads the release from the tag of a GitRepository, or from a semver range that stays within a minor version.
func tagVersion(source *object.Object, cfg config.Config) (Version, error) {
	ref := func(key string) string { return source.Str("spec", "ref", key) }
	name := strings.TrimPrefix(ref("name"), "refs/tags/")
	for _, tag := range []string{name, ref("tag")} {
		if v, err := parseVersion(tag, "the tag of the source"); err == nil && ref("commit") == "" && ref("semver") == "" {
			return v, nil
		}
	}
	if v, err := parseRange(ref("semver"), "the semver range of the source"); err == nil && ref("semver") != "" && ref("commit") == "" {
		return v, nil
	}
	if v, ok := configuredVersion(cfg.Instance.Version); ok {
		return v, nil
	}
	return Version{}, errUnreadable
}

// readRemoteBase reads a kustomization.yaml with the remote base, which the root or a child of it applies: one install for each
// cluster that does.
func readRemoteBase(set *object.Set, k *object.Object, base string, cfg config.Config, found *finding.List) []*Install {
	var installs []*Install
	for _, one := range clustersOf(set, k, cfg, found) {
		install := readBase(set, k, base, one.pair, false, cfg, found)
		if install == nil {
			return nil
		}
		install.Sharing = one.sharing
		installs = append(installs, install)
	}
	return installs
}

// findByHand finds the installs of a repository that has the sync pair of a cluster and nothing that applies Flux's manifests: Flux
// came from a kustomization.yaml with the remote base that was applied by hand. Each goes to the nearest pair.
func findByHand(set *object.Set, cfg config.Config, found *finding.List) []*Install {
	var installs []*Install
	pairs := selfSynced(set)
	for _, k := range oneShots(set) {
		roots := []*object.Object{}
		for _, pair := range pairs {
			roots = append(roots, pair.Root)
		}
		nearest := Nearest(roots, k)
		at := slices.IndexFunc(pairs, func(p Pair) bool { return p.Root == nearest })
		if at < 0 {
			continue
		}
		for _, pair := range followed(set, k, pairs[at:at+1], found) {
			if install := readBase(set, k, BaseVersion(k), pair, true, cfg, found); install != nil {
				install.Layout = "flux2-manifests"
				installs = append(installs, install)
			}
		}
	}
	return installs
}

// selfSynced are the pairs of this repository whose root applies its own definition.
func selfSynced(set *object.Set) []Pair {
	var pairs []Pair
	for _, root := range set.Of(KustomizeGroup, "Kustomization") {
		source := SourceOf(set, root)
		if source == nil || isManifestSource(source) || isFlux2(source) || isOurs(root) {
			continue
		}
		for _, pair := range pairsOf(set, root, source) {
			if set.HasPaths() && Applies(set, pair.Path, root.File) {
				pairs = append(pairs, pair)
			}
		}
	}
	return withoutForeign(set, pairs)
}

// readBase reads the install of a kustomization.yaml with the remote base, once the pair of its cluster is known; nil where an
// Error says why not.
func readBase(set *object.Set, k *object.Object, base string, pair Pair, byHand bool, cfg config.Config, found *finding.List) *Install {
	version, err := parseVersion(base, "the ref of the remote base")
	if err != nil {
		configured, ok := configuredVersion(cfg.Instance.Version)
		if !ok {
			found.Error(k, "resources", "%s; set the config field instance.version to the minor version that runs, such as 2.6.x", err)
			return nil
		}
		version = configured
	}
	install := remoteInstall(k, version, pair)
	install.ByHand = byHand
	if install.Folder, err = ReadFolder(set, path.Dir(k.File)); err != nil {
		found.Error(k, "", "%s", err)
		return nil
	}
	if !install.readLayers(set, found) {
		return nil
	}
	if byHand && cfg.Phase == config.Deploy {
		own := found.For(install.Cluster())
		own.Warn(k, "resources", "Flux was installed from this by hand: Flux %s and these patches are taken to be what runs. Compare them with kubectl -n %s get deployments -o wide "+
			"before you push", version, install.Namespace)
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
