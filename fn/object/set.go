package object

import (
	"cmp"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Set is the input and, after the migration, the output: the objects in their order.
type Set struct {
	objects []*Object
	removed map[*Object]bool
	added   []*Object
	isNew   map[*Object]bool
	gone    map[string]bool
	byFile  map[string][]*Object
	byKind  map[groupKind][]*Object
	byID    map[ID][]*Object // under their group instead of their API version
	facts   map[any]any      // what Once keeps
	states  map[any]any      // what Until keeps, until the set changes
	stateOf int64            // the count of edits that states is of
	// Read returns the bytes of a file that is not an object of its own, such as a JSON patch; false where there is
	// none. Where only the objects are known, files hold no more than these.
	Read func(file string) ([]byte, bool)
	// Files lists the files in a folder and below it, those without objects too; nil where only the objects are known.
	Files func(dir string) []string
	// Tree are the files of the input with the edits so far; those that the objects came from where only these are
	// known.
	Tree func() (fs.FS, error)
}

type groupKind struct{ group, kind string }

// NewSet makes a Set of objects; their order is kept.
func NewSet(objects []*Object) *Set {
	s := &Set{objects: objects, removed: map[*Object]bool{}, isNew: map[*Object]bool{}, gone: map[string]bool{},
		facts: map[any]any{}, states: map[any]any{}}
	if !slices.IsSortedFunc(objects, Compare) {
		objects = slices.SortedStableFunc(slices.Values(objects), Compare)
	}
	var indexes sync.WaitGroup // each is most of the work for a large input
	indexes.Go(func() { s.byFile = indexed(objects, len(objects), fileOf) })
	indexes.Go(func() { s.byID = indexed(objects, len(objects), (*Object).anyVersion) })
	s.byKind = indexed(objects, 0, kindOf)
	indexes.Wait()
	s.Read = s.together
	s.Tree = func() (fs.FS, error) { return filesNow(s.Current()), nil }
	return s
}

// indexed are sorted objects by a key, of which there are about so many, those of one key in their order. A list of one
// object, as most are, is a part of the whole list.
func indexed[K comparable](objects []*Object, keys int, key func(*Object) K) map[K][]*Object {
	all := make(map[K][]*Object, keys)
	for i, o := range objects {
		at := key(o)
		if of, known := all[at]; known {
			all[at] = append(of, o)
		} else {
			all[at] = objects[i : i+1 : i+1]
		}
	}
	return all
}

func fileOf(o *Object) string { return o.File }

func kindOf(o *Object) groupKind { return groupKind{o.Group(), o.Kind} }

// index files a new object; those of one kind, and of one ID, stay in the order of Compare.
func (s *Set) index(o *Object) {
	clear(s.states)
	s.byFile[o.File] = append(s.byFile[o.File], o)
	insert(s.byKind, kindOf(o), o)
	insert(s.byID, o.anyVersion(), o)
}

// insert puts an object in its place among those of its key.
func insert[K comparable](all map[K][]*Object, key K, o *Object) {
	of := all[key]
	at, _ := slices.BinarySearchFunc(of, o, func(a, b *Object) int { return cmp.Or(Compare(a, b), -1) })
	all[key] = slices.Insert(of, at, o)
}

// All returns the objects that are neither removed nor added, in the order of the input.
func (s *Set) All() []*Object { return s.left(s.objects) }

// left is a copy of a list without what was taken out.
func (s *Set) left(list []*Object) []*Object {
	list = slices.Clone(list)
	if len(s.removed) == 0 {
		return list
	}
	return slices.DeleteFunc(list, s.Removed)
}

// Of returns the objects of a group and kind, in an order that does not depend on that of the input.
func (s *Set) Of(group, kind string) []*Object {
	return s.left(s.byKind[groupKind{group, kind}])
}

// Current returns the objects as they will be: the kept ones of the input, then the added ones.
func (s *Set) Current() []*Object { return append(s.All(), s.added...) }

// Compare orders objects by file, index and ID.
func Compare(a, b *Object) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Index, b.Index), CompareID(a.ID, b.ID))
}

// CompareID orders IDs by kind, namespace, name and API version.
func CompareID(a, b ID) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.APIVersion, b.APIVersion))
}

// Find returns the objects that an ID names, whatever their API version.
func (s *Set) Find(id ID) []*Object {
	return s.left(s.byID[id.anyVersion()])
}

// InFile returns the objects of one file, in their order.
func (s *Set) InFile(file string) []*Object {
	in := s.left(s.byFile[file])
	slices.SortStableFunc(in, Compare)
	return in
}

// Below returns the objects whose file is in a folder or below it.
func (s *Set) Below(dir string) []*Object {
	var below []*Object
	for _, o := range s.Current() {
		if o.below(dir) {
			below = append(below, o)
		}
	}
	return below
}

// Holds reports whether there is an object in a folder or below it.
func (s *Set) Holds(dir string) bool {
	type key struct{}
	return Until(s, key{}, (*Set).folders)[dir]
}

// folders are the folders in which there are objects, and those above them. As with Within, "." is above every file but
// none of that name.
func (s *Set) folders() map[string]bool {
	all := map[string]bool{}
	for _, o := range s.Current() {
		all["."] = all["."] || o.File != "."
		for end := strings.LastIndexByte(o.File, '/'); end >= 0 &&
			!all[o.File[:end]]; end = strings.LastIndexByte(o.File[:end], '/') {
			all[o.File[:end]] = true
		}
	}
	return all
}

// below reports whether an object's file is in a folder or below it.
func (o *Object) below(dir string) bool { return Within(o.File, dir) && o.File != dir }

// Within reports whether dir is root or below it; both are clean slash paths relative to one root, "." for the root
// itself.
func Within(dir, root string) bool {
	return root == "." || strings.HasPrefix(dir, root) && (len(dir) == len(root) || dir[len(root)] == '/')
}

// HasPaths reports whether the items carry paths; from kustomize they do not.
func (s *Set) HasPaths() bool {
	return len(s.objects) == 0 || slices.ContainsFunc(s.objects, func(o *Object) bool { return o.File != "" })
}

// Once returns what make makes of a set the first time that it is asked for under a key: a fact of the input that costs
// too much to find out each time, and that no edit of the migration changes.
func Once[T any](s *Set, key any, make func(*Set) T) T { return kept(s, s.facts, key, make) }

// Until is Once for a fact of which objects there are and what they say: it is made anew after an object was added,
// taken out, put back or edited.
func Until[T any](s *Set, key any, make func(*Set) T) T {
	if now := edits.Load(); now != s.stateOf {
		clear(s.states)
		s.stateOf = now
	}
	return kept(s, s.states, key, make)
}

func kept[T any](s *Set, facts map[any]any, key any, make func(*Set) T) T {
	fact, known := facts[key].(T)
	if !known {
		fact = make(s)
		facts[key] = fact
	}
	return fact
}

// Add appends a new object.
func (s *Set) Add(o *Object) {
	s.added = append(s.added, o)
	s.isNew[o] = true
	s.index(o)
}

// Added returns the new objects.
func (s *Set) Added() []*Object { return s.added }

// IsNew reports whether an object was added.
func (s *Set) IsNew(o *Object) bool { return s.isNew[o] }

// Remove takes an object out.
func (s *Set) Remove(o *Object) {
	s.removed[o] = true
	clear(s.states)
}

// Keep puts an object back that was taken out.
func (s *Set) Keep(o *Object) {
	delete(s.removed, o)
	clear(s.states)
}

// RemoveFile takes out a file that holds no objects, which only Read knows.
func (s *Set) RemoveFile(file string) { s.gone[file] = true }

// RemovedFiles are the files without objects that were taken out, sorted.
func (s *Set) RemovedFiles() []string { return slices.Sorted(maps.Keys(s.gone)) }

// Removed reports whether an object was taken out.
func (s *Set) Removed(o *Object) bool { return s.removed[o] }

// Input returns every object of the input, the removed ones too.
func (s *Set) Input() []*Object { return s.objects }
