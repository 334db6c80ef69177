// Package object holds what the migration works on: the Kubernetes objects of the input, each with the file it came
// from, parsed when first needed and edited without losing a comment.
package object

import (
	"bytes"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"

	"github.com/GoogleContainerTools/kpt-functions-sdk/go/fn"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/limit"
	"migrate-to-flux-operator/fn/plainyaml"
	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/reason"
)

// ID names an object on a cluster.
type ID struct {
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind,omitempty"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name,omitempty"`
}

// Group is the API group, empty for the core group.
func (id ID) Group() string {
	group, _, found := strings.Cut(id.APIVersion, "/")
	if !found {
		return ""
	}
	return group
}

// Version is the API version without its group.
func (id ID) Version() string {
	return id.APIVersion[strings.LastIndex(id.APIVersion, "/")+1:]
}

// String is kind/namespace/name as Flux prints it.
func (id ID) String() string {
	name := printable.Line(id.Name)
	if id.Namespace != "" {
		name = printable.Line(id.Namespace) + "/" + name
	}
	return strings.TrimSuffix(printable.Line(id.Kind)+"/"+name, "/")
}

// Same reports whether two IDs name one object on a cluster, whatever the API version.
func (id ID) Same(other ID) bool { return id.anyVersion() == other.anyVersion() }

// anyVersion is the ID with its group in the place of its API version.
func (id ID) anyVersion() ID {
	id.APIVersion = id.Group()
	return id
}

// Object is one object of the input.
type Object struct {
	ID
	// File is the slash-separated path relative to the root of the input, empty where items carry no paths.
	File string
	// Index is the position of the object in its file, counted over the documents that hold an object.
	Index int

	text   string
	source func() []byte // makes the text where it is not kept; nobody changes what it returns
	read   map[string]any
	facts  map[any]any // what Fact keeps
	was    string      // how edited would print had nothing been edited
	edited *fn.KubeObject
	now    string // edited as text; empty until it is asked for
}

// edits counts the edits of all objects, so that a Set can tell whether what it keeps still holds.
var edits atomic.Int64

// New makes an object of an ID and its text, which is parsed only when the object is looked into.
func New(id ID, text, file string, index int) *Object {
	return &Object{ID: id, File: file, Index: index, text: text}
}

// Lazy makes an object of an ID and what makes its text, which is asked for whenever the text is needed: so many
// objects that are never looked into take no memory for it. The bytes stay those of who made them.
func Lazy(id ID, text func() []byte, file string, index int) *Object {
	return &Object{ID: id, File: file, Index: index, source: text}
}

// Parse makes an object of a YAML or JSON text.
//
// It fails when the text is not one YAML mapping.
func Parse(text, file string, index int) (*Object, error) {
	o := &Object{File: file, Index: index, text: text}
	if err := o.load(); err != nil {
		return nil, err
	}
	o.ID = IDOf(o.read)
	return o, nil
}

// IDOf is the ID of an object by its content.
func IDOf(m map[string]any) ID {
	str := func(path ...string) string { s, _ := Get[string](m, path...); return s }
	return ID{str("apiVersion"), str("kind"), str("metadata", "namespace"), str("metadata", "name")}
}

// Check parses the object and reports whether its text is sound YAML.
func (o *Object) Check() error { return o.load() }

func (o *Object) load() error {
	if o.read != nil {
		return nil
	}
	text := o.Bytes()
	read, sure := plainyaml.Read(text)
	if !sure {
		if err := limit.Check(text); err != nil {
			return err
		}
		read = map[string]any{}
		if err := reason.Of(yaml.Unmarshal(text, &read)); err != nil {
			return fmt.Errorf("not a YAML mapping: %w", err)
		}
	}
	dropInternalAnnotations(read)
	o.read = read
	return nil
}

// Map is the object's content, without the annotations that only carry it through a KRM pipeline. It is for reading.
// A text that is not YAML reads as empty: Check tells why.
func (o *Object) Map() map[string]any {
	if err := o.load(); err != nil {
		return map[string]any{}
	}
	return o.read
}

// Text is the object as YAML: as it came until it is edited.
func (o *Object) Text() string {
	if o.edited != nil {
		return o.printed()
	}
	return o.Original()
}

// printed is the text after the edits.
func (o *Object) printed() string {
	if o.now == "" {
		o.now = o.edited.String()
	}
	return o.now
}

// Bytes is the text to read, and not to change.
func (o *Object) Bytes() []byte {
	if o.edited == nil {
		return o.OriginalBytes()
	}
	return []byte(o.printed())
}

// Original is the text that the object came with.
func (o *Object) Original() string {
	if o.source != nil {
		return string(o.source())
	}
	return o.text
}

// OriginalBytes is Original to read, and not to change.
func (o *Object) OriginalBytes() []byte {
	if o.source != nil {
		return o.source()
	}
	return []byte(o.text)
}

// MayHold reports whether a string of the object may hold a text of letters, digits, slashes and dots, without parsing
// it: YAML may spell it with escapes.
func (o *Object) MayHold(text string) bool {
	raw := o.Bytes()
	return bytes.Contains(raw, []byte(text)) || spells(raw)
}

// spells reports whether a text may have an escape for a character that stands for itself elsewhere, or one that hides
// a line break.
// Source: YAML 1.1 and 1.2, the escape codes of double-quoted scalars.
func spells(raw []byte) bool {
	for {
		at := bytes.IndexByte(raw, '\\')
		if at < 0 || at+1 == len(raw) {
			return false
		}
		if strings.IndexByte("xuU/\n\r", raw[at+1]) >= 0 || raw[at+1] >= 0x80 {
			return true
		}
		raw = raw[at+1:]
	}
}

// Node is the object as a YAML tree with its comments, a copy for reading.
func (o *Object) Node() (*kyaml.RNode, error) { return reason.With(kyaml.Parse(o.Text())) }

// Changed reports whether the object was edited, and says something else since.
func (o *Object) Changed() bool { return o.edited != nil && o.printed() != o.was }

// Edit hands the object over for editing; what it says is the object from then on.
//
// It fails when the text is not one Kubernetes object.
func (o *Object) Edit(change func(*fn.KubeObject) error) error {
	if err := o.open(); err != nil {
		return err
	}
	o.forget()
	defer o.forget() // what it was asked for meanwhile
	return change(o.edited)
}

// forget drops what was read of the object before an edit.
func (o *Object) forget() {
	o.read, o.facts, o.now = nil, nil, ""
	edits.Add(1)
}

// open makes the object ready for edits.
func (o *Object) open() error {
	if o.edited != nil {
		return nil
	}
	edited, err := reason.With(fn.ParseKubeObject([]byte(o.Original())))
	if err != nil {
		return err
	}
	o.edited, o.was = edited, edited.String()
	return nil
}

// EditNode edits the object as a YAML tree, for what fn.KubeObject cannot do without losing comments: lists of scalars.
//
// It fails when the text is not one Kubernetes object.
func (o *Object) EditNode(change func(*kyaml.RNode) error) error {
	if err := o.open(); err != nil {
		return err
	}
	node, err := o.Node()
	if err != nil {
		return err
	}
	if err := change(node); err != nil {
		return err
	}
	text, err := node.String()
	if err != nil {
		return err
	}
	return o.Restore(text)
}

// Restore takes edits back: the object says again what it said when Text was this text.
//
// It fails when the text is not one Kubernetes object.
func (o *Object) Restore(text string) error {
	if err := o.open(); err != nil {
		return err
	}
	edited, err := reason.With(fn.ParseKubeObject([]byte(text)))
	if err != nil {
		return err
	}
	o.edited = edited
	o.forget()
	return nil
}

// Annotation is the value of one of the object's own annotations.
func (o *Object) Annotation(key string) string {
	value, _ := Get[string](o.Map(), "metadata", "annotations", key)
	return value
}

// Str is the string at a path, empty when it is missing or not a string.
func (o *Object) Str(path ...string) string {
	value, _ := Get[string](o.Map(), path...)
	return value
}

// Fact returns what find finds in an object the first time that it is asked for under a key, and again after an edit.
func Fact[T any](o *Object, key any, find func(*Object) T) T {
	fact, known := o.facts[key].(T)
	if !known {
		if fact = find(o); o.facts == nil {
			o.facts = map[any]any{}
		}
		o.facts[key] = fact
	}
	return fact
}

// Is reports whether the object is of this group and kind.
func (o *Object) Is(group, kind string) bool { return o.Kind == kind && o.Group() == group }

// Get reads the value at a path of a decoded object; ok is false when it is missing or of another type.
func Get[T any](m map[string]any, path ...string) (value T, ok bool) {
	var at any = m
	for _, key := range path {
		parent, isMap := at.(map[string]any)
		if !isMap {
			return value, false
		}
		if at, ok = parent[key]; !ok {
			return value, false
		}
	}
	value, ok = at.(T)
	return value, ok
}

// internalPrefixes start the annotations that kpt and kustomize hang on items in flight.
// Source: KRM functions specification v1 and kyaml kioutil v0.21.2.
var internalPrefixes = []string{"internal.config.kubernetes.io/", "config.kubernetes.io/index",
	"config.kubernetes.io/path",
	"config.k8s.io/id", "kustomize.config.k8s.io/id", "config.kubernetes.io/origin", "config.kubernetes.io/previous"}

func dropInternalAnnotations(m map[string]any) {
	annotations, ok := Get[map[string]any](m, "metadata", "annotations")
	if !ok {
		return
	}
	before := len(annotations)
	maps.DeleteFunc(annotations, func(key string, _ any) bool { return IsInternal(key) })
	if before > 0 && len(annotations) == 0 {
		delete(m["metadata"].(map[string]any), "annotations")
	}
}

// IsInternal reports whether an annotation belongs to the KRM pipeline, not to the object.
func IsInternal(annotation string) bool {
	for _, prefix := range internalPrefixes {
		if strings.HasPrefix(annotation, prefix) {
			return true
		}
	}
	return false
}
