package inventory

import (
	"path"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/resource"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// Origin is the file that an object came from, found when it is asked for:
// kustomize takes up to three times as long for a build that tells, and most
// objects are never asked about.
type Origin struct {
	build *build
	place int // among the objects of the build
}

// build is a build as far as it tells about origins.
type build struct {
	trace trace
	files func() []string // by place
}

// newBuild is the build that the view shows of dir.
func newBuild(v *view, dir string, t transforms) *build {
	return &build{v.trace, sync.OnceValue(func() []string {
		again := newView(v.tree)
		again.whole, again.allowed, again.origins = v.whole, v.allowed, true
		return again.originsOf(dir, t)
	})}
}

// at is the file of the object at a place.
func at(file string) *Origin {
	return &Origin{build: &build{files: func() []string { return []string{file} }}}
}

// read reports whether the build looked at what a file holds.
func (b *build) read(file string) bool { return b.trace[file].content != nil }

// Read reports whether what made the object looked into a file. That costs nothing, where String builds once more.
func (o *Origin) Read(file string) bool { return o != nil && o.build.read(file) }

// String is the file's path, empty where kustomize does not tell.
func (o *Origin) String() string {
	if o == nil {
		return ""
	}
	files := o.build.files()
	if o.place >= len(files) {
		return ""
	}
	return files[o.place]
}

// IsZero reports whether there is no path.
func (o *Origin) IsZero() bool { return o.String() == "" }

// MarshalText returns the path.
func (o *Origin) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// originsOf builds dir again, with origins, and returns them in the order of
// the objects.
func (v *view) originsOf(dir string, t transforms) []string {
	if v.generate(dir, t) != nil {
		return nil
	}
	res, err := v.kustomize(dir)
	if err != nil {
		return nil
	}
	var files []string
	for _, r := range res.Resources() {
		file, told := originOf(r, dir)
		if !told {
			file = v.definition(r)
		}
		files = append(files, file)
	}
	return files
}

// definition is the one file that was read and defines an object; empty where none or several do.
func (v *view) definition(r *resource.Resource) string {
	gvk, found := r.GetGvk(), ""
	for file, is := range v.trace {
		for _, defined := range objectsIn(is.content) {
			if defined.Kind != gvk.Kind || defined.Group != gvk.Group || defined.Name != r.GetName() ||
				defined.Namespace != "" && defined.Namespace != r.GetNamespace() {
				continue
			}
			if found != "" && found != file {
				return ""
			}
			found = file
		}
	}
	return found
}

// originAnnotation is where kustomize says which file an object came from.
const originAnnotation = "config.kubernetes.io/origin"

// originOf is the file that an object came from, or the kustomization that
// generated it. It is not told where a patch took what told it, along with
// the other annotations: kustomize then names the patch.
func originOf(r *resource.Resource, dir string) (file string, told bool) {
	var origin resource.Origin
	text, ok := r.GetAnnotations()[originAnnotation]
	if !ok || kyaml.Unmarshal([]byte(text), &origin) != nil ||
		strings.HasSuffix(origin.ConfiguredBy.Kind, "Transformer") {
		return "", false
	}
	if origin.Path == "" {
		origin.Path = origin.ConfiguredIn
	}
	return path.Join(dir, origin.Path), true
}
