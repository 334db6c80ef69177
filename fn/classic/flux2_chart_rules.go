package classic

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/fields"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
)

// valueRules say what becomes of the values of the chart flux2 but for those of a controller. A value that no template
// of the chart reads has no rule: it may be a mistake. Source: values.yaml and templates of the chart 2.9.0 to 2.18.3.
var valueRules = []fields.Rule{
	{From: "installCRDs", Why: "Flux Operator installs the CRDs"},
	{From: "crds", Why: "Flux Operator installs the CRDs"},
	{From: "cli", Why: "about a job that Helm runs before it installs"},
	{From: "clusterDomain", Via: isText, To: "domain"},
	{From: "logLevel", Via: isText, To: "logLevel"},
	{From: "watchAllNamespaces", Via: isBool, To: "watchAllNamespaces"},
	{From: "policies.create", Via: isBool, To: "networkPolicy"},
	{From: "imagePullSecrets", Via: oneName, To: "imagePullSecret"},
	{From: "multitenancy.enabled", Via: isBool, To: "multitenancy"},
	{From: "multitenancy.defaultServiceAccount", Via: isText, To: "defaultServiceAccount"},
	{From: "multitenancy.privileged", Via: among(true), To: "same.privileged"},
	{From: "rbac.create", Via: among(true), To: "same.rbac"},
	{From: "rbac.createAggregation", Via: among(true), To: "same.createAggregation"},
	{From: "rbac.annotations", Why: "about the chart's own cluster roles, whose names are others than those of Flux " +
		"Operator"},
	{From: "rbac.roleRef.name", Via: among("cluster-admin"), To: "same.roleRef"},
	{From: "distro.openshift", Via: among(false), To: "same.openshift"},
	{From: "prometheus.podMonitor.create", Via: isBool, To: "beside.prometheus.podMonitor"},
	{From: "prometheus.podMonitor.podMetricsEndpoints", Why: "only matters with prometheus.podMonitor.create, which " +
		"is said"},
	{From: "prometheus.podMonitor.additionalLabels", Why: "only matters with prometheus.podMonitor.create, which is " +
		"said"},
	{From: "extraObjects", To: "beside.extraObjects"},
}

// controllerRules say what becomes of the values of one controller: the target has them by the field of the pod that
// they set.
var controllerRules = []fields.Rule{
	{From: "create", Via: isBool, To: "create"},
	{From: "image", Via: isText, To: "image"},
	{From: "tag", Via: isText, To: "tag"},
	{From: "resources", Via: isMap, To: "resources"},
	{From: "container.additionalArgs", To: "args"},
	{From: "extraEnv", To: "env"},
	{From: "imagePullPolicy", To: "imagePullPolicy"},
	{From: "nodeSelector", To: "nodeSelector"},
	{From: "tolerations", To: "tolerations"},
	{From: "affinity", To: "affinity"},
	{From: "priorityClassName", To: "priorityClassName"},
	{From: "initContainers", To: "initContainers"},
	{From: "securityContext", To: "securityContext"},
	{From: "podSecurityContext", To: "podSecurityContext"},
	{From: "volumes", To: "volumes"},
	{From: "volumeMounts", To: "volumeMounts"},
	{From: "labels", To: "labels"},
	{From: "annotations", Via: isMap, To: "annotations"},
	{From: "serviceAccount.create", Via: among(true), To: "same.serviceAccount"},
	{From: "serviceAccount.automount", Via: isBool, To: "automount"},
	{From: "serviceAccount.annotations", To: "accountAnnotations"},
}

// further are the rules for what only some controllers have.
var further = map[string][]fields.Rule{
	"helmController":            {replicas},
	"imageAutomationController": {replicas},
	"imageReflectionController": {replicas},
	"kustomizeController": {replicas,
		{From: "secret.create", Via: among(false), To: "same.secret"},
		{From: "secret.name", Why: "only matters with secret.create"},
		{From: "secret.data", Why: "only matters with secret.create"},
		{From: "envFrom.map.name", To: "envFrom.map"},
		{From: "envFrom.secret.name", To: "envFrom.secret"},
		{From: "extraSecretMounts", Via: among(nil, []any{}), To: "same.extraSecretMounts"}},
	"notificationController": {replicas, serviceLabels, serviceAnnotations,
		{From: "webhookReceiver.service.labels", To: "receiverLabels"},
		{From: "webhookReceiver.service.annotations", To: "receiverAnnotations"},
		{From: "webhookReceiver.ingress.create", Via: isBool, To: "ingress"},
		{From: "webhookReceiver.ingress.ingressClassName", Why: "only matters with webhookReceiver.ingress.create, " +
			"which is said"},
		{From: "webhookReceiver.ingress.annotations", Why: "only matters with webhookReceiver.ingress.create, which " +
			"is said"},
		{From: "webhookReceiver.ingress.labels", Why: "only matters with webhookReceiver.ingress.create, which is " +
			"said"},
		{From: "webhookReceiver.ingress.hosts", Why: "only matters with webhookReceiver.ingress.create, which is said"},
		{From: "webhookReceiver.ingress.tls", Why: "only matters with webhookReceiver.ingress.create, which is said"}},
	"sourceController": {serviceLabels, serviceAnnotations},
	"sourceWatcher":    {serviceLabels, serviceAnnotations},
}

var (
	replicas           = fields.Rule{From: "replicas", To: "replicas"}
	serviceLabels      = fields.Rule{From: "service.labels", To: "serviceLabels"}
	serviceAnnotations = fields.Rule{From: "service.annotations", To: "serviceAnnotations"}
)

// chartControllers are the keys that the chart has its controllers under, in Flux's order.
var chartControllers = []struct{ key, component string }{
	{"sourceController", "source-controller"},
	{"kustomizeController", "kustomize-controller"},
	{"helmController", "helm-controller"},
	{"notificationController", "notification-controller"},
	{"imageReflectionController", "image-reflector-controller"},
	{"imageAutomationController", "image-automation-controller"},
	{"sourceWatcher", "source-watcher"},
}

// chartController is one controller that the chart installs, and what its values say by the names that controllerRules
// give.
type chartController struct {
	key, component string
	says           map[string]any
}

// among accepts some values only, which are those that the chart has by itself: they change nothing.
func among(values ...any) func(any) (any, bool) {
	return func(value any) (any, bool) {
		return value, slices.ContainsFunc(values, func(v any) bool { return reflect.DeepEqual(v, value) })
	}
}

// isText, isBool and isMap accept what has this type, and so refuse the null by which Helm drops a default.
func isText(value any) (any, bool) { _, is := value.(string); return value, is }
func isBool(value any) (any, bool) { _, is := value.(bool); return value, is }
func isMap(value any) (any, bool)  { _, is := value.(map[string]any); return value, is }

// oneName accepts a list of at most one reference: a FluxInstance names one pull secret.
func oneName(value any) (any, bool) {
	list, _ := value.([]any)
	if len(list) == 0 {
		return "", true
	}
	ref, _ := list[0].(map[string]any)
	name, isString := ref["name"].(string)
	return name, isString && len(list) == 1
}

// isEmpty tells a value that the chart's templates take for none.
func isEmpty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// readValues takes the values into options and patches.
//
// It fails on a value that has no counterpart in a FluxInstance and no patch, naming it.
func (i *Install) readValues(values map[string]any, found *finding.List) error {
	controllers, rest, err := readControllers(values)
	if err != nil {
		return err
	}
	says := map[string]any{}
	moved, err := fields.Move(rest, says, valueRules)
	if err != nil {
		return err
	}
	for _, leaf := range moved.Rest {
		if !strings.HasPrefix(leaf.Path, "x-") { // the custom for anchors: the chart reads none of these
			return unmapped("", leaf)
		}
	}
	i.drop("spec.values.", moved)
	i.readOptions(says)
	for _, c := range controllers {
		i.Options.Components = append(i.Options.Components, c.component)
	}
	i.readImages(controllers, found)
	i.tenancyPatches(says, controllers)
	i.controllerPatches(controllers)
	i.sayBeside(says, controllers, found)
	return nil
}

func unmapped(prefix string, leaf fields.Leaf) error {
	return fmt.Errorf("field spec.values.%s%s = %v has no counterpart in a FluxInstance, or the chart does not read "+
		"it: patch what it changes by spec.postRenderers first, or remove it, with which Helm deletes what it "+
		"renders no longer", prefix, leaf.Path, leaf.Value)
}

// readControllers reads the values of the controllers that the chart creates; rest are the values that are about none.
func readControllers(values map[string]any) (controllers []chartController, rest map[string]any, err error) {
	rest = maps.Clone(values)
	for _, c := range chartControllers {
		of, isMap := values[c.key].(map[string]any)
		if value, set := values[c.key]; set && !isMap {
			return nil, nil, unmapped("", fields.Leaf{Path: c.key, Value: value})
		}
		delete(rest, c.key)
		controller := chartController{c.key, c.component, map[string]any{"create": c.key != "sourceWatcher"}}
		if _, set := of["create"]; set {
			delete(controller.says, "create")
		}
		moved, err := fields.Move(of, controller.says, slices.Concat(controllerRules, further[c.key]))
		if err != nil {
			return nil, nil, fmt.Errorf("field spec.values.%s: %w", c.key, err)
		}
		if controller.says["create"] == false {
			continue
		}
		if len(moved.Rest) > 0 {
			return nil, nil, unmapped(c.key+".", moved.Rest[0])
		}
		controllers = append(controllers, controller)
	}
	return controllers, rest, nil
}

// readOptions takes the values that flags of `flux install` say as well.
func (i *Install) readOptions(says map[string]any) {
	i.Options.Components = nil
	if domain, _ := says["domain"].(string); domain != "" {
		i.Options.Domain = domain
	}
	if level, _ := says["logLevel"].(string); level != "" {
		i.Options.LogLevel = level
	}
	if secret, _ := says["imagePullSecret"].(string); secret != "" {
		i.Options.ImagePullSecret = secret
	}
	if policies, set := says["networkPolicy"].(bool); set {
		i.Options.NetworkPolicy = policies
	}
	if all, set := says["watchAllNamespaces"].(bool); set {
		i.Options.WatchAllNamespaces = all
	}
}

// readImages takes the images: one registry for all is an option, another image of one controller is a patch.
func (i *Install) readImages(controllers []chartController, found *finding.List) {
	registries := map[string]bool{}
	for _, c := range controllers {
		registries[c.registry()] = true
	}
	if len(registries) == 1 {
		for registry := range registries {
			i.Options.Registry = registry
		}
	}
	shipped := flux.Controllers(i.Version.Release.String())
	for _, c := range controllers {
		tag, _ := c.says["tag"].(string)
		if (tag == "" || tag == shipped[c.component]) && c.registry() == i.Options.Registry {
			continue
		}
		image := c.image() + ":" + tag
		if tag == "" {
			image = c.image() + ":" + shipped[c.component]
		} else if strings.HasPrefix(tag, "sha256:") {
			image = c.image() + "@" + tag
		}
		field := "spec.values." + c.key + ".image"
		found.Warn(finding.ImagePinned, i.Anchor, field, "the image %s is kept by a patch, which also pins it: drop "+
			"the patch to let Flux Operator choose it", image)
		op := []any{map[string]any{"op": "replace", "path": containerAt + "/image", "value": image}}
		i.addPatch(field, deployments(c.component), op)
	}
}

// image is the image without tag.
func (c chartController) image() string {
	if image, _ := c.says["image"].(string); image != "" {
		return image
	}
	return DefaultRegistry + "/" + c.component
}

// registry is what stands before the controller's name in its image; the whole image where its name is another.
func (c chartController) registry() string {
	return strings.TrimSuffix(c.image(), "/"+c.component)
}
