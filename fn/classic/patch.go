package classic

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/reason"
)

// Patch is one change that the owner made to the classic install.
type Patch struct {
	// Body is the text of the patch: a strategic merge patch or a list of JSON6902 operations.
	Body string
	// Target says what the patch applies to; nil when the body names its object itself.
	Target map[string]any
	// Comment stands above the patch in the file it came from.
	Comment string
	// File is where the body was read from, when it was not inline.
	File string
	// Object and Field say where the patch was found.
	Object *object.Object
	Field  string
	// Options are what a kustomization.yaml allows the patch: to change names and kinds.
	Options map[string]any
	// named tells that the patch has no target where it stands, and names its object itself.
	named bool
	// node is the entry as it was written, for as long as nothing in it had to change.
	node *kyaml.Node
}

// Node is the patch as an entry of spec.kustomize.patches: as it was written where that is still what it says.
func (p Patch) Node() *kyaml.Node {
	body := tidy(p.Body)
	if p.node != nil && body == p.Body {
		return p.node
	}
	if p.node != nil {
		return withBody(p.node, body)
	}
	fields := []object.Field{object.F("patch", body)}
	if len(p.Target) > 0 {
		fields = append(fields, object.F("target", p.Target))
	}
	node := object.Map(fields...)
	node.HeadComment = p.Comment
	return node
}

// withBody is an entry with another body; all else in it stays as it was written.
func withBody(entry *kyaml.Node, body string) *kyaml.Node {
	changed := kyaml.CopyYNode(entry)
	for i := 0; i+1 < len(changed.Content); i += 2 {
		if changed.Content[i].Value == "patch" {
			changed.Content[i+1].SetString(body)
		}
	}
	return changed
}

// blanksAtTheEnd are what go-yaml cannot write in a block scalar: a text that has them comes out as one quoted line.
var blanksAtTheEnd = regexp.MustCompile(`(?m)[ \t\r]+$`)

// tidy is a body without blanks at the end of its lines, where it says the same without them.
func tidy(body string) string {
	tidied := blanksAtTheEnd.ReplaceAllString(body, "")
	if tidied != body && slices.EqualFunc(documents(body), documents(tidied), saysTheSame) {
		return tidied
	}
	return body
}

func saysTheSame(a, b string) bool {
	var one, other any
	return yaml.Unmarshal([]byte(a), &one) == nil && yaml.Unmarshal([]byte(b), &other) == nil &&
		reflect.DeepEqual(one, other)
}

// IsGuard tells the patch that deploy adds to the folder of an install: prune: disabled on everything, and nothing
// else.
func (p Patch) IsGuard() bool {
	var body map[string]any
	if yaml.Unmarshal([]byte(p.Body), &body) != nil || len(p.Target) != 1 || p.Target["kind"] != ".*" {
		return false
	}
	annotations, _ := object.Get[map[string]any](body, "metadata", "annotations")
	return len(annotations) == 1 && annotations["kustomize.toolkit.fluxcd.io/prune"] == "disabled"
}

// With is the patch with another body and target; its comment and origin stay.
func (p Patch) With(body string, target map[string]any) Patch {
	p.Body, p.Target, p.node = body, target, nil
	return p
}

// patchesOf reads a list of patches with their comments, as it stands at a path of an object, each with a target.
func patchesOf(o *object.Object, path ...string) ([]Patch, error) {
	list, err := listOf(o, path...)
	if err != nil {
		return nil, err
	}
	var patches []Patch
	for i, patch := range list {
		documents, err := targeted(patch)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
		patches = append(patches, documents...)
	}
	return patches, nil
}

// listOf reads a list of patches as it is written.
func listOf(o *object.Object, path ...string) ([]Patch, error) {
	tree, err := o.Node()
	if err != nil {
		return nil, err
	}
	list, err := reason.With(tree.Pipe(kyaml.Lookup(path...)))
	if err != nil || list == nil {
		return nil, err
	}
	var patches []Patch
	for i, entry := range list.Content() {
		patch, err := patchOf(entry)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
		patch.Object, patch.Field = o, fmt.Sprintf("%s[%d]", join(path), i)
		patches = append(patches, patch)
	}
	return patches, nil
}

// patchOf reads an entry: patch or path, target, and the options.
func patchOf(entry *kyaml.Node) (Patch, error) {
	if entry.Kind == kyaml.ScalarNode {
		return Patch{}, errors.New("it is a text, not a patch: a file goes behind `path:`")
	}
	text, err := object.Print(entry)
	if err != nil {
		return Patch{}, err
	}
	var read struct {
		Patch   string         `json:"patch"`
		Path    string         `json:"path"`
		Target  map[string]any `json:"target"`
		Options map[string]any `json:"options"`
	}
	if err := reason.Of(yaml.UnmarshalStrict([]byte(text), &read)); err != nil {
		return Patch{}, fmt.Errorf("not a patch with a target: %w", err)
	}
	patch := Patch{Body: read.Patch, File: read.Path, Target: read.Target, Options: read.Options,
		Comment: headComment(entry)}
	everything := read.Target != nil && len(read.Target) == 0
	if everything { // as kustomize takes it
		patch.Target = map[string]any{"kind": ".*"}
	}
	if read.Path == "" && len(read.Options) == 0 && !everything {
		patch.node = entry
	}
	return patch, nil
}

// headComment is the comment above an entry of a list; go-yaml hangs it on the entry or on its first key.
func headComment(entry *kyaml.Node) string {
	if entry.HeadComment != "" || len(entry.Content) == 0 {
		return entry.HeadComment
	}
	return entry.Content[0].HeadComment
}

func join(path []string) string {
	joined := path[0]
	for _, key := range path[1:] {
		joined += "." + key
	}
	return joined
}

// targeted gives a target to a patch that names its object in its body, one entry for each document; one that has a
// target comes back as it is.
//
// It fails on a body that is neither a strategic merge patch nor a list of JSON6902 operations.
func targeted(patch Patch) ([]Patch, error) {
	if len(patch.Target) > 0 {
		return []Patch{patch}, nil
	}
	if _, isJSON := Operations(patch.Body); isJSON {
		return nil, fmt.Errorf("the patch has JSON6902 operations but no target: kustomize refuses it")
	}
	var all []Patch
	for _, body := range documents(patch.Body) {
		var named struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
			Metadata   struct {
				Name string `json:"name"`
			} `json:"metadata"`
		}
		if err := reason.Of(yaml.Unmarshal([]byte(body), &named)); err != nil {
			return nil, fmt.Errorf("the patch is not YAML: %w", err)
		}
		if named.Kind == "" || named.Metadata.Name == "" {
			return nil, fmt.Errorf("the patch has no target and names no object: kustomize refuses it")
		}
		target := map[string]any{"kind": named.Kind, "name": named.Metadata.Name}
		if group, _, found := strings.Cut(named.APIVersion, "/"); found {
			target["group"] = group
		}
		one := patch.With(body, target)
		one.named = true
		all = append(all, one)
	}
	return all, nil
}

func isCRD(kind string) bool { return kind == "CustomResourceDefinition" }

// OnSchemas tells a patch on CRDs that changes more than their metadata.
func (p Patch) OnSchemas() bool {
	kind, _ := p.Target["kind"].(string)
	return isCRD(kind) && touchesSpec(p.Body)
}

func touchesSpec(body string) bool {
	if ops, isJSON := Operations(body); isJSON {
		return slices.ContainsFunc(ops, func(op map[string]any) bool {
			at, _ := op["path"].(string)
			return !strings.HasPrefix(at, "/metadata/")
		})
	}
	return strings.Contains(body, "spec:") || strings.Contains(body, `"spec"`)
}

// Operations reads the body of a JSON6902 patch; false when it is none.
func Operations(body string) ([]map[string]any, bool) {
	var ops []map[string]any
	if yaml.Unmarshal([]byte(body), &ops) != nil {
		return nil, false
	}
	return ops, true
}

// documents cuts a body at its document separators and leaves out what holds nothing but comments.
func documents(body string) []string {
	var docs []string
	for _, doc := range strings.Split("\n"+body, "\n---") {
		var content any
		if err := yaml.Unmarshal([]byte(doc), &content); err == nil && content == nil {
			continue
		}
		docs = append(docs, strings.TrimPrefix(doc, "\n"))
	}
	return docs
}
