package instance

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/shell"
)

// presentOperator is what already installs Flux Operator on the cluster of an install, nil when nothing does: of
// several, that of the same cluster. What the run has added for another one is none of it.
func presentOperator(set *object.Set, install *classic.Install) *object.Object {
	var found []*object.Object
	for _, kind := range operatorKinds {
		for _, o := range set.Of(kind.group, kind.kind) {
			if !set.IsNew(o) && kind.installs(set, o) {
				found = append(found, o)
			}
		}
	}
	if install.Anchor.File == "" || len(found) == 0 {
		return classic.Nearest(found, install.Anchor)
	}
	clusters := slices.DeleteFunc(found, func(o *object.Object) bool { return !classic.SameCluster(set, o, install) })
	return classic.Nearest(clusters, install.Anchor)
}

// operatorKind is a kind of object that can install Flux Operator.
type operatorKind struct {
	group, kind string
	installs    func(*object.Set, *object.Object) bool
	version     func(*object.Set, *object.Object) string // empty where it is not pinned
	field       string                                   // where the version is
}

// operatorKinds are the ways to install Flux Operator. Source: Flux Operator documentation, installation (Helm, OLM,
// the install.yaml of a release); the APIs of OLM v1, of k3s's helm-controller and of Argo CD, which install charts
// too.
var operatorKinds = []operatorKind{
	{classic.HelmGroup, "HelmRelease", installsChart, ReleaseVersion, "spec.chart.spec.version"},
	{"operators.coreos.com", "Subscription", isSubscription, subscriptionVersion, "spec.startingCSV"},
	{"olm.operatorframework.io", "ClusterExtension", isExtension, textAt("spec", "source", "catalog", "version"),
		"spec.source.catalog.version"},
	{"helm.cattle.io", "HelmChart", isChart, textAt("spec", "version"), "spec.version"},
	{"argoproj.io", "Application", isApplication, textAt("spec", "source", "targetRevision"),
		"spec.source.targetRevision"},
	{classic.ConfigGroup, "Kustomization", listsOperator, listedVersion, "resources"},
	{"apps", "Deployment", isOperatorDeployment, imageVersion, "spec.template.spec.containers"},
}

// wayOf is the way in which an object installs Flux Operator.
func wayOf(o *object.Object) operatorKind {
	return operatorKinds[slices.IndexFunc(operatorKinds, func(k operatorKind) bool { return o.Is(k.group, k.kind) })]
}

func installsChart(set *object.Set, o *object.Object) bool {
	return classic.Installs(set, o, operatorName)
}

// isSubscription reports whether OLM installs Flux Operator by this Subscription.
func isSubscription(_ *object.Set, o *object.Object) bool {
	return o.Str("spec", "name") == operatorName
}

// subscriptionVersion is the version that OLM installs and, for it approves no upgrade by itself, leaves.
func subscriptionVersion(_ *object.Set, o *object.Object) string {
	if o.Str("spec", "installPlanApproval") != "Manual" {
		return ""
	}
	return strings.TrimPrefix(o.Str("spec", "startingCSV"), operatorName+".v")
}

// isExtension reports whether OLM v1 installs Flux Operator by this ClusterExtension.
func isExtension(_ *object.Set, o *object.Object) bool {
	return o.Str("spec", "source", "catalog", "packageName") == operatorName
}

// isChart reports whether k3s installs Flux Operator by this HelmChart, from a repository, a registry or an archive.
func isChart(_ *object.Set, o *object.Object) bool { return isOperatorChart(o.Str("spec", "chart")) }

// isApplication reports whether Argo CD installs Flux Operator by this Application.
func isApplication(_ *object.Set, o *object.Object) bool {
	sources, _ := object.Get[[]any](o.Map(), "spec", "sources")
	if source, found := object.Get[map[string]any](o.Map(), "spec", "source"); found {
		sources = append(sources, source)
	}
	return slices.ContainsFunc(sources, func(entry any) bool {
		source, _ := entry.(map[string]any)
		chart, _ := source["chart"].(string)
		url, _ := source["repoURL"].(string)
		return isOperatorChart(cmp.Or(chart, url))
	})
}

// isOperatorChart reports whether an address or a name is that of the chart of Flux Operator.
func isOperatorChart(chart string) bool {
	name := path.Base(chart)
	return name == operatorName || strings.HasPrefix(name, operatorName+"-") && strings.HasSuffix(name, ".tgz")
}

// textAt is a version that a field holds.
func textAt(field ...string) func(*object.Set, *object.Object) string {
	return func(_ *object.Set, o *object.Object) string { return o.Str(field...) }
}

// operatorManifests matches the address of the manifests that each release of Flux Operator has.
var operatorManifests = regexp.MustCompile(`controlplaneio-fluxcd/flux-operator` +
	`(?:/releases/(?:latest/)?download/(?:v([^/]+)/)?install\.yaml|` +
	`(?:\.git)?//?config/[^?]*(?:\?ref=v([^&]+))?)`)

// listsOperator reports whether a kustomization.yaml lists the manifests of a release of Flux Operator.
func listsOperator(_ *object.Set, o *object.Object) bool { return operatorEntry(o) != nil }

func listedVersion(_ *object.Set, o *object.Object) string { return cmp.Or(operatorEntry(o)[1:]...) }

// operatorEntry is the match of the entry with the manifests of Flux Operator, nil when there is none.
func operatorEntry(k *object.Object) []string {
	if !k.MayHold("controlplaneio-fluxcd/flux-operator") {
		return nil
	}
	for _, field := range classic.EntryFields {
		for _, address := range classic.TextsIn(k.Map(), field) {
			if found := operatorManifests.FindStringSubmatch(address); found != nil {
				return found
			}
		}
	}
	return nil
}

// isOperatorDeployment reports whether this is the Deployment of Flux Operator's manifests.
func isOperatorDeployment(_ *object.Set, o *object.Object) bool {
	return o.Name == operatorName && o.MayHold(operatorName+":") && imageOfOperator(o) != ""
}

func imageVersion(_ *object.Set, o *object.Object) string {
	_, tag, _ := strings.Cut(path.Base(imageOfOperator(o)), ":")
	tag, _, _ = strings.Cut(tag, "@")
	return strings.TrimPrefix(tag, "v")
}

// imageOfOperator is the image of Flux Operator in a Deployment, from whichever registry; empty when it has none.
func imageOfOperator(o *object.Object) string {
	containers, _ := object.Get[[]any](o.Map(), "spec", "template", "spec", "containers")
	for _, entry := range containers {
		container, _ := entry.(map[string]any)
		image, _ := container["image"].(string)
		if name, _, _ := strings.Cut(path.Base(image), ":"); name == operatorName {
			return image
		}
	}
	return ""
}

// InstallsOperator reports whether a Flux Kustomization applies what installs the Flux Operator that the repository
// already has.
func InstallsOperator(set *object.Set, install *classic.Install, k *object.Object) bool {
	present := presentOperator(set, install)
	return present != nil && k.Is(classic.KustomizeGroup, "Kustomization") &&
		classic.Applies(set, classic.CleanPath(k.Str("spec", "path")), present.File)
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
	present := presentOperator(set, p.Install)
	if present == nil {
		p.refuseTerraform(set, findings)
		return
	}
	p.External, p.present, p.operatorRelease = true, present, nil
	own := cmp.Or(classic.NamespaceOf(set, present), p.Install.Namespace)
	if present.Kind == "HelmRelease" {
		p.operatorRelease = object.Map(object.F("name", present.Name), object.F("namespace", own))
	}
	to := cmp.Or(present.Str("spec", "targetNamespace"), present.Str("spec", "namespace"),
		present.Str("spec", "destination", "namespace"))
	if namespace := cmp.Or(to, own); namespace != p.Install.Namespace {
		findings.Error(finding.WrongNamespace, present, "metadata.namespace",
			"Flux Operator is installed in %s, and manages the FluxInstance of its own namespace only: install it in "+
				"%s", namespace, p.Install.Namespace)
	}
	p.usePresentVersion(set, present, findings)
	findings.Info(finding.OperatorPresent, finding.Found, present, "", "Flux Operator is already installed by this "+
		"%s: it stays as it is, and only the FluxInstance is added", presentName(present))
}

// presentRuns is how to see that the Flux Operator that is there runs.
func (p *Plan) presentRuns() string {
	if p.present.Kind == "HelmRelease" {
		return "this HelmRelease is Ready"
	}
	return fmt.Sprintf("its Deployment is available (%s)",
		shell.Run("kubectl", "-n", p.Install.Namespace, "get", "deployments", operatorName))
}

// presentName is what people call the object that installs Flux Operator.
func presentName(o *object.Object) string {
	if o.Group() == classic.ConfigGroup {
		return "kustomization.yaml"
	}
	return o.Kind
}

// usePresentVersion plans with the version of the Flux Operator that is there. One that floats may be the one that the
// config names, else the newest known one that it allows.
func (p *Plan) usePresentVersion(set *object.Set, present *object.Object, findings *finding.List) {
	version, _, _ := strings.Cut(wayOf(present).version(set, present), "@")
	if source := classic.ChartSource(set, present); version == "" && source != nil {
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
	for _, find := range []func(string) (flux.Operator, bool){flux.FindOperator, flux.LaterOperator} {
		if configured, ok := find(p.Config.Operator.Version); ok {
			known = append([]flux.Operator{configured}, known...)
		}
	}
	fits := slices.IndexFunc(known, func(o flux.Operator) bool { return allowed.Check(o.Version) })
	if fits < 0 {
		p.Config.Operator.Version = version
		return
	}
	p.Config.Operator.Version = strings.TrimPrefix(known[fits].Version.Original(), "v")
	findings.Warn(finding.OperatorVersion, present, "", "the version of Flux Operator is the range %s: it is taken "+
		"for %s; where another runs, set the config field operator.version to that", version, p.Config.Operator.Version)
}

// presentVersionField is the object and the field that say the version of the Flux Operator that is there.
func (p *Plan) presentVersionField(set *object.Set) (*object.Object, string) {
	source := classic.ChartSource(set, p.present)
	switch {
	case source == nil:
		return p.present, wayOf(p.present).field
	case source.Kind == "HelmChart":
		return source, "spec.version"
	default:
		return source, "spec.ref"
	}
}
