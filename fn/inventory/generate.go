package inventory

import (
	"encoding/json"
	"fmt"
	"path"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/limit"
	"migrate-to-flux-operator/fn/reason"
)

// transforms are the fields of a Flux Kustomization that go into the build,
// under the names that its API gives them.
type transforms struct {
	TargetNamespace         string        `json:"targetNamespace,omitempty"`
	NamePrefix              string        `json:"namePrefix,omitempty"`
	NameSuffix              string        `json:"nameSuffix,omitempty"`
	Patches                 []types.Patch `json:"patches,omitempty"`
	Images                  []types.Image `json:"images,omitempty"`
	Components              []string      `json:"components,omitempty"`
	IgnoreMissingComponents bool          `json:"ignoreMissingComponents,omitempty"`
}

// transformsOf reads the fields out of a spec.
func transformsOf(spec map[string]any) (transforms, error) {
	var t transforms
	data, err := json.Marshal(spec)
	if err != nil {
		return t, err
	}
	if err := reason.Of(json.Unmarshal(data, &t)); err != nil {
		return t, err
	}
	for i, p := range t.Patches {
		if err := limit.Check([]byte(p.Patch)); err != nil {
			return t, fmt.Errorf("spec.patches[%d]: %w", i, err)
		}
	}
	return t, nil
}

// generate writes the kustomization.yaml that kustomize-controller would
// build dir with: the one that is there, or one that lists everything, with
// the fields of the Flux Kustomization added. Origin annotations tell which
// file each object came from.
func (v *view) generate(dir string, t transforms) error {
	k, file, err := v.base(dir)
	if err != nil {
		return err
	}
	v.add(&k, dir, t)
	if _, err := v.clean(file, &k); err != nil {
		return err
	}
	k.BuildMetadata = nil
	// as the controller does: kustomize takes a file without any field for a mistake
	if v.origins || len(k.Resources) == 0 {
		k.BuildMetadata = []string{types.OriginAnnotations}
	}
	v.override[file], err = encode(&k)
	return err
}

// base returns the kustomization of dir and the path of its file.
func (v *view) base(dir string) (types.Kustomization, string, error) {
	k := types.Kustomization{TypeMeta: types.TypeMeta{APIVersion: types.KustomizationVersion,
		Kind: types.KustomizationKind}}
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		file := path.Join(dir, name)
		is := v.ask(file)
		if is.content == nil {
			continue
		}
		if err := limit.CheckNested(is.content); err != nil {
			return k, file, fmt.Errorf("%s: %w", file, err)
		}
		return k, file, reason.Of(yaml.Unmarshal(is.content, &k))
	}
	k.Resources = v.manifests(dir, ".")
	if len(k.Resources) == 0 {
		k.Namespace = "_placeholder" // as the controller does, so that it is not empty
	}
	return k, path.Join(dir, konfig.DefaultKustomizationFileName()), nil
}

// manifests lists what a generated kustomization.yaml of dir holds below sub:
// YAML files, and directories that have a kustomization.yaml of their own.
func (v *view) manifests(dir, sub string) []string {
	var out []string
	for _, name := range v.ask(path.Join(dir, sub) + "/").names {
		entry := path.Join(sub, name)
		full := path.Join(dir, entry)
		switch {
		case v.ask(full).dir && v.hasKustomization(full):
			out = append(out, "./"+entry)
		case v.ask(full).dir:
			out = append(out, v.manifests(dir, entry)...)
		case path.Ext(name) == ".yaml" || path.Ext(name) == ".yml":
			out = append(out, "./"+entry)
		}
	}
	return out
}

// hasKustomization reports whether dir has a kustomization.yaml of any spelling.
func (v *view) hasKustomization(dir string) bool {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if v.ask(path.Join(dir, name)).content != nil {
			return true
		}
	}
	return false
}

// add puts the fields of the Flux Kustomization into its kustomization.yaml.
func (v *view) add(k *types.Kustomization, dir string, t transforms) {
	if t.TargetNamespace != "" {
		k.Namespace = t.TargetNamespace
	}
	if t.NamePrefix != "" {
		k.NamePrefix = t.NamePrefix
	}
	if t.NameSuffix != "" {
		k.NameSuffix = t.NameSuffix
	}
	for _, p := range t.Patches {
		k.Patches = append(k.Patches, types.Patch{Patch: p.Patch, Target: p.Target})
	}
	for _, i := range t.Images {
		addImage(k, i)
	}
	v.addComponents(k, dir, t)
}

// addComponents adds the components that exist. A missing one fails Flux's
// build unless the spec tolerates it.
func (v *view) addComponents(k *types.Kustomization, dir string, t transforms) {
	for _, c := range t.Components {
		switch {
		case !path.IsAbs(c) && !isRepository(c) && v.has(rel(path.Join(mount, dir, c))):
			k.Components = append(k.Components, c)
		case !t.IgnoreMissingComponents:
			v.opaque = append(v.opaque, Opaque{Reason: OpaqueMissing, File: dir, What: "component " + c})
		}
	}
}

// addImage merges an image override: tag and digest count as one.
func addImage(k *types.Kustomization, image types.Image) {
	for i := range k.Images {
		have := &k.Images[i]
		if have.Name != image.Name {
			continue
		}
		if image.NewName != "" {
			have.NewName = image.NewName
		}
		if image.NewTag != "" || image.Digest != "" {
			have.NewTag, have.Digest = image.NewTag, image.Digest
		}
		return
	}
	k.Images = append(k.Images, types.Image{Name: image.Name, NewName: image.NewName, NewTag: image.NewTag,
		Digest: image.Digest})
}
