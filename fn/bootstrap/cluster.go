package bootstrap

import (
	"cmp"
	"path"
	"reflect"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/shell"
)

// fieldManager is who applies objects by hand: as Flux does later, so that Flux owns them from the start.
const fieldManager = "kustomize-controller"

// substituteKey keeps Flux from substituting ${variables} in an object.
const substituteKey = "kustomize.toolkit.fluxcd.io/substitute"

// cluster is what a bootstrap has to know.
type cluster struct {
	path, namespace string
	// dir is the folder for new files.
	dir string
	// others are the folders of the other clusters that are known.
	others   []string
	operator chart
	// charts is where the charts of Flux Operator are.
	charts string
	// instance is the chart flux-instance; its HelmRelease is nil where the FluxInstance itself is in Git.
	instance chart
	// manifest is the file of the FluxInstance, empty where a chart renders it.
	manifest string
	// name is that of the FluxInstance.
	name  string
	needs []need
	// pair are the files of a sync pair that stays in Git.
	pair []string
}

// chart is a release of one of Flux Operator's charts.
type chart struct {
	name, version string
	// release is the HelmRelease that takes the release over; nil where nothing in Git does.
	release *object.Object
	// values are those of the HelmRelease.
	values map[string]any
	// inFile tells that the values, all of them, are spec.values of the one document in the file of the HelmRelease.
	inFile bool
	// versionFile and versionPath are where Git says the version.
	versionFile string
	versionPath []string
}

// need is a Secret or ConfigMap that must be there first.
type need struct {
	instance.Requirement
	// file defines it and nothing else; empty where no file does.
	file string
	// encrypted tells that SOPS has to decrypt the file.
	encrypted bool
}

// how says how it comes onto the cluster.
func (n need) how() string {
	apply := func(filename string) shell.Line {
		return shell.Run("kubectl", "apply", "--server-side", "--namespace", n.ID.Namespace, "--filename", filename)
	}
	switch {
	case n.encrypted:
		return string(shell.Run("sops", "--decrypt", shell.Path(n.file)).Pipe(apply("-")))
	case n.file != "":
		return string(apply(shell.Filename(n.file)))
	case n.Defined != nil:
		return "defined in " + n.Defined.File + ", beside other objects"
	}
	return "nothing in the repository defines it"
}

// clusterOf reads what Git says of one cluster.
func clusterOf(set *object.Set, e *instance.Existing, install *classic.Install, others []string, cfg config.Config,
	findings *finding.List) (cluster, bool) {
	c := cluster{others: others, path: classic.CleanPath(e.Str("spec", "sync", "path")),
		namespace: e.Str("metadata", "namespace"), name: e.Str("metadata", "name"),
		charts: cfg.Operator.Charts + "/"}
	if install != nil {
		c.path, c.namespace = install.Cluster(), install.Namespace
	}
	view := findings.For(c.path)
	defer findings.Merge(view)
	c.dir = path.Join(folderOf(e, cfg), "bootstrap")
	c.operator = operatorOf(set, e, c.namespace, cfg)
	if e.Form == config.HelmRelease {
		c.instance = chartOf(set, e.At, flux.InstanceChart)
	} else {
		c.manifest = e.At.File
	}
	literal(e.At, view)
	literal(c.operator.release, view)
	checkValues(set, c.operator.release, view)
	checkForm(e, cfg, view)
	pair := c.readPair(set, e, install, cfg, view)
	for _, r := range slices.Concat(instance.Requirements(set, c.namespace, pair...),
		pullSecrets(set, e, c.namespace)) {
		if known := slices.ContainsFunc(c.needs, func(n need) bool { return n.ID == r.ID }); !known && !r.Optional {
			c.needs = append(c.needs, c.needOf(set, r))
		}
	}
	c.checkNames(e.At, view)
	return c, !view.Failed()
}

// checkNames refuses names that Kubernetes does not take, and paths that cannot be printed: the bootstrap is made of
// them.
func (c cluster) checkNames(at *object.Object, findings *finding.List) {
	names, files := []string{c.namespace, c.name, c.operator.releaseName(), c.instance.releaseName()},
		slices.Concat(c.pair, []string{c.dir, c.manifest})
	for _, n := range c.needs {
		names, files = append(names, n.ID.Name, strings.ToLower(n.ID.Kind)), append(files, n.file)
	}
	for _, chart := range []chart{c.operator, c.instance} {
		files = append(files, chart.versionFile)
		if chart.release != nil {
			files = append(files, chart.release.File)
		}
	}
	for _, name := range names {
		if name != "" && !object.IsName(name) {
			findings.Error(finding.InvalidName, at, "", "config field bootstrap: %q is not a name that Kubernetes "+
				"takes", name)
		}
	}
	for _, file := range files {
		if !printable.Fits(file) {
			findings.Error(finding.InvalidName, at, "", "config field bootstrap: the path %q has control characters, "+
				"or a command to a CI runner: rename it", file)
		}
	}
}

// checkForm refuses what only a FluxInstance can do.
func checkForm(e *instance.Existing, cfg config.Config, findings *finding.List) {
	if cfg.Bootstrap == config.Terraform && e.Form == config.HelmRelease {
		findings.Error(finding.TerraformModule, e.At, "", "config field bootstrap: the Terraform module applies a "+
			"FluxInstance, and here the chart %s renders it; use helmfile or shell", flux.InstanceChart)
	}
	if cfg.Bootstrap == config.Terraform && !e.Adopts() {
		findings.Error(finding.TerraformModule, e.At, "spec.sync", "config field bootstrap: the Terraform module "+
			"applies no sync pair, and this FluxInstance generates none; use helmfile or shell")
	}
	if e.Err != nil {
		findings.Error(finding.InstanceUnknown, e.At, "spec.values", "config field bootstrap: the FluxInstance of "+
			"this HelmRelease is not known: %s", e.Err)
	}
}

// folderOf is the folder above that of the FluxInstance where deploy wrote it, and that of the FluxInstance elsewhere.
func folderOf(e *instance.Existing, cfg config.Config) string {
	if cfg.OutputDir != "" {
		return path.Clean(cfg.OutputDir)
	}
	dir := path.Dir(e.At.File)
	if path.Base(dir) == "instance" {
		return path.Dir(dir)
	}
	return dir
}

// operatorOf is the chart of Flux Operator as Git has it, or as the config says where something else installs it.
func operatorOf(set *object.Set, e *instance.Existing, namespace string, cfg config.Config) chart {
	var found []*object.Object
	for _, release := range set.Of(classic.HelmGroup, "HelmRelease") {
		if classic.Installs(set, release, flux.OperatorChart) &&
			cmp.Or(release.Str("spec", "targetNamespace"), classic.NamespaceOf(set, release)) == namespace {
			found = append(found, release)
		}
	}
	release := classic.Nearest(found, e.At)
	if release == nil {
		return chart{name: flux.OperatorChart, version: cfg.Operator.Version}
	}
	c := chartOf(set, release, flux.OperatorChart)
	c.version = cmp.Or(c.version, cfg.Operator.Version)
	return c
}

// chartOf is the release that a HelmRelease takes over.
func chartOf(set *object.Set, release *object.Object, name string) chart {
	c := chart{name: name, version: instance.ReleaseVersion(set, release), release: release}
	c.values, _ = classic.ChartValues(set, release)
	own, _ := object.Get[map[string]any](release.Map(), "spec", "values")
	alone := func(o *object.Object) bool { return o != nil && o.File != "" && len(set.InFile(o.File)) == 1 }
	c.inFile = alone(release) && (reflect.DeepEqual(own, c.values) || len(own)+len(c.values) == 0)
	switch source := classic.ChartSource(set, release); {
	case release.Str("spec", "chart", "spec", "version") != "" && alone(release):
		c.versionFile, c.versionPath = release.File, []string{"spec", "chart", "spec", "version"}
	case source != nil && source.Str("spec", "ref", "tag") != "" && alone(source):
		c.versionFile, c.versionPath = source.File, []string{"spec", "ref", "tag"}
	}
	return c
}

// releaseName is the name of the Helm release. Source: HelmRelease API, spec.releaseName and spec.targetNamespace.
func (c chart) releaseName() string {
	if c.release == nil {
		return c.name
	}
	composed := c.release.Name
	if target := c.release.Str("spec", "targetNamespace"); target != "" {
		composed = target + "-" + composed
	}
	return cmp.Or(c.release.Str("spec", "releaseName"), composed)
}

// literal refuses variables: Flux substitutes them, and what bootstraps does not.
func literal(o *object.Object, findings *finding.List) {
	if o != nil && strings.Contains(o.Text(), "${") && o.Annotation(substituteKey) != instance.Disabled {
		findings.Error(finding.BootstrapValues, o, "", "config field bootstrap: Flux substitutes the ${variables} in "+
			"this object, and a bootstrap would take them literally; write the values out first")
	}
}

// checkValues refuses values that cannot be seen.
func checkValues(set *object.Set, release *object.Object, findings *finding.List) {
	if release == nil {
		return
	}
	if _, err := classic.ChartValues(set, release); err != nil {
		findings.Error(finding.BootstrapValues, release, "spec.valuesFrom", "config field bootstrap: %s", err)
	}
}

// readPair finds the sync pair: what the FluxInstance generates, or what stays in Git.
func (c *cluster) readPair(set *object.Set, e *instance.Existing, install *classic.Install, cfg config.Config,
	findings *finding.List) []*object.Object {
	if e.Adopts() {
		return generated(e, findings)
	}
	if install == nil {
		findings.Error(finding.BootstrapSyncPair, e.At, "spec.sync", "config field bootstrap: this FluxInstance "+
			"generates no sync pair, and which one syncs the cluster cannot be told any more")
		return nil
	}
	if install.Pair.SourceUnseen {
		findings.Error(finding.BootstrapSyncPair, install.Pair.Root, "spec.sourceRef",
			"config field bootstrap: %s is not in the input, so a rebuilt cluster would not have it: put it into a "+
				"file first", install.Pair.Source.ID)
		return nil
	}
	for _, o := range []*object.Object{install.Pair.Source, install.Pair.Root} {
		others := slices.ContainsFunc(set.InFile(o.File),
			func(o *object.Object) bool { return o != install.Pair.Source && o != install.Pair.Root })
		if others {
			findings.Error(finding.BootstrapSyncPair, o, "", "config field bootstrap: the sync pair must be applied "+
				"by hand on a rebuilt cluster, and its file holds other objects: move the pair to a file of its own")
		}
		if !slices.Contains(c.pair, o.File) {
			c.pair = append(c.pair, o.File)
		}
		literal(o, findings)
	}
	return []*object.Object{install.Pair.LiveSource, install.Pair.LiveRoot}
}

// generated are the source and the root that a FluxInstance generates.
func generated(e *instance.Existing, findings *finding.List) []*object.Object {
	nodes, err := instance.Render(e.Instance)
	if err != nil {
		findings.Error(finding.InstanceRefused, e.At, "", "config field bootstrap: Flux Operator would refuse this "+
			"FluxInstance: %s", err)
		return nil
	}
	var pair []*object.Object
	for _, node := range nodes {
		group, _, _ := strings.Cut(node.GetApiVersion(), "/")
		if group != classic.SourceGroup && group != classic.KustomizeGroup {
			continue
		}
		if o, err := object.Parse(node.MustString(), e.At.File, e.At.Index); err == nil {
			pair = append(pair, o)
		}
	}
	return pair
}

// pullSecrets are the Secrets for the registry of the controllers.
func pullSecrets(set *object.Set, e *instance.Existing, namespace string) []instance.Requirement {
	var all []instance.Requirement
	for _, field := range []string{"imagePullSecret", "artifactPullSecret"} {
		if name := e.Str("spec", "distribution", field); name != "" {
			id := object.ID{APIVersion: "v1", Kind: "Secret", Namespace: namespace, Name: name}
			all = append(all, instance.Require(set, id, e.At, e.Field("spec.distribution."+field)))
		}
	}
	return all
}

// needOf tells how something that must be there can be put there: by its file, where that holds nothing else and no
// variables. What lies in the folder of another cluster is that cluster's.
func (c cluster) needOf(set *object.Set, r instance.Requirement) need {
	n := need{Requirement: r}
	o := r.Defined
	switch {
	case o == nil:
	case slices.ContainsFunc(c.others, func(dir string) bool { return object.Within(path.Dir(o.File), dir) }):
		n.Defined = nil
	case len(set.InFile(o.File)) == 1 && !strings.Contains(o.Text(), "${"):
		n.file = o.File
		_, n.encrypted = object.Get[map[string]any](o.Map(), "sops")
	}
	return n
}
