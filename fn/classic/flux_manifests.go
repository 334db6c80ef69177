package classic

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/fields"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// manifestArtifact is the OCI artifact that the Flux project publishes with every release, wherever it is mirrored to.
// Source: fluxcd/flux2 .github/workflows/release.yaml.
const manifestArtifact = "fluxcd/flux-manifests"

// dockerHub is the artifact whose images are at Docker Hub as well; those of the other one, and of its mirrors, are at
// GitHub's registry.
var dockerHub = regexp.MustCompile(`^oci://(index\.|registry-1\.)?docker\.io/` + manifestArtifact + `/?$`)

func isManifestSource(source *object.Object) bool {
	url := strings.TrimSuffix(source.Str("spec", "url"), "/")
	return source.Kind == "OCIRepository" && (url == "oci://"+manifestArtifact ||
		strings.HasSuffix(url, "/"+manifestArtifact) ||
		strings.HasSuffix(url, "/flux-manifests"))
}

// artifactRules say what becomes of the Flux Kustomization that applies the flux-manifests artifact. What is left over
// changes what the install renders in a way that nobody has looked at: an Error.
// Source: kustomize.toolkit.fluxcd.io/v1 of Flux 2.9, MIGRATION facts 1 and 5.
var artifactRules = []fields.Rule{
	{From: "apiVersion", Why: "the object goes"},
	{From: "kind", Why: "the object goes"},
	{From: "metadata", Why: "the object goes"},
	{From: "status", Why: "written by kustomize-controller"},
	{From: "spec.interval", Why: "Flux Operator reconciles by itself"},
	{From: "spec.retryInterval", Why: "Flux Operator reconciles by itself"},
	{From: "spec.timeout", Why: "Flux Operator reconciles by itself"},
	{From: "spec.wait", Why: "Flux Operator waits for what it applies"},
	{From: "spec.healthChecks", Why: "Flux Operator waits for what it applies"},
	{From: "spec.healthCheckExprs", Why: "Flux Operator waits for what it applies"},
	{From: "spec.prune", Why: "Flux Operator keeps an inventory of its own"},
	{From: "spec.deletionPolicy", Why: "the object goes; the guard decides what its removal deletes"},
	{From: "spec.force", Why: "Flux Operator applies without force"},
	{From: "spec.suspend", Why: "a suspended install is taken over as it is"},
	{From: "spec.dependsOn", Why: "Flux Operator depends on nothing"},
	{From: "spec.sourceRef", Why: "Flux Operator carries the manifests"},
	{From: "spec.path", Via: artifactRoot, To: "path"},
	{From: "spec.serviceAccountName", Why: "Flux Operator applies with its own service account"},
	{From: "spec.decryption", Why: "the artifact holds nothing that is encrypted"},
	{From: "spec.ignoreMissingComponents", Why: "only matters with components"},
	{From: "spec.patches", To: "patches"},
	{From: "spec.commonMetadata", To: "commonMetadata"},
	{From: "spec.targetNamespace", To: "namespace"},
	{From: "spec.postBuild", To: "postBuild"},
	{From: "spec.images", To: "images"},
	{From: "spec.patchesStrategicMerge", Why: Unread},
	{From: "spec.patchesJson6902", Why: Unread},
	{From: "spec.validation", Why: "only known to v1beta1, without effect since Flux 0.18"},
}

// Unread is why the old patches of v1beta1 and v1beta2 do nothing. Source: api/v1 of kustomize-controller v1.0.0 to
// v1.7.3; the API server stores v1 and takes away what that does not have.
const Unread = "without effect since Flux 2.0, which reads the Kustomization as v1: that has spec.patches alone"

// artifactRoot accepts the paths that mean all of Flux: the whole artifact, or the manifests of the repository
// fluxcd/flux2.
func artifactRoot(value any) (any, bool) {
	p, isString := value.(string)
	return p, isString && (CleanPath(p) == "." || CleanPath(p) == "manifests/install")
}

// findFluxManifests finds the installs that apply the flux-manifests artifact.
func findFluxManifests(set *object.Set, cfg config.Config, found *finding.List) []*Install {
	var installs []*Install
	for _, owner := range set.Of(KustomizeGroup, "Kustomization") {
		source := SourceOf(set, owner)
		if source == nil || !isManifestSource(source) || isTemplate(owner) {
			continue
		}
		installs = append(installs, readFluxManifests(set, owner, source, cfg, found)...)
	}
	return installs
}

// fetched is an install whose manifests a Flux Kustomization applies from a source of their own.
type fetched struct {
	cluster
	liveOwner, liveSource *object.Object
	version               Version
}

// readFetched reads what the layouts with a source of their own have in common, once for each cluster that applies
// them; versionOf reads the release from the source. It is nil where one cannot be read.
func readFetched(set *object.Set, owner, source *object.Object, cfg config.Config,
	versionOf func(*object.Object, config.Config) (Version, error),
	found *finding.List) []fetched {
	var all []fetched
	for _, one := range clustersOf(set, owner, cfg, found) {
		pair, read := one.pair, fetched{cluster: one}
		var err error
		if read.liveOwner, err = pair.OnCluster(set, owner); err != nil {
			found.Error(finding.NotFollowed, owner, "", "the install cannot be followed to the cluster: %s", err)
			return nil
		}
		if read.liveSource, err = pair.OnCluster(set, source); err != nil {
			found.Error(finding.NotFollowed, source, "", "the install cannot be followed to the cluster: %s", err)
			return nil
		}
		if read.version, err = versionOf(read.liveSource, cfg); err != nil {
			found.Error(finding.VersionUnknown, source, "spec.ref", "%s", err)
			return nil
		}
		all = append(all, read)
	}
	return all
}

// readShaped reads what the Flux Kustomization does to the install, and what else waits for it.
func (i *Install) readShaped(set *object.Set, liveOwner *object.Object, found *finding.List) bool {
	if err := i.readSpec(i.Owner, liveOwner, artifactRules); err != nil {
		found.Error(finding.UnsupportedField, i.Owner, "spec", "%s", err)
		return false
	}
	i.warnReplaced(found)
	i.addEmptied(set)
	if err := i.freeRoot(found); err != nil {
		found.Error(finding.CannotBeEdited, i.Pair.Root, "spec.dependsOn", "%s", err)
		return false
	}
	return true
}

func readFluxManifests(set *object.Set, owner, source *object.Object, cfg config.Config,
	found *finding.List) []*Install {
	var installs []*Install
	for _, read := range readFetched(set, owner, source, cfg, artifactVersion, found) {
		install := &Install{
			Anchor: owner, Owner: owner, Objects: []*object.Object{owner, source}, Namespace: "flux-system",
			Version: read.version, Pair: read.pair,
			Sharing: read.sharing,
		}
		install.Options = flux.DefaultOptions(read.version.Release.String())
		install.Options.Components = flux.ArtifactComponents(read.version.Release.String())
		if dockerHub.MatchString(read.liveSource.Str("spec", "url")) {
			install.Options.Registry = "docker.io/fluxcd"
		}
		if !install.readShaped(set, read.liveOwner, found) {
			return nil
		}
		installs = append(installs, install)
	}
	return installs
}

// freeRoot takes the install's own Kustomization out of what the root waits for: Flux Operator takes its place, and a
// root that waits for what cleanup removes never reconciles again.
func (i *Install) freeRoot(found *finding.List) error {
	content := maps.Clone(i.Pair.LiveRoot.Map())
	list, _ := object.Get[[]any](content, "spec", "dependsOn")
	kept := slices.DeleteFunc(slices.Clone(list), func(entry any) bool {
		m, _ := entry.(map[string]any)
		namespace, _ := m["namespace"].(string)
		return m["name"] == i.Owner.Name && (namespace == "" || namespace == i.Owner.Namespace)
	})
	if len(kept) == len(list) {
		return nil
	}
	spec, _ := object.Get[map[string]any](content, "spec")
	spec = maps.Clone(spec)
	if spec["dependsOn"] = kept; len(kept) == 0 {
		delete(spec, "dependsOn")
	}
	content["spec"] = spec
	text, err := yaml.Marshal(content)
	if err != nil {
		return err
	}
	if i.Pair.LiveRoot, err = object.Parse(string(text), i.Pair.Root.File, i.Pair.Root.Index); err != nil {
		return err
	}
	own := found.For(i.Cluster())
	own.Info(finding.DependsOnChanged, finding.Moved, i.Pair.Root, "spec.dependsOn",
		"the root waits for %s no longer: Flux Operator takes its place", i.Owner.ID)
	found.Merge(own)
	return nil
}

// warnReplaced says which of the patches that stand in the file never reach the cluster: a merge patch that gives
// patches to every Flux Kustomization replaces those that are there.
func (i *Install) warnReplaced(found *finding.List) {
	written, err := patchesOf(i.Owner, "spec", "patches")
	if err != nil {
		return
	}
	lost := slices.DeleteFunc(written, func(w Patch) bool {
		return slices.ContainsFunc(i.Patches,
			func(p Patch) bool { return strings.TrimSpace(p.Body) == strings.TrimSpace(w.Body) })
	})
	if len(lost) > 0 {
		own := found.For(i.Cluster())
		defer found.Merge(own)
		own.Warn(finding.PatchWithoutEffect, i.Owner, "spec.patches", "%d of the patches in this file have no effect "+
			"today, the first is %s: what applies the file replaces spec.patches; the FluxInstance says what runs, "+
			"so add to it the patches that you want back", len(lost), lost[0].Field)
	}
}

// readSpec takes from the Flux Kustomization that applies the install what shapes the install.
func (i *Install) readSpec(owner, live *object.Object, rules []fields.Rule) error {
	read := map[string]any{}
	moved, err := fields.Move(live.Map(), read, rules)
	if err != nil {
		return err
	}
	if len(moved.Rest) > 0 {
		return fmt.Errorf("field %s changes what is installed and has no counterpart in a FluxInstance. Set prune: "+
			"false on this Kustomization, push, and wait until that is applied: it deletes what the field gives "+
			"another name otherwise; then remove the field, and by hand what is left under such a name",
			moved.Rest[0].Path)
	}
	i.drop("", moved)
	return i.readShape(owner, live, read)
}

// drop keeps account of what was dropped below a field of the anchor.
func (i *Install) drop(prefix string, moved fields.Moved) {
	for _, leaf := range moved.Dropped {
		leaf.Path = prefix + leaf.Path
		i.Dropped = append(i.Dropped, leaf)
	}
}

// unreadable says what to do where only the owner can know which release runs, or where it is a pre-release by one of
// the tags.
func unreadable(tags ...string) error {
	for _, tag := range tags {
		if release, err := semver.NewVersion(tag); err == nil && release.Prerelease() != "" {
			return fmt.Errorf("the tag %s is a pre-release of Flux, which Flux Operator does not carry: upgrade Flux "+
				"to a release first, or set the config field instance.version to the release to upgrade to", tag)
		}
	}
	return errors.New("the Flux version cannot be read from the reference; set the config field instance.version to " +
		"the minor version that runs, such as 2.6.x")
}

// artifactVersion reads the release from the reference to the artifact: the tag, also with a digest beside or behind it
// as Renovate pins it, or a semver range.
func artifactVersion(source *object.Object, cfg config.Config) (Version, error) {
	tag, _, _ := strings.Cut(source.Str("spec", "ref", "tag"), "@sha256:")
	if source.Str("spec", "ref", "semver") != "" {
		tag = "" // the range wins
	}
	if tag != "" {
		if v, err := parseVersion(tag, "the artifact's tag"); err == nil {
			return v, nil
		}
	}
	if r := source.Str("spec", "ref", "semver"); r != "" && source.Str("spec", "ref", "digest") == "" {
		if v, err := parseRange(r, "the artifact's semver range"); err == nil {
			return v, nil
		}
	}
	if v, ok := configuredVersion(cfg.Instance.Version); ok {
		return v, nil
	}
	return Version{}, unreadable(tag)
}
