package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"migrate-to-flux-operator/fn/checkout/split"
)

// mount is where kustomize sees the repository. It is two levels deep, so
// that a path that leaves the repository points at nothing, as it does in
// kustomize-controller's build.
const mount = "/source/tree"

// errReadOnly is the answer to every write.
var errReadOnly = errors.New("the tree is read-only")

// view shows a snapshot to kustomize, with each kustomization.yaml freed from
// what cannot be read here, and remembers every question it was asked: a
// build is the same in another snapshot that gives the same answers.
type view struct {
	tree     *snapshot
	override map[string][]byte
	trace    trace
	opaque   []Opaque
	refused  error // why a file was not given to kustomize
	schema   bool  // a kustomization changes kustomize's global schema
	// configured tells that objects configure plugins, and any file may hold these.
	configured bool
	// whole keeps the schemas of CRDs, which most builds carry along for nothing; cut tells that some were left out.
	whole, cut bool
	// allowed is what the build may fail to find.
	allowed leniency
	// standIn is the kustomization.yaml that lists an object that stands for all that it lists; none where it is empty.
	standIn string
	// origins has kustomize say which file each object came from.
	origins bool
	// generates tells that the name of an object depends on what is in files.
	generates bool
}

// newView shows tree with the files of override on top.
func newView(tree *snapshot) *view {
	return &view{tree: tree, override: map[string][]byte{}, trace: trace{}}
}

// trace maps a path to what was there; a path that ends in a slash stands for
// the names in that directory.
type trace map[string]state

// state is what a path of a snapshot is: nothing, a file or a directory.
type state struct {
	dir     bool
	content []byte   // of a file; nil if there is none
	names   []string // in a directory, where they were asked for
}

// look returns what p is in s.
func (s *snapshot) look(p string) state {
	if dir, list := strings.CutSuffix(p, "/"); list {
		return state{dir: s.isDir(dir), names: s.dirs[dir]}
	}
	return state{dir: s.isDir(p), content: s.content(p)}
}

// holds reports whether s gives the answers that were traced.
func (t trace) holds(s *snapshot) bool {
	for p, was := range t {
		is := s.look(p)
		if is.dir != was.dir || (is.content == nil) != (was.content == nil) ||
			!bytes.Equal(is.content, was.content) || !slices.Equal(is.names, was.names) {
			return false
		}
	}
	return true
}

// ask looks p up and remembers the answer.
func (v *view) ask(p string) state {
	is, ok := v.trace[p]
	if !ok {
		is = v.tree.look(p)
		v.trace[p] = is
	}
	return is
}

// has reports whether p exists.
func (v *view) has(p string) bool {
	is := v.ask(p)
	return is.dir || is.content != nil
}

// rel turns kustomize's path into one of the snapshot; what lies outside is
// a path that no snapshot has.
func rel(p string) string {
	p = path.Clean("/" + filepath.ToSlash(p))
	if p == mount {
		return "."
	}
	if in, ok := strings.CutPrefix(p, mount+"/"); ok {
		return in
	}
	return ".." + p
}

// ReadFile implements filesys.FileSystem.
func (v *view) ReadFile(name string) ([]byte, error) {
	p := rel(name)
	if data, ok := v.override[p]; ok {
		return data, nil
	}
	is := v.ask(p)
	if is.content == nil {
		return nil, &fs.PathError{Op: "open", Path: p, Err: fs.ErrNotExist}
	}
	if !slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(p)) {
		content, err := v.lean(is.content), v.refuse(v.tree.check(p))
		if err == nil && v.configured {
			content = v.configs(p, content)
		}
		return content, err
	}
	clean, err := v.sanitize(p, is.content)
	if err != nil {
		return nil, v.refuse(err)
	}
	v.override[p] = clean
	return clean, nil
}

// refuse remembers the first file that is refused.
func (v *view) refuse(err error) error {
	if v.refused == nil {
		v.refused = err
	}
	return err
}

// ChangesSchema implements kustomize.Tree.
func (v *view) ChangesSchema() bool { return v.schema }

// lean is a file without the schemas of CRDs.
func (v *view) lean(content []byte) []byte {
	if v.whole {
		return content
	}
	lean, cut := split.WithoutSchemas(content)
	v.cut = v.cut || cut
	return lean
}

// Exists implements filesys.FileSystem.
func (v *view) Exists(name string) bool {
	_, ok := v.override[rel(name)]
	return ok || v.has(rel(name))
}

// IsDir implements filesys.FileSystem.
func (v *view) IsDir(name string) bool { return v.ask(rel(name)).dir }

// ReadDir implements filesys.FileSystem.
func (v *view) ReadDir(name string) ([]string, error) {
	is := v.ask(rel(name) + "/")
	if !is.dir {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	return is.names, nil
}

// CleanedAbs implements filesys.FileSystem.
func (v *view) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	p := rel(name)
	switch {
	case v.ask(p).dir:
		return filesys.ConfirmedDir(path.Join(mount, p)), "", nil
	case v.Exists(name):
		return filesys.ConfirmedDir(path.Join(mount, path.Dir(p))), path.Base(p), nil
	}
	return "", "", fmt.Errorf("'%s' doesn't exist: %w", name, fs.ErrNotExist)
}

// Glob implements filesys.FileSystem. Nothing that kustomize builds uses it.
func (v *view) Glob(string) ([]string, error) { return nil, errors.New("glob is not supported") }

// Walk implements filesys.FileSystem. Nothing that kustomize builds uses it.
func (v *view) Walk(string, filepath.WalkFunc) error { return errors.New("walk is not supported") }

// Open implements filesys.FileSystem.
func (v *view) Open(name string) (filesys.File, error) {
	data, err := v.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return &openFile{Reader: bytes.NewReader(data), info: fileInfo{name: path.Base(name), size: int64(len(data))}}, nil
}

// Create implements filesys.FileSystem.
func (v *view) Create(string) (filesys.File, error) { return nil, errReadOnly }

// Mkdir implements filesys.FileSystem.
func (v *view) Mkdir(string) error { return errReadOnly }

// MkdirAll implements filesys.FileSystem.
func (v *view) MkdirAll(string) error { return errReadOnly }

// RemoveAll implements filesys.FileSystem.
func (v *view) RemoveAll(string) error { return errReadOnly }

// WriteFile implements filesys.FileSystem.
func (v *view) WriteFile(string, []byte) error { return errReadOnly }

// openFile is a file of the view, opened.
type openFile struct {
	io.Reader
	info fileInfo
}

// Close implements filesys.File.
func (*openFile) Close() error { return nil }

// Write implements filesys.File.
func (*openFile) Write([]byte) (int, error) { return 0, errReadOnly }

// Stat implements filesys.File.
func (f *openFile) Stat() (os.FileInfo, error) { return f.info, nil }

// fileInfo describes a file of the view.
type fileInfo struct {
	name string
	size int64
}

// Name implements fs.FileInfo.
func (i fileInfo) Name() string { return i.name }

// Size implements fs.FileInfo.
func (i fileInfo) Size() int64 { return i.size }

// Mode implements fs.FileInfo.
func (fileInfo) Mode() fs.FileMode { return 0o444 }

// ModTime implements fs.FileInfo.
func (fileInfo) ModTime() time.Time { return time.Time{} }

// IsDir implements fs.FileInfo.
func (fileInfo) IsDir() bool { return false }

// Sys implements fs.FileInfo.
func (fileInfo) Sys() any { return nil }
