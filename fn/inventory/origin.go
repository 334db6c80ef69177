package inventory

import (
	"path"
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

// read says whether the build looked at what a file holds.
func (b *build) read(file string) bool { return b.trace[file].content != nil }

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

// IsZero says whether there is no path.
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
		files = append(files, originOf(r, dir))
	}
	return files
}

// originAnnotation is where kustomize says which file an object came from.
const originAnnotation = "config.kubernetes.io/origin"

// originOf is the file that an object came from, or the kustomization that
// generated it.
func originOf(r *resource.Resource, dir string) string {
	var origin resource.Origin
	text, ok := r.GetAnnotations()[originAnnotation]
	if !ok || kyaml.Unmarshal([]byte(text), &origin) != nil {
		return ""
	}
	if origin.Path == "" {
		origin.Path = origin.ConfiguredIn
	}
	return path.Join(dir, origin.Path)
}
