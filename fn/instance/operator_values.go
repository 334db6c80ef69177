package instance

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
)

// followComment stands above the values that come from the controllers.
const followComment = "As all controllers of Flux have it today."

// operatorImage is the image of Flux Operator below its registry, and operatorPorts are what it listens on.
// Source: values.yaml and templates/deployment.yaml of the chart flux-operator 0.28.0 to 0.49.0.
const operatorImage = "controlplaneio-fluxcd/flux-operator"

var operatorPorts = []string{"8080", "8081", "9080"}

// OperatorValues are the values of the chart flux-operator, nil where its defaults do. Those of the config win over
// those that follow the controllers.
func (p *Plan) OperatorValues() *kyaml.Node {
	own := p.Config.Operator.Values
	values := object.Overlay(p.follow, own)
	if len(values) == 0 {
		return nil
	}
	var fields []object.Field
	for _, key := range slices.Sorted(maps.Keys(values)) {
		comment := ""
		if _, set := own[key]; !set {
			comment = followComment
		}
		fields = append(fields, object.Because(comment, key, object.Value(values[key])))
	}
	return object.Map(fields...)
}

// followControllers gives Flux Operator what all controllers have in common of what lets a pod run here: on a cluster
// where each node is tainted it would never start without their tolerations.
func (p *Plan) followControllers(running []*kyaml.RNode, findings *finding.List) {
	if p.External {
		return
	}
	pods := podsOf(running)
	p.follow = map[string]any{}
	for _, rule := range []struct {
		value string
		read  func([]map[string]any) any
	}{
		{"tolerations", commonTolerations},
		{"nodeSelector", commonNodeSelector},
		{"affinity", commonNodeAffinity},
		{"priorityClassName", commonPriority},
		{"hostNetwork", p.commonHostNetwork(findings)},
		{"image", p.commonImage(findings)},
	} {
		if value := rule.read(pods); value != nil {
			p.follow[rule.value] = value
		}
	}
	if len(p.follow) > 0 {
		findings.Info(finding.OperatorValues, finding.Moved, p.Install.Anchor, "spec.template.spec",
			"the values %s of Flux Operator are what all controllers have; the config field operator.values wins "+
				"over them",
			strings.Join(slices.Sorted(maps.Keys(p.follow)), ", "))
	}
}

// monitored says that what scrapes Flux does not scrape Flux Operator. Its chart could be told to, and is not: that
// needs the CRDs of the Prometheus Operator on the cluster before the chart is installed.
func (p *Plan) monitored(set *object.Set, findings *finding.List) {
	for _, kind := range []string{"PodMonitor", "ServiceMonitor"} {
		for _, o := range set.Of("monitoring.coreos.com", kind) {
			scrapes := strings.Contains(o.Text(), "source-controller") || strings.Contains(o.Text(), "part-of: flux")
			if scrapes && !p.External && !own(p.Config.Operator.Values, "serviceMonitor") &&
				!p.Install.Foreign(set, o) {
				findings.Info(finding.OperatorMetrics, finding.Reference, o, "spec.selector",
					"it scrapes Flux and not Flux Operator; once that runs, set the value serviceMonitor.create of "+
						"its chart")
			}
		}
	}
}

// podsOf are the pod specs of the controllers.
func podsOf(running []*kyaml.RNode) []map[string]any {
	var pods []map[string]any
	for _, o := range running {
		content, err := o.Map()
		if err != nil || o.GetKind() != "Deployment" {
			continue
		}
		pod, _ := object.Get[map[string]any](content, "spec", "template", "spec")
		pods = append(pods, pod)
	}
	return pods
}

// inAll reports whether a value is among those that each pod has.
func inAll(pods []map[string]any, value any, list func(pod map[string]any) []any) bool {
	return !slices.ContainsFunc(pods, func(pod map[string]any) bool {
		return !slices.ContainsFunc(list(pod), func(other any) bool { return reflect.DeepEqual(value, other) })
	})
}

// commonEntries are the entries of a list that each pod has.
func commonEntries(pods []map[string]any, list func(pod map[string]any) []any) []any {
	if len(pods) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(list(pods[0])), func(entry any) bool { return !inAll(pods, entry, list) })
}

// listOf reads a list of a pod.
func listOf(key string) func(map[string]any) []any {
	return func(pod map[string]any) []any { list, _ := pod[key].([]any); return list }
}

// single makes a list of one value of a pod, none where the pod does not have it.
func single(keys ...string) func(map[string]any) []any {
	return func(pod map[string]any) []any {
		if value, set := object.Get[any](pod, keys...); set {
			return []any{value}
		}
		return nil
	}
}

// some is a list as a value; nil when it is empty.
func some(list []any) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

func commonTolerations(pods []map[string]any) any {
	return some(commonEntries(pods, listOf("tolerations")))
}

// commonNodeSelector leaves out that the system is Linux, which the chart says itself.
func commonNodeSelector(pods []map[string]any) any {
	common := map[string]any{}
	if len(pods) == 0 {
		return nil
	}
	first, _ := pods[0]["nodeSelector"].(map[string]any)
	for key, value := range first {
		if key != "kubernetes.io/os" && inAll(pods, value, single("nodeSelector", key)) {
			common[key] = value
		}
	}
	if len(common) == 0 {
		return nil
	}
	return common
}

// commonNodeAffinity is about nodes only: what the controllers say about each other's pods says nothing about Flux
// Operator.
func commonNodeAffinity(pods []map[string]any) any {
	if common := commonEntries(pods, single("affinity", "nodeAffinity")); len(common) > 0 {
		return map[string]any{"nodeAffinity": common[0]}
	}
	return nil
}

// fluxPriority is what Flux gives to some of its controllers by itself. Source: the manifests of Flux 2.2 to 2.9.
const fluxPriority = "system-cluster-critical"

func commonPriority(pods []map[string]any) any {
	if common := commonEntries(pods, single("priorityClassName")); len(common) > 0 && common[0] != fluxPriority {
		return common[0]
	}
	return nil
}

// commonHostNetwork is left out where a controller listens on a port of Flux Operator: on one node only one of them
// would run.
func (p *Plan) commonHostNetwork(findings *finding.List) func([]map[string]any) any {
	return func(pods []map[string]any) any {
		if len(commonEntries(pods, single("hostNetwork"))) == 0 || pods[0]["hostNetwork"] != true {
			return nil
		}
		if port := sharedPort(pods); port != "" {
			findings.Warn(finding.OperatorHostNetwork, p.Install.Anchor, "spec.template.spec.hostNetwork",
				"all controllers are on the host network and one listens on port %s, as Flux Operator does, which is "+
					"therefore not on it; set operator.values {hostNetwork: true} where it finds a node of its own",
				port)
			return nil
		}
		return true
	}
}

// sharedPort is a port of a controller that Flux Operator listens on as well.
func sharedPort(pods []map[string]any) string {
	for _, pod := range pods {
		for _, container := range listOf("containers")(pod) {
			c, _ := container.(map[string]any)
			for _, port := range listOf("ports")(c) {
				entry, _ := port.(map[string]any)
				if text := fmt.Sprint(entry["containerPort"]); slices.Contains(operatorPorts, text) {
					return text
				}
			}
		}
	}
	return ""
}

// commonImage is where the image comes from: the pull secrets, and the registry where its path shows that it mirrors
// ghcr.io.
func (p *Plan) commonImage(findings *finding.List) func([]map[string]any) any {
	return func(pods []map[string]any) any {
		image := map[string]any{}
		if secrets := commonEntries(pods, listOf("imagePullSecrets")); len(secrets) > 0 {
			image["pullSecrets"] = secrets
		}
		registry := registryOf(pods)
		mirror, mirrors := strings.CutSuffix(registry, "ghcr.io/fluxcd")
		switch {
		case registry == "" || strings.HasPrefix(registry, "ghcr.io/") || registry == "docker.io/fluxcd":
		case mirrors:
			image["repository"] = mirror + "ghcr.io/" + operatorImage
		case own(p.Config.Operator.Values, "image", "repository"):
		default:
			findings.Warn(finding.OperatorImage, p.Install.Anchor, "spec.template.spec.containers[0].image",
				"the controllers come from %s, and Flux Operator comes from ghcr.io/%s: where the nodes cannot pull "+
					"that, set operator.values {image: {repository: ...}} to where you mirror it",
				registry, operatorImage)
		}
		if len(image) == 0 {
			return nil
		}
		return image
	}
}

// own reports whether the config sets a value.
func own(values map[string]any, keys ...string) bool {
	_, set := object.Get[any](values, keys...)
	return set
}

// registryOf is the registry of all controllers, empty where they differ.
func registryOf(pods []map[string]any) string {
	registries := commonEntries(pods, func(pod map[string]any) []any {
		containers := listOf("containers")(pod)
		if len(containers) == 0 {
			return nil
		}
		c, _ := containers[0].(map[string]any)
		image, _ := c["image"].(string)
		return []any{image[:max(0, strings.LastIndex(image, "/"))]}
	})
	if len(registries) == 0 {
		return ""
	}
	return fmt.Sprint(registries[0])
}
