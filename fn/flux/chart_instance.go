package flux

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/reason"
)

// quotesVersion is the first chart that writes distribution.version in quotes. Source: templates/instance.yaml of the
// chart.
const quotesVersion = "0.48.0"

// ChartInstance is the FluxInstance that the chart flux-instance renders from values, in a namespace. Ignored lists the
// values below instance that it takes no notice of.
// Source: templates/instance.yaml of the chart, 0.7.0 to 0.49.0.
//
// It fails where Helm or the API server would refuse what the chart renders.
func ChartInstance(version *semver.Version, namespace string, values map[string]any) (instance map[string]any,
	ignored []string, err error) {
	c := &chartInstance{version: version, values: object.Overlay(ChartDefaults(InstanceChart, version), values)}
	spec := c.spec()
	metadata := map[string]any{"name": c.text("fullnameOverride"), "namespace": namespace}
	if annotations, _ := c.values["commonAnnotations"].(map[string]any); len(annotations) > 0 {
		metadata["annotations"] = annotations
	}
	return map[string]any{"apiVersion": "fluxcd.controlplane.io/v1", "kind": "FluxInstance", "metadata": metadata,
			"spec": spec},
		c.ignored(values), c.err
}

// chartInstance renders one set of values.
type chartInstance struct {
	version *semver.Version
	values  map[string]any
	err     error
}

// The values that the template writes one by one; those of cluster it writes all.
var (
	distributionValues = []string{"version", "registry", "artifact", "artifactPullSecret", "imagePullSecret", "variant"}
	syncValues         = []string{"kind", "interval", "url", "ref", "path", "name", "provider", "pullSecret"}
)

func (c *chartInstance) spec() map[string]any {
	spec := map[string]any{
		"distribution": c.group("distribution", distributionValues),
		"cluster":      c.group("cluster", slices.Sorted(maps.Keys(c.in("cluster")))),
		"components":   c.components(),
	}
	if patches, _ := c.in("kustomize")["patches"].([]any); len(patches) > 0 {
		spec["kustomize"] = c.in("kustomize")
	}
	if url, _ := c.in("sync")["url"].(string); url != "" {
		spec["sync"] = c.group("sync", syncValues)
	}
	if size, _ := c.in("storage")["size"].(string); size != "" {
		spec["storage"] = c.in("storage")
	}
	if shards, _ := c.in("sharding")["shards"].([]any); len(shards) > 0 {
		spec["sharding"] = map[string]any{"key": c.in("sharding")["key"], "shards": shards}
	}
	common := map[string]any{}
	for _, field := range []string{"annotations", "labels"} {
		if m, _ := c.in("commonMetadata")[field].(map[string]any); len(m) > 0 && c.has("commonMetadata."+field) {
			common[field] = m
		}
	}
	if len(common) > 0 {
		spec["commonMetadata"] = common
	}
	return spec
}

// in is one map of the values below instance.
func (c *chartInstance) in(name string) map[string]any {
	instance, _ := c.values["instance"].(map[string]any)
	m, _ := instance[name].(map[string]any)
	return m
}

func (c *chartInstance) text(key string) string {
	text, _ := c.values[key].(string)
	return text
}

func (c *chartInstance) has(value string) bool {
	return ChartHas(InstanceChart, c.version, "instance."+value)
}

func (c *chartInstance) fail(value, format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("value instance.%s: the chart flux-instance %s "+format,
			append([]any{value, c.version}, args...)...)
	}
}

// components are the list, each of which the chart's schema has to know.
func (c *chartInstance) components() []any {
	instance, _ := c.values["instance"].(map[string]any)
	list, _ := instance["components"].([]any)
	for _, component := range list {
		if !chartChoice(InstanceChart, c.version, "instance.components[]", fmt.Sprint(component)) {
			c.fail("components", "does not know %v", component)
		}
	}
	return list
}

// group is one map of the spec, as it comes to the cluster: empty texts are left out.
func (c *chartInstance) group(name string, keys []string) map[string]any {
	group := map[string]any{}
	for _, key := range keys {
		value, set := c.in(name)[key]
		if path := name + "." + key; set && value != nil && value != "" && (name == "cluster" || c.has(path)) {
			group[key] = c.scalar(path, value)
		}
	}
	return group
}

// scalar is a value after the template has written it as plain text: without quotes a text can become something else.
func (c *chartInstance) scalar(path string, value any) any {
	text, isText := value.(string)
	if !isText {
		return value
	}
	if !chartChoice(InstanceChart, c.version, "instance."+path, text) {
		c.fail(path, "does not know %q", text)
	}
	if path == "distribution.version" && atLeast(c.version.String(), quotesVersion) {
		return text
	}
	var read map[string]any
	err := reason.Of(yaml.Unmarshal([]byte("value: "+text), &read))
	if isText := err == nil && len(read) == 1 && isString(read["value"]); !isText &&
		!strings.HasPrefix(path, "cluster.") {
		c.fail(path, "writes %q without quotes, and YAML does not read it as a text", text)
		return text
	}
	if err != nil {
		c.fail(path, "writes %q without quotes: %s", text, err)
	}
	return read["value"]
}

func isString(value any) bool {
	_, is := value.(string)
	return is
}

// ignored lists the values below instance that the template does not read.
func (c *chartInstance) ignored(values map[string]any) []string {
	instance, _ := values["instance"].(map[string]any)
	var ignored []string
	for _, group := range slices.Sorted(maps.Keys(instance)) {
		m, isMap := instance[group].(map[string]any)
		switch {
		case group == "components" || group == "cluster" || group == "storage" || group == "kustomize":
		case !isMap:
			ignored = append(ignored, "instance."+group)
		default:
			for _, key := range slices.Sorted(maps.Keys(m)) {
				if !c.has(group + "." + key) {
					ignored = append(ignored, "instance."+group+"."+key)
				}
			}
		}
	}
	return ignored
}
