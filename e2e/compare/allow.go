package compare

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"migrate-to-flux-operator/e2e/objects"
)

// pair is one object on both sides; both are copies.
type pair struct {
	classic, operator *objects.Object
}

// allowed is what the operator changes on its own, whatever the FluxInstance says, and what only looks different.
// Each rule takes away exactly that and nothing else.
var allowed = []func(pair){
	pair.allowAPIVersion,
	pair.allowOwnerLabels,
	pair.allowOwnerAnnotations,
	pair.allowPodMetadata,
	pair.allowShards,
	pair.allowEventsAddress,
	pair.allowExplicitGates,
	pair.allowSpelling,
	pair.allowOrder,
	pair.allowNodeSelector,
	pair.allowWatcherLockdown,
	pair.allowSourceControllerPatch,
	pair.allowNotificationKinds,
	pair.allowControllerRole,
	pair.allowDurations,
	pair.allowUnset,
}

// normalise applies the allow-list.
func (p pair) normalise() {
	for _, rule := range allowed {
		rule(p)
	}
	for _, object := range []*objects.Object{p.classic, p.operator} {
		dropEmpty(object, "metadata", "labels")
		dropEmpty(object, "metadata", "annotations")
		dropEmpty(object, "spec", "template", "metadata", "annotations")
	}
}

// dropEmpty removes a mapping without keys: to the API server it is the same as none.
func dropEmpty(object *objects.Object, path ...string) {
	if content, found, _ := unstructured.NestedMap(object.Object, path...); found && len(content) == 0 {
		unstructured.RemoveNestedField(object.Object, path...)
	}
}

// allowAPIVersion: the operator writes the newest API version of a source; it is the same object. Only the old ones
// have gitImplementation, which Flux 2 ignores.
func (p pair) allowAPIVersion() {
	if !strings.HasSuffix(objects.Group(p.classic), ".toolkit.fluxcd.io") {
		return
	}
	if p.classic.GetAPIVersion() != p.operator.GetAPIVersion() {
		unstructured.RemoveNestedField(p.classic.Object, "spec", "gitImplementation")
	}
	p.operator.SetAPIVersion(p.classic.GetAPIVersion())
}

// allowOwnerLabels: the operator labels all it applies as its own. The labels that a classic install
// has too must not change.
func (p pair) allowOwnerLabels() {
	labels, before := p.operator.GetLabels(), p.classic.GetLabels()
	for _, name := range []string{"fluxcd.controlplane.io/name", "fluxcd.controlplane.io/namespace", "app.kubernetes.io/managed-by"} {
		delete(labels, name)
	}
	for _, name := range []string{"app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/part-of"} {
		if _, had := before[name]; !had {
			delete(labels, name)
		}
	}
	p.operator.SetLabels(labels)
}

// allowOwnerAnnotations: the operator keeps kustomize-controller off all it applies, and itself off the namespace.
// On the root the last one is the guard that the migration adds.
func (p pair) allowOwnerAnnotations() {
	annotations, before := p.operator.GetAnnotations(), p.classic.GetAnnotations()
	for name, value := range map[string]string{
		"kustomize.toolkit.fluxcd.io/ssa":   "Ignore",
		"kustomize.toolkit.fluxcd.io/prune": "Disabled",
	} {
		if annotations[name] == value {
			delete(annotations, name)
			delete(before, name)
		}
	}
	if kind := p.operator.GetKind(); kind == "Namespace" || kind == "Kustomization" {
		delete(annotations, "fluxcd.controlplane.io/prune")
	}
	p.operator.SetAnnotations(annotations)
	p.classic.SetAnnotations(before)
}

// podMetadata is where a Deployment labels and annotates its pods.
func podMetadata(object *objects.Object, kind string) map[string]any {
	content, _, _ := unstructured.NestedFieldNoCopy(object.Object, "spec", "template", "metadata", kind)
	mapping, _ := content.(map[string]any)
	return mapping
}

// allowPodMetadata: the operator's pods may be evicted, have the part-of label that Flux gives its pods since 2.7, and
// no instance and version labels. The user is told.
func (p pair) allowPodMetadata() {
	if p.classic.GetKind() != "Deployment" {
		return
	}
	labels := podMetadata(p.classic, "labels")
	for _, name := range []string{"app.kubernetes.io/instance", "app.kubernetes.io/version"} {
		if _, kept := podMetadata(p.operator, "labels")[name]; !kept {
			delete(labels, name)
		}
	}
	if _, had := labels["app.kubernetes.io/part-of"]; !had {
		delete(podMetadata(p.operator, "labels"), "app.kubernetes.io/part-of")
	}
	const evict = "cluster-autoscaler.kubernetes.io/safe-to-evict"
	if _, had := podMetadata(p.classic, "annotations")[evict]; !had {
		delete(podMetadata(p.operator, "annotations"), evict)
	}
}

// allowShards: the operator marks what belongs to a shard, and gives the shard's source-controller its address after
// that of the main one: the last one counts.
func (p pair) allowShards() {
	const role = "sharding.fluxcd.io/role"
	annotations, before := p.operator.GetAnnotations(), p.classic.GetAnnotations()
	if annotations[role] != "shard" {
		return
	}
	if before[role] == "" {
		delete(annotations, role)
		p.operator.SetAnnotations(annotations)
		delete(podMetadata(p.operator, "annotations"), role)
	}
	address := func(arg any) bool { return strings.HasPrefix(arg.(string), "--storage-adv-addr=") }
	if i := slices.IndexFunc(args(p.operator), address); i >= 0 && slices.ContainsFunc(args(p.operator)[i+1:], address) {
		setArgs(p.operator, slices.Delete(args(p.operator), i, i+1))
	}
}

// args returns the arguments of a controller, nil for any other object.
func args(object *objects.Object) []any {
	if container := manager(object); container != nil {
		list, _ := container["args"].([]any)
		return list
	}
	return nil
}

// setArgs replaces the arguments of a controller.
func setArgs(object *objects.Object, list []any) {
	if container := manager(object); container != nil {
		container["args"] = list
	}
}

// manager is the first container of a Deployment.
func manager(object *objects.Object) map[string]any {
	if object.GetKind() != "Deployment" {
		return nil
	}
	content, _, _ := unstructured.NestedFieldNoCopy(object.Object, "spec", "template", "spec", "containers")
	containers, _ := content.([]any)
	if len(containers) == 0 {
		return nil
	}
	container, _ := containers[0].(map[string]any)
	return container
}

// allowEventsAddress: the operator writes the namespace where newer Flux versions write $(RUNTIME_NAMESPACE), which is
// the same.
func (p pair) allowEventsAddress() {
	for _, object := range []*objects.Object{p.classic, p.operator} {
		for i, arg := range args(object) {
			text, _ := arg.(string)
			if strings.HasPrefix(text, "--events-addr=") {
				args(object)[i] = strings.ReplaceAll(text, "$(RUNTIME_NAMESPACE)", object.GetNamespace())
			}
		}
	}
}

// allowArg takes away an argument that only the operator sets; mention is what a classic argument for the same thing
// contains.
func (p pair) allowArg(exact, mention string) {
	mentions := func(arg any) bool { return strings.Contains(arg.(string), mention) }
	if slices.ContainsFunc(args(p.classic), mentions) {
		return
	}
	if i := slices.Index(args(p.operator), any(exact)); i >= 0 {
		setArgs(p.operator, slices.Delete(args(p.operator), i, i+1))
	}
}

// allowExplicitGates: from Flux 2.7 the operator says no to object-level workload identity where the default is no.
// With source-watcher it opens the gate for what source-watcher makes, as `flux install` does and flux2's base does
// not.
func (p pair) allowExplicitGates() {
	p.allowArg("--feature-gates=ObjectLevelWorkloadIdentity=false", "ObjectLevelWorkloadIdentity")
	p.allowArg("--feature-gates=ExternalArtifact=true", "ExternalArtifact")
}

// allowSpelling: flux2's base has the flag without its value, which is the same.
func (p pair) allowSpelling() {
	if i := slices.Index(args(p.classic), any("--watch-all-namespaces")); i >= 0 {
		args(p.classic)[i] = "--watch-all-namespaces=true"
	}
}

// allowOrder: a flag that is set once means the same wherever it stands. Of one that is set several times the order
// counts.
func (p pair) allowOrder() {
	flag := func(arg any) string {
		name, _, _ := strings.Cut(arg.(string), "=")
		return name
	}
	for _, object := range []*objects.Object{p.classic, p.operator} {
		slices.SortStableFunc(args(object), func(a, b any) int { return strings.Compare(flag(a), flag(b)) })
	}
}

// allowNodeSelector: the operator keeps the controllers on Linux, as `flux install` does and flux2's base does not.
func (p pair) allowNodeSelector() {
	at := []string{"spec", "template", "spec", "nodeSelector"}
	before, _, _ := unstructured.NestedMap(p.classic.Object, at...)
	after, _, _ := unstructured.NestedMap(p.operator.Object, at...)
	if before == nil && reflect.DeepEqual(after, map[string]any{"kubernetes.io/os": "linux"}) {
		unstructured.RemoveNestedField(p.operator.Object, at...)
	}
}

// allowWatcherLockdown: the multi-tenancy field covers source-watcher, which the classic patches do not name.
func (p pair) allowWatcherLockdown() {
	if p.classic.GetName() == "source-watcher" {
		p.allowArg("--no-cross-namespace-refs=true", "no-cross-namespace-refs")
	}
}

// allowSourceControllerPatch: the operator's Flux 2.2.3 has source-controller v1.2.5 where the release has v1.2.4, and
// it gives source-watcher its own address, which `flux install` 2.7.0 and 2.7.1 get wrong.
func (p pair) allowSourceControllerPatch() {
	for _, known := range []struct{ name, version, classic, operator string }{
		{"source-controller", "v2.2.3", "source-controller:v1.2.4", "source-controller:v1.2.5"},
		{"source-watcher", "v2.7.0", "--storage-adv-addr=source-controller.", "--storage-adv-addr=source-watcher."},
		{"source-watcher", "v2.7.1", "--storage-adv-addr=source-controller.", "--storage-adv-addr=source-watcher."},
	} {
		container := manager(p.classic)
		if container == nil || p.classic.GetName() != known.name || p.classic.GetLabels()["app.kubernetes.io/version"] != known.version {
			continue
		}
		container["image"] = strings.Replace(container["image"].(string), known.classic, known.operator, 1)
		for i, arg := range args(p.classic) {
			args(p.classic)[i] = strings.Replace(arg.(string), known.classic, known.operator, 1)
		}
	}
}

// operatorKinds are the operator's own kinds, which it lets Alerts and Receivers name.
var operatorKinds = []any{"FluxInstance", "ResourceSet", "ResourceSetInputProvider"}

// allowNotificationKinds: the operator adds its kinds to the enums of two CRDs.
func (p pair) allowNotificationKinds() {
	name := p.operator.GetName()
	if name == "alerts.notification.toolkit.fluxcd.io" || name == "receivers.notification.toolkit.fluxcd.io" {
		dropKinds(p.operator.Object)
	}
}

// dropKinds removes the operator's kinds from every enum of kinds below a value.
func dropKinds(value any) {
	switch content := value.(type) {
	case map[string]any:
		if enum, isList := content["enum"].([]any); isList {
			content["enum"] = slices.DeleteFunc(enum, func(one any) bool { return slices.Contains(operatorKinds, one) })
		}
		for _, below := range content {
			dropKinds(below)
		}
	case []any:
		for _, below := range content {
			dropKinds(below)
		}
	}
}

// allowControllerRole: the operator gives the controllers access to its own kinds, and takes away the right to create
// tokens where object-level workload identity is off.
func (p pair) allowControllerRole() {
	if p.operator.GetKind() != "ClusterRole" || !strings.HasPrefix(p.operator.GetName(), "crd-controller") {
		return
	}
	dropRules(p.operator, "apiGroups", "fluxcd.controlplane.io")
	if !hasRule(p.operator, "resources", "serviceaccounts/token") {
		dropRules(p.classic, "resources", "serviceaccounts/token")
	}
}

// rules of a role.
func rules(role *objects.Object) []any {
	content, _ := role.Object["rules"].([]any)
	return content
}

// isRule tells a rule whose only entry of a field is the value.
func isRule(rule any, field, value string) bool {
	return reflect.DeepEqual(rule.(map[string]any)[field], []any{value})
}

// hasRule reports whether a role has such a rule.
func hasRule(role *objects.Object, field, value string) bool {
	return slices.ContainsFunc(rules(role), func(rule any) bool { return isRule(rule, field, value) })
}

// dropRules removes such rules.
func dropRules(role *objects.Object, field, value string) {
	role.Object["rules"] = slices.DeleteFunc(rules(role), func(rule any) bool { return isRule(rule, field, value) })
}

// allowDurations: 2h and 2h0m0s are the same.
func (p pair) allowDurations() {
	for _, object := range []*objects.Object{p.classic, p.operator} {
		if !strings.HasSuffix(objects.Group(object), ".toolkit.fluxcd.io") {
			continue
		}
		for _, name := range []string{"interval", "timeout", "retryInterval"} {
			text, _, _ := unstructured.NestedString(object.Object, "spec", name)
			if duration, err := time.ParseDuration(text); err == nil {
				_ = unstructured.SetNestedField(object.Object, duration.String(), "spec", name)
			}
		}
	}
}

// allowUnset: a switch that is off is the same as none, and the FluxInstance restates none that is off.
func (p pair) allowUnset() {
	for _, object := range []*objects.Object{p.classic, p.operator} {
		if !strings.HasSuffix(objects.Group(object), ".toolkit.fluxcd.io") {
			continue
		}
		for _, name := range []string{"wait", "force", "suspend", "insecure", "recurseSubmodules"} {
			if on, found, _ := unstructured.NestedBool(object.Object, "spec", name); found && !on {
				unstructured.RemoveNestedField(object.Object, "spec", name)
			}
		}
	}
}
