package classic

import (
	"cmp"
	_ "embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/fields"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/shell"
)

// chartName is the name of the community's chart that installs Flux.
const chartName = "flux2"

// chartReleases says which release of Flux each release of the chart installs.
//
//go:embed data/flux2-chart.tsv
var chartReleases string

// releaseRules say what becomes of the HelmRelease. What is left over changes what is installed in a way that nobody
// has looked at: an Error. Source: helm.toolkit.fluxcd.io v2beta1 to v2 of Flux 2.9.
var releaseRules = []fields.Rule{
	{From: "apiVersion", Why: "the object stays as it is"},
	{From: "kind", Why: "the object stays as it is"},
	{From: "metadata", Why: "the object stays as it is"},
	{From: "status", Why: "written by helm-controller"},
	{From: "spec.chart.metadata", Why: "about the HelmChart"},
	{From: "spec.chart.spec.chart", Why: "tells the layout"},
	{From: "spec.chart.spec.version", Why: "tells the Flux version"},
	{From: "spec.chart.spec.sourceRef", Why: "Flux Operator carries the manifests"},
	{From: "spec.chart.spec.interval", Why: "Flux Operator carries the manifests"},
	{From: "spec.chart.spec.reconcileStrategy", Why: "Flux Operator carries the manifests"},
	{From: "spec.chart.spec.verify", Why: "Flux Operator carries the manifests"},
	{From: "spec.chart.spec.ignoreMissingValuesFiles", Why: "only matters with valuesFiles"},
	{From: "spec.chartRef", Why: "tells the layout"},
	{From: "spec.interval", Why: "Flux Operator reconciles by itself"},
	{From: "spec.timeout", Why: "Flux Operator reconciles by itself"},
	{From: "spec.install", Why: "how Helm installs"},
	{From: "spec.upgrade", Why: "how Helm upgrades"},
	{From: "spec.rollback", Why: "how Helm rolls back"},
	{From: "spec.uninstall", Why: "how Helm uninstalls"},
	{From: "spec.test", Why: "the chart has no tests"},
	{From: "spec.maxHistory", Why: "about Helm's storage"},
	{From: "spec.releaseName", Why: "about Helm's storage"},
	{From: "spec.storageNamespace", Why: "about Helm's storage"},
	{From: "spec.persistentClient", Why: "how Helm works"},
	{From: "spec.serviceAccountName", Why: "Flux Operator applies with its own service account"},
	{From: "spec.dependsOn", Why: "Flux Operator depends on nothing"},
	{From: "spec.suspend", Why: "a suspended install is taken over as it is"},
	{From: "spec.waitStrategy", Why: "Flux Operator waits for what it applies"},
	{From: "spec.healthCheckExprs", Why: "Flux Operator waits for what it applies"},
	{From: "spec.driftDetection.mode", Via: among("disabled", "warn"), To: "same.driftDetection"},
	{From: "spec.driftDetection.ignore", Why: "only matters where drift is corrected"},
	{From: "spec.targetNamespace", Why: "it is the namespace of the install"},
	{From: "spec.commonMetadata", To: "commonMetadata"},
	{From: "spec.postRenderStrategy", Why: "the chart's hooks run once, before Flux is installed or upgraded"},
	{From: "spec.postRenderers", To: "postRenderers"},
	{From: "spec.valuesFrom", Why: "read with the values"},
	{From: "spec.values", Why: "read with the values"},
}

// findFlux2Chart finds the installs that a HelmRelease of the community's chart makes.
func findFlux2Chart(set *object.Set, cfg config.Config, found *finding.List) []*Install {
	var installs []*Install
	for _, release := range set.Of(HelmGroup, "HelmRelease") {
		version, isChart := chartVersion(set, release)
		if !isChart {
			continue
		}
		for _, one := range clustersOf(set, release, cfg, found) {
			if install := readChart(set, release, version, one, cfg, found); install != nil {
				installs = append(installs, install)
			}
		}
	}
	return installs
}

// MayInstall tells, without parsing it, whether a HelmRelease may install a chart: it names the chart, or a source
// elsewhere.
func MayInstall(release *object.Object, chart string) bool {
	type key struct{ chart string }
	return object.Fact(release, key{chart}, func(release *object.Object) bool {
		return release.MayHold(chart) ||
			release.MayHold("chartRef")
	})
}

// chartVersion is the version of the chart flux2 that a HelmRelease asks for; false when it installs another chart. The
// chart's source may be a mirror, or not be in the input: the name of the chart tells.
func chartVersion(set *object.Set, release *object.Object) (version string, isChart bool) {
	if !Installs(set, release, chartName) {
		return "", false
	}
	if release.Str("spec", "chart", "spec", "chart") != "" {
		return release.Str("spec", "chart", "spec", "version"), true
	}
	source := ChartSource(set, release)
	if source.Kind == "HelmChart" {
		return source.Str("spec", "version"), true
	}
	return cmp.Or(source.Str("spec", "ref", "semver"), source.Str("spec", "ref", "tag")), true
}

// Installs reports whether a HelmRelease installs a chart of this name.
func Installs(set *object.Set, release *object.Object, chart string) bool {
	return MayInstall(release, chart) && ChartOf(set, release) == chart
}

// ChartOf is the name of the chart that a HelmRelease installs, as far as the input says it. Two charts from one
// registry differ in the last part of their address.
func ChartOf(set *object.Set, release *object.Object) string {
	if name := release.Str("spec", "chart", "spec", "chart"); name != "" {
		return path.Base(name)
	}
	source := ChartSource(set, release)
	switch {
	case source == nil:
		return ""
	case source.Kind == "HelmChart":
		return path.Base(source.Str("spec", "chart"))
	default:
		return path.Base(source.Str("spec", "url"))
	}
}

// ChartSource is what a HelmRelease names in spec.chartRef, nil when it is not in the input. Where the file of either
// has no namespace, it is in the one that kustomize puts it in.
func ChartSource(set *object.Set, release *object.Object) *object.Object {
	ref := func(key string) string { return release.Str("spec", "chartRef", key) }
	id := object.ID{APIVersion: SourceGroup + "/v1", Kind: ref("kind"),
		Namespace: cmp.Or(ref("namespace"), release.Namespace), Name: ref("name")}
	if source := Nearest(set.Find(id), release); source != nil {
		return source
	}
	id.Namespace = cmp.Or(id.Namespace, NamespaceOf(set, release))
	if source := Nearest(set.Find(id), release); source != nil {
		return source
	}
	unplaced := id
	unplaced.Namespace = ""
	return Nearest(slices.DeleteFunc(slices.Clone(set.Find(unplaced)),
		func(source *object.Object) bool { return NamespaceOf(set, source) != id.Namespace }), release)
}

// NamespaceOf is the namespace that an object comes to the cluster with: the one that the Flux Kustomization which
// applies it or the kustomization.yaml beside it sets, else its own. It is empty where nothing in the input says it.
func NamespaceOf(set *object.Set, o *object.Object) string {
	namespace := ""
	if owner := applier(set, o); owner != nil {
		namespace = owner.Str("spec", "targetNamespace")
	}
	if k := KustomizationIn(set, path.Dir(o.File)); k != nil {
		namespace = cmp.Or(namespace, k.Str("namespace"))
	}
	return cmp.Or(namespace, o.Namespace)
}

// readChart reads the HelmRelease as one of the clusters that apply it has it.
func readChart(set *object.Set, release *object.Object, chart string, at cluster, cfg config.Config,
	found *finding.List) *Install {
	var owner *object.Object
	if set.HasPaths() {
		owner, _ = at.pair.applier(set, release)
	}
	live, err := shapedRelease(set, release, owner)
	if err != nil {
		found.Error(finding.NotFollowed, release, "", "%s", err)
		return nil
	}
	version, err := chartFlux(chart)
	if configured, ok := configuredVersion(cfg.Instance.Version); err != nil && ok {
		version, err = configured, nil
	}
	if err != nil {
		found.Error(finding.VersionUnknown, release, "spec.chart.spec.version",
			"%s; set the config field instance.version to the minor version of Flux that runs, such as 2.6.x", err)
		return nil
	}
	install := &Install{Anchor: release, Version: version, Pair: at.pair, Sharing: at.sharing,
		Guarded: []*object.Object{release}}
	install.helmPlaces(set, live, owner)
	install.Options = flux.DefaultOptions(version.Release.String())
	install.Options.Namespace = install.Namespace
	if owner != nil && owner != at.pair.Root {
		install.Substitute, _ = object.Get[map[string]any](owner.Map(), "spec", "postBuild")
	}
	own := found.For(install.Cluster())
	if err := install.readRelease(set, live, own); err != nil {
		found.Error(finding.NotFollowed, release, "", "%s", err)
		return nil
	}
	found.Merge(own)
	return install
}

// readRelease takes from the HelmRelease what shapes the install.
//
// It fails on what cannot be expressed, naming the field.
func (i *Install) readRelease(set *object.Set, live *object.Object, found *finding.List) error {
	read := map[string]any{}
	moved, err := fields.Move(live.Map(), read, releaseRules)
	if err != nil {
		return err
	}
	if len(moved.Rest) > 0 {
		return fmt.Errorf("field %s = %v changes what is installed, or what helm-controller does to it once Flux "+
			"Operator has taken over, and has no counterpart in a FluxInstance: say the same by spec.values or "+
			"spec.postRenderers first, because Helm deletes what it renders no longer", moved.Rest[0].Path,
			moved.Rest[0].Value)
	}
	i.drop("", moved)
	values, err := ChartValues(set, live)
	if err != nil {
		return err
	}
	if err := i.readValues(values, found); err != nil {
		return err
	}
	if err := i.readPostRenderers(live); err != nil {
		return err
	}
	if common := read["commonMetadata"]; !isEmpty(common) {
		i.commonPatch(common, found)
	}
	return nil
}

// shapedRelease is the HelmRelease as it is on the cluster: after the patches of the kustomization.yaml beside it, and
// of the Flux Kustomization that applies it. What else a kustomization.yaml does changes no value of the chart.
func shapedRelease(set *object.Set, release, owner *object.Object) (*object.Object, error) {
	folder := &Folder{Dir: path.Dir(release.File), Object: KustomizationIn(set, path.Dir(release.File))}
	if folder.Object != nil {
		if err := folder.readPatches(set); err != nil {
			return nil, err
		}
	}
	patches := folder.Patches
	if owner != nil {
		own, err := patchesOf(owner, "spec", "patches")
		if err != nil {
			return nil, fmt.Errorf("%s: spec.patches: %w", owner.ID, err)
		}
		patches = append(patches, own...)
	}
	return through(release, nil, patches)
}

// helmPlaces fills in where Helm installs the chart, and how Helm forgets the release.
func (i *Install) helmPlaces(set *object.Set, release, owner *object.Object) {
	waits := false
	if owner != nil {
		waits, _ = object.Get[bool](owner.Map(), "spec", "wait")
	}
	own := cmp.Or(NamespaceOf(set, release), "flux-system")
	i.Namespace = cmp.Or(release.Str("spec", "targetNamespace"), own)
	i.KeepReason = keepReason(own, release)
	i.KeepReason += fmt.Sprintf(". The definitions of %s and %s can leave Git together with it", i.Pair.Root.ID,
		i.Pair.Source.ID)
	if waits {
		i.KeepReason += fmt.Sprintf(". %s has wait: true and never gets ready with a suspended HelmRelease "+
			"(kustomize-controller#1100): set wait: false there first", owner.ID)
	}
}

// chartFlux is the release of Flux that a version or a semver range of the chart installs.
//
// It fails on a version that the table does not have, and on a range that admits several minor versions of Flux.
func chartFlux(text string) (Version, error) {
	for chart, release := range releasesOfChart() {
		if chart == strings.TrimPrefix(text, "v") {
			return parseVersion(release, "the version of the chart flux2")
		}
	}
	constraint, err := semver.NewConstraint(text)
	if err != nil {
		return Version{}, fmt.Errorf("which Flux the version %q of the chart flux2 installs is not known", text)
	}
	var newest *semver.Version
	for chart, release := range releasesOfChart() {
		if !constraint.Check(semver.MustParse(chart)) {
			continue
		}
		version, err := semver.NewVersion(release)
		if err != nil || newest != nil && (version.Major() != newest.Major() || version.Minor() != newest.Minor()) ||
			constraint.Check(nextMinor(chart)) {
			return Version{}, fmt.Errorf("the version %q of the chart flux2 admits several minor versions of Flux",
				text)
		}
		newest = version
	}
	if newest == nil {
		return Version{}, fmt.Errorf("which Flux the version %q of the chart flux2 installs is not known", text)
	}
	return Version{Release: newest, From: "the version of the chart flux2"}, nil
}

// releasesOfChart are the versions of the chart, oldest first, and the release of Flux of each.
func releasesOfChart() func(yield func(chart, release string) bool) {
	return func(yield func(chart, release string) bool) {
		for _, line := range strings.Split(strings.TrimSpace(chartReleases), "\n")[2:] {
			chart, release, _ := strings.Cut(line, "\t")
			if !yield(chart, release) {
				return
			}
		}
	}
}

// nextMinor is the first version of the chart's next minor.
func nextMinor(chart string) *semver.Version {
	next := semver.MustParse(chart).IncMinor()
	return &next
}

// keepReason says why cleanup does not remove the HelmRelease, and how its owner makes Helm forget it. Source:
// helm-controller v0.35 to v1.6, reconcileDelete, which uninstalls unless spec.suspend is set; Helm 3 and 4, which
// delete by kind and name, and look for helm.sh/resource-policy in the stored release, not on the cluster.
func keepReason(namespace string, release *object.Object) string {
	return fmt.Sprintf("removing the HelmRelease makes Helm uninstall Flux: it deletes by kind and name and looks at "+
		"no label, so that what Flux Operator has taken over goes too. Let Helm forget the release instead: set "+
		"spec.suspend: true, push, and wait until %s shows it suspended (helm-controller uninstalls nothing then); "+
		"remove it from Git, where kustomize.toolkit.fluxcd.io/prune: disabled keeps it on the cluster; then %s. The "+
		"annotation helm.sh/resource-policy: keep is no way out when it is only set on the cluster: Helm reads it "+
		"from the stored release",
		getRelease(namespace, release), deleteRelease(namespace, release))
}

// forgetRelease is how Helm forgets a release that has no guard yet, and leaves what it installed.
func forgetRelease(namespace string, release *object.Object) string {
	return fmt.Sprintf("set spec.suspend: true on the HelmRelease and annotate it with "+
		"kustomize.toolkit.fluxcd.io/prune: disabled, push, and wait until %s shows it suspended (helm-controller "+
		"uninstalls nothing then); remove it from Git, which leaves it on the cluster; then %s",
		getRelease(namespace, release), deleteRelease(namespace, release))
}

// getRelease shows a HelmRelease.
func getRelease(namespace string, release *object.Object) shell.Line {
	return shell.Run("flux", "-n", namespace, "get", "helmrelease", release.Name)
}

// deleteRelease are the commands that delete a suspended HelmRelease and what Helm has stored of it.
func deleteRelease(namespace string, release *object.Object) shell.Line {
	name := release.Name
	if target := release.Str("spec", "targetNamespace"); target != "" {
		name = target + "-" + name
	}
	storage, stored := cmp.Or(release.Str("spec", "storageNamespace"), namespace),
		cmp.Or(release.Str("spec", "releaseName"), name)
	return shell.And(shell.Run("kubectl", "-n", namespace, "delete", "helmrelease", release.Name),
		shell.Run("kubectl", "-n", storage, "delete", "secret", "-l", "owner=helm,name="+stored))
}

// readPostRenderers takes the post-renderers of the HelmRelease for what they are: patches on what the chart renders.
// They apply after everything that the values say.
//
// It fails on a patch that counts in lists: the chart does not render them in the order of Flux's own manifests.
func (i *Install) readPostRenderers(release *object.Object) error {
	renderers, _ := object.Get[[]any](release.Map(), "spec", "postRenderers")
	for n := range renderers {
		at := fmt.Sprintf("spec.postRenderers[%d].kustomize", n)
		renderer, _ := renderers[n].(map[string]any)
		kustomize, _ := renderer["kustomize"].(map[string]any)
		if len(renderer) != 1 || kustomize == nil {
			return fmt.Errorf("field spec.postRenderers[%d] is not a kustomize post-renderer", n)
		}
		patches, err := patchesOf(release, "spec", "postRenderers", fmt.Sprint(n), "kustomize", "patches")
		if err != nil {
			return fmt.Errorf("field %s.patches: %w", at, err)
		}
		i.Patches = append(i.Patches, patches...)
		if err := i.readPatchLists(release, at, kustomize); err != nil {
			return err
		}
	}
	return checkPositions(i.Patches)
}

// checkPositions refuses JSON6902 operations on an element of a list by its position.
func checkPositions(patches []Patch) error {
	for _, patch := range patches {
		ops, _ := Operations(patch.Body)
		for _, op := range ops {
			at, _ := op["path"].(string)
			rest := strings.TrimPrefix(at, "/spec/template/spec/containers/0")
			if slices.ContainsFunc(strings.Split(rest, "/"),
				func(key string) bool { return key != "" && strings.Trim(key, "0123456789") == "" }) {
				return fmt.Errorf("field %s: the patch counts in a list (%s), and the chart's lists are others than "+
					"those of Flux's own manifests: name the element by a strategic merge patch, or move it to the "+
					"values", patch.Field, at)
			}
		}
	}
	return nil
}
