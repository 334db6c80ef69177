package inventory

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/sourceignore"
	"github.com/fluxcd/pkg/sourceignore/gitignore"

	"migrate-to-flux-operator/fn/limit"
)

// snapshot is a tree of files in memory, keyed by slash path from the
// repository root. The root directory is ".".
type snapshot struct {
	files map[string][]byte   // nil for what maker makes, and for what is too large
	dirs  map[string][]string // the sorted names in each directory
	maker Maker

	large     map[string]bool      // the files that are too large to be read
	checked   map[string]error     // the files that were looked at, with what speaks against them
	artifacts map[string]*snapshot // what was packed of it, by spec.ignore
}

// Maker is a tree that makes its files from what it has in memory, which cannot
// fail. It makes a file again whenever that is read, so that the files that
// no build reads, most of them, are not in memory twice.
type Maker interface {
	Make(file string) []byte
}

// newSnapshot has an empty root.
func newSnapshot() *snapshot {
	return &snapshot{files: map[string][]byte{}, dirs: map[string][]string{".": nil},
		large: map[string]bool{}, checked: map[string]error{}, artifacts: map[string]*snapshot{}}
}

// load reads a tree into memory. Like source-controller it takes regular
// files and directories only.
func load(tree fs.FS) (*snapshot, error) {
	s := newSnapshot()
	s.maker, _ = tree.(Maker)
	err := fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case d.IsDir():
			s.addDir(p)
		case d.Type().IsRegular():
			return s.read(tree, p, d)
		}
		return nil
	})
	s.sort()
	return s, err
}

// read adds a file with what it holds, unless that is too large.
func (s *snapshot) read(tree fs.FS, p string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	if info.Size() > limit.Size {
		s.large[p] = true
	}
	if s.large[p] || s.maker != nil {
		s.addFile(p, nil)
		return nil
	}
	data, err := fs.ReadFile(tree, p)
	if err == nil {
		s.addFile(p, data)
	}
	return err
}

// content is what a file holds; nil if there is none.
func (s *snapshot) content(p string) []byte {
	data, ok := s.files[p]
	switch {
	case !ok:
		return nil
	case s.maker != nil && !s.large[p]:
		data = s.maker.Make(p)
	}
	if data == nil {
		return []byte{}
	}
	return data
}

// check says what speaks against giving a file to kustomize, which takes any.
func (s *snapshot) check(p string) error {
	err, known := s.checked[p]
	switch {
	case known:
	case s.large[p]:
		err = fmt.Errorf("%s: %w", p, limit.ErrSize)
	default:
		if err = limit.Check(s.content(p)); err != nil {
			err = fmt.Errorf("%s: %w", p, err)
		}
	}
	s.checked[p] = err
	return err
}

// addFile adds a file and the directories above it.
func (s *snapshot) addFile(p string, data []byte) {
	s.addDir(path.Dir(p))
	s.dirs[path.Dir(p)] = append(s.dirs[path.Dir(p)], path.Base(p))
	s.files[p] = data
}

// addDir adds a directory and those above it.
func (s *snapshot) addDir(p string) {
	if _, ok := s.dirs[p]; ok {
		return
	}
	s.dirs[p] = nil
	s.addDir(path.Dir(p))
	s.dirs[path.Dir(p)] = append(s.dirs[path.Dir(p)], path.Base(p))
}

// sort puts every directory's names in order.
func (s *snapshot) sort() {
	for _, names := range s.dirs {
		slices.Sort(names)
	}
}

// sparse is the snapshot with what is in these directories only; all of it
// where there are none.
func (s *snapshot) sparse(dirs []string) *snapshot {
	if len(dirs) == 0 {
		return s
	}
	return s.only(func(p string, isDir bool) bool {
		return !isDir && slices.ContainsFunc(dirs,
			func(dir string) bool { return strings.HasPrefix(p, path.Clean(dir)+"/") })
	})
}

// only is the snapshot with the files and directories to keep; the snapshot itself where that is all.
func (s *snapshot) only(keep func(p string, isDir bool) bool) *snapshot {
	if s.all(keep) {
		return s
	}
	out := newSnapshot()
	out.large, out.maker = s.large, s.maker
	for d := range s.dirs {
		if d != "." && keep(d, true) {
			out.addDir(d)
		}
	}
	for f, data := range s.files {
		if keep(f, false) {
			out.addFile(f, data)
		}
	}
	out.sort()
	return out
}

// all reports whether every file and directory is to keep.
func (s *snapshot) all(keep func(p string, isDir bool) bool) bool {
	for d := range s.dirs {
		if d != "." && !keep(d, true) {
			return false
		}
	}
	for f := range s.files {
		if !keep(f, false) {
			return false
		}
	}
	return true
}

// ignored tells of each path whether a source leaves it out, by the patterns that say so: the states of a repository
// before and after a run have most paths in common, and each is held against some twenty patterns.
type ignored map[string]map[string]bool

// artifact is the snapshot as source-controller would pack it: without what
// .sourceignore files, the source's spec.ignore or, where there is neither,
// Flux's default list exclude.
func (s *snapshot) artifact(ignore *string, known ignored) *snapshot {
	matcher, patterns := s.matcher(ignore), s.patternsText(ignore)
	if known[patterns] == nil {
		known[patterns] = map[string]bool{}
	}
	out := known[patterns]
	return s.only(func(p string, isDir bool) bool {
		key := p
		if isDir {
			key += "/"
		}
		left, met := out[key]
		if !met {
			left = matcher.Match(strings.Split(p, "/"), isDir)
			out[key] = left
		}
		return !left
	})
}

// patternsText is all that the patterns of a source are read from.
func (s *snapshot) patternsText(ignore *string) string {
	var text strings.Builder
	if ignore != nil {
		text.WriteString("spec.ignore\n" + *ignore)
	}
	for _, dir := range slices.Sorted(maps.Keys(s.dirs)) {
		file := path.Join(dir, sourceignore.IgnoreFile)
		if data := s.content(file); data != nil {
			text.WriteString("\n" + file + "\n" + string(data))
		}
	}
	return text.String()
}

// matcher says which paths the source leaves out. Any pattern of the user's
// replaces the default list, but never the list of version control files.
func (s *snapshot) matcher(ignore *string) gitignore.Matcher {
	patterns := s.ignorePatterns(".")
	if ignore != nil {
		patterns = append(patterns, sourceignore.ReadPatterns(strings.NewReader(*ignore), nil)...)
	}
	if patterns == nil {
		return sourceignore.NewDefaultMatcher(nil, nil)
	}
	return sourceignore.NewMatcher(append(sourceignore.VCSPatterns(nil), patterns...))
}

// ignorePatterns reads the .sourceignore files at and below dir, the deeper
// ones last, for they win.
func (s *snapshot) ignorePatterns(dir string) []gitignore.Pattern {
	var domain []string
	if dir != "." {
		domain = strings.Split(dir, "/")
	}
	var out []gitignore.Pattern
	if data := s.content(path.Join(dir, sourceignore.IgnoreFile)); data != nil {
		out = sourceignore.ReadPatterns(bytes.NewReader(data), domain)
	}
	for _, name := range s.dirs[dir] {
		if sub := path.Join(dir, name); s.isDir(sub) {
			out = append(out, s.ignorePatterns(sub)...)
		}
	}
	return out
}

// isDir reports whether p is a directory of the snapshot.
func (s *snapshot) isDir(p string) bool {
	_, ok := s.dirs[p]
	return ok
}
