package inventory

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path"

	"sigs.k8s.io/kustomize/api/resmap"

	"migrate-to-flux-operator/fn/kustomize"
	"migrate-to-flux-operator/fn/reason"
	"migrate-to-flux-operator/fn/shell"
)

// rendered is the outcome of building one path, before substitution. It
// holds for every snapshot that answers its trace in the same way.
type rendered struct {
	objects []*object
	opaque  []Opaque
	err     error
	trace   trace
}

// renderer builds paths and remembers the results.
type renderer struct {
	results  map[string][]*rendered
	finished map[finishKey]*finished
	objects  map[[sha256.Size]byte]*object // by what they say
	ignored  ignored
}

// newRenderer remembers nothing yet.
func newRenderer() *renderer {
	return &renderer{results: map[string][]*rendered{}, finished: map[finishKey]*finished{},
		objects: map[[sha256.Size]byte]*object{}, ignored: ignored{}}
}

// render builds dir of tree with the fields of a Flux Kustomization.
func (r *renderer) render(tree *snapshot, dir string, t transforms) *rendered {
	fields, _ := json.Marshal(t) // read from JSON, so it can be written
	key := dir + "\n" + string(fields)
	for _, known := range r.results[key] {
		if known.trace.holds(tree) {
			return known
		}
	}
	out := renderLoose(tree, dir, t)
	for i, o := range out.objects {
		out.objects[i] = r.shared(o)
	}
	r.results[key] = append(r.results[key], out)
	return out
}

// shared is an object in the memory of one that says the same, where a build has made one: what many clusters apply,
// such as the manifests of Flux, is there once.
func (r *renderer) shared(o *object) *object {
	if o.digest == [sha256.Size]byte{} {
		return o
	}
	known, met := r.objects[o.digest]
	if !met {
		r.objects[o.digest] = o
		return o
	}
	same := *known
	same.file = o.file
	return &same
}

// renderLean builds dir without the schemas of its CRDs where that makes no difference: it fails where a patch is about
// one, and what is generated is named after all that it holds.
func renderLean(tree *snapshot, dir string, t transforms, allowed leniency) *rendered {
	v := newView(tree)
	v.allowed = allowed
	out := renderOnce(v, dir, t)
	if !v.cut || out.err == nil && !v.generates && !v.schema {
		return out
	}
	v = newView(tree)
	v.allowed, v.whole = allowed, true
	return renderOnce(v, dir, t)
}

// renderOnce builds dir as the view shows it.
func renderOnce(v *view, dir string, t transforms) *rendered {
	out := &rendered{trace: v.trace}
	if !v.ask(dir).dir {
		out.err = fmt.Errorf("path %s does not exist", dir)
		return out
	}
	if objects, sure := v.list(dir, t); sure {
		out.objects = objects
		return out
	}
	if out.err = v.generate(dir, t); out.err != nil {
		return out
	}
	res, err := v.kustomize(dir)
	out.opaque = v.opaque
	if out.err = v.why(dir, err); err != nil {
		return out
	}
	build := newBuild(v, dir, t)
	for i, r := range res.Resources() {
		out.objects = append(out.objects, newObject(r, &Origin{build, i}))
	}
	return out
}

// why says why dir does not build. What this program refused itself comes first: kustomize quotes it.
func (v *view) why(dir string, err error) error {
	switch {
	case err != nil && v.refused != nil:
		return v.refused
	case errors.Is(err, reason.ErrUntold):
		return reason.New("kustomize refuses it, in words that may quote a value: run %s to see them, but only on "+
			"files that you trust", shell.Run("kustomize", "build", shell.Path(dir)))
	}
	return err
}

// kustomize builds dir.
func (v *view) kustomize(dir string) (resmap.ResMap, error) {
	return kustomize.Run(v, path.Join(mount, dir), "the build of "+dir)
}
