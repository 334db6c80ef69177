package inventory

import (
	"bytes"
	"fmt"
	"io/fs"
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
	files map[string]content
	dirs  map[string][]string // the sorted names in each directory

	large     map[string]bool      // the files that are too large to be read
	checked   map[string]error     // the files that were looked at, with what speaks against them
	artifacts map[string]*snapshot // what was packed of it, by spec.ignore
}

// content gives what a file holds, to read and not to change.
type content func() []byte

// Maker is a tree that makes its files from what it has in memory, which cannot
// fail. It makes a file again whenever that is read, so that the files that
// no build reads, most of them, are not in memory twice.
type Maker interface {
	Make(file string) []byte
}

// newSnapshot has an empty root.
func newSnapshot() *snapshot {
	return &snapshot{files: map[string]content{}, dirs: map[string][]string{".": nil},
		large: map[string]bool{}, checked: map[string]error{}, artifacts: map[string]*snapshot{}}
}

// load reads a tree into memory. Like source-controller it takes regular
// files and directories only.
func load(tree fs.FS) (*snapshot, error) {
	s := newSnapshot()
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
		s.addFile(p, func() []byte { return nil })
		return nil
	}
	if made, ok := tree.(Maker); ok {
		s.addFile(p, func() []byte { return made.Make(p) })
		return nil
	}
	data, err := fs.ReadFile(tree, p)
	if err != nil {
		return err
	}
	s.addFile(p, func() []byte { return data })
	return nil
}

// content is what a file holds; nil if there is none.
func (s *snapshot) content(p string) []byte {
	made, ok := s.files[p]
	if !ok {
		return nil
	}
	if data := made(); data != nil {
		return data
	}
	return []byte{}
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
func (s *snapshot) addFile(p string, data content) {
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
	out := newSnapshot()
	for f, data := range s.files {
		if slices.ContainsFunc(dirs, func(dir string) bool { return strings.HasPrefix(f, path.Clean(dir)+"/") }) {
			out.addFile(f, data)
		}
	}
	out.sort()
	return out
}

// artifact is the snapshot as source-controller would pack it: without what
// .sourceignore files, the source's spec.ignore or, where there is neither,
// Flux's default list exclude.
func (s *snapshot) artifact(ignore *string) *snapshot {
	matcher := s.matcher(ignore)
	out := newSnapshot()
	for d := range s.dirs {
		if d != "." && !matcher.Match(strings.Split(d, "/"), true) {
			out.addDir(d)
		}
	}
	for f, data := range s.files {
		if !matcher.Match(strings.Split(f, "/"), false) {
			out.addFile(f, data)
			out.large[f] = s.large[f]
		}
	}
	out.sort()
	return out
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

// isDir says whether p is a directory of the snapshot.
func (s *snapshot) isDir(p string) bool {
	_, ok := s.dirs[p]
	return ok
}
