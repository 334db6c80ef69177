package git

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"testing/fstest"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"migrate-to-flux-operator/fn/limit"
)

// A commit may have so many folders in one another, and so many files: a few objects can stand for billions of files.
const (
	deepest   = 200
	mostFiles = 1_000_000
)

// Files are the regular files of a commit below the folder that the repository was asked for, as they are stored: no
// filter and no attribute is in effect. As in Flux's artifacts there are no links, and what a submodule holds is in
// another repository.
func (c *Commit) Files() (fs.FS, error) {
	files := fstest.MapFS{}
	return files, c.eachBelow(func(name string, e entry) error {
		if !e.isFile() {
			return nil
		}
		kind, text, err := c.repo.object(e.id, " of "+name)
		switch {
		case errors.Is(err, limit.ErrSize):
			text = tooLarge() // so that it is known to be there, and to be too large to be looked at
		case err != nil:
			return err
		case kind != plumbing.BlobObject:
			return fmt.Errorf("the object %s of %s is no file: %w", e.id, name, errBroken)
		}
		files[name] = &fstest.MapFile{Data: text, Mode: 0o644}
		return nil
	})
}

// tooLarge stands for what is not read. It is not in memory before it is needed, and once.
var tooLarge = sync.OnceValue(func() []byte { return make([]byte, limit.Size+1) })

// eachBelow calls do for all but the folders below the folder that the repository was asked for.
func (c *Commit) eachBelow(do func(name string, e entry) error) error {
	id := c.tree
	for _, name := range c.repo.Prefix {
		entries, err := c.repo.entries(id, "")
		if err != nil {
			return err
		}
		id = plumbing.ZeroHash
		for _, e := range entries {
			if e.name == name && e.mode == filemode.Dir {
				id = e.id
			}
		}
		if id.IsZero() {
			return nil // the commit has no such folder
		}
	}
	count := 0
	return c.repo.each(".", id, 0, func(name string, e entry) error {
		if count++; count > mostFiles {
			return fmt.Errorf("the commit %s holds more than %d files", c.id, mostFiles)
		}
		return do(name, e)
	})
}

// each walks through a stored folder.
func (r *Repository) each(dir string, id plumbing.Hash, depth int, do func(string, entry) error) error {
	if depth > deepest {
		return fmt.Errorf("%s: more than %d folders in one another", dir, deepest)
	}
	entries, err := r.entries(id, " of "+dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(dir, e.name)
		if e.mode == filemode.Dir {
			err = r.each(name, e.id, depth+1, do)
		} else {
			err = do(name, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// entry is what a stored folder has under a name.
type entry struct {
	name string
	mode filemode.FileMode
	id   plumbing.Hash
}

// isFile reports whether an entry is a regular file.
func (e entry) isFile() bool {
	return e.mode == filemode.Regular || e.mode == filemode.Deprecated || e.mode == filemode.Executable
}

// entries reads a stored folder. What Git does not check out, such as `..` and `.git`, is left out.
func (r *Repository) entries(id plumbing.Hash, what string) ([]entry, error) {
	kind, text, err := r.object(id, what)
	if err != nil {
		return nil, err
	}
	var all []entry
	for kind == plumbing.TreeObject && len(text) > 0 {
		head, rest, _ := bytes.Cut(text, []byte{0})
		octal, name, _ := strings.Cut(string(head), " ")
		e := entry{name: name}
		if e.mode, err = filemode.New(octal); err != nil || len(rest) < len(e.id) {
			kind = plumbing.InvalidObject
			break
		}
		text = rest[copy(e.id[:], rest):]
		if fs.ValidPath(name) && name != "." && name != ".git" && !strings.ContainsAny(name, `/\`) {
			all = append(all, e)
		}
	}
	if kind != plumbing.TreeObject {
		return nil, fmt.Errorf("the object %s%s is no folder: %w", id, what, errBroken)
	}
	return all, nil
}
