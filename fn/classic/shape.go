package classic

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/fields"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// readShape takes over what a Flux Kustomization does to the install that it applies.
//
// It fails on what cannot be expressed, naming the field.
func (i *Install) readShape(owner, live *object.Object, read map[string]any) error {
	if namespace, set := read["namespace"]; set && namespace != i.Namespace {
		return fmt.Errorf("field spec.targetNamespace moves the controllers to %v: only %s is supported", namespace,
			i.Namespace)
	}
	i.Substitute, _ = read["postBuild"].(map[string]any)
	patches, err := patchesOf(live, "spec", "patches")
	if err != nil {
		return fmt.Errorf("field spec.patches: %w", err)
	}
	i.Patches = patches
	if common, set := read["commonMetadata"].(map[string]any); set {
		i.Patches = append(i.Patches, metadataPatch(owner, "spec.commonMetadata", common))
	}
	return i.readPatchLists(owner, "spec", read)
}

// readPatchLists reads the lists that patch in ways of their own, as they stand in one field of an object.
func (i *Install) readPatchLists(o *object.Object, at string, read map[string]any) error {
	for _, list := range []struct {
		field string
		read  func(*object.Object, string, any) (Patch, error)
	}{
		{"patchesStrategicMerge", inlineMerge}, {"patchesJson6902", inlineJSON}, {"images", imagePatch},
	} {
		entries, _ := read[list.field].([]any)
		for n, entry := range entries {
			field := fmt.Sprintf("%s.%s[%d]", at, list.field, n)
			if list.field == "images" && !i.hasImage(entry) {
				i.Dropped = append(i.Dropped, fields.Leaf{Path: field, Value: entry, Why: "no image of Flux has this " +
					"name, so it has no effect today"})
				continue
			}
			patch, err := list.read(o, field, entry)
			if err != nil {
				return fmt.Errorf("field %s: %w", field, err)
			}
			documents, err := targeted(patch)
			if err != nil {
				return fmt.Errorf("field %s: %w", field, err)
			}
			i.Patches = append(i.Patches, documents...)
		}
	}
	return nil
}

// hasImage reports whether an entry of images can mean an image of Flux: its name is a regular expression.
// Source: kustomize api/image v0.21.
func (i *Install) hasImage(entry any) bool {
	m, _ := entry.(map[string]any)
	name, _ := m["name"].(string)
	pattern, err := regexp.Compile("^(" + name + ")$")
	return err != nil || slices.ContainsFunc(flux.EveryComponent(), func(component string) bool {
		return pattern.MatchString(DefaultRegistry+"/"+component) ||
			pattern.MatchString(i.Options.Registry+"/"+component)
	})
}

// inlineMerge reads an entry of the patchesStrategicMerge of a HelmRelease of v2beta1 and v2beta2, which is an object.
func inlineMerge(o *object.Object, field string, entry any) (Patch, error) {
	body, err := yaml.Marshal(entry)
	return Patch{Body: string(body), Object: o, Field: field}, err
}

// inlineJSON reads an entry of the patchesJson6902 of a HelmRelease of v2beta1 and v2beta2, whose patch is a list of
// operations.
func inlineJSON(o *object.Object, field string, entry any) (Patch, error) {
	m, _ := entry.(map[string]any)
	target, _ := m["target"].(map[string]any)
	body, err := yaml.Marshal(m["patch"])
	return Patch{Body: string(body), Target: target, Object: o, Field: field}, err
}

// imagePatch turns an entry of images into the patch that gives the controller that image. The names that match are
// those of the release manifests: <registry>/fluxcd/<controller>.
//
// It fails on an image that no controller has, and where the new reference is not whole.
func imagePatch(o *object.Object, field string, entry any) (Patch, error) {
	m, _ := entry.(map[string]any)
	text := func(key string) string { s, _ := m[key].(string); return s }
	if unknown := slices.DeleteFunc(slices.Sorted(maps.Keys(m)), func(k string) bool {
		return slices.Contains([]string{"name", "newName", "newTag", "digest"}, k)
	}); len(unknown) > 0 {
		return Patch{}, fmt.Errorf("unknown field %s", unknown[0])
	}
	name, found := strings.CutPrefix(text("name"), DefaultRegistry+"/")
	if !found {
		return Patch{}, fmt.Errorf("image %q is not one that Flux installs", text("name"))
	}
	op, err := imageOperation(text("name"), text("newName"), text("newTag"), text("digest"))
	return Patch{Body: op, Target: map[string]any{"kind": "Deployment", "name": name}, Object: o, Field: field}, err
}

// imageOperation replaces the image of the one container of a controller.
func imageOperation(name, newName, newTag, digest string) (string, error) {
	if newName == "" {
		newName = name
	}
	switch {
	case digest != "" && newTag != "":
		newName += ":" + newTag + "@" + digest
	case digest != "":
		newName += "@" + digest
	case newTag != "":
		newName += ":" + newTag
	default:
		return "", fmt.Errorf("image %s is renamed without a tag: add newTag, or use a registry mirror for all images",
			name)
	}
	return fmt.Sprintf("- op: replace\n  path: /spec/template/spec/containers/0/image\n  value: %s\n", newName), nil
}
