package classic

import (
	"fmt"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
)

// checkGenerated refuses an install that refers to what a generator of the kustomization.yaml makes under a name with a
// hash: kustomize writes that name into the references, and for a FluxInstance nothing does.
func checkGenerated(folder *Folder, objects []*kyaml.RNode, found *finding.List) bool {
	if folder == nil {
		return true
	}
	for _, field := range []string{"configMapGenerator", "secretGenerator"} {
		list, _ := object.Get[[]any](folder.Object.Map(), field)
		for i, entry := range list {
			generator, _ := entry.(map[string]any)
			name, _ := generator["name"].(string)
			if keepsName(generator, "options") || keepsName(folder.Object.Map(), "generatorOptions") {
				continue
			}
			for _, o := range objects {
				if content, err := o.Map(); err == nil && refersTo(content, name) {
					found.Error(finding.GeneratedName, folder.Object, fmt.Sprintf("%s[%d]", field, i),
						"%s %s refers to %s, which gets a new name with each content, and a FluxInstance cannot "+
							"follow that: set options.disableNameSuffixHash: true for it first",
						o.GetKind(), o.GetName(), name)
					return false
				}
			}
		}
	}
	return true
}

// keepsName reports whether options of generators, at a key, leave the hash out of names.
func keepsName(m map[string]any, key string) bool {
	keeps, _ := object.Get[bool](m, key, "disableNameSuffixHash")
	return keeps
}

// references are the keys whose name refers to a ConfigMap or a Secret.
// Source: kustomize api/internal/konfig/builtinpluginconsts v0.21, the name references.
var references = map[string]bool{"configMap": true, "configMapRef": true, "configMapKeyRef": true, "secretRef": true,
	"secretKeyRef": true, "imagePullSecrets": true, "secrets": true}

// refersTo reports whether a part of an object refers to a ConfigMap or a Secret of a name.
func refersTo(value any, name string) bool {
	switch v := value.(type) {
	case map[string]any:
		for key, child := range v {
			if key == "secretName" && child == name || references[key] && isNamed(child, name) ||
				refersTo(child, name) {
				return true
			}
		}
	case []any:
		for _, child := range v {
			if refersTo(child, name) {
				return true
			}
		}
	}
	return false
}

// isNamed reports whether a reference, or one of a list, has a name.
func isNamed(reference any, name string) bool {
	if list, isList := reference.([]any); isList {
		for _, one := range list {
			if isNamed(one, name) {
				return true
			}
		}
	}
	m, _ := reference.(map[string]any)
	return m["name"] == name
}
