package checkout

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"migrate-to-flux-operator/fn/regular"
)

// Tree and Overlay are file systems.
var (
	_ fs.ReadFileFS = (*Tree)(nil)
	_ fs.ReadDirFS  = (*Tree)(nil)
	_ fs.StatFS     = (*Tree)(nil)
	_ fs.ReadFileFS = (*Overlay)(nil)
	_ fs.ReadDirFS  = (*Overlay)(nil)
	_ fs.StatFS     = (*Overlay)(nil)
)

// check refuses a name that is not valid or not in the tree.
func (t *Tree) check(op, name string) error {
	if !fs.ValidPath(name) {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	for at := name; at != "."; at = path.Dir(at) {
		if t.hidden[at] || path.Base(at) == ".git" {
			return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
	}
	return nil
}

// Kept are the bytes of a file that was kept, to read and not to change.
func (t *Tree) Kept(name string) []byte { return t.files[name] }

// ReadFile is the content of a regular file: of a kept one the bytes that were read first, of another one what it holds
// now.
func (t *Tree) ReadFile(name string) ([]byte, error) {
	if raw, ok := t.files[name]; ok {
		return bytes.Clone(raw), nil
	}
	if err := t.check("open", name); err != nil {
		return nil, err
	}
	raw, err := regular.Read(t.root, name)
	if at := (*fs.PathError)(nil); err != nil && !errors.As(err, &at) {
		err = &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return raw, err
}

// Open opens a file or a directory. A link that leads out of the tree is refused.
func (t *Tree) Open(name string) (fs.File, error) { return open(t, name) }

// Stat describes a file or a directory.
func (t *Tree) Stat(name string) (fs.FileInfo, error) {
	if err := t.check("stat", name); err != nil {
		return nil, err
	}
	return t.root.Stat(name)
}

// Exists reports whether there is anything at a path, be it ignored by Git or a link that leads nowhere.
func (t *Tree) Exists(name string) bool {
	_, err := t.root.Lstat(filepath.FromSlash(name))
	return !errors.Is(err, fs.ErrNotExist)
}

// LinkAbove is the symbolic link on the way to a path, if there is one.
func (t *Tree) LinkAbove(name string) (link string, found bool) {
	for at := path.Dir(name); at != "."; at = path.Dir(at) {
		if info, err := t.root.Lstat(at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			link, found = at, true
		}
	}
	return link, found
}

// ReadDir lists a directory by name.
func (t *Tree) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := t.check("open", name); err != nil {
		return nil, err
	}
	f, err := t.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := f.ReadDir(-1)
	list = slices.DeleteFunc(list, func(e fs.DirEntry) bool {
		return e.Name() == ".git" || t.hidden[path.Join(name, e.Name())]
	})
	slices.SortFunc(list, byName)
	return list, err
}

// byName orders entries.
func byName(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) }

// With is the tree as it will be once the changes are applied.
func (t *Tree) With(changes []Change) *Overlay {
	o := &Overlay{tree: t, after: map[string]Change{}, dirs: map[string]bool{}}
	for _, c := range changes {
		o.after[c.Path] = c
		for dir := path.Dir(c.Path); c.After != nil && dir != "." && !o.dirs[dir]; dir = path.Dir(dir) {
			o.dirs[dir] = true
		}
	}
	return o
}

// Overlay is a tree with planned changes.
type Overlay struct {
	tree  *Tree
	after map[string]Change
	dirs  map[string]bool // directories with a planned file below them
}

// ReadFile is the content of a file once the changes are applied.
func (o *Overlay) ReadFile(name string) ([]byte, error) {
	switch c, ok := o.after[name]; {
	case ok && c.After == nil:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case ok:
		return bytes.Clone(c.After), nil
	}
	return o.tree.ReadFile(name)
}

// Open opens a file or a directory.
func (o *Overlay) Open(name string) (fs.File, error) { return open(o, name) }

// Stat describes a file or a directory. A directory that loses its last file is gone, as it is for Git.
func (o *Overlay) Stat(name string) (fs.FileInfo, error) {
	missing := &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	switch c, ok := o.after[name]; {
	case ok && c.After == nil:
		return nil, missing
	case ok:
		return fileInfo{path.Base(name), int64(len(c.After)), c.mode()}, nil
	}
	info, err := o.tree.Stat(name)
	if o.dirs[name] {
		return fileInfo{path.Base(name), 0, fs.ModeDir | 0o755}, nil
	}
	if err == nil && info.IsDir() && name != "." && o.emptied(name) {
		return nil, missing
	}
	return info, err
}

// emptied reports whether the changes delete the last file of a directory.
func (o *Overlay) emptied(name string) bool {
	for p, c := range o.after {
		if c.After == nil && strings.HasPrefix(p, name+"/") {
			list, err := o.list(name)
			return err == nil && len(list) == 0
		}
	}
	return false
}

// ReadDir lists a directory by name.
func (o *Overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	if _, err := o.Stat(name); err != nil {
		return nil, err
	}
	return o.list(name)
}

// list is what ReadDir lists.
func (o *Overlay) list(name string) ([]fs.DirEntry, error) {
	before, err := o.tree.ReadDir(name)
	if err != nil && !o.dirs[name] {
		return nil, err
	}
	seen := map[string]bool{}
	var list []fs.DirEntry
	add := func(base string, old fs.DirEntry) {
		full := path.Join(name, base)
		_, changed := o.after[full]
		if seen[base] {
			return
		}
		seen[base] = true
		if old != nil && !changed && !old.IsDir() {
			list = append(list, old)
		} else if info, err := o.Stat(full); err == nil {
			list = append(list, fs.FileInfoToDirEntry(info))
		}
	}
	for _, e := range before {
		add(e.Name(), e)
	}
	for p := range o.after {
		if path.Dir(p) == name {
			add(path.Base(p), nil)
		}
	}
	for dir := range o.dirs {
		if path.Dir(dir) == name {
			add(path.Base(dir), nil)
		}
	}
	slices.SortFunc(list, byName)
	return list, nil
}

// fileInfo describes a planned file or directory.
type fileInfo struct {
	name string
	size int64
	mode fs.FileMode
}

// Name and the others are fs.FileInfo. A planned file has no time.
func (i fileInfo) Name() string { return i.name }

// Size is the length of the file.
func (i fileInfo) Size() int64 { return i.size }

// Mode is the mode that the file will have.
func (i fileInfo) Mode() fs.FileMode { return i.mode }

// ModTime is the zero time.
func (i fileInfo) ModTime() time.Time { return time.Time{} }

// IsDir reports whether it is a directory.
func (i fileInfo) IsDir() bool { return i.mode.IsDir() }

// Sys is nothing.
func (i fileInfo) Sys() any { return nil }

// open makes an open file of what the other methods of a file system tell.
func open(fsys interface {
	fs.ReadFileFS
	fs.ReadDirFS
	fs.StatFS
}, name string) (fs.File, error) {
	info, err := fsys.Stat(name)
	if err != nil {
		return nil, err
	}
	f := &file{info: info}
	if info.IsDir() {
		f.list, err = fsys.ReadDir(name)
		return f, err
	}
	raw, err := fsys.ReadFile(name)
	f.Reader = bytes.NewReader(raw)
	return f, err
}

// file is an open file or directory.
type file struct {
	*bytes.Reader
	info fs.FileInfo
	list []fs.DirEntry
}

// Stat describes the file.
func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }

// Close does nothing.
func (f *file) Close() error { return nil }

// Read reads the file; a directory has no bytes.
func (f *file) Read(b []byte) (int, error) {
	if f.Reader == nil {
		return 0, &fs.PathError{Op: "read", Path: f.info.Name(), Err: os.ErrInvalid}
	}
	return f.Reader.Read(b)
}

// ReadDir lists the directory.
func (f *file) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(f.list) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(f.list) {
		n = len(f.list)
	}
	out := f.list[:n]
	f.list = f.list[n:]
	return out, nil
}
