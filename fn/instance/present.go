package instance

import (
	"cmp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// presentOperator is the HelmRelease that already installs Flux Operator on the cluster of an install, nil when there is
// none: of several, that of the same cluster.
func presentOperator(set *object.Set, install *classic.Install) *object.Object {
	var found []*object.Object
	for _, release := range set.Of(classic.HelmGroup, "HelmRelease") {
		if classic.MayInstall(release, operatorName) && ChartOf(set, release) == operatorName {
			found = append(found, release)
		}
	}
	if install.Anchor.File == "" || len(found) == 0 {
		return classic.Nearest(found, install.Anchor)
	}
	clusters := slices.DeleteFunc(found, func(r *object.Object) bool { return !classic.SameCluster(set, r, install) })
	return classic.Nearest(clusters, install.Anchor)
}

// InstallsOperator tells the Flux Kustomization that applies the HelmRelease of the Flux Operator which the repository already installs.
func InstallsOperator(set *object.Set, install *classic.Install, k *object.Object) bool {
	release := presentOperator(set, install)
	return release != nil && k.Is(classic.KustomizeGroup, "Kustomization") && classic.Applies(set, classic.CleanPath(k.Str("spec", "path")), release.File)
}

// ReleaseVersion is the version that a HelmRelease of Flux Operator installs, empty where it is not pinned.
func ReleaseVersion(set *object.Set, release *object.Object) string {
	if version := release.Str("spec", "chart", "spec", "version"); version != "" {
		return version
	}
	if source := classic.ChartSource(set, release); source != nil {
		return source.Str("spec", "ref", "tag")
	}
	return ""
}

// usePresent plans with the Flux Operator that the repository already installs, in its version.
func (p *Plan) usePresent(set *object.Set, findings *finding.List) {
	release := presentOperator(set, p.Install)
	if release == nil {
		return
	}
	p.External, p.present = true, release
	own := cmp.Or(classic.NamespaceOf(set, release), p.Install.Namespace)
	p.operatorRelease = object.Map(object.F("name", release.Name), object.F("namespace", own))
	namespace := cmp.Or(release.Str("spec", "targetNamespace"), own)
	if namespace != p.Install.Namespace {
		findings.Error(release, "metadata.namespace", "Flux Operator is installed in %s, and manages the FluxInstance of its own namespace only: install it in %s",
			namespace, p.Install.Namespace)
	}
	p.usePresentVersion(set, release, findings)
	findings.Info(finding.Found, release, "", "Flux Operator is already installed by this HelmRelease: it stays as it is, and only the FluxInstance is added")
}

// usePresentVersion plans with the version of the Flux Operator that is there. One that floats may be the one that the config
// names, else the newest known one that it allows.
func (p *Plan) usePresentVersion(set *object.Set, release *object.Object, findings *finding.List) {
	version, _, _ := strings.Cut(ReleaseVersion(set, release), "@")
	if source := classic.ChartSource(set, release); version == "" && source != nil {
		version = source.Str("spec", "ref", "semver")
	}
	version = cmp.Or(version, "*")
	allowed, err := semver.NewConstraint(version)
	if _, pinned := semver.NewVersion(version); pinned == nil || err != nil {
		p.Config.Operator.Version = version
		return
	}
	known := flux.Operators()
	slices.Reverse(known)
	if configured, ok := flux.FindOperator(p.Config.Operator.Version); ok {
		known = append([]flux.Operator{configured}, known...)
	}
	fits := slices.IndexFunc(known, func(o flux.Operator) bool { return allowed.Check(o.Version) })
	if fits < 0 {
		p.Config.Operator.Version = version
		return
	}
	p.Config.Operator.Version = strings.TrimPrefix(known[fits].Version.Original(), "v")
	findings.Warn(release, "", "the version of Flux Operator is the range %s: it is taken for %s; where another runs, set the config field operator.version to that",
		version, p.Config.Operator.Version)
}
