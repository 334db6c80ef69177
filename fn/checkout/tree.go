package checkout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"migrate-to-flux-operator/fn/limit"
)

// Options say what Open reads.
type Options struct {
	// Keep decides from a file's bytes whether it can matter. The bytes are only valid during the call, and calls come
	// from several goroutines at once. Without Keep every file is kept.
	Keep func(file string, raw []byte) bool
	// MaxSize is the size above which a file is noted and not read; 10 MiB when 0.
	MaxSize int64
	// Workers is how many directories are read at once; a few more than there are CPUs when 0.
	Workers int
}

// Note is a file or a directory that was not read, and why.
type Note struct{ Path, Message string }

// Tree is a directory with the files in it that may hold Kubernetes objects. It is a file system of everything in the
// directory but `.git` and what Git ignores. Paths have slashes and are relative to the directory.
type Tree struct {
	root  *os.Root
	repo  *repository
	files map[string][]byte // what Keep kept
	names []string          // the keys of files, sorted
	notes []Note
	// hidden are the ignored files and directories, which are not in the file system either.
	hidden map[string]bool
}

// Open reads a directory. It follows no symbolic link, and leaves out `.git`, what Git ignores and does not track,
// what .krmignore files name, and binary files. Of the rest it reads files whose name ends in .yaml, .yml or .json and
// kustomization files, each once, and parses nothing.
func Open(ctx context.Context, dir string, o Options) (*Tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	t := &Tree{root: root, repo: findRepository(dir), files: map[string][]byte{}, hidden: map[string]bool{}}
	if o.MaxSize == 0 {
		o.MaxSize = limit.Size
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0) + 2
	}
	w := &walk{tree: t, options: o}
	w.more.L = &w.mu
	if err := w.run(ctx); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	for name := range t.files {
		t.names = append(t.names, name)
	}
	slices.Sort(t.names)
	slices.SortFunc(t.notes, func(a, b Note) int { return strings.Compare(a.Path, b.Path) })
	return t, nil
}

// Close lets go of the directory.
func (t *Tree) Close() error { return t.root.Close() }

// Files are the paths of the files that were kept, sorted.
func (t *Tree) Files() []string { return slices.Clone(t.names) }

// Notes are what was not read, by path.
func (t *Tree) Notes() []Note { return slices.Clone(t.notes) }

// isCandidate reports whether a file's name says that it may hold Kubernetes objects.
func isCandidate(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".json") ||
		name == "Kustomization"
}

// entry is what a directory has under a name; all else than a directory and a file is of no interest. On some file systems only a look at
// it tells what it is.
type entry struct {
	name                   string
	isDir, isFile, unknown bool
}

// held is an open directory that is closed when all who hold it have let go.
type held struct {
	folder
	holders atomic.Int32
}

// hold adds a holder.
func (h *held) hold() *held {
	h.holders.Add(1)
	return h
}

// release lets go.
func (h *held) release() {
	if h.holders.Add(-1) == 0 {
		h.close()
	}
}

// job is a directory to read.
type job struct {
	parent   *held // nil for the outermost one
	dir      string
	segments []string // from the top of the repository
	git, krm rules
	tracked  bool // the directory is ignored, and only tracked files in it count
}

// walk is the state of one Open.
type walk struct {
	tree    *Tree
	options Options
	mu      sync.Mutex // guards jobs, active, and the tree
	more    sync.Cond
	jobs    []job
	active  int
	err     error
}

// run reads the tree with a few workers.
func (w *walk) run(ctx context.Context) error {
	repo := w.tree.repo
	w.jobs = []job{{dir: ".", segments: repo.prefix, git: repo.rules()}}
	var workers sync.WaitGroup
	for range w.options.Workers {
		workers.Go(func() {
			buffer := make([]byte, 0, 64<<10)
			for {
				j, ok := w.next()
				if !ok {
					return
				}
				w.done(errors.Join(ctx.Err(), w.directory(j, &buffer)))
			}
		})
	}
	workers.Wait()
	for _, j := range w.jobs {
		j.parent.release()
	}
	return w.err
}

// next waits for a directory to read; ok is false when all are read.
func (w *walk) next() (j job, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.jobs) == 0 && w.active > 0 {
		w.more.Wait()
	}
	if len(w.jobs) == 0 || w.err != nil {
		return job{}, false
	}
	j = w.jobs[len(w.jobs)-1]
	w.jobs = w.jobs[:len(w.jobs)-1]
	w.active++
	return j, true
}

// done ends a directory.
func (w *walk) done(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.active--
	if w.err == nil {
		w.err = err
	}
	w.more.Broadcast()
}

// add queues a directory.
func (w *walk) add(j job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.jobs = append(w.jobs, j)
	w.more.Signal()
}

// note notes what is not read.
func (w *walk) note(name string, err error) {
	message := err.Error()
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		message = at.Err.Error()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tree.notes = append(w.tree.notes, Note{name, message})
}

// open opens a directory from its parent, so that no link on the way is followed.
func (w *walk) open(j job) (*held, error) {
	if j.parent == nil {
		top, err := openFolder(w.tree.root.Name())
		return (&held{folder: top}).hold(), err
	}
	defer j.parent.release()
	dir, err := j.parent.folder.folder(path.Base(j.dir))
	return (&held{folder: dir}).hold(), err
}

// directory reads one directory; only the outermost one has to be readable.
func (w *walk) directory(j job, buffer *[]byte) error {
	dir, err := w.open(j)
	if err != nil {
		return w.unreadable(j, err)
	}
	defer dir.release()
	list, err := dir.list()
	if err != nil {
		return w.unreadable(j, err)
	}
	for i, e := range list {
		if e.unknown {
			list[i] = w.look(j.dir, e.name)
		}
	}
	for _, e := range list {
		switch e.name {
		case gitIgnoreFile:
			j.git = w.readRules(dir, j, j.git, e, buffer)
		case krmIgnoreFile:
			j.krm = w.readRules(dir, j, j.krm, e, buffer)
		}
	}
	for _, e := range list {
		w.entry(dir, j, e, buffer)
	}
	return nil
}

// look looks at an entry of a directory.
func (w *walk) look(dir, name string) entry {
	info, err := w.tree.root.Lstat(filepath.FromSlash(path.Join(dir, name)))
	return entry{name: name, isDir: err == nil && info.IsDir(), isFile: err == nil && info.Mode().IsRegular()}
}

// unreadable notes a directory, or fails when it is the outermost one.
func (w *walk) unreadable(j job, err error) error {
	if j.dir == "." {
		return err
	}
	w.note(j.dir, err)
	return nil
}

// readRules adds a directory's own ignore file to the rules.
func (w *walk) readRules(dir *held, j job, r rules, e entry, buffer *[]byte) rules {
	if !e.isFile {
		return r
	}
	raw, err := w.read(dir, e.name, buffer)
	if err != nil {
		w.note(path.Join(j.dir, e.name), err)
		return r
	}
	return r.with(raw, j.segments)
}

// entry takes one entry of a directory.
func (w *walk) entry(dir *held, j job, e entry, buffer *[]byte) {
	isDir := e.isDir
	if e.name == ".git" || !isDir && !e.isFile {
		return
	}
	candidate := isDir || isCandidate(e.name)
	if len(j.git) == 0 && len(j.krm) == 0 && !candidate {
		return
	}
	name := path.Join(j.dir, e.name)
	segments := append(j.segments[:len(j.segments):len(j.segments)], e.name)
	ignored := j.tracked || len(j.git) > 0 && j.git.ignores(segments, isDir)
	switch {
	case ignored && !w.tree.repo.tracks(name):
		w.hide(name)
	case len(j.krm) > 0 && j.krm.ignores(segments, isDir), !candidate:
	case isDir:
		w.add(job{dir.hold(), name, segments, j.git, j.krm, ignored})
	default:
		w.file(dir, name, e.name, buffer)
	}
}

// hide takes an ignored path out of the file system.
func (w *walk) hide(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tree.hidden[name] = true
}

// file reads a file and keeps it if it can matter.
func (w *walk) file(dir *held, name, base string, buffer *[]byte) {
	raw, err := w.read(dir, base, buffer)
	if err != nil {
		w.note(name, err)
		return
	}
	if isUTF16(raw) {
		w.note(name, errUTF16)
		return
	}
	if bytes.IndexByte(raw[:min(len(raw), 8000)], 0) >= 0 || w.options.Keep != nil && !w.options.Keep(name, raw) {
		return
	}
	kept := bytes.Clone(raw)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tree.files[name] = kept
}

// errUTF16 says why a file in UTF-16, as PowerShell's redirection writes it, is not read.
var errUTF16 = errors.New("it is in UTF-16, which Flux reads as well: save it in UTF-8")

// isUTF16 tells by its byte order mark whether a file is in UTF-16.
func isUTF16(raw []byte) bool {
	return bytes.HasPrefix(raw, []byte("\xff\xfe")) || bytes.HasPrefix(raw, []byte("\xfe\xff"))
}

// read reads a file into the buffer.
func (w *walk) read(dir *held, base string, buffer *[]byte) ([]byte, error) {
	f, err := dir.file(base)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw := (*buffer)[:0]
	for {
		if len(raw) == cap(raw) {
			raw = slices.Grow(raw, cap(raw))
		}
		n, err := f.Read(raw[len(raw):cap(raw)])
		raw = raw[:len(raw)+n]
		*buffer = raw
		if int64(len(raw)) > w.options.MaxSize {
			return nil, fmt.Errorf("larger than %d bytes", w.options.MaxSize)
		}
		if err == io.EOF {
			return raw, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
