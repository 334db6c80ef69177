package checkout

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/budget"
	"migrate-to-flux-operator/fn/git"
	"migrate-to-flux-operator/fn/regular"
)

// Options say what Open reads.
type Options struct {
	// Keep decides from a file's bytes whether it can matter. Without Keep every file is kept.
	Keep func(file string, raw []byte) bool
}

// Note is a file or a directory that was not read, and why.
type Note struct{ Path, Message string }

// Tree is a directory with the files in it that may hold Kubernetes objects. It is a file system of everything in the
// directory but `.git` and what Git ignores. Paths have slashes and are relative to the directory.
type Tree struct {
	root  *os.Root
	repo  *git.Repository // nil where there is none
	index *git.Index
	files map[string][]byte // what Keep kept
	names []string          // the keys of files, sorted
	notes []Note
	// leftOut is what .krmignore files name.
	leftOut []string
	// tracked are the files that Git tracks, and the directories that they are in.
	tracked map[string]bool
	// hidden are the ignored files and directories, which are not in the file system either.
	hidden map[string]bool
}

// Open reads a directory. It follows no symbolic link, and leaves out `.git`, what Git ignores and does not track,
// what .krmignore files name, and binary files. Of the rest it reads files whose name ends in .yaml, .yml or .json and
// kustomization files, each once, and parses nothing. It fails where Git has a say that cannot be read.
func Open(ctx context.Context, dir string, o Options) (*Tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	t := &Tree{root: root, index: &git.Index{}, files: map[string][]byte{}, hidden: map[string]bool{}}
	first := job{dir: "."}
	if t.repo, err = git.Find(dir); err == nil && t.repo != nil {
		first, err = t.ask(t.repo)
	}
	w := &walk{Context: ctx, tree: t, keep: o.Keep}
	if err == nil {
		err = w.directory(first)
	}
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	for name := range t.files {
		t.names = append(t.names, name)
	}
	slices.Sort(t.names)
	budget.Allow(t.weight())
	slices.SortFunc(t.notes, func(a, b Note) int { return strings.Compare(a.Path, b.Path) })
	return t, nil
}

// weight is how many files of a common size the tree is worth, so that many tiny ones do not widen the bounds.
func (t *Tree) weight() int {
	const common = 256 // bytes
	bytes := 0
	for _, content := range t.files {
		bytes += min(len(content), common)
	}
	return bytes / common
}

// ask asks a repository what it tracks, and which rules hold in the directory from above.
func (t *Tree) ask(repo *git.Repository) (first job, err error) {
	if t.index, err = repo.Index(); err != nil {
		return job{}, err
	}
	t.tracked = trackedIn(t.index)
	above, err := rulesAbove(repo)
	return job{dir: ".", segments: repo.Prefix, git: above}, err
}

// Close lets go of the directory and of its repository.
func (t *Tree) Close() error {
	if t.repo == nil {
		return t.root.Close()
	}
	return errors.Join(t.root.Close(), t.repo.Close())
}

// Repository is the Git repository around the directory, nil where there is none.
func (t *Tree) Repository() *git.Repository { return t.repo }

// Index is what Git tracks in the directory.
func (t *Tree) Index() *git.Index { return t.index }

// Files are the paths of the files that were kept, sorted.
func (t *Tree) Files() []string { return slices.Clone(t.names) }

// Notes are what was not read, by path.
func (t *Tree) Notes() []Note { return slices.Clone(t.notes) }

// LeftOut are the directories, and the files that would have been read, which .krmignore files name, in the order of
// the walk. They are in the file system, because Flux does not know these files.
func (t *Tree) LeftOut() []string { return slices.Clone(t.leftOut) }

// IsCandidate reports whether a file's name says that it may hold Kubernetes objects.
func IsCandidate(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".json") ||
		name == "Kustomization"
}

// job is a directory to read.
type job struct {
	dir      string
	segments []string // from the top of the repository
	git, krm rules
	tracked  bool // the directory is ignored, and only tracked files in it count
}

// walk is the state of one Open.
type walk struct {
	context.Context
	tree *Tree
	keep func(file string, raw []byte) bool
}

// note notes what is not read.
func (w *walk) note(name string, err error) {
	message := err.Error()
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		message = at.Err.Error()
	}
	w.tree.notes = append(w.tree.notes, Note{name, message})
}

// directory reads one directory; only the outermost one has to be readable.
func (w *walk) directory(j job) error {
	dir, err := w.tree.root.OpenRoot(filepath.FromSlash(j.dir))
	if err != nil {
		return w.unreadable(j, err)
	}
	defer dir.Close()
	list, err := fs.ReadDir(dir.FS(), ".")
	if err != nil {
		return w.unreadable(j, err)
	}
	for _, e := range list {
		switch e.Name() {
		case gitIgnoreFile:
			j.git = w.readRules(dir, j, j.git, e)
		case krmIgnoreFile:
			j.krm = w.readRules(dir, j, j.krm, e)
		}
	}
	for _, e := range list {
		if err := w.entry(dir, j, e); err != nil {
			return err
		}
	}
	return w.Err()
}

// unreadable notes a directory, or fails when it is the outermost one.
func (w *walk) unreadable(j job, err error) error {
	if j.dir == "." {
		return err
	}
	w.note(j.dir, err)
	return nil
}

// readRules adds a directory's own ignore file to the rules. Git takes none that is a link, and neither does this.
func (w *walk) readRules(dir *os.Root, j job, r rules, e fs.DirEntry) rules {
	if e.IsDir() {
		return r
	}
	raw, err := regular.Read(dir, e.Name())
	if err != nil {
		w.note(path.Join(j.dir, e.Name()), err)
		return r
	}
	return r.with(raw, j.segments)
}

// entry takes one entry of a directory.
func (w *walk) entry(dir *os.Root, j job, e fs.DirEntry) error {
	isDir := e.IsDir()
	if j.dir == "." && e.Name() == folder {
		w.hide(folder)
		return nil
	}
	if e.Name() == ".git" || !isDir && !e.Type().IsRegular() {
		return nil
	}
	candidate := isDir || IsCandidate(e.Name())
	if len(j.git) == 0 && len(j.krm) == 0 && !candidate {
		return nil
	}
	name := path.Join(j.dir, e.Name())
	segments := append(j.segments[:len(j.segments):len(j.segments)], e.Name())
	ignored := j.tracked || len(j.git) > 0 && j.git.ignores(segments, isDir)
	switch {
	case ignored && !w.tree.tracked[name]:
		w.hide(name)
	case len(j.krm) > 0 && j.krm.ignores(segments, isDir):
		if candidate {
			w.tree.leftOut = append(w.tree.leftOut, name)
		}
	case !candidate:
	case isDir:
		return w.directory(job{name, segments, j.git, j.krm, ignored})
	default:
		w.file(dir, name, e.Name())
	}
	return nil
}

// hide takes an ignored path out of the file system.
func (w *walk) hide(name string) {
	w.tree.hidden[name] = true
}

// file reads a file and keeps it if it can matter.
func (w *walk) file(dir *os.Root, name, base string) {
	raw, err := regular.Read(dir, base)
	if err != nil {
		w.note(name, err)
		return
	}
	if isUTF16(raw) {
		w.note(name, errUTF16)
		return
	}
	if bytes.IndexByte(raw[:min(len(raw), 8000)], 0) >= 0 || w.keep != nil && !w.keep(name, raw) {
		return
	}
	w.tree.files[name] = raw
}

// errUTF16 says why a file in UTF-16, as PowerShell's redirection writes it, is not read.
var errUTF16 = errors.New("it is in UTF-16, which Flux reads as well: save it in UTF-8")

// isUTF16 tells by its byte order mark whether a file is in UTF-16.
func isUTF16(raw []byte) bool {
	return bytes.HasPrefix(raw, []byte("\xff\xfe")) || bytes.HasPrefix(raw, []byte("\xfe\xff"))
}
