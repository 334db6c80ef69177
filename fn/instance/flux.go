package instance

import (
	"fmt"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/fields"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/reason"
)

// minimumOperator is the first release that sets prune: Disabled on everything it applies, so that the old
// Kustomization leaves it alone. Source: Flux Operator commit 0b736b6.
const minimumOperator = "0.28.0"

// chooseOperator finds the Flux Operator release that will run.
func (p *Plan) chooseOperator(set *object.Set, findings *finding.List) {
	p.External = p.Config.Operator.Install == config.External
	if !p.External {
		p.operatorRelease = object.Map(object.F("name", p.releaseName(operatorName)))
	}
	p.usePresent(set, findings)
	version := p.Config.Operator.Version
	operator, known := flux.FindOperator(version)
	if later, ok := flux.LaterOperator(version); ok {
		p.warnLater(set, findings, version)
		operator, known = later, true
	}
	if !known {
		newest := flux.NewestOperator()
		p.refuseOperator(set, findings, "Flux Operator %s is not known to this tool, whose tables of %s end with %s; "+
			"update it, or use a known version",
			version, newest.Date, newest.Version)
		return
	}
	p.Operator = operator
	if oldest, _ := flux.FindOperator(minimumOperator); operator.Version.LessThan(oldest.Version) {
		p.refuseOperator(set, findings, "Flux Operator %s does not mark what it takes over, so the classic install "+
			"could still delete it; use %s or later",
			version, minimumOperator)
	}
	if (!p.External || p.asRelease()) && !flux.ChartPublished(operator.Version) {
		p.refuseOperator(set, findings, "the charts of Flux Operator were not published for %s; use another version, "+
			"such as %s", version, config.Default().Operator.Version)
	}
}

// warnLater warns of a Flux Operator that came after all that are known. The plan uses none but fields that the last
// one has.
func (p *Plan) warnLater(set *object.Set, findings *finding.List, version string) {
	newest := flux.NewestOperator()
	const format = "Flux Operator %s is newer than all that this tool knows, whose tables of %s end with %s: the " +
		"plan uses only fields which that one has, and sees no later Flux; update this tool to have the plan checked " +
		"against %[1]s"
	if p.present != nil {
		at, field := p.presentVersionField(set)
		findings.Warn(finding.NewerThanTables, at, field, format, version, newest.Date, newest.Version)
		return
	}
	findings.Warn(finding.NewerThanTables, nil, "",
		"config field operator.version: "+format, version, newest.Date, newest.Version)
}

// refuseOperator refuses the version of Flux Operator where it is said: in what already installs it, else in the
// config.
func (p *Plan) refuseOperator(set *object.Set, findings *finding.List, format string, args ...any) {
	if p.present != nil {
		at, field := p.presentVersionField(set)
		findings.Error(finding.OperatorVersion, at, field,
			format+" in this "+presentName(at)+" first, in a commit of its own", args...)
		return
	}
	findings.Error(finding.OperatorVersion, nil, "", "config field operator.version: "+format, args...)
}

// chooseVersion decides distribution.version and the release that Flux Operator will make of it.
func (p *Plan) chooseVersion(set *object.Set, findings *finding.List) {
	detected := p.Install.Version
	switch p.Config.Instance.Version {
	case config.Minor:
		p.Version = detected.MinorRange()
	case config.Exact:
		p.Version = detected.Release.String()
		if !detected.Exact {
			findings.Error(finding.VersionUnknown, p.Install.Anchor, "", "instance.version exact: the input names no "+
				"release of Flux, only %s (%s); use minor or a version", detected.MinorRange(), detected.From)
			return
		}
	default:
		p.Version = p.Config.Instance.Version
	}
	p.resolveVersion(set, findings)
}

// resolveVersion finds the release that Flux Operator installs for the version, and refuses what it cannot do.
func (p *Plan) resolveVersion(set *object.Set, findings *finding.List) {
	anchor, detected := p.Install.Anchor, p.Install.Version.Release
	if newest := flux.NewestOperator(); detected.GreaterThan(newest.Max) {
		findings.Error(finding.NewerThanTables, anchor, "", "Flux %s is newer than all that this tool knows: update "+
			"this tool, whose tables of %s end with %s", p.Install.Version, newest.Date, newest.Max)
		return
	}
	target, err := p.Operator.Latest(p.Version)
	explicit := p.Config.Instance.Version != config.Minor && p.Config.Instance.Version != config.Exact
	if err != nil || !explicit && detected.LessThan(p.Operator.Min) {
		findings.Error(finding.VersionNotCarried, anchor, "", "Flux %s cannot be installed by Flux Operator %s, "+
			"which carries %s to %s: %s",
			p.wanted(explicit), p.Operator.Version, p.Operator.Min, p.Operator.Max, p.versionRemedy(set))
		return
	}
	p.Target = target.String()
	detectedMinor, targetMinor := detected.Major()*1000+detected.Minor(), target.Major()*1000+target.Minor()
	switch {
	case targetMinor < detectedMinor || targetMinor == detectedMinor && p.Install.Version.Exact &&
		target.LessThan(detected):
		findings.Error(finding.Downgrade, anchor, "", "instance.version %s means Flux %s, lower than the %s that "+
			"runs: a downgrade is refused; use %s", p.Version, target, detected, p.Install.Version.MinorRange())
	case targetMinor > detectedMinor && !p.Operator.Runs(detected.String()):
		findings.Warn(finding.Upgrade, anchor, "", "instance.version %s also upgrades Flux from %s, which Flux "+
			"Operator does not carry, to %s; better upgrade first, in a commit of its own", p.Version, detected, target)
	case targetMinor > detectedMinor:
		findings.Warn(finding.Upgrade, anchor, "", "instance.version %s also upgrades Flux from %s to %s; better "+
			"migrate first and upgrade in a later commit", p.Version, detected, target)
	case !target.Equal(detected) && p.Install.Version.Exact:
		findings.Info(finding.Upgrade, finding.Imposed, anchor, "", "Flux Operator installs %s, the newest release "+
			"of %s, where %s runs; set instance.version to exact to keep the release", target, p.Version, detected)
	}
}

// wanted is the version to name in a refusal: the one that runs, unless the config asks for another.
func (p *Plan) wanted(explicit bool) string {
	if explicit {
		return p.Version
	}
	return p.Install.Version.String()
}

// versionRemedy says what to do about a version that Flux Operator does not carry.
func (p *Plan) versionRemedy(set *object.Set) string {
	detected := p.Install.Version.Release
	switch {
	case detected.Major() < 2:
		return "upgrade Flux to 2.x first (https://fluxcd.io/flux/migration)"
	case detected.LessThan(p.Operator.Min):
		return p.upgradeRemedy(set)
	case detected.GreaterThan(p.Operator.Max):
		if p.present != nil {
			return fmt.Sprintf("upgrade Flux Operator, in %s, to one that carries Flux %s first", p.present.File,
				p.Install.Version.MinorRange())
		}
		return fmt.Sprintf("set operator.version to one that carries Flux %s", p.Install.Version.MinorRange())
	default:
		return fmt.Sprintf("set instance.version to %s", p.Install.Version.MinorRange())
	}
}

// upgradeRemedy names the version to go to from one that is too old: the first that Flux Operator carries, unless the
// repository has objects that only a later one serves.
func (p *Plan) upgradeRemedy(set *object.Set) string {
	objects := fluxObjects(set)
	if newest := p.newestServing(objects); newest != "" && len(unservedBy(p.Operator.Min.String(), objects)) > 0 {
		return fmt.Sprintf("set instance.version to %s, the newest that serves all of this repository; it also "+
			"upgrades Flux", newest)
	}
	return fmt.Sprintf("set instance.version to %s or later, which also upgrades Flux", p.Operator.Min)
}

// planInstance carries the patches over, finds the fields that say the same as a patch, and proves that the result
// renders what the classic install renders.
func (p *Plan) planInstance(set *object.Set, findings *finding.List) {
	today, err := p.Install.Base(p.Target)
	if err != nil {
		findings.Error(finding.InstallDoesNotBuild, p.Install.Anchor, "", "the classic install cannot be rendered: %s",
			err)
		return
	}
	if p.readEdits(today, findings); findings.Failed() {
		return
	}
	p.readClaim(set)
	draft := newDraft(p)
	bare, err := draft.instance()
	if err != nil {
		findings.Error(finding.InstanceRefused, p.Install.Anchor, "", "%s", err)
		return
	}
	selected, err := p.Install.WithShards(today)
	if err != nil {
		findings.Error(finding.InstallDoesNotBuild, p.Install.Anchor, "", "the shards do not build for Flux %s: %s",
			p.Target, err)
		return
	}
	options := p.Install.Options
	options.Version = p.Target
	c := &carrier{classic: selected, options: options, instance: bare, version: p.Target,
		namespace: p.Install.Namespace, shards: p.Install.Shards,
		findings: findings}
	draft.patches = c.carry(slices.Concat(p.edits, p.Install.Patches))
	if findings.Failed() {
		return
	}
	before, err := p.rendered(today)
	if err != nil {
		findings.Error(finding.InstallDoesNotBuild, p.Install.Anchor, "spec.patches",
			"the classic install does not build with its patches: %s", err)
		return
	}
	if p.checkHelm(before, findings); findings.Failed() {
		return
	}
	p.followControllers(before, findings)
	differences, err := draft.settle(before)
	if err != nil {
		findings.Error(finding.InstanceRefused, p.Install.Anchor, "", "Flux Operator would refuse the FluxInstance: "+
			"%s", err)
		return
	}
	p.report(differences, findings)
	p.Before, p.After, p.imposed = slices.Concat(before, draft.taken), draft.after, draft.imposed
	p.fields, p.patches, p.draft, p.left = draft.spec(), draft.nodes(), draft, c.left
}

// Everything is what Flux installs with all components, under the names of the release and of its remote base.
func Everything(options flux.Options) ([]*kyaml.RNode, error) {
	options.Components = flux.AllComponents(options.Version)
	options.NetworkPolicy = true
	all, err := flux.Install(options)
	if err != nil {
		return nil, err
	}
	options.RemoteBase = true
	base, err := flux.Install(options)
	if err != nil {
		return nil, err
	}
	known := map[flux.ID]bool{}
	for _, o := range all {
		known[flux.IDOf(o)] = true
	}
	for _, o := range base {
		if !known[flux.IDOf(o)] {
			all = append(all, o)
		}
	}
	return all, nil
}

// checkHelm refuses a HelmRelease on a cluster that runs nothing which would install it.
func (p *Plan) checkHelm(running []*kyaml.RNode, findings *finding.List) {
	runs := slices.ContainsFunc(running, func(o *kyaml.RNode) bool {
		return o.GetKind() == "Deployment" &&
			o.GetName() == "helm-controller"
	})
	if !runs && p.External && p.asRelease() {
		findings.Error(finding.NoHelmController, p.Install.Anchor, "", "helm-controller does not run on this "+
			"cluster, so nothing would install the HelmRelease of the FluxInstance; leave out the config field "+
			"instance.form")
	}
	if !runs && !p.External {
		findings.Error(finding.NoHelmController, p.Install.Anchor, "", "helm-controller does not run on this "+
			"cluster, so nothing would install the HelmRelease of Flux Operator; install Flux Operator %s with Helm "+
			"into %s, and set the config field operator.install to external", p.Operator.Version, p.Install.Namespace)
	}
}

// rendered is the classic install with its patches, and the sync pair beside it where Flux Operator takes it over.
func (p *Plan) rendered(today []*kyaml.RNode) ([]*kyaml.RNode, error) {
	objects, err := p.edited(today)
	if err != nil {
		return nil, err
	}
	if objects, err = Shape(p.Install, objects); err != nil {
		return nil, err
	}
	if err := p.suffix(objects); err != nil || p.Config.Sync.Mode == config.Keep {
		return objects, err
	}
	for _, o := range []struct {
		content map[string]any
		moved   fields.Moved
	}{{p.Sync.sourceMap, p.Sync.Source}, {p.Sync.rootMap, p.Sync.Root}} {
		node, err := bareNode(o.content, o.moved)
		if err != nil {
			return nil, err
		}
		objects = append(objects, node)
	}
	return objects, nil
}

// suffix gives the objects of a remote base the names that Flux Operator gives them: it creates them anew under these
// names, and the old ones stay on the cluster without effect. Source: MIGRATION facts 5.1.
func (p *Plan) suffix(objects []*kyaml.RNode) error {
	if !p.Install.RemoteBase {
		return nil
	}
	for _, o := range objects {
		switch o.GetKind() {
		case "ClusterRole", "ClusterRoleBinding", "ResourceQuota":
		default:
			continue
		}
		if err := reason.Of(o.SetName(p.suffixed(o.GetName()))); err != nil {
			return err
		}
		if role, err := reason.With(o.Pipe(kyaml.Lookup("roleRef", "name"))); err != nil {
			return err
		} else if role != nil && role.YNode().Value != "cluster-admin" {
			role.YNode().Value = p.suffixed(role.YNode().Value)
		}
	}
	return nil
}

func (p *Plan) suffixed(name string) string {
	return strings.TrimSuffix(name, "-"+p.Install.Namespace) + "-" + p.Install.Namespace
}

// bareNode is an object of the pair without what is dropped for a reason.
func bareNode(content map[string]any, moved fields.Moved) (*kyaml.RNode, error) {
	node, err := reason.With(kyaml.FromMap(content))
	if err != nil {
		return nil, err
	}
	for _, leaf := range moved.Dropped {
		keys := fields.Split(leaf.Path)
		if len(keys) < 2 || leaf.Path == "metadata.namespace" || strings.HasPrefix(leaf.Path, "spec.sourceRef.") {
			continue
		}
		if err := reason.Of(node.PipeE(kyaml.Lookup(keys[:len(keys)-1]...),
			kyaml.Clear(keys[len(keys)-1]))); err != nil {
			return nil, err
		}
	}
	return node, reason.Of(node.PipeE(kyaml.Clear("status")))
}

// report says which differences are left; each is an Error, because Flux Operator would change the running Flux.
func (p *Plan) report(differences []flux.Difference, findings *finding.List) {
	for _, difference := range differences {
		findings.Error(finding.RendersDifferently, p.Install.Anchor, "", "Flux Operator would render this "+
			"differently, and no field or patch of a FluxInstance that is known here can say it: %s; take what makes "+
			"it so out of the classic install first", difference)
	}
}

// spec is the FluxInstance's spec with the patches.
func (p *Plan) spec() *kyaml.Node {
	spec := *p.fields
	spec.Content = slices.Clone(spec.Content)
	if len(p.patches) > 0 {
		spec.Content = append(spec.Content, object.Map(object.F("kustomize",
			object.Map(object.F("patches", p.patches)))).Content...)
	}
	return &spec
}

// fluxInstance is the FluxInstance as it is written.
func (p *Plan) fluxInstance() *kyaml.Node {
	annotations := append([]object.Field{object.Because(keepComment, PruneKey, Disabled)}, p.literally()...)
	return object.Map(
		object.F("apiVersion", classic.OperatorGroup+"/v1"),
		object.F("kind", "FluxInstance"),
		object.F("metadata", p.metadata(fluxName, annotations...)),
		object.F("spec", p.spec()))
}

// literally is the annotation that keeps Flux from replacing ${variables} where none are meant.
func (p *Plan) literally() []object.Field {
	if p.substitution(p.shaped()) != nil {
		return nil
	}
	return []object.Field{object.Because("The patches are meant literally.", SubstituteKey, Disabled)}
}

// substitution is the postBuild that a part of the plan needs to mean what the classic files meant: they went through
// the root's, and the patches through the install's own. It is nil where nothing is there to substitute.
func (p *Plan) substitution(part *kyaml.Node) any {
	if !hasVariables(part) {
		return nil
	}
	if own := p.Install.Substitute; own != nil {
		return own
	}
	postBuild, _ := object.Get[any](p.Install.Pair.LiveRoot.Map(), "spec", "postBuild")
	return postBuild
}

// shaped is what of the classic install goes into the FluxInstance.
func (p *Plan) shaped() *kyaml.Node {
	return object.Map(object.F("spec", p.fields), object.F("patches", p.patches))
}

func hasVariables(part *kyaml.Node) bool {
	text, err := object.Print(part)
	return err == nil && strings.Contains(text, "${")
}
