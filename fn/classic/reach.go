package classic

import (
	"path"

	"migrate-to-flux-operator/fn/object"
)

// EntryFields are the lists of a kustomization.yaml that name files and folders whose objects it applies.
// Source: kustomize.config.k8s.io/v1beta1 of kustomize v5.8.
var EntryFields = []string{"resources", "bases", "components", "crds"}

// Applies tells whether a Flux Kustomization whose path is dir applies what is in a file. Without a kustomization.yaml,
// kustomize-controller takes every file below, but of a folder that has one only what that lists.
// Source: fluxcd/pkg/kustomize v1.39.0, the walk of the generator.
func Applies(set *object.Set, dir, file string) bool {
	_, applied := chain(set, dir, file, map[string]bool{})
	return applied
}

// nested tells whether a folder between the two has a kustomization.yaml as well, which then decides.
func nested(set *object.Set, folder, dir string) bool {
	for above := path.Dir(folder); above != dir && above != "."; above = path.Dir(above) {
		if KustomizationIn(set, above) != nil {
			return true
		}
	}
	return false
}
