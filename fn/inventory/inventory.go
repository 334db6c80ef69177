package inventory

import (
	"bytes"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/limit"
)

// Root is where an inventory starts: a Flux Kustomization and its source, as
// they are on the cluster. Without a source, the tree is what the sourceRef
// means.
type Root struct {
	Kustomization map[string]any
	Source        map[string]any
	// Fixed says that the Kustomization stays as it is here, whatever its own
	// output says of it: Flux Operator owns it.
	Fixed bool
}

// Path is the clean path that the root applies.
func (r Root) Path() string { return newOwner(definition{object: r.Kustomization}).Path }

// At is the root with another path, which its own output does not change.
func (r Root) At(path string) Root {
	r.Kustomization, r.Fixed = maps.Clone(r.Kustomization), true
	r.Kustomization["spec"] = withField(dig(r.Kustomization, "spec"), "path", path)
	return r
}

// Substituting is the root with its variables as the inventory read them at last: a root that applies itself replaces
// the variables in their own values.
func (r Root) Substituting(read *Inventory) Root {
	postBuild, set := dig(read.Owners[0].object, "spec")["postBuild"]
	if !set {
		return r
	}
	r.Kustomization = withField(r.Kustomization, "spec",
		withField(dig(r.Kustomization, "spec"), "postBuild", postBuild))
	return r
}

// withField is a copy of a map with another value under a key.
func withField(m map[string]any, key string, value any) map[string]any {
	changed := map[string]any{}
	maps.Copy(changed, m)
	changed[key] = value
	return changed
}

// Files are the files of a repository, and what was built of them.
type Files struct {
	snapshot *snapshot
	renderer *renderer
}

// Open reads a tree into memory.
func Open(tree fs.FS) (*Files, error) {
	files, err := load(tree)
	return &Files{snapshot: files, renderer: newRenderer()}, err
}

// With reads another state of the repository. What reads the same files in
// both is built once. Of no state it is Open.
func (f *Files) With(tree fs.FS) (*Files, error) {
	if f == nil {
		return Open(tree)
	}
	files, err := load(tree)
	return &Files{snapshot: files, renderer: f.renderer}, err
}

// Since are the objects that files define which the state before has not, with
// these files. A build may make others of them.
func (f *Files) Since(before *Files) map[ID][]string {
	added := map[ID][]string{}
	for file := range f.snapshot.files {
		if _, known := before.snapshot.files[file]; known {
			continue
		}
		for _, id := range objectsIn(f.snapshot.content(file)) {
			added[id] = append(added[id], file)
		}
	}
	return added
}

// objectsIn are the objects that a file defines; none where it costs too much.
func objectsIn(data []byte) []ID {
	if limit.Check(data) != nil {
		return nil
	}
	var all []ID
	for doc := range bytes.SplitSeq(data, []byte("\n---")) {
		var content map[string]any
		if yaml.Unmarshal(doc, &content) == nil {
			all = append(all, (&object{}).with(content).ID)
		}
	}
	return all
}

// Build follows the roots through the files.
func (f *Files) Build(roots ...Root) *Inventory {
	return (&walk{files: f.snapshot, renderer: f.renderer, roots: roots}).build()
}

// Follow is Build for the state that comes after the one of before: a source
// or a value that is not there any longer still holds until Flux prunes it.
func (f *Files) Follow(before *Inventory, roots ...Root) *Inventory {
	return (&walk{files: f.snapshot, renderer: f.renderer, roots: roots, live: before.walk.found}).build()
}

// Inventory is what a repository's Flux Kustomizations apply.
type Inventory struct {
	Owners   []Owner   `json:"owners"`   // in the order in which they were reached
	Entries  []Entry   `json:"entries"`  // sorted by identity, then owner
	Opaque   []Opaque  `json:"opaque"`   // what could not be looked into
	Problems []Problem `json:"problems"` // what Flux itself would stumble over
	Edges    []Edge    `json:"edges"`    // the references between Flux objects

	walk  *walk
	index map[Name]int // into Owners

	indexOnce sync.Once
	builds    map[[3]string][]*Origin // by group, kind and name of what they make, and by group and kind
}

// Owner is a Flux Kustomization: it applies and prunes.
type Owner struct {
	Name
	Parent         Name   `json:"parent"` // whose output it was found in; itself or nothing for a root
	Root           bool   `json:"root,omitempty"`
	Path           string `json:"path"`
	Source         Ref    `json:"source"`
	Prune          bool   `json:"prune"`
	Suspend        bool   `json:"suspend,omitempty"`
	DeletionPolicy string `json:"deletionPolicy,omitempty"`
	DependsOn      []Name `json:"dependsOn,omitempty"`
	Objects        int    `json:"objects"`
	// Unread says why its content could not be looked into.
	Unread string `json:"unread,omitempty"`
	// Broken says why Flux cannot build it: it neither applies nor prunes.
	Broken string `json:"broken,omitempty"`

	object map[string]any
	trace  trace // of its build
}

// Reads reports whether its build looks into a file.
func (o Owner) Reads(file string) bool { return o.trace[file].content != nil }

// Content is the Flux Kustomization as what applies it applies it, with variables where a value is not in the
// repository.
func (o Owner) Content() map[string]any { return spelled(o.object).(map[string]any) }

// Content is the object as its Flux Kustomization applies it, with variables where a value is not in the repository;
// empty where that is not known.
func (e Entry) Content() map[string]any {
	if e.object == nil {
		return map[string]any{}
	}
	content, err := e.object.content()
	if err != nil {
		return map[string]any{}
	}
	return spelled(content).(map[string]any)
}

// spelled is a copy of a value that spells unknown values as the variables that they come from.
func spelled(value any) any {
	switch value := value.(type) {
	case string:
		return readable(value)
	case []any:
		all := make([]any, len(value))
		for i, entry := range value {
			all[i] = spelled(entry)
		}
		return all
	case map[string]any:
		all := map[string]any{}
		for key, entry := range value {
			all[key] = spelled(entry)
		}
		return all
	}
	return value
}

// Entry is one object that one Flux Kustomization applies.
type Entry struct {
	ID
	APIVersion  string            `json:"apiVersion"`
	Owner       Name              `json:"owner"`
	File        *Origin           `json:"file,omitzero"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	// Unknown is set if the identity depends on a value that is not in the
	// repository.
	Unknown bool `json:"unknown,omitempty"`

	object *object
}

// Ref is a reference to an object of a kind.
type Ref struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String returns Kind/namespace/name.
func (r Ref) String() string { return r.Kind + "/" + r.Namespace + "/" + r.Name }

// compare orders references as they are printed.
func (r Ref) compare(o Ref) int { return strings.Compare(r.String(), o.String()) }

// The kinds of problems that Flux would stumble over.
const (
	ProblemBuild     = "does not build"
	ProblemDangling  = "refers to nothing"
	ProblemTwice     = "has two owners"
	ProblemNamespace = "has no namespace"
	ProblemCRD       = "comes with its own CRD's installer"
	ProblemCycle     = "has a cycle"
)

// ref is the reference to the Flux Kustomization itself.
func (o Owner) ref() Ref { return Ref{"Kustomization", o.Namespace, o.Name.Name} }

// ref is the reference to the object.
func (e Entry) ref() Ref { return Ref{e.Kind, e.Namespace, e.Name} }

// Problem is something in the repository that keeps Flux from applying it.
type Problem struct {
	Owner  Name    `json:"owner"`
	Kind   string  `json:"kind"`
	What   string  `json:"what"`
	File   *Origin `json:"file,omitzero"`
	Object ID      `json:"object,omitzero"`
}

// same reports whether two are one problem, wherever the object was found.
func (p Problem) same(o Problem) bool {
	p.File, o.File = nil, nil
	return p == o
}

// String describes the problem for people.
func (p Problem) String() string {
	return "Flux Kustomization " + p.Owner.String() + " " + p.Kind + ": " + p.What
}

// From is what other roots apply of the same files.
func (inv *Inventory) From(roots ...Root) *Inventory {
	w := *inv.walk
	w.roots = roots
	return w.build()
}

// Applies reports whether the root is a Flux Kustomization of the inventory, with
// the same path.
func (inv *Inventory) Applies(root Root) bool {
	o := newOwner(definition{object: root.Kustomization})
	have, found := inv.Owner(o.Name)
	return found && have.Path == o.Path
}

// Owner returns the Flux Kustomization of that name.
func (inv *Inventory) Owner(n Name) (Owner, bool) {
	i, ok := inv.index[n]
	if !ok {
		return Owner{}, false
	}
	return inv.Owners[i], true
}

// Find returns the entries of an object: one for each owner.
func (inv *Inventory) Find(id ID) []Entry {
	i, _ := slices.BinarySearchFunc(inv.Entries, id, func(e Entry, id ID) int { return e.ID.compare(id) })
	n := i
	for n < len(inv.Entries) && inv.Entries[n].ID == id {
		n++
	}
	return inv.Entries[i:n]
}

// Applied reports whether the inventory has an object, in whatever namespace a kustomization.yaml puts it, by a build
// that reads the file which defines it. A name with variables is that of any object of its kind in the file.
func (inv *Inventory) Applied(group, kind, name, file string) bool {
	inv.indexOnce.Do(func() {
		inv.builds = map[[3]string][]*Origin{}
		for _, e := range inv.Entries {
			for _, key := range [][3]string{{e.Group, e.Kind, e.Name}, {e.Group, e.Kind, ""}} {
				inv.builds[key] = append(inv.builds[key], e.File)
			}
		}
	})
	if strings.Contains(name, "${") {
		name = ""
	}
	return slices.ContainsFunc(inv.builds[[3]string{group, kind, name}],
		func(from *Origin) bool { return from.Read(file) })
}

// Whole reports whether all that the Flux Kustomizations of the inventory apply from here builds. What does not is not
// in it, and may be on the cluster since it did.
func (inv *Inventory) Whole() bool {
	return !slices.ContainsFunc(inv.Owners, func(o Owner) bool { return o.Broken != "" })
}

// IDs returns every identity once, in order.
func (inv *Inventory) IDs() []ID {
	set := map[ID]bool{}
	for _, e := range inv.Entries {
		set[e.ID] = true
	}
	return slices.SortedFunc(maps.Keys(set), ID.compare)
}

// sort puts everything but the owners in order and drops duplicates.
func (inv *Inventory) sort() {
	slices.SortStableFunc(inv.Entries, func(a, b Entry) int {
		if c := a.ID.compare(b.ID); c != 0 {
			return c
		}
		return strings.Compare(a.Owner.String(), b.Owner.String())
	})
	slices.SortFunc(inv.Opaque, func(a, b Opaque) int {
		return strings.Compare(a.Owner.String()+a.String(), b.Owner.String()+b.String())
	})
	inv.Opaque = slices.Compact(inv.Opaque)
	slices.SortFunc(inv.Problems, func(a, b Problem) int { return strings.Compare(a.String(), b.String()) })
	inv.Problems = slices.CompactFunc(inv.Problems, Problem.same)
}
