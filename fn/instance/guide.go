package instance

import (
	"cmp"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/shell"
)

// OwnerCommands print who owns the Flux objects of a cluster, and the sync pair where Flux Operator takes it over. Flux
// Operator's own Deployment has no owner, and is not part of Flux.
func OwnerCommands(install *classic.Install, adopts bool) []shell.Line {
	const owner = "fluxcd.controlplane.io/name"
	commands := []shell.Line{
		shell.Run("kubectl", "-n", install.Namespace, "get", "deploy", "-l", "app.kubernetes.io/part-of=flux", "-L",
			owner),
		shell.Run("kubectl", "get", "crds", "-l", "app.kubernetes.io/part-of=flux", "-L", owner),
	}
	if adopts {
		pair := shell.Run("kubectl", "-n", install.Namespace, "get", kustomizations+"/"+install.Pair.LiveRoot.Name,
			resourceOf(install.Pair.Source.Kind)+"/"+install.Pair.LiveSource.Name, "-L", owner)
		commands = append([]shell.Line{pair}, commands...)
	}
	return commands
}

// kustomizations are Flux Kustomizations, as kubectl names them.
const kustomizations = "kustomizations." + classic.KustomizeGroup

// reconcile lets Flux fetch and apply a Flux Kustomization now.
func reconcile(namespace, name string, flags ...string) shell.Line {
	return shell.Run(append([]string{"flux", "-n", namespace, "reconcile", "kustomization", name}, flags...)...)
}

func resourceOf(kind string) string {
	return map[string]string{"GitRepository": "gitrepositories", "OCIRepository": "ocirepositories",
		"Bucket": "buckets"}[kind] +
		"." + classic.SourceGroup
}

// Guide says what must exist, what to wait for, how to check it and how to go back, after deploy.
func (p *Plan) Guide(set *object.Set, findings *finding.List) {
	p.prerequisites(set, findings)
	switch {
	case p.present != nil:
		findings.Info(finding.OperatorPrerequisite, finding.Prerequisite, p.present, "",
			"Flux Operator %s must run in %s before this commit is pushed: see that %s",
			p.Operator.Version, p.Install.Namespace, p.presentRuns())
	case p.External:
		findings.Info(finding.OperatorPrerequisite, finding.Prerequisite, p.Install.Anchor, "",
			"Flux Operator %s must run in %s before this commit is pushed: nothing here installs it",
			p.Operator.Version, p.Install.Namespace)
	}
	p.tellImposed(findings)
	p.monitored(set, findings)
	root := p.Install.Pair.Root
	for _, o := range []*object.Object{p.Install.Pair.Source, root} {
		if suspended, _ := object.Get[bool](o.Map(), "spec", "suspend"); suspended {
			findings.Warn(finding.Suspended, o, "spec.suspend", "it is suspended, also after the take-over: nothing "+
				"of this commit reaches the cluster, nor of the next, until it is resumed")
		}
	}
	if revision := fixedRevision(p.Install.Pair.LiveSource); revision != "" {
		findings.Warn(finding.FixedRevision, p.Install.Pair.Source, "spec.ref",
			"the source fetches the %s, not a branch: this commit reaches the cluster only with the next revision "+
				"that it fetches. Give deploy and cleanup a revision each: one that brings both at once makes Flux "+
				"delete everything", revision)
	}
	if wait, _ := object.Get[bool](root.Map(), "spec", "wait"); wait {
		findings.Warn(finding.RootWaits, root, "spec.wait", "the root waits for what it applies, so later pushes "+
			"stall until the take-over is done; expect it, or set wait: false until then")
	}
	if p.Above != nil {
		p.tellWaiting(findings)
	}
	if !p.healthExpressions() {
		findings.Warn(finding.ReadyTooEarly, root, "", "Flux %s has no healthCheckExprs: the Kustomization %s can be "+
			"Ready before the take-over: go on only when verify says taken over",
			p.Install.Version.MinorRange(), p.instanceKustomizationName())
	}
	findings.Run(finding.PushAndWait, finding.Wait, root, p.waits(), "once this commit is pushed, wait "+
		"until the FluxInstance is Ready")
	p.check("this one", findings)
	p.rollback("this commit", findings)
}

// GuideDeployed says what to wait for, how to check it and how to go back, as long as the classic install is there:
// after a run that has made deploy.
func GuideDeployed(set *object.Set, install *classic.Install, existing *Existing, cfg config.Config,
	findings *finding.List) {
	p := &Plan{Install: install, Config: cfg, External: true}
	p.Config.Instance.Form, p.Config.Instance.Kustomization = existing.Form, existing.Kustomization(set)
	p.Config.Instance.Release = existing.At.Name
	if to := install.Pair.NewPath(cfg); to != "" {
		p.NewPath, p.Sync.Spec = to, map[string]any{"path": existing.Str("spec", "sync", "path")}
	}
	if operator := existing.operatorKustomization(set, install); operator != nil {
		p.External = false
		p.Config.Operator.Kustomization, p.Config.Operator.Release = operator.Name, presentOperator(set, install).Name
	}
	p.Above = aboveThere(set, install, p.instanceKustomizationName())
	findings.Run(finding.PushAndWait, finding.Wait, install.Pair.Root, p.waits(), "once the commit of deploy "+
		"is pushed, wait until the FluxInstance is Ready")
	p.check("deploy's", findings)
	p.rollback("the commit of deploy", findings)
}

// check says how to see that Flux Operator has taken over; commit is deploy's.
func (p *Plan) check(commit string, findings *finding.List) {
	root := p.Install.Pair.Root
	findings.Run(finding.CheckTakeOver, finding.Verify, root,
		OwnerCommands(p.Install, p.Config.Sync.Mode == config.Adopt),
		"Flux Operator owns everything where every row shows %s", fluxName)
	if p.NewPath != "" {
		p.guideMove(findings)
	}
	findings.Info(finding.CleanupSeparately, finding.Verify, root, "", "only then cleanup, a commit of its own: in "+
		"one push with %s it deletes everything", commit)
}

// waits are the commands that wait for the take-over. kubectl does not wait for what is not there, nor for a kind that
// is not served yet: the root, or the last below it on the way, brings the Flux Kustomizations, the first of these the
// CRD, and the second the FluxInstance.
func (p *Plan) waits() []shell.Line {
	ready := func(names ...string) shell.Line {
		return shell.Run(slices.Concat([]string{"kubectl", "-n", p.Install.Namespace, "wait"}, names,
			[]string{"--for=condition=Ready", "--timeout=10m"})...)
	}
	lines := []shell.Line{reconcile(p.Install.Namespace, p.Install.Pair.Root.Name, "--with-source")}
	if p.Above != nil {
		for _, o := range p.Above.Way {
			lines = append(lines, reconcile(o.Namespace, o.Name.Name))
		}
	}
	return append(lines, ready(p.added()...), ready("fluxinstance/"+fluxName))
}

// added are the Flux Kustomizations that deploy brings, as kubectl names them.
func (p *Plan) added() []string {
	added := []string{"kustomization/" + p.operatorKustomizationName(), "kustomization/" +
		p.instanceKustomizationName()}
	if p.External {
		return added[1:]
	}
	return added
}

// tellWaiting warns of the Flux Kustomizations between the root and the new ones that wait for what they apply.
func (p *Plan) tellWaiting(findings *finding.List) {
	for _, o := range p.Above.Way {
		if wait, _ := object.Get[bool](o.Content(), "spec", "wait"); wait {
			findings.Warn(finding.RootWaits, p.Above.Child, "", "%s waits for what it applies, so later pushes stall "+
				"until the take-over is done, and so does what depends on it; expect it, or set wait: false until then",
				o.Name)
		}
	}
}

// fixedRevision is what a source fetches where that does not follow each push; empty where it does. Source:
// source-controller v1.7.3, the order in which it looks at a ref.
func fixedRevision(source *object.Object) string {
	ref := func(key string) string { return source.Str("spec", "ref", key) }
	name := ref("name")
	switch {
	case ref("commit") != "":
		return "commit " + ref("commit")
	case ref("digest") != "":
		return "digest " + ref("digest")
	case name != "" && !strings.HasPrefix(name, "refs/heads/"):
		return "reference " + name
	case name != "":
		return ""
	case ref("semver") != "":
		return "newest tag in " + ref("semver")
	case ref("tag") != "" && source.Kind == "GitRepository":
		return "tag " + ref("tag")
	}
	return ""
}

// rollback is the way back, before and after the take-over alike: only once the Flux Kustomizations are gone nothing
// can bring a FluxInstance any more, and what the commit brought stays, because nothing prunes it. Source: the replay
// of it in e2e/live.
func (p *Plan) rollback(commit string, findings *finding.List) {
	root, ns := p.Install.Pair.Root, p.Install.Namespace
	release := func(name string) shell.Line { // with the source of its chart
		return shell.Run("kubectl", "-n", ns, "delete", "--ignore-not-found", "helmreleases."+classic.HelmGroup+"/"+name,
			p.chartSourceResource()+"."+classic.SourceGroup+"/"+name)
	}
	step := func(commands []shell.Line, format string, args ...any) {
		findings.Run(finding.GoBack, finding.Rollback, root, commands, format, args...)
	}
	step([]shell.Line{shell.Run(slices.Concat([]string{"kubectl", "-n", ns, "wait"}, p.added(),
		[]string{"--for=delete", "--timeout=10m"})...)},
		"revert %s, push that, and wait until its Flux Kustomizations are gone", commit)
	free := []shell.Line{shell.Run("kubectl", "-n", ns, "annotate", "--overwrite", "fluxinstance/"+fluxName,
		"fluxcd.controlplane.io/reconcile=disabled")}
	there := "a FluxInstance"
	if p.asRelease() {
		// Helm leaves the FluxInstance where it is, and may have made it only now.
		there += " or its HelmRelease"
		free = append(free, release(p.releaseName(instanceName)), free[0])
	}
	free = append(free, shell.Run("kubectl", "-n", ns, "delete", "fluxinstance/"+fluxName))
	step(free, "where there is %s, ready or not, disable its reconciliation, then delete it", there)
	give := []shell.Line{release(p.releaseName(operatorName))}
	uninstall := "remove Flux Operator"
	if p.External {
		give, uninstall = nil, "uninstall Flux Operator as it was installed"
	}
	give = append(give, releaseCommand(p.Install), reconcile(ns, p.Install.Pair.LiveRoot.Name, "--with-source"))
	if owner := p.Install.Owner; owner != nil {
		give = append(give, reconcile(owner.Namespace, owner.Name))
	}
	step(give, "then %s, and let the classic install have its objects back", uninstall)
	findings.Info(finding.GoBack, finding.Rollback, root, "", "before you revert, save these commands from plan "+
		"--verbose: after it they are gone")
}

// guideMove says how to see that the root has moved, and what holds it there.
func (p *Plan) guideMove(findings *finding.List) {
	root := p.Install.Pair.Root
	findings.Run(finding.CheckTakeOver, finding.Verify, root, []shell.Line{
		shell.Run("kubectl", "-n", p.Install.Namespace, "get", kustomizations+"/"+root.Name, "-o",
			"jsonpath={.spec.path}"),
	}, "and that the root has moved: this must print %s", p.Sync.Spec["path"])
	findings.Info(finding.GoBack, finding.Rollback, root, "spec.path", "from the take-over on the root syncs %s: "+
		"without that folder it cannot be built, and neither applies nor prunes anything; set spec.sync.path of the "+
		"FluxInstance back to %s, and wait until the root has it, before a commit takes the folder away",
		p.Sync.Spec["path"], cmp.Or(p.Install.Pair.LiveRoot.Str("spec", "path"), "./"))
}

// chartSourceResource is the type of the chart source, as kubectl names it.
func (p *Plan) chartSourceResource() string {
	if p.chartRefs() {
		return "ocirepositories"
	}
	return "helmrepositories"
}

// releaseCommand removes the annotations by which kustomize-controller leaves alone what Flux Operator had.
func releaseCommand(install *classic.Install) shell.Line {
	return shell.Run("kubectl", "-n", install.Namespace, "annotate",
		"namespaces,customresourcedefinitions,clusterroles,clusterrolebindings,serviceaccounts,services,"+
			"deployments,networkpolicies,resourcequotas,"+kustomizations+","+resourceOf(install.Pair.Source.Kind),
		"-l", "app.kubernetes.io/managed-by=flux-operator", "kustomize.toolkit.fluxcd.io/ssa-",
		"kustomize.toolkit.fluxcd.io/prune-")
}

// GuideCleanup says what to look at after cleanup, and what of the classic install is left to be deleted by hand.
func GuideCleanup(install *classic.Install, left []*object.Object, findings *finding.List) {
	root, ns := install.Pair.Root, install.Namespace
	findings.Run(finding.PushAndWait, finding.Wait, install.Anchor, []shell.Line{
		reconcile(ns, root.Name, "--with-source"),
		shell.Run("kubectl", "-n", ns, "wait", "kustomization/"+root.Name, "--for=condition=Ready", "--timeout=10m"),
	}, "once this commit is pushed, wait until %s has applied it", root.ID)
	if len(left) > 0 {
		remove := []string{"kubectl", "-n", ns, "delete"}
		for _, o := range left {
			remove = append(remove, strings.ToLower(o.Kind)+"."+o.Group()+"/"+o.Name)
		}
		findings.Run(finding.DeleteByHand, finding.Wait, left[0], []shell.Line{shell.Run(remove...)},
			"what applies this does not prune, so that it stays on the cluster when it leaves Git: delete it by hand "+
				"after that")
	}
	findings.Run(finding.CheckNothingDeleted, finding.Verify, install.Anchor,
		[]shell.Line{shell.Run("flux", "-n", ns, "events", "--for", "Kustomization/"+root.Name)},
		"nothing that Flux Operator owns may be deleted: the events of %s must say skipped for Flux objects", root.ID)
	findings.Info(finding.GoBack, finding.Rollback, install.Anchor, "", "revert this commit: the files come "+
		"back, and Flux Operator still owns Flux. To have the classic install again, then go back from deploy as "+
		"well: plan prints how")
	if len(install.Bootstrap) > 0 {
		findings.Info(finding.OneShotBootstrap, finding.Bootstrap, install.Bootstrap[0], "",
			"the one-shot bootstrap is gone: --bootstrap helmfile, shell or terraform writes what builds the cluster "+
				"anew")
	}
}

// prerequisites lists each Secret and ConfigMap that the pair refers to, and where the repository defines it.
func (p *Plan) prerequisites(set *object.Set, findings *finding.List) {
	for _, r := range Requirements(set, p.Install.Namespace, p.Install.Pair.LiveSource, p.Install.Pair.LiveRoot) {
		topic := finding.Prerequisite
		if r.Provided() {
			topic = finding.Provided
		}
		findings.Info(finding.RequiredObject, topic, r.By, r.Field, "%s: %s", r.ID, r.Where())
	}
}

func dotted(path []string) string {
	joined := path[0]
	for _, key := range path[1:] {
		joined += "." + key
	}
	return joined
}
