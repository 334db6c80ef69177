package classic

import (
	"regexp"
	"strings"

	"github.com/fluxcd/flux2/v2/pkg/manifestgen/install"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"migrate-to-flux-operator/e2e/objects"
)

// clusterDomain finds the cluster's domain in a controller's arguments.
var clusterDomain = regexp.MustCompile(`\.svc\.([^/]+)\./?$`)

// Flags recovers the flags of `flux install` from the manifests that it wrote, for another version.
func Flags(manifests []*objects.Object, version string) install.Options {
	options := install.MakeDefaultOptions()
	options.Version, options.Components, options.NetworkPolicy = version, nil, false
	for _, object := range manifests {
		switch object.GetKind() {
		case "NetworkPolicy":
			options.NetworkPolicy = true
		case "Deployment":
			options.Components = append(options.Components, object.GetName())
			options.Namespace = object.GetNamespace()
			readPod(&options, object)
		}
	}
	return options
}

// readPod reads the flags that show in a controller's pods.
func readPod(options *install.Options, deployment *objects.Object) {
	pod, _, _ := unstructured.NestedMap(deployment.Object, "spec", "template", "spec")
	if secrets, _, _ := unstructured.NestedSlice(pod, "imagePullSecrets"); len(secrets) > 0 {
		options.ImagePullSecret, _, _ = unstructured.NestedString(secrets[0].(map[string]any), "name")
	}
	tolerations, _, _ := unstructured.NestedSlice(pod, "tolerations")
	options.TolerationKeys = nil
	for _, toleration := range tolerations {
		key, _, _ := unstructured.NestedString(toleration.(map[string]any), "key")
		options.TolerationKeys = append(options.TolerationKeys, key)
	}
	containers, _, _ := unstructured.NestedSlice(pod, "containers")
	for _, container := range containers {
		readContainer(options, container.(map[string]any), deployment.GetName())
	}
}

// readContainer reads the flags that show in a container's image and arguments.
func readContainer(options *install.Options, container map[string]any, name string) {
	image, _, _ := unstructured.NestedString(container, "image")
	if registry, _, found := strings.Cut(image, "/"+name); found {
		options.Registry = registry
	}
	args, _, _ := unstructured.NestedStringSlice(container, "args")
	for _, arg := range args {
		if level, found := strings.CutPrefix(arg, "--log-level="); found {
			options.LogLevel = level
		}
		if arg == "--watch-all-namespaces=false" {
			options.WatchAllNamespaces = false
		}
		if domain := clusterDomain.FindStringSubmatch(arg); domain != nil {
			options.ClusterDomain = domain[1]
		}
	}
}
