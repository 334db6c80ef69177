package object

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"
)

// files are the files that objects come from, put together when they are read.
type files struct {
	objects map[string][]*Object
	names   map[string][]string  // those in each directory, sorted
	text    func(*Object) []byte // to read, and not to change
}

var _ interface {
	fs.StatFS
	fs.ReadDirFS
	fs.ReadFileFS
} = (*files)(nil)

// Original are the files of the objects as they came.
func (s *Set) Original() fs.FS { return filesOf(s.Current(), (*Object).OriginalBytes) }

// filesNow are the files as they are now, whatever is edited later: what says the same as before is the same bytes.
// Objects without a path are in one file.
func filesNow(objects []*Object) *files {
	edited := map[*Object][]byte{}
	for _, o := range objects {
		if o.Changed() {
			edited[o] = o.Bytes()
		}
	}
	return filesOf(objects, func(o *Object) []byte {
		if text, changed := edited[o]; changed {
			return text
		}
		return o.OriginalBytes()
	})
}

func filesOf(objects []*Object, text func(*Object) []byte) *files {
	f := &files{objects: map[string][]*Object{}, names: map[string][]string{".": nil}, text: text}
	havePaths := slices.ContainsFunc(objects, func(o *Object) bool { return o.File != "" })
	for _, o := range slices.SortedStableFunc(slices.Values(objects), Compare) {
		file := path.Clean(o.File)
		if !havePaths {
			file = "items.yaml"
		}
		if !fs.ValidPath(file) || havePaths && o.File == "" {
			continue
		}
		if f.objects[file] == nil {
			f.enter(file)
		}
		f.objects[file] = append(f.objects[file], o)
	}
	for _, names := range f.names {
		slices.Sort(names)
	}
	return f
}

// enter adds a name to its directory, and that to its own.
func (f *files) enter(name string) {
	dir := path.Dir(name)
	if _, known := f.names[dir]; !known {
		f.enter(dir)
	}
	f.names[dir] = append(f.names[dir], path.Base(name))
}

// ReadFile is the content of a file.
func (f *files) ReadFile(name string) ([]byte, error) {
	if _, ok := f.objects[name]; !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return f.Make(name), nil
}

// Make is the content of a file that is there.
func (f *files) Make(name string) []byte {
	var documents [][]byte
	for _, o := range f.objects[name] {
		documents = append(documents, f.document(o))
	}
	if len(documents) == 1 {
		return documents[0] // as it is: most files hold one object
	}
	return bytes.Join(documents, []byte("---\n"))
}

// document is an object in its file, to the end of its last line.
func (f *files) document(o *Object) []byte {
	text := f.text(o)
	if bytes.HasPrefix(text, []byte(kyaml.BareSeqNodeWrappingKey+":")) {
		text = []byte(unwrap(o.Map()))
	}
	if !bytes.HasSuffix(text, []byte("\n")) {
		text = append(slices.Clip(text), '\n')
	}
	return text
}

// ReadDir lists a directory.
func (f *files) ReadDir(name string) ([]fs.DirEntry, error) {
	names, ok := f.names[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	entries := make([]fs.DirEntry, len(names))
	for i, base := range names {
		info, err := f.Stat(path.Join(name, base))
		if err != nil {
			return nil, err
		}
		entries[i] = fs.FileInfoToDirEntry(info)
	}
	return entries, nil
}

// Stat says what a path is.
func (f *files) Stat(name string) (fs.FileInfo, error) {
	if _, ok := f.objects[name]; ok {
		return entry{path.Base(name), 0o644}, nil
	}
	if _, ok := f.names[name]; ok {
		return entry{path.Base(name), fs.ModeDir | 0o755}, nil
	}
	return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
}

// Open opens a file or a directory.
func (f *files) Open(name string) (fs.File, error) {
	info, err := f.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return opened{info, bytes.NewReader(nil)}, nil
	}
	content, err := f.ReadFile(name)
	return opened{info, bytes.NewReader(content)}, err
}

// opened is an open file; a directory has no bytes, and is listed by ReadDir.
type opened struct {
	info fs.FileInfo
	io.Reader
}

// Stat says what was opened.
func (o opened) Stat() (fs.FileInfo, error) { return o.info, nil }

// Close does nothing.
func (opened) Close() error { return nil }

// entry describes a file or a directory.
type entry struct {
	name string
	mode fs.FileMode
}

// Name is the last part of the path.
func (e entry) Name() string { return e.name }

// Size is not known before the file is put together.
func (entry) Size() int64 { return 0 }

// Mode tells files from directories.
func (e entry) Mode() fs.FileMode { return e.mode }

// ModTime is the zero time.
func (entry) ModTime() time.Time { return time.Time{} }

// IsDir reports whether it is a directory.
func (e entry) IsDir() bool { return e.mode.IsDir() }

// Sys is nothing.
func (entry) Sys() any { return nil }

// unwrap is the text of a document, and of a list what it is in the file: kpt makes an item of it. What was decoded
// from YAML can be written as YAML.
func unwrap(item map[string]any) string {
	var content any = item
	if list, wrapped := item[kyaml.BareSeqNodeWrappingKey]; wrapped {
		content = list
	}
	text, _ := yaml.Marshal(content)
	return string(text)
}

// together puts a file together from the objects that came from it.
func (s *Set) together(file string) ([]byte, bool) {
	var docs []string
	for _, o := range s.InFile(file) {
		// Map leaves out the annotations that only carry the item.
		docs = append(docs, unwrap(o.Map()))
	}
	return []byte(strings.Join(docs, "---\n")), len(docs) > 0
}
