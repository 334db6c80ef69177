package inventory

import (
	"fmt"
	"maps"
	"path"
	"reflect"
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/openapi"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// The API groups that matter here.
const (
	kustomizeGroup = "kustomize.toolkit.fluxcd.io"
	sourceGroup    = "source.toolkit.fluxcd.io"
	fluxGroups     = ".toolkit.fluxcd.io"
)

// maxRounds bounds how often the tree is followed until the values and
// sources that were found no longer change what is found.
const maxRounds = 8

// walk follows the roots of one inventory. It keeps what it needs to follow
// another Flux Kustomization later.
type walk struct {
	files    *snapshot
	renderer *renderer
	roots    []Root

	found   findings
	assumed map[Ref]bool // sources that roots read after they have applied themselves
	live    findings     // of the state before, as far as it is not found here
}

// findings are the objects of the repository that decide how the rest is read.
type findings struct {
	sources map[Ref]map[string]any
	values  map[Ref]map[string]string
}

// newFindings knows nothing yet.
func newFindings() findings {
	return findings{sources: map[Ref]map[string]any{}, values: map[Ref]map[string]string{}}
}

// build follows the roots until nothing changes: a ConfigMap that is found
// late may change a path that was read early.
func (w *walk) build() *Inventory {
	w.found, w.assumed = newFindings(), map[Ref]bool{}
	for range maxRounds {
		r := w.round()
		done := reflect.DeepEqual(w.found, r.next)
		w.found = r.next
		if done {
			return r.inv
		}
	}
	r := w.round()
	r.inv.Opaque = append(r.inv.Opaque, Opaque{Reason: OpaqueUnknown, What: "values keep changing each other"})
	return r.inv
}

// round follows the roots once.
func (w *walk) round() *round {
	r := &round{walk: w, inv: &Inventory{walk: w, index: map[Name]int{}}, next: newFindings()}
	r.follow()
	return r
}

// round is one pass over everything that the roots reach.
type round struct {
	*walk
	inv   *Inventory
	queue []definition
	next  findings
}

// definition is a Flux Kustomization that was found.
type definition struct {
	object map[string]any
	parent Name
	root   bool
	fixed  bool // its own output does not change it
}

// follow reads the roots and all that they lead to, breadth first.
func (r *round) follow() {
	for _, root := range r.roots {
		r.queue = append(r.queue, definition{object: root.Kustomization, root: true, fixed: root.Fixed})
	}
	for len(r.queue) > 0 {
		d := r.queue[0]
		r.queue = r.queue[1:]
		r.visit(d)
	}
	r.twice()
	r.cycles()
	r.inv.sort()
}

// visit reads one Flux Kustomization, unless it was read before.
func (r *round) visit(d definition) {
	o := newOwner(d)
	if i, ok := r.inv.index[o.Name]; ok {
		r.revisit(i, d)
		return
	}
	objects := r.read(&o)
	if self := r.self(o, objects); self != nil && !d.fixed {
		d.object = self
		o = newOwner(d)
		r.assumed[o.Source] = r.assumed[o.Source] || d.root
		objects = r.read(&o)
	}
	r.inv.index[o.Name] = len(r.inv.Owners)
	o.Objects = len(objects)
	r.inv.Owners = append(r.inv.Owners, o)
	if o.Broken != "" {
		r.inv.Problems = append(r.inv.Problems, Problem{Owner: o.Name, Kind: ProblemBuild, What: o.Broken})
	}
	r.edges(o.Name, o.object)
	for _, object := range objects {
		r.enter(o, object)
	}
}

// revisit notes where a root is applied from, and cuts a cycle.
func (r *round) revisit(i int, d definition) {
	o := &r.inv.Owners[i]
	switch {
	case o.Root && o.Parent == Name{}:
		o.Parent = d.parent
	case d.parent != o.Name && r.below(d.parent, o.Name):
		r.note(d.parent, OpaqueCycle, "Flux Kustomization "+o.Name.String()+" is applied by what it applies")
	}
}

// below reports whether n is applied by top, directly or not.
func (r *round) below(n, top Name) bool {
	for range len(r.inv.Owners) {
		i, ok := r.inv.index[n]
		if !ok || n == top {
			return ok
		}
		n = r.inv.Owners[i].Parent
	}
	return false
}

// newOwner reads the fields that matter out of a Flux Kustomization.
func newOwner(d definition) Owner {
	k := d.object
	o := Owner{
		Name:           Name{str(k, "metadata", "namespace"), str(k, "metadata", "name")},
		Parent:         d.parent,
		Root:           d.root,
		Path:           strings.TrimPrefix(path.Clean("/"+str(k, "spec", "path")), "/"),
		Prune:          mayBeTrue(k, "spec", "prune"),
		Suspend:        boolean(k, "spec", "suspend"),
		DeletionPolicy: str(k, "spec", "deletionPolicy"),
		object:         k,
	}
	o.Source = refOf(dig(k, "spec", "sourceRef"), o.Namespace)
	for _, d := range list(k, "spec", "dependsOn") {
		ref := refOf(d, o.Namespace)
		o.DependsOn = append(o.DependsOn, Name{ref.Namespace, ref.Name})
	}
	if o.Path == "" {
		o.Path = "."
	}
	return o
}

// refOf reads a reference; its namespace may be left out.
func refOf(m map[string]any, namespace string) Ref {
	ref := Ref{Kind: str(m, "kind"), Namespace: str(m, "namespace"), Name: str(m, "name")}
	if ref.Namespace == "" {
		ref.Namespace = namespace
	}
	return ref
}

// self returns o as its own output defines it, if that is not what it was
// read from: patches in its path count.
func (r *round) self(o Owner, objects []*object) map[string]any {
	for _, object := range objects {
		if !object.isKustomization() || (Name{object.Namespace, object.Name}) != o.Name {
			continue
		}
		content, err := object.content()
		if err == nil && !reflect.DeepEqual(content["spec"], o.object["spec"]) {
			return content
		}
	}
	return nil
}

// isKustomization reports whether the object is a Flux Kustomization.
func (o *object) isKustomization() bool {
	return o.Group == kustomizeGroup && o.Kind == "Kustomization"
}

// read builds what o applies. What goes wrong is noted on o.
func (r *round) read(o *Owner) []*object {
	tree := r.source(o)
	switch {
	case tree == nil:
		r.note(o.Name, OpaqueSource, o.Unread)
		return nil
	case strings.Contains(o.Path, unknown):
		o.Unread = "its path depends on a value that is not in the repository: " + readable(o.Path)
		r.note(o.Name, OpaqueUnknown, o.Unread)
		return nil
	}
	fields, err := transformsOf(dig(o.object, "spec"))
	if err != nil {
		o.Broken = err.Error()
		return nil
	}
	result := r.renderer.render(tree, o.Path, fields)
	o.trace = result.trace
	for _, opaque := range result.opaque {
		opaque.Owner, opaque.What = o.Name, plainly(opaque.What)
		r.inv.Opaque = append(r.inv.Opaque, opaque)
	}
	switch {
	case result.err == nil:
	case !tree.isDir(o.Path) && r.files.isDir(o.Path):
		o.Broken = fmt.Sprintf("path %s is there, and the source leaves it out (spec.ignore, spec.sparseCheckout or "+
			".sourceignore)", o.Path)
	default:
		o.Broken = result.err.Error()
	}
	return r.finish(o, result)
}

// plainly is an entry of a kustomization.yaml as it may be shown: a patch may stand where a path is expected, and an
// address may have a password.
func plainly(entry string) string {
	if strings.ContainsAny(entry, "{}\"\n") {
		return "an entry that is no path"
	}
	return WithoutCredentials(entry)
}

// WithoutCredentials is an address without the password that it may have.
func WithoutCredentials(address string) string { return credentials.ReplaceAllString(address, "$1") }

var credentials = regexp.MustCompile(`(https?://)[^/@\s]+@`)

// finish substitutes variables and adds the common metadata.
func (r *round) finish(o *Owner, result *rendered) []*object {
	f := r.renderer.finish(result, r.variables(o), dig(o.object, "spec", "commonMetadata"))
	if f.broken != "" {
		o.Broken = f.broken
	}
	for _, what := range f.unknown {
		r.note(o.Name, OpaqueUnknown, what)
	}
	return f.objects
}

// withMetadata is the object with more labels and annotations.
func (o *object) withMetadata(labels, annotations map[string]string) *object {
	out := *o
	out.labels, out.annotations = maps.Clone(o.labels), maps.Clone(o.annotations)
	if out.labels == nil {
		out.labels = map[string]string{}
	}
	if out.annotations == nil {
		out.annotations = map[string]string{}
	}
	maps.Copy(out.labels, labels)
	maps.Copy(out.annotations, annotations)
	return &out
}

// variables collects the values of spec.postBuild; the later ones win.
func (r *round) variables(o *Owner) variables {
	post := dig(o.object, "spec", "postBuild")
	out := variables{values: map[string]string{}}
	for _, from := range list(post, "substituteFrom") {
		ref := Ref{Kind: str(from, "kind"), Namespace: o.Namespace, Name: str(from, "name")}
		values, ok := r.found.values[ref]
		if !ok {
			values, ok = r.live.values[ref]
		}
		maps.Copy(out.values, values)
		out.open = out.open || !ok
	}
	for k, v := range stringMap(post["substitute"]) {
		out.values[k] = strings.ReplaceAll(v, "\n", "")
	}
	return out
}

// enter adds an object to the inventory and goes on with it if it is a Flux
// Kustomization.
func (r *round) enter(o Owner, object *object) {
	id := object.ID
	r.scope(o, &id, object)
	remote := remoteCluster(o.object)
	id.Cluster = remote
	r.inv.Entries = append(r.inv.Entries, Entry{
		ID: id, APIVersion: object.apiVersion, Owner: o.Name, File: object.file,
		Labels: object.labels, Annotations: withoutCopy(object.annotations),
		Unknown: strings.Contains(id.key(), unknown), object: object,
	})
	if !matters(object) {
		return
	}
	content, err := object.content()
	if err != nil {
		r.note(o.Name, OpaqueUnknown, fmt.Sprintf("%s: %v", id, err))
		return
	}
	switch {
	case remote != "" && object.isKustomization():
		r.note(o.Name, OpaqueCluster, id.String())
	case remote == "":
		r.learn(o, object, content)
	}
}

// withoutCopy are annotations without the copy of the object that kubectl puts there, of a Secret with its values.
func withoutCopy(annotations map[string]string) map[string]string {
	const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"
	if _, there := annotations[lastApplied]; !there {
		return annotations
	}
	annotations = maps.Clone(annotations)
	delete(annotations, lastApplied)
	return annotations
}

// remoteCluster names the kubeconfig of the cluster that a Flux Kustomization
// applies to, if that is another one: a Secret, or a ConfigMap from Flux 2.7.
func remoteCluster(kustomization map[string]any) string {
	config := dig(kustomization, "spec", "kubeConfig")
	return str(config, "secretRef", "name") + str(config, "configMapRef", "name")
}

// matters reports whether the content of an object decides what is found.
func matters(o *object) bool {
	return strings.HasSuffix(o.Group, fluxGroups) || o.Group == "" && (o.Kind == "ConfigMap" || o.Kind == "Secret")
}

// learn takes in what an object says about the rest of the repository.
func (r *round) learn(o Owner, object *object, content map[string]any) {
	ref := Ref{Kind: object.Kind, Namespace: object.Namespace, Name: object.Name}
	switch {
	case object.isKustomization():
		r.queue = append(r.queue, definition{object: content, parent: o.Name})
	case object.Group == sourceGroup:
		r.next.sources[ref] = content
		r.edges(o.Name, content)
	case object.Group == "":
		r.next.values[ref] = valuesOf(content)
	default:
		r.edges(o.Name, content)
	}
}

// scope drops the namespace of what is known to be cluster-wide, as the API
// server does, and reports a missing one, at which Flux gives up.
func (r *round) scope(o Owner, id *ID, object *object) {
	namespaced, known := openapi.IsNamespaceScoped(kyaml.TypeMeta{APIVersion: object.apiVersion, Kind: object.Kind})
	if strings.HasSuffix(id.Group, fluxGroups) {
		namespaced, known = true, true
	}
	switch {
	case known && !namespaced:
		id.Namespace = ""
	case known && id.Namespace == "":
		r.inv.Problems = append(r.inv.Problems,
			Problem{Owner: o.Name, Kind: ProblemNamespace, What: id.String(), File: object.file, Object: *id})
	}
}

// twice reports objects that two Flux Kustomizations apply: they take them
// from each other for ever.
func (r *round) twice() {
	owner := map[ID]Name{}
	for _, e := range r.inv.Entries {
		first, ok := owner[e.ID]
		if ok && first != e.Owner {
			r.inv.Problems = append(r.inv.Problems,
				Problem{Owner: e.Owner, Kind: ProblemTwice, What: e.ID.String() + " is applied by " + first.String() +
					" too", File: e.File, Object: e.ID})
		}
		if !ok {
			owner[e.ID] = e.Owner
		}
	}
}

// note remembers something that could not be looked into.
func (r *round) note(o Name, reason, what string) {
	r.inv.Opaque = append(r.inv.Opaque, Opaque{Owner: o, Reason: reason, What: what})
}
