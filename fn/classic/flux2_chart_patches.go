package classic

import (
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
)

// podAt and containerAt are where the pod and the one container of a controller are.
const (
	podAt       = "/spec/template/spec"
	containerAt = podAt + "/containers/0"
)

// deployments is the target of a patch on some controllers.
func deployments(components ...string) map[string]any {
	name := components[0]
	if len(components) > 1 {
		name = "(" + strings.Join(components, "|") + ")"
	}
	return map[string]any{"group": "apps", "kind": "Deployment", "name": name}
}

// addPatch adds a patch that a value stands for.
func (i *Install) addPatch(field string, target map[string]any, body any) {
	i.Patches = append(i.Patches, Patch{Body: marshal(body), Target: target, Comment: "The value " +
		strings.TrimPrefix(field, "spec.values.") + " of the chart.",
		Object: i.Anchor, Field: field})
}

// tenancyPatches are the flags of the multi-tenancy lockdown, as the chart sets them: without --no-remote-bases.
func (i *Install) tenancyPatches(says map[string]any, controllers []chartController) {
	if says["multitenancy"] != true {
		return
	}
	account, _ := says["defaultServiceAccount"].(string)
	if account == "" {
		account = "default"
	}
	for _, flag := range []struct {
		field, arg string
		without    []string
	}{
		{"enabled", "--no-cross-namespace-refs=true", []string{"source-controller", "source-watcher"}},
		{"defaultServiceAccount", "--default-service-account=" + account,
			[]string{"source-controller", "source-watcher", "notification-controller", "image-reflector-controller",
				"image-automation-controller"}},
	} {
		var components []string
		for _, c := range controllers {
			if !slices.Contains(flag.without, c.component) {
				components = append(components, c.component)
			}
		}
		if len(components) > 0 {
			i.addPatch("spec.values.multitenancy."+flag.field, deployments(components...),
				appended(containerAt+"/args", []any{flag.arg}))
		}
	}
}

// defaultResources are what every controller of the chart asks for; source-watcher asks for half the CPU.
func (c chartController) defaultResources() map[string]any {
	cpu := "100m"
	if c.component == "source-watcher" {
		cpu = "50m"
	}
	return map[string]any{"requests": map[string]any{"cpu": cpu, "memory": "64Mi"}}
}

// resources are what a controller asks for; Flux's own manifests have limits, which the chart has not.
func (c chartController) resources() map[string]any {
	own, _ := c.says["resources"].(map[string]any)
	all := object.Overlay(c.defaultResources(), own)
	for key, value := range all {
		if m, isMap := value.(map[string]any); isMap {
			maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
		}
		if isEmpty(all[key]) {
			delete(all, key)
		}
	}
	return all
}

// valueBody is the patch that a value of a controller stands for: what controllerRules call it, what the chart calls
// it, and the body.
type valueBody struct {
	value, field string
	body         func(c chartController, value any) any
}

// bodies are the patches on the Deployment of a controller; empty values stand for none.
var bodies = []valueBody{
	{"resources", "resources", func(c chartController,
		_ any) any {
		return replaced(containerAt+"/resources", c.resources())
	}},
	{"args", "container.additionalArgs", func(_ chartController,
		v any) any {
		return appended(containerAt+"/args", v)
	}},
	{"env", "extraEnv", environment},
	{"envFrom", "envFrom", func(_ chartController, v any) any { return replaced(containerAt+"/envFrom", envFrom(v)) }},
	{"imagePullPolicy", "imagePullPolicy", setAt(containerAt + "/imagePullPolicy")},
	{"securityContext", "securityContext", setAt(containerAt + "/securityContext")},
	{"volumeMounts", "volumeMounts", func(_ chartController,
		v any) any {
		return appended(containerAt+"/volumeMounts", v)
	}},
	{"volumes", "volumes", func(_ chartController, v any) any { return appended(podAt+"/volumes", v) }},
	{"podSecurityContext", "podSecurityContext", setAt(podAt + "/securityContext")},
	{"priorityClassName", "priorityClassName", setAt(podAt + "/priorityClassName")},
	{"initContainers", "initContainers", setAt(podAt + "/initContainers")},
	{"affinity", "affinity", setAt(podAt + "/affinity")},
	{"tolerations", "tolerations", setAt(podAt + "/tolerations")},
	{"replicas", "replicas", setAt("/spec/replicas")},
	{"nodeSelector", "nodeSelector", func(_ chartController, v any) any { return merged(pod("nodeSelector", v)) }},
	{"annotations", "annotations", func(_ chartController, v any) any { return merged(template("annotations", v)) }},
	{"labels", "labels", func(_ chartController, v any) any {
		return merged(map[string]any{"metadata": map[string]any{"labels": v}, "spec": template("labels", v)["spec"]})
	}},
	{"automount", "serviceAccount.automount", func(_ chartController, v any) any {
		return merged(pod(
			"automountServiceAccountToken", v))
	}},
}

// controllerPatches adds the patches on Deployments, one for all controllers that a value says the same of, then those
// on the other objects of a controller.
func (i *Install) controllerPatches(controllers []chartController) {
	for _, b := range bodies {
		var order []string
		by := map[string][]chartController{}
		for _, c := range controllers {
			value := c.says[b.value]
			if isEmpty(value) && b.value != "resources" || b.value == "automount" && value == true {
				continue
			}
			text := marshal(b.body(c, value))
			if by[text] == nil {
				order = append(order, text)
			}
			by[text] = append(by[text], c)
		}
		for _, text := range order {
			i.valuePatch(b.field, by[text], text)
		}
	}
	for _, c := range controllers {
		i.metadataPatches(c)
	}
}

// valuePatch adds one patch on the Deployments of some controllers.
func (i *Install) valuePatch(field string, controllers []chartController, text string) {
	var components []string
	for _, c := range controllers {
		components = append(components, c.component)
	}
	comment := "The value " + controllers[0].key + "." + field + " of the chart"
	if len(controllers) > 1 {
		comment += ", and the same of the others"
	}
	i.Patches = append(i.Patches, Patch{Body: text, Target: deployments(components...), Comment: comment + ".",
		Object: i.Anchor, Field: "spec.values." + controllers[0].key + "." + field})
}

// commonPatch keeps the labels and annotations that helm-controller puts on what the chart renders, after all
// post-renderers.
func (i *Install) commonPatch(metadata any, found *finding.List) {
	const field = "spec.commonMetadata"
	own, _ := metadata.(map[string]any)
	body := map[string]any{"apiVersion": "v1", "kind": "all",
		"metadata": object.Overlay(map[string]any{"name": "all"}, own)}
	i.Patches = append(i.Patches, Patch{Body: marshal(body),
		Target:  map[string]any{"kind": "(Deployment|Service|ServiceAccount)"},
		Comment: "The " + field + " of the HelmRelease.", Object: i.Anchor, Field: field})
	found.Info(finding.ChartDiffers, finding.Moved, i.Anchor, field, "kept on Deployments, Services and service "+
		"accounts; CRDs, cluster roles and NetworkPolicies lose it")
}

// metadataPatches adds the labels and annotations of Services and service accounts.
func (i *Install) metadataPatches(c chartController) {
	for _, m := range []struct{ value, field, kind, name, key string }{
		{"serviceLabels", "service.labels", "Service", c.component, "labels"},
		{"serviceAnnotations", "service.annotations", "Service", c.component, "annotations"},
		{"receiverLabels", "webhookReceiver.service.labels", "Service", "webhook-receiver", "labels"},
		{"receiverAnnotations", "webhookReceiver.service.annotations", "Service", "webhook-receiver", "annotations"},
		{"accountAnnotations", "serviceAccount.annotations", "ServiceAccount", c.component, "annotations"},
	} {
		if value := c.says[m.value]; !isEmpty(value) {
			body := map[string]any{"apiVersion": "v1", "kind": m.kind,
				"metadata": map[string]any{"name": m.name, m.key: value}}
			i.addPatch("spec.values."+c.key+"."+m.field, map[string]any{"kind": m.kind, "name": m.name}, body)
		}
	}
}

// replaced is a patch that sets a field, whether it is there or not.
func replaced(path string, value any) any {
	return []any{map[string]any{"op": "add", "path": path, "value": value}}
}

// appended is a patch that appends to a list.
func appended(path string, values any) any {
	list, _ := values.([]any)
	var ops []any
	for _, value := range list {
		ops = append(ops, map[string]any{"op": "add", "path": path + "/-", "value": value})
	}
	return ops
}

// setAt is a patch that sets one field.
func setAt(path string) func(chartController, any) any {
	return func(_ chartController, value any) any { return replaced(path, value) }
}

// marshal writes a value that was decoded from YAML.
func marshal(value any) string {
	text, _ := yaml.Marshal(value)
	return string(text)
}

// merged is a strategic merge patch on a Deployment; its target says on which.
func merged(body map[string]any) any {
	metadata, _ := body["metadata"].(map[string]any)
	return object.Overlay(map[string]any{"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": object.Overlay(map[string]any{"name": "all"}, metadata)},
		map[string]any{"spec": body["spec"]})
}

// pod is a field of the pod, from the Deployment down.
func pod(key string, value any) map[string]any {
	return map[string]any{"spec": map[string]any{"template": map[string]any{"spec": map[string]any{key: value}}}}
}

// template is a field of the pod's metadata, from the Deployment down.
func template(key string, value any) map[string]any {
	return map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{key: value}}}}
}

// environment merges variables by their names. One that Flux's own manifests fill from a field and that the owner gives
// a value loses the field.
func environment(_ chartController, value any) any {
	list, _ := value.([]any)
	var variables []any
	for _, entry := range list {
		variable, _ := entry.(map[string]any)
		if _, isValue := variable["value"]; isValue &&
			slices.Contains([]any{"GOMAXPROCS", "GOMEMLIMIT", "RUNTIME_NAMESPACE"}, variable["name"]) {
			variable = object.Overlay(map[string]any{"valueFrom": nil}, variable)
		}
		variables = append(variables, variable)
	}
	return merged(pod("containers", []any{map[string]any{"name": "manager", "env": variables}}))
}

// envFrom are the sources of variables, as the chart orders them.
func envFrom(value any) any {
	names, _ := value.(map[string]any)
	var sources []any
	if !isEmpty(names["map"]) {
		sources = append(sources, map[string]any{"configMapRef": map[string]any{"name": names["map"]}})
	}
	if !isEmpty(names["secret"]) {
		sources = append(sources, map[string]any{"secretRef": map[string]any{"name": names["secret"]}})
	}
	return sources
}

// sayBeside says what the chart has beside Flux and Flux Operator has not, and what Flux's own manifests have that the
// chart has not.
func (i *Install) sayBeside(says map[string]any, controllers []chartController, found *finding.List) {
	const stays = "it stays on the cluster for as long as the HelmRelease is not uninstalled; put it in Git on its " +
		"own before Helm forgets the release"
	if create, _ := object.Get[bool](says, "beside", "prometheus", "podMonitor"); create {
		found.Warn(finding.ChartObjects, i.Anchor, "spec.values.prometheus.podMonitor",
			"Flux Operator knows no PodMonitor: "+stays)
	}
	if extra, _ := object.Get[any](says, "beside", "extraObjects"); !isEmpty(extra) {
		found.Warn(finding.ChartObjects, i.Anchor, "spec.values.extraObjects",
			"Flux Operator knows none of these objects: "+stays)
	}
	for _, c := range controllers {
		if c.says["ingress"] == true {
			found.Warn(finding.ChartObjects, i.Anchor, "spec.values."+c.key+".webhookReceiver.ingress",
				"Flux Operator knows no Ingress: "+
					stays)
		}
	}
	found.Info(finding.ChartDiffers, finding.Imposed, i.Anchor, "", "Flux Operator installs Flux's own manifests, of "+
		"which the chart differs: pods get priorityClassName system-cluster-critical unless a value sets one, the "+
		"nodeSelector kubernetes.io/os: linux, GOMAXPROCS and GOMEMLIMIT from their limits, fsGroup 1337, and lose "+
		"runAsUser; there is a ResourceQuota, and the cluster roles and bindings are named with the suffix -%s: the "+
		"chart's own stay until they are deleted by hand", i.Namespace)
	found.Warn(finding.HelmOwnsRelease, i.Anchor, "spec", "helm-controller still owns the release: until Helm has "+
		"forgotten it, change neither its chart version nor its values, and do not remove it; the phase cleanup says "+
		"how Helm forgets it")
}
