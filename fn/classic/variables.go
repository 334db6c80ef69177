package classic

import (
	"regexp"
	"strings"

	"migrate-to-flux-operator/fn/object"
)

// variable is a ${variable} as Flux substitutes it, without a default.
var variable = regexp.MustCompile(`\$\{(\w+)\}`)

// substituted is a text with the ${variables} replaced that have one value in the whole input: which Flux Kustomization
// substitutes them need not be known then. One that clusters set each for itself, or that no file shows, stays.
func substituted(set *object.Set, text string) string {
	if !strings.Contains(text, "${") {
		return text
	}
	type key struct{}
	values := object.Once(set, key{}, variableValues)
	return variable.ReplaceAllStringFunc(text, func(name string) string {
		if value, known := values[variable.FindStringSubmatch(name)[1]]; known && value != "" {
			return value
		}
		return name
	})
}

// variableValues are the values of the variables in spec.postBuild of all Flux Kustomizations; one that has several has
// none.
func variableValues(set *object.Set) map[string]string {
	values := map[string]string{}
	add := func(from map[string]any) {
		for name, value := range from {
			text, _ := value.(string)
			if known, set := values[name]; set && known != text {
				text = ""
			}
			values[name] = text
		}
	}
	configs := map[string]bool{}
	for _, k := range set.Of(KustomizeGroup, "Kustomization") {
		inline, _ := object.Get[map[string]any](k.Map(), "spec", "postBuild", "substitute")
		add(inline)
		from, _ := object.Get[[]any](k.Map(), "spec", "postBuild", "substituteFrom")
		for _, entry := range from {
			ref, _ := entry.(map[string]any)
			if name, _ := ref["name"].(string); ref["kind"] == "ConfigMap" {
				configs[name] = true
			}
		}
	}
	for _, config := range set.Of("", "ConfigMap") {
		if data, _ := object.Get[map[string]any](config.Map(), "data"); configs[config.Name] {
			add(data)
		}
	}
	return values
}
