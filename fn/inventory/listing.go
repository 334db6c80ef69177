package inventory

import (
	"bytes"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/kio/kioutil"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/checkout/split"
	"migrate-to-flux-operator/fn/plainyaml"
)

// listing is a build that only lists files, which most are: what comes out of kustomize is what is in the files. It is
// read many times faster than kustomize builds it, and only where there is no doubt: written plainly, no object twice,
// nothing that kustomize takes a hand in. Its names of other objects are not looked at: kustomize refuses some that
// have a wrong shape, as the API server does.
type listing struct {
	*view
	objects []*object
	files   []string // of the objects
	known   map[ID]bool
	within  []string // the directories whose kustomization.yaml is being read
}

// list reads a build that only lists files; not sure where kustomize has to build it.
func (v *view) list(dir string, t transforms) (objects []*object, sure bool) {
	l := &listing{view: v, known: map[ID]bool{}}
	if !reflect.ValueOf(t).IsZero() || !l.top(dir) {
		return nil, false
	}
	b := &build{v.trace, func() []string { return l.files }}
	for i, o := range l.objects {
		o.file = &Origin{b, i}
	}
	return l.objects, true
}

// top reads the directory that a Flux Kustomization names, where Flux lists everything if there is no
// kustomization.yaml.
func (l *listing) top(dir string) bool {
	if l.hasKustomization(dir) {
		return l.directory(dir)
	}
	found := l.manifests(dir, ".")
	return len(found) > 0 && l.resources(dir, found)
}

// directory reads what a kustomization.yaml lists.
func (l *listing) directory(dir string) bool {
	for _, above := range l.within {
		if above == dir || dir == "." || strings.HasPrefix(above, dir+"/") {
			return false
		}
	}
	text := l.only(dir)
	content, sure := plainyaml.Read(text)
	if !sure || !listsOnly(content) {
		return false
	}
	l.within = append(l.within, dir)
	defer func() { l.within = l.within[:len(l.within)-1] }()
	entries, _ := content["resources"].([]any)
	var found []string
	for _, entry := range entries {
		name, ok := entry.(string)
		if !ok {
			return false
		}
		found = append(found, name)
	}
	return len(found) > 0 && l.resources(dir, found)
}

// only is the kustomization.yaml of a directory; nothing where there are several.
func (l *listing) only(dir string) (text []byte) {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if is := l.ask(path.Join(dir, name)); is.content != nil {
			if text != nil {
				return nil
			}
			text = is.content
		}
	}
	return text
}

// listsOnly reports whether a kustomization.yaml has nothing but resources.
func listsOnly(content map[string]any) bool {
	for field, value := range content {
		switch field {
		case "apiVersion":
			if value != types.KustomizationVersion {
				return false
			}
		case "kind":
			if value != types.KustomizationKind {
				return false
			}
		case "resources":
		default:
			return false
		}
	}
	return true
}

// resources reads files and directories, named from a directory.
func (l *listing) resources(dir string, names []string) bool {
	for _, name := range names {
		at := rel(path.Join(mount, dir, name))
		if path.IsAbs(name) || isRemoteFile(name) || isRepository(name) || strings.Contains(name, "\n") ||
			strings.Contains(name, "//") {
			return false
		}
		switch is := l.ask(at); {
		case is.content == nil:
			if !is.dir || !l.directory(at) {
				return false
			}
		case slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(at)), l.tree.check(at) != nil,
			!l.file(at, l.lean(is.content)):
			return false
		}
	}
	return true
}

// file reads the objects of a file. Source of what separates them: kyaml v0.21.2, kio.ByteReader.
func (l *listing) file(name string, text []byte) bool {
	if bytes.Count(text, []byte("\n---")) != bytes.Count(text, []byte("\n---\n")) {
		return false
	}
	for _, d := range split.Split(text) {
		if isEmpty(d.Bytes(text)) {
			continue
		}
		o, sure := listed(d.Bytes(text))
		if !sure || l.known[ID{Kind: o.Kind, Name: o.Name}] {
			return false
		}
		l.known[ID{Kind: o.Kind, Name: o.Name}] = true
		l.objects, l.files = append(l.objects, o), append(l.files, name)
	}
	return true
}

// isEmpty reports whether a document has nothing but comments.
func isEmpty(doc []byte) bool {
	for line := range bytes.Lines(doc) {
		text := bytes.Trim(line, " \n")
		if len(text) > 0 && text[0] != '#' && !bytes.Equal(bytes.TrimRight(line, " \n"), []byte("---")) {
			return false
		}
	}
	_, sound := plainyaml.Read(append(slices.Clip(doc), "\na: b\n"...))
	return sound
}

// listed is the object of a document, read plainly or by kustomize. Not sure are those that kustomize may not pass on
// as they are: without a name, or with annotations that it reads.
func listed(doc []byte) (o *object, sure bool) {
	if o, sure = plainObject(doc); !sure {
		o, sure = parsedObject(doc)
	}
	for key := range o.annotations {
		sure = sure && !strings.Contains(key, "config.kubernetes.io/") && !strings.Contains(key, "config.k8s.io/")
	}
	return o, sure && o.apiVersion != "" && strings.Count(o.apiVersion, "/") < 2 &&
		!strings.HasPrefix(o.Group, "kustomize.config.k8s.io") &&
		o.Kind != "" && !strings.HasSuffix(o.Kind, "List") && o.Name != ""
}

// resources makes objects as kustomize does.
var resources = provider.NewDefaultDepProvider().GetResourceFactory()

// parsedObject is the object of a document as kustomize parses it.
func parsedObject(doc []byte) (o *object, sure bool) {
	defer func() {
		if recover() != nil { // it panics on some malformed objects
			o, sure = &object{}, false
		}
	}()
	found, err := resources.SliceFromBytes(doc)
	if err != nil || len(found) != 1 {
		return &object{}, false
	}
	r := found[0]
	r.RemoveBuildAnnotations()
	annotations := r.GetAnnotations()
	maps.DeleteFunc(annotations, func(key string, _ string) bool { return slices.Contains(ofPipeline, key) })
	return newObject(r, nil), r.SetAnnotations(annotations) == nil && r.SetOrigin(nil) == nil
}

// plainObject is the object of a document that is written plainly.
func plainObject(doc []byte) (o *object, sure bool) {
	o = &object{dollar: bytes.IndexByte(doc, '$') >= 0}
	read, sure := readAsKustomize(doc)
	if !sure {
		return o, false
	}
	o.identify(read)
	metadata := dig(read, "metadata")
	_, hasNamespace := metadata["namespace"]
	sure = hasNamespace == (o.Namespace != "") && isStrings(metadata, "labels", o.labels) &&
		isStrings(metadata, "annotations", o.annotations)
	o.content = sync.OnceValues(func() (map[string]any, error) {
		read, _ := readAsKustomize(doc)
		return read, nil
	})
	o.text = sync.OnceValues(func() (string, error) {
		read, _ := readAsKustomize(doc)
		text, err := yaml.Marshal(read)
		return string(text), err
	})
	return o, sure
}

// readAsKustomize is the content of a plain document as kustomize decodes it: with whole numbers, and without the
// annotations that carry objects from function to function.
func readAsKustomize(doc []byte) (read map[string]any, sure bool) {
	if read, sure = plainyaml.Read(doc); !sure {
		return nil, false
	}
	whole(read)
	annotations := dig(read, "metadata", "annotations")
	maps.DeleteFunc(annotations, func(key string, _ any) bool { return slices.Contains(ofPipeline, key) })
	if len(annotations) == 0 {
		delete(dig(read, "metadata"), "annotations")
	}
	return read, true
}

// ofPipeline are the annotations that tell functions where an object is from, which kustomize drops, and those by which
// it finds again what it gave to a function.
// Source: kustomize api v0.21.2, resource.BuildAnnotations and internal/plugins/utils; kyaml v0.21.2, kioutil.
var ofPipeline = []string{kioutil.PathAnnotation, kioutil.IndexAnnotation, "config.kubernetes.io/path",
	"config.kubernetes.io/index", kioutil.IdAnnotation, "config.k8s.io/id", "kustomize.config.k8s.io/id",
	kioutil.InternalAnnotationsMigrationResourceIDAnnotation}

// isStrings reports whether a field of metadata is absent, or a map of just these strings.
func isStrings(metadata map[string]any, field string, have map[string]string) bool {
	value, has := metadata[field]
	given, isMap := value.(map[string]any)
	return (isMap || !has) && len(given) == len(have)
}

// whole makes the whole numbers below a value integers.
func whole(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, v := range value {
			value[key] = whole(v)
		}
	case []any:
		for i, v := range value {
			value[i] = whole(v)
		}
	case float64:
		if n := int(value); float64(n) == value {
			return n
		}
	}
	return value
}
