package flux

import (
	"fmt"
	"slices"
	"strings"
)

// imposed tells a difference that the operator makes to every install. What it does by itself and cannot be told not to
// is listed here and nowhere else; identity says that the classic install uses workload identity, where the operator
// must leave the token rule in place.
func imposed(d Difference, identity bool) bool {
	return imposedMetadata(d) || imposedPods(d) || imposedRule(d, identity) || imposedAPI(d)
}

// imposedMetadata are the labels and annotations that the operator sets on everything that it applies.
func imposedMetadata(d Difference) bool {
	return slices.Contains([]string{
		// What it puts in place of Flux's labels, and leaves out on pods.
		"metadata.labels.app.kubernetes.io/managed-by",
		"metadata.labels.app.kubernetes.io/instance",
		"metadata.labels.app.kubernetes.io/version",
		"metadata.labels.app.kubernetes.io/part-of",
		"spec.template.metadata.labels.app.kubernetes.io/instance",
		"spec.template.metadata.labels.app.kubernetes.io/version",
		"spec.template.metadata.labels.app.kubernetes.io/part-of",
		// Its owner labels.
		"metadata.labels.fluxcd.controlplane.io/name",
		"metadata.labels.fluxcd.controlplane.io/namespace",
		// They make kustomize-controller leave the objects alone.
		"metadata.annotations.kustomize.toolkit.fluxcd.io/ssa",
		"metadata.annotations.kustomize.toolkit.fluxcd.io/prune",
	}, d.Path) || strings.HasSuffix(d.Path, "metadata.annotations."+ShardRole) && d.Classic == nil ||
		d.Object.Kind == "Namespace" && d.Path == "metadata.annotations.fluxcd.controlplane.io/prune"
}

// imposedPods are the changes to the pods of every controller.
func imposedPods(d Difference) bool {
	if d.Object.Kind != "Deployment" {
		return false
	}
	classic, operator := fmt.Sprint(d.Classic), fmt.Sprint(d.Operator)
	switch {
	case d.Path == "spec.template.metadata.annotations.cluster-autoscaler.kubernetes.io/safe-to-evict":
		return d.Classic == nil && operator == "true"
	case strings.HasSuffix(d.Path, ".args[--events-addr]"):
		// The namespace, spelled out, as flux install did up to v2.7.1.
		spelled := func(addr string) string {
			return strings.ReplaceAll(addr, "$(RUNTIME_NAMESPACE)",
				d.Object.Namespace)
		}
		return spelled(classic) == spelled(operator)
	case isIdentityGate(d.Path):
		// Off in either case, but said so since Flux v2.7.
		return d.Classic == nil && operator == "false"
	case strings.HasSuffix(d.Path, ".image"):
		// The same image, pinned.
		return strings.HasPrefix(operator, classic+"@sha256:")
	case d.Object.Name == sourceWatcher && strings.HasSuffix(d.Path, ".args[--storage-adv-addr]"):
		// `flux install` v2.7.0 and v2.7.1 named the wrong service.
		return strings.Replace(classic, sourceController, sourceWatcher, 1) == operator
	}
	return false
}

// isIdentityGate tells the feature gate of workload identity among the arguments.
func isIdentityGate(path string) bool {
	return strings.HasSuffix(path, ".args[--feature-gates][ObjectLevelWorkloadIdentity]")
}

// tokenRule lets controllers create service account tokens, which only workload identity needs.
const tokenRule = `rules[{"apiGroups":[""],"resources":["serviceaccounts/token"],"verbs":["create"]}]`

// operatorRule lets notification-controller watch the operator's kinds.
const operatorRule = `rules[{"apiGroups":["fluxcd.controlplane.io"],"resources":["*"],"verbs":["*"]}]`

// imposedRule are the two rules that the operator changes in Flux's cluster role.
func imposedRule(d Difference, identity bool) bool {
	if d.Object.Kind != "ClusterRole" || !strings.HasPrefix(d.Object.Name, "crd-controller") {
		return false
	}
	return d.Path == tokenRule && d.Operator == nil && !identity || d.Path == operatorRule && d.Classic == nil
}

// imposedAPI is the API version of the sync pair, which the operator chooses by the Flux release: the object on the
// cluster is the same.
func imposedAPI(d Difference) bool {
	return d.Path == "apiVersion" && strings.HasSuffix(d.Object.Group, ".toolkit.fluxcd.io") && d.Classic != nil &&
		d.Operator != nil
}
