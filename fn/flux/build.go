package flux

import (
	"encoding/json"
	"fmt"
	"slices"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/resid"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/kustomize"
	"migrate-to-flux-operator/fn/limit"
)

// files is a tree of files that kustomize builds, by absolute path. It exists in memory only.
type files map[string][]byte

// add stores any value as JSON, which is YAML and costs less to make. Patches in it are YAML, too: kustomize takes any
// that it is given.
func (f files) add(path string, value any) error {
	out, err := json.Marshal(value)
	if err != nil {
		return err
	}
	f[path] = out
	return limit.CheckNested(out)
}

// build is what kustomize makes of the root folder.
func (f files) build() ([]*kyaml.RNode, error) {
	return builds.build(f, files.run)
}

// run runs kustomize on the root folder.
func (f files) run() (objects []*kyaml.RNode, err error) {
	tree := filesys.MakeFsInMemory()
	for path, content := range f {
		if err := tree.WriteFile(path, content); err != nil {
			return nil, err
		}
	}
	built, err := kustomize.Run(kustomize.Memory{FileSystem: tree}, "/", "the build of what installs Flux")
	if err != nil {
		return nil, err
	}
	for _, r := range built.Resources() {
		objects = append(objects, &r.RNode)
	}
	return objects, nil
}

// kustomization starts a kustomization.yaml.
func kustomization(namespace string, resources ...string) types.Kustomization {
	return types.Kustomization{
		TypeMeta:  types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind},
		Namespace: namespace,
		Resources: resources,
	}
}

// op is one operation of a JSON patch.
type op struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// container is where Flux controllers have their only container.
const container = "/spec/template/spec/containers/0"

// setArg replaces the container's argument at an index.
func setArg(index int, value string) op {
	return op{Op: "replace", Path: fmt.Sprintf("%s/args/%d", container, index), Value: value}
}

// addArg appends an argument to the container.
func addArg(value string) op { return op{Op: "add", Path: container + "/args/-", Value: value} }

// addArgs appends arguments in their order.
func addArgs(values ...string) []op {
	var ops []op
	for _, v := range values {
		ops = append(ops, addArg(v))
	}
	return ops
}

// jsonPatch is a patch of the objects of a kind whose name matches.
func jsonPatch(kind, name string, ops ...op) types.Patch {
	content, err := json.Marshal(ops)
	if err != nil {
		panic(err) // ops hold strings, lists and maps only
	}
	return types.Patch{Patch: string(content), Target: target(kind, name)}
}

// mergePatch is a strategic merge patch of all Deployments. The first one makes kustomize read the schema of
// Kubernetes, which costs as much as all the rest of a build: a JSON patch says the same where the field, or its
// parent, is known to be there.
func mergePatch(deployment map[string]any) types.Patch {
	object := map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "all"}}
	for key, value := range deployment {
		object[key] = value
	}
	content, err := json.Marshal(object)
	if err != nil {
		panic(err) // as above
	}
	return types.Patch{Patch: string(content), Target: target("Deployment", "")}
}

// target selects by kind and by a name pattern, which kustomize anchors.
func target(kind, name string) *types.Selector {
	return &types.Selector{ResId: resid.ResId{Gvk: resid.Gvk{Kind: kind}, Name: name}}
}

// anyOf is the name pattern for several names.
func anyOf(names ...string) string {
	pattern := "("
	for i, name := range names {
		if i > 0 {
			pattern += "|"
		}
		pattern += name
	}
	return pattern + ")"
}

// has reports whether a component is installed.
func (o Options) has(component string) bool { return slices.Contains(o.Components, component) }
