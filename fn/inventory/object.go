package inventory

import (
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/resource"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/reason"
)

// object is one object of a build: what the verdict needs, and the rest on
// demand, for most objects are never looked into.
type object struct {
	ID
	apiVersion  string
	labels      map[string]string
	annotations map[string]string
	file        *Origin
	dollar      bool // something in it may be substituted
	text        func() (string, error)
	content     func() (map[string]any, error)
	digest      [sha256.Size]byte // of all that it says; zero where that is not known
}

// newObject takes an object out of a build.
func newObject(r *resource.Resource, file *Origin) *object {
	forgetOrigin(r)
	gvk := r.GetGvk()
	o := &object{
		ID:         ID{Group: gvk.Group, Kind: gvk.Kind, Namespace: r.GetNamespace(), Name: r.GetName()},
		apiVersion: r.GetApiVersion(),
		file:       file,
		dollar:     hasDollar(r.YNode()),
		content:    sync.OnceValues(func() (map[string]any, error) { return reason.With(r.Map()) }),
		digest:     digestOf(r.YNode()),
	}
	o.labels, o.annotations = r.GetLabels(), r.GetAnnotations()
	o.text = sync.OnceValues(func() (string, error) {
		text, err := r.AsYAML()
		return string(text), err
	})
	return o
}

// digestOf is the SHA-256 of what a tree of nodes says, however it is written.
func digestOf(n *kyaml.Node) (sum [sha256.Size]byte) {
	hash := sha256.New()
	digest(n, hash)
	hash.Sum(sum[:0])
	return sum
}

// digest writes what a node says: its kind, its type, and its value or how many nodes are below it, and these.
// kustomize has put what they stand for in the place of aliases.
func digest(n *kyaml.Node, to io.Writer) {
	fmt.Fprintf(to, "%d %s %d %d %s", n.Kind, n.ShortTag(), len(n.Content), len(n.Value), n.Value)
	for _, c := range n.Content {
		digest(c, to)
	}
}

// forgetOrigin takes the origin off, which is not what anybody wrote.
func forgetOrigin(r *resource.Resource) {
	annotations := r.GetAnnotations()
	if _, told := annotations[originAnnotation]; told {
		delete(annotations, originAnnotation)
		_ = r.SetAnnotations(annotations) // fails only on a node that is no map
	}
}

// with is the object with another content, which substitution gave it.
func (o *object) with(content map[string]any) *object {
	out := &object{file: o.file}
	out.identify(content)
	out.content = func() (map[string]any, error) { return content, nil }
	return out
}

// identify reads the identity and the metadata out of the content.
func (o *object) identify(content map[string]any) {
	o.apiVersion = str(content, "apiVersion")
	o.Kind = str(content, "kind")
	if group, _, grouped := strings.Cut(o.apiVersion, "/"); grouped {
		o.Group = group
	}
	o.Name = str(content, "metadata", "name")
	o.Namespace = str(content, "metadata", "namespace")
	meta := dig(content, "metadata")
	o.labels, o.annotations = stringMap(meta["labels"]), stringMap(meta["annotations"])
}

// hasDollar reports whether a scalar below n holds a dollar sign.
func hasDollar(n *kyaml.Node) bool {
	if n.Kind == kyaml.ScalarNode {
		return strings.Contains(n.Value, "$")
	}
	for _, c := range n.Content {
		if hasDollar(c) {
			return true
		}
	}
	return false
}

// dig returns the map at a path of fields, empty if there is none.
func dig(m map[string]any, fields ...string) map[string]any {
	for _, f := range fields {
		m, _ = m[f].(map[string]any)
	}
	return m
}

// str returns the string at a path of fields, empty if there is none.
func str(m map[string]any, fields ...string) string {
	last := len(fields) - 1
	s, _ := dig(m, fields[:last]...)[fields[last]].(string)
	return s
}

// boolean returns the boolean at a path of fields, false if there is none.
func boolean(m map[string]any, fields ...string) bool {
	last := len(fields) - 1
	b, _ := dig(m, fields[:last]...)[fields[last]].(bool)
	return b
}

// mayBeTrue returns whether the value at a path of fields is true, or depends
// on what is not in the repository.
func mayBeTrue(m map[string]any, fields ...string) bool {
	last := len(fields) - 1
	value, set := dig(m, fields[:last]...)[fields[last]]
	b, known := value.(bool)
	return b || set && value != nil && !known
}

// list returns the maps in the list at a path of fields.
func list(m map[string]any, fields ...string) []map[string]any {
	last := len(fields) - 1
	items, _ := dig(m, fields[:last]...)[fields[last]].([]any)
	var out []map[string]any
	for _, item := range items {
		if entry, ok := item.(map[string]any); ok {
			out = append(out, entry)
		}
	}
	return out
}
