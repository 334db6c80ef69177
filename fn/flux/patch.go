package flux

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/yaml"
	kyaml "sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/reason"
)

// ID names an object. The API version is not part of it: a patch or another writer may use another one for the same
// object.
type ID struct{ Group, Kind, Namespace, Name string }

// String spells an ID as Flux does: Deployment/flux-system/source-controller.
func (id ID) String() string {
	if id.Namespace == "" {
		return id.Kind + "/" + id.Name
	}
	return id.Kind + "/" + id.Namespace + "/" + id.Name
}

// IDOf names an object.
func IDOf(object *yaml.RNode) ID {
	group, _, found := strings.Cut(object.GetApiVersion(), "/")
	if !found {
		group = ""
	}
	return ID{Group: group, Kind: object.GetKind(), Namespace: object.GetNamespace(), Name: object.GetName()}
}

// Patch builds objects through the fields of a kustomization.yaml (patches, images, namespace, labels, replicas, ...),
// as kustomize-controller does. Its resources are the objects. Nothing is read: a field that names files, folders or
// addresses is an error; inline what patch files hold.
func Patch(objects []*yaml.RNode, fields map[string]any) ([]*yaml.RNode, error) {
	root, err := plain(fields)
	if err != nil {
		return nil, err
	}
	if err := offline(root); err != nil {
		return nil, err
	}
	former := formerNames(objects)
	if objects, err = Bare(objects); err != nil {
		return nil, err
	}
	if err := setFormer(objects, former); err != nil || len(root) == 0 {
		return objects, err
	}
	resources, err := stream(objects)
	if err != nil {
		return nil, err
	}
	root["apiVersion"], root["kind"] = types.KustomizationVersion, types.KustomizationKind
	root["resources"] = []string{"resources.yaml"}
	tree := files{"/resources.yaml": resources}
	if err := tree.add("/kustomization.yaml", root); err != nil {
		return nil, err
	}
	built, err := tree.build()
	if err != nil {
		return nil, err
	}
	return built, setFormer(built, former)
}

// plain copies a map, however its values are typed, into maps, lists and scalars.
func plain(value map[string]any) (map[string]any, error) {
	content, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	err = reason.Of(json.Unmarshal(content, &out))
	if out == nil {
		out = map[string]any{}
	}
	return out, err
}

// Bare copies objects without the annotations by which function runtimes remember files, and kustomize former names.
func Bare(objects []*yaml.RNode) ([]*yaml.RNode, error) {
	var copies []*yaml.RNode
	for _, object := range objects {
		object = object.Copy()
		if err := forgetFiles(object); err != nil {
			return nil, err
		}
		copies = append(copies, object)
	}
	return copies, nil
}

// stream writes objects one after the other.
func stream(objects []*yaml.RNode) ([]byte, error) {
	var b strings.Builder
	for _, object := range objects {
		text, err := object.String()
		if err != nil {
			return nil, err
		}
		b.WriteString("---\n" + text)
	}
	return []byte(b.String()), nil
}

// forgetFiles removes bookkeeping annotations: they are no part of the object.
func forgetFiles(object *yaml.RNode) error {
	for _, key := range slices.Sorted(maps.Keys(object.GetAnnotations())) {
		if bookkeeping(key) {
			if err := reason.Of(object.PipeE(yaml.ClearAnnotation(key))); err != nil {
				return err
			}
		}
	}
	return reason.Of(yaml.ClearEmptyAnnotations(object))
}

// bookkeeping tells an annotation of a function runtime.
func bookkeeping(annotation string) bool {
	return strings.HasPrefix(annotation, "internal.config.kubernetes.io/") ||
		strings.HasPrefix(annotation, "config.kubernetes.io/") ||
		strings.HasPrefix(annotation, "config.k8s.io/")
}

// inlineFields are the fields of a kustomization.yaml that say all they have to say themselves.
func inlineFields() []string {
	return []string{
		"apiVersion", "kind", "metadata", "resources", "namespace", "namePrefix", "nameSuffix", "commonLabels",
		"labels", "commonAnnotations",
		"patches", "patchesJson6902", "patchesStrategicMerge", "images", "replicas", "replacements", "sortOptions",
		"vars",
	}
}

// offline refuses what kustomize would go to files or to the network for.
func offline(fields map[string]any) error {
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(inlineFields(), field) {
			return fmt.Errorf("kustomization.yaml field %s cannot be built here", field)
		}
	}
	for _, field := range []string{"patches", "patchesJson6902", "replacements"} {
		items, _ := fields[field].([]any)
		for i, item := range items {
			if m, ok := item.(map[string]any); ok && m["path"] != nil {
				return fmt.Errorf("kustomization.yaml field %s[%d].path names a file: inline it", field, i)
			}
		}
	}
	merges, _ := fields["patchesStrategicMerge"].([]any)
	for i, item := range merges {
		if text, _ := item.(string); !inline(text) {
			return fmt.Errorf("kustomization.yaml field patchesStrategicMerge[%d] names a file: inline it", i)
		}
	}
	return nil
}

// inline tells a patch from the path of one.
func inline(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "{") || strings.Contains(text, "\n")
}

// probe starts the fields by which InstanceSelectEach sees what its targets select. They are at the top, where every
// object takes one.
const probe = "selected-"

// probePatches put a probe on what each target selects.
func probePatches(targets []map[string]any) []any {
	var patches []any
	for i, target := range targets {
		patches = append(patches, map[string]any{
			"target": target,
			"patch":  fmt.Sprintf(`[{"op": "add", "path": "/%s%d", "value": true}]`, probe, i),
		})
	}
	return patches
}

// Selects lists the objects that a kustomize patch target (group, version, kind, name, namespace, labelSelector,
// annotationSelector) selects among objects as they are. It asks kustomize's own selector, so that it cannot differ.
func Selects(objects []*yaml.RNode, target map[string]any) ([]ID, error) {
	each, err := SelectEach(objects, []map[string]any{target})
	if err != nil {
		return nil, err
	}
	return each[0], nil
}

// SelectEach is Selects for several targets.
func SelectEach(objects []*yaml.RNode, targets []map[string]any) ([][]ID, error) {
	resources, err := selectable(objects)
	if err != nil {
		return nil, err
	}
	each := make([][]ID, len(targets))
	for i, target := range targets {
		selector, err := selectorOf(target)
		if err != nil {
			return nil, err
		}
		selected, err := reason.With(resources.Select(selector))
		if err != nil {
			return nil, err
		}
		for _, r := range selected {
			each[i] = append(each[i], IDOf(&r.RNode))
		}
	}
	return each, nil
}

// selectable are objects for kustomize to select among.
func selectable(objects []*yaml.RNode) (resmap.ResMap, error) {
	among, err := Bare(heads(objects))
	if err != nil {
		return nil, err
	}
	if err := setFormer(among, formerNames(objects)); err != nil {
		return nil, err
	}
	resources := provider.NewDefaultDepProvider().GetResourceFactory()
	return reason.With(resmap.NewFactory(resources).NewResMapFromRNodeSlice(among))
}

// selectorOf reads a target as kustomize does.
func selectorOf(target map[string]any) (selector types.Selector, err error) {
	content, err := json.Marshal(target)
	if err != nil {
		return selector, err
	}
	return selector, reason.Of(kyaml.UnmarshalStrict(content, &selector))
}

// heads are the objects without all that no target can select by.
func heads(objects []*yaml.RNode) []*yaml.RNode {
	all := make([]*yaml.RNode, len(objects))
	for i, o := range objects {
		all[i] = yaml.NewMapRNode(nil)
		for _, field := range []string{"apiVersion", "kind", "metadata"} {
			if f := o.Field(field); !f.IsNilOrEmpty() {
				all[i].YNode().Content = append(all[i].YNode().Content, f.Key.YNode(), f.Value.YNode())
			}
		}
	}
	return all
}

// InstanceSelectEach lists the objects that each patch target selects when it comes after all patches of a
// FluxInstance, in one build. They are named as they come out, but selected as the operator has them at that point:
// without namespace, labels of the install, or final names.
func InstanceSelectEach(fluxInstance map[string]any, version string, targets []map[string]any) ([][]ID, error) {
	with, err := withPatches(fluxInstance, probePatches(targets))
	if err != nil {
		return nil, err
	}
	objects, err := Instance(with, version)
	if err != nil {
		return nil, err
	}
	return probed(objects, len(targets)), nil
}

// probed names the objects that have each probe.
func probed(objects []*yaml.RNode, targets int) [][]ID {
	each := make([][]ID, targets)
	for _, object := range objects {
		for i := range each {
			if object.Field(fmt.Sprintf("%s%d", probe, i)) != nil {
				each[i] = append(each[i], IDOf(object))
			}
		}
	}
	return each
}

// withPatches is a FluxInstance with more patches. The given one is not changed.
func withPatches(fluxInstance map[string]any, more []any) (map[string]any, error) {
	out, err := plain(fluxInstance)
	if err != nil {
		return nil, err
	}
	at := out
	for _, field := range []string{"spec", "kustomize"} {
		if at[field] == nil {
			at[field] = map[string]any{}
		}
		var ok bool
		if at, ok = at[field].(map[string]any); !ok {
			return nil, fmt.Errorf("FluxInstance field %s is no map", field)
		}
	}
	patches, _ := at["patches"].([]any)
	at["patches"] = append(patches, more...)
	return out, nil
}
