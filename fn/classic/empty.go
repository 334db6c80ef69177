package classic

import (
	"path"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
)

// componentsFile is the name that flux bootstrap gives its manifests.
const componentsFile = "gotk-components.yaml"

// findPlaceholders finds folders that are prepared for flux bootstrap, whose files hold nothing but comments until it runs
// on a cluster. Neither the version nor the components can be read there: it finds no install, only the reason.
func findPlaceholders(set *object.Set, _ config.Config, found *finding.List) []*Install {
	for _, k := range set.Of(ConfigGroup, "Kustomization") {
		list, _ := object.Get[[]any](k.Map(), "resources")
		for _, entry := range list {
			name, _ := entry.(string)
			file := path.Join(path.Dir(k.File), name)
			if path.Base(file) != componentsFile || len(set.InFile(file)) > 0 || set.Read == nil {
				continue
			}
			if _, exists := set.Read(file); exists {
				found.Error(k, "resources", "%s holds no objects, so the Flux version and the components cannot be read: flux bootstrap fills it in; "+
					"run on the branch that it pushed to", file)
			}
		}
	}
	return nil
}
