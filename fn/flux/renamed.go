package flux

import (
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/reason"
)

// formerAnnotations are those by which kustomize remembers what an object was called before a step renamed it, so that
// a target for the old name still selects it. Source: kustomize api v0.21, internal/utils/annotations.go.
var formerAnnotations = []string{
	"internal.config.kubernetes.io/previousNames",
	"internal.config.kubernetes.io/previousKinds",
	"internal.config.kubernetes.io/previousNamespaces",
}

// PatchRenamed is Patch for a nameSuffix: what that renames is selected by its old name as well in later calls of Patch
// and SelectEach, as it is in one build of all. Bare makes objects forget their old names.
func PatchRenamed(objects []*yaml.RNode, fields map[string]any) ([]*yaml.RNode, error) {
	built, err := Patch(objects, fields)
	if err != nil {
		return nil, err
	}
	suffix, _ := fields["nameSuffix"].(string)
	former := map[ID][]string{}
	for _, o := range built {
		if before, renamed := strings.CutSuffix(o.GetName(), suffix); renamed && suffix != "" {
			former[IDOf(o)] = []string{before, o.GetKind(), o.GetNamespace()}
		}
	}
	return built, setFormer(built, former)
}

// formerNames are the former name, kind and namespace of the objects that have one.
func formerNames(objects []*yaml.RNode) map[ID][]string {
	former := map[ID][]string{}
	for _, o := range objects {
		annotations := o.GetAnnotations(formerAnnotations...)
		if len(annotations) == len(formerAnnotations) {
			former[IDOf(o)] = []string{annotations[formerAnnotations[0]], annotations[formerAnnotations[1]],
				annotations[formerAnnotations[2]]}
		}
	}
	return former
}

// setFormer gives objects their former names.
func setFormer(objects []*yaml.RNode, former map[ID][]string) error {
	if len(former) == 0 {
		return nil
	}
	for _, o := range objects {
		names, renamed := former[IDOf(o)]
		if !renamed {
			continue
		}
		for n, key := range formerAnnotations {
			if err := reason.Of(o.PipeE(yaml.SetAnnotation(key, names[n]))); err != nil {
				return err
			}
		}
	}
	return nil
}
