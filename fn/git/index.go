package git

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/index"

	"migrate-to-flux-operator/fn/limit"
)

// Index is what Git tracks in the working tree, with paths below the folder that the repository was asked for.
type Index struct {
	entries map[string]*index.Entry
	written time.Time
}

// Index reads what Git tracks; nothing in a repository without an index.
func (r *Repository) Index() (*Index, error) {
	name := filepath.Join(r.dir, "index")
	text, err := readFile(name, mostPacked)
	if errors.Is(err, fs.ErrNotExist) {
		return &Index{}, nil
	}
	info, statErr := os.Stat(name)
	if err = errors.Join(err, statErr); err != nil {
		return nil, err
	}
	var read index.Index
	err = safely(func() error { return index.NewDecoder(bytes.NewReader(summed(text))).Decode(&read) })
	switch {
	case errors.Is(err, index.ErrUnknownExtension):
		return nil, fmt.Errorf("%s is in parts, or a sparse one, which is not read: run git update-index "+
			"--no-split-index, or git sparse-checkout reapply --no-sparse-index", name)
	case err != nil:
		return nil, fmt.Errorf("%s cannot be read: %w", name, errBroken)
	}
	i := &Index{entries: map[string]*index.Entry{}, written: info.ModTime()}
	prefix := strings.Join(append(slices.Clone(r.Prefix), ""), "/")
	for _, e := range read.Entries {
		if below, inside := strings.CutPrefix(e.Name, prefix); inside {
			i.entries[below] = e
		}
	}
	return i, nil
}

// Has reports whether Git tracks a file.
func (i *Index) Has(name string) bool { return i.entries[name] != nil }

// Files are the files that Git tracks, sorted.
func (i *Index) Files() []string { return slices.Sorted(maps.Keys(i.entries)) }

// LeftOut are the files that a sparse checkout leaves out of the working tree, sorted.
func (i *Index) LeftOut() []string {
	return slices.DeleteFunc(i.Files(), func(name string) bool { return !i.entries[name].SkipWorktree })
}

// Changed are the files that Git tracks, or that HEAD has, and that are not in the working tree as they are in HEAD,
// sorted.
func (r *Repository) Changed(i *Index) ([]string, error) {
	committed, err := r.committed()
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(filepath.Join(append([]string{r.Top}, r.Prefix...)...))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var all []string
	for name, e := range i.entries {
		if e.Mode == filemode.Submodule || e.SkipWorktree {
			continue
		}
		same := e.Stage == 0 && committed[name] == e.Hash
		if same {
			if same, err = i.isUnchanged(root, name, e); err != nil {
				return nil, err
			}
		}
		if !same {
			all = append(all, name)
		}
	}
	for name := range committed {
		if !i.Has(name) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all, nil
}

// committed are the files of HEAD; none of an unborn branch.
func (r *Repository) committed() (map[string]plumbing.Hash, error) {
	all := map[string]plumbing.Hash{}
	_, id, err := r.head()
	if err != nil || id.IsZero() {
		return all, err
	}
	commit, err := r.commit(id)
	if err != nil {
		return nil, err
	}
	return all, commit.eachBelow(func(name string, e entry) error {
		if e.mode != filemode.Submodule {
			all[name] = e.id
		}
		return nil
	})
}

// isUnchanged reports whether a file of the working tree is as Git tracks it. As for Git, its size and time tell,
// unless it was written as late as the index, and line breaks may be \r\n where \n is stored.
func (i *Index) isUnchanged(root *os.Root, name string, e *index.Entry) (bool, error) {
	name = filepath.FromSlash(name)
	info, err := root.Lstat(name)
	switch {
	case err != nil || info.IsDir():
		return false, nil // the path leads nowhere, or elsewhere
	case e.Mode == filemode.Symlink && info.Mode()&fs.ModeSymlink != 0:
		to, err := root.Readlink(name)
		return plumbing.ComputeHash(plumbing.BlobObject, []byte(filepath.ToSlash(to))) == e.Hash, err
	case !info.Mode().IsRegular():
		return false, nil
	case uint32(info.Size()) == e.Size && info.ModTime().Equal(e.ModifiedAt) && e.ModifiedAt.Before(i.written):
		return true, nil
	}
	f, err := root.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if info.Size() > limit.Size {
		sum := plumbing.NewHasher(plumbing.BlobObject, info.Size())
		_, err := io.Copy(sum, io.LimitReader(f, info.Size()))
		return sum.Sum() == e.Hash, err
	}
	text, err := io.ReadAll(io.LimitReader(f, limit.Size))
	is := func(text []byte) bool { return plumbing.ComputeHash(plumbing.BlobObject, text) == e.Hash }
	return is(text) || is(unixLines(text)), err
}

// summed is an index with its checksum, which Git leaves out where index.skipHash says so.
func summed(text []byte) []byte {
	if at := len(text) - sha1.Size; at > 0 && !slices.ContainsFunc(text[at:], func(b byte) bool { return b != 0 }) {
		sum := sha1.Sum(text[:at])
		copy(text[at:], sum[:])
	}
	return text
}
