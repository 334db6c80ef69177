package object

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// BadName is a field that holds what Kubernetes does not take for a name.
type BadName struct{ Field, Value string }

// BadNames are the names in an object of Flux that Kubernetes does not take: its own, and those of what it refers to.
// Commands, scripts and new objects are made of them. Variables that Flux substitutes may be in them.
func BadNames(object map[string]any) []BadName {
	var bad []BadName
	check := func(field, value string, valid func(string) bool) {
		if value != "" && !valid(value) {
			bad = append(bad, BadName{field, value})
		}
	}
	name, _ := Get[string](object, "metadata", "name")
	namespace, _ := Get[string](object, "metadata", "namespace")
	check("metadata.name", name, IsName)
	check("metadata.namespace", namespace, IsNamespace)
	var visit func(path string, value any)
	visit = func(path string, value any) {
		switch value := value.(type) {
		case []any:
			for i, entry := range value {
				visit(fmt.Sprintf("%s[%d]", path, i), entry)
			}
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(value)) {
				field := path + "." + key
				text, _ := value[key].(string)
				switch {
				case field == "spec.values" || field == "spec.patches":
				case slices.Contains(namespaceFields, key) || key == "namespace" && reference.MatchString(path):
					check(field, text, IsNamespace)
				case slices.Contains(nameFields, key) || key == "name" && reference.MatchString(path):
					check(field, text, IsName)
				default:
					visit(field, value[key])
				}
			}
		}
	}
	visit("spec", object["spec"])
	return bad
}

// The fields of the APIs of Flux and Flux Operator that name objects and namespaces, beside those below references.
var (
	nameFields      = strings.Fields("serviceAccountName pullSecret imagePullSecret artifactPullSecret releaseName")
	namespaceFields = strings.Fields("targetNamespace storageNamespace")
	reference       = regexp.MustCompile(`(Refs?|^spec\.sync|\.(dependsOn|substituteFrom|valuesFrom))(\[\d+\])?$`)
	variable        = regexp.MustCompile(`\$\{\w+\}`)
)

// IsName reports whether Kubernetes takes a text for the name of an object.
func IsName(text string) bool { return len(validation.IsDNS1123Subdomain(substituted(text))) == 0 }

// IsNamespace reports whether Kubernetes takes a text for the name of a namespace.
func IsNamespace(text string) bool { return len(validation.IsDNS1123Label(substituted(text))) == 0 }

// substituted is a name with something in the place of each variable.
func substituted(name string) string { return variable.ReplaceAllString(name, "x") }
