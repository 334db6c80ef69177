package instance

import (
	"fmt"
	"slices"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
)

// OwnerCommand prints who owns the Flux objects of a cluster, and the sync pair where Flux Operator takes it over.
func OwnerCommand(install *classic.Install, adopts bool) string {
	what := "deployments"
	if adopts {
		what = fmt.Sprintf("kustomizations.kustomize.toolkit.fluxcd.io/%s,%s/%s,", install.Pair.LiveRoot.Name,
			resourceOf(install.Pair.Source.Kind), install.Pair.LiveSource.Name) + what
	}
	return fmt.Sprintf("kubectl -n %s get %s -L fluxcd.controlplane.io/name && "+
		"kubectl get crds -l app.kubernetes.io/part-of=flux -L fluxcd.controlplane.io/name", install.Namespace, what)
}

func resourceOf(kind string) string {
	return map[string]string{"GitRepository": "gitrepositories", "OCIRepository": "ocirepositories", "Bucket": "buckets"}[kind] +
		"." + classic.SourceGroup
}

// Guide says what must exist, what to wait for, how to check it and how to go back, after deploy.
func (p *Plan) Guide(set *object.Set, findings *finding.List) {
	p.prerequisites(set, findings)
	if p.External {
		findings.Info(finding.Prerequisite, p.Install.Anchor, "", "Flux Operator %s must run in %s before this commit is pushed: nothing here installs it", p.Operator.Version, p.Install.Namespace)
	}
	p.imposed(findings)
	root, ns := p.Install.Pair.Root, p.Install.Namespace
	if wait, _ := object.Get[bool](root.Map(), "spec", "wait"); wait {
		findings.Warn(root, "spec.wait", "the root waits for what it applies, so later pushes stall until the take-over is done; "+
			"expect it, or set wait: false until then")
	}
	if !p.healthExpressions() {
		findings.Warn(root, "", "Flux %s has no healthCheckExprs: the Kustomization flux-instance can be Ready before the take-over; look at the labels",
			p.Install.Version.MinorRange())
	}
	findings.Info(finding.Wait, root, "", "push this commit and wait until the FluxInstance is Ready: "+
		"flux -n %[1]s reconcile kustomization %[2]s --with-source && kubectl -n %[1]s wait fluxinstance/%[3]s --for=condition=Ready --timeout=10m", ns, root.Name, fluxName)
	findings.Info(finding.Verify, root, "", "then check that Flux Operator owns everything: every row of this must show %s: %s", fluxName, OwnerCommand(p.Install, p.Config.Sync.Mode == config.Adopt))
	findings.Info(finding.Verify, root, "", "only then run the phase cleanup with takenOver: true, as a commit of its own: pushed together with this one it deletes everything")
	first := operatorName
	if p.External {
		first = instanceName
	}
	findings.Info(finding.Rollback, root, "", "before the take-over: revert this commit and wait until the Kustomization %s is gone before pushing again", first)
	findings.Info(finding.Rollback, root, "", "after the take-over a revert rolls nothing back; instead: %s", rollback(p.Install, p.External))
}

// rollback is the way back after the take-over. Source: MIGRATION facts 10, run live.
func rollback(install *classic.Install, external bool) string {
	ns, uninstall := install.Namespace, "delete the HelmRelease and the chart source "+operatorName
	if external {
		uninstall = "uninstall Flux Operator"
	}
	text := fmt.Sprintf("kubectl -n %[1]s annotate fluxinstance/%[2]s fluxcd.controlplane.io/reconcile=disabled && kubectl -n %[1]s delete fluxinstance/%[2]s; "+
		"%[3]s; remove the annotations kustomize.toolkit.fluxcd.io/ssa and /prune from everything labelled "+
		"app.kubernetes.io/managed-by=flux-operator; then reconcile ", ns, fluxName, uninstall)
	if install.Owner != nil {
		text += install.Owner.Name + " and "
	}
	return text + install.Pair.LiveRoot.Name
}

// imposed says what Flux Operator changes on every cluster. Source: MIGRATION facts 5.1 and 9.
func (p *Plan) imposed(findings *finding.List) {
	anchor := p.Install.Anchor
	findings.Info(finding.Imposed, anchor, "", "the pods of all controllers are replaced once; they lose the labels app.kubernetes.io/instance and "+
		"app.kubernetes.io/version, so a PodMonitor or NetworkPolicy that selects them by these needs another label, such as app")
	findings.Info(finding.Imposed, anchor, "", "the controllers lose the permission to create service account tokens, unless cluster.objectLevelWorkloadIdentity is set")
}

// GuideCleanup says what to look at after cleanup.
func GuideCleanup(install *classic.Install, findings *finding.List) {
	root, ns := install.Pair.Root, install.Namespace
	findings.Info(finding.Wait, install.Anchor, "", "push this commit and wait until %s has applied it: kubectl -n %s wait kustomization/%s --for=condition=Ready --timeout=10m", root.ID, ns, root.Name)
	findings.Info(finding.Verify, install.Anchor, "", "nothing that Flux Operator owns may be deleted: the events of %s must say skipped for Flux objects: flux -n %s events --for Kustomization/%s", root.ID, ns, root.Name)
	findings.Info(finding.Rollback, install.Anchor, "", "a revert of this commit is safe: the files come back and are skipped")
	if len(install.Bootstrap) > 0 {
		findings.Info(finding.Rollback, install.Bootstrap[0], "", "the one-shot bootstrap is gone: to build the cluster anew, install the flux-operator chart with Helm, "+
			"create the Secrets, and apply the FluxInstance")
	}
}

// secretFields name the Secrets that the pair needs; substituteFrom names ConfigMaps too.
var secretFields = [][]string{{"secretRef"}, {"decryption", "secretRef"}, {"certSecretRef"}, {"proxySecretRef"}, {"verify", "secretRef"},
	{"sts", "secretRef"}, {"kubeConfig", "secretRef"}}

// prerequisites lists each Secret and ConfigMap that the pair refers to, and where the repository defines it.
func (p *Plan) prerequisites(set *object.Set, findings *finding.List) {
	for _, o := range []*object.Object{p.Install.Pair.LiveSource, p.Install.Pair.LiveRoot} {
		for _, field := range secretFields {
			path := append([]string{"spec"}, field...)
			if name := o.Str(append(path, "name")...); name != "" {
				p.requires(set, o, "Secret", name, dotted(path), false, findings)
			}
		}
		list, _ := object.Get[[]any](o.Map(), "spec", "postBuild", "substituteFrom")
		for i, entry := range list {
			ref, _ := entry.(map[string]any)
			kind, _ := ref["kind"].(string)
			name, _ := ref["name"].(string)
			optional, _ := ref["optional"].(bool)
			p.requires(set, o, kind, name, fmt.Sprintf("spec.postBuild.substituteFrom[%d]", i), optional, findings)
		}
	}
}

func (p *Plan) requires(set *object.Set, by *object.Object, kind, name, field string, optional bool, findings *finding.List) {
	id := object.ID{APIVersion: "v1", Kind: kind, Namespace: p.Install.Namespace, Name: name}
	where := "it must exist on the cluster: nothing in the repository defines it"
	if optional {
		where = "optional; nothing in the repository defines it"
	}
	if found := defined(set, id); len(found) > 0 && found[0].File != "" {
		where = "defined in " + found[0].File
	} else if len(found) > 0 {
		where = "defined in the input"
	}
	findings.Info(finding.Prerequisite, by, field, "%s is needed: %s", id, where)
}

// defined finds an object by name; one without a namespace counts, because a Kustomization may set it.
func defined(set *object.Set, id object.ID) []*object.Object {
	found := set.Find(id)
	id.Namespace = ""
	found = append(found, set.Find(id)...)
	slices.SortStableFunc(found, object.Compare)
	return found
}

func dotted(path []string) string {
	joined := path[0]
	for _, key := range path[1:] {
		joined += "." + key
	}
	return joined
}
