package git

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/objfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"

	"migrate-to-flux-operator/fn/limit"
)

// store is a folder of objects: the repository's own, or one that it borrows from.
type store struct {
	dir   string
	packs []pack
}

// pack is a file of many objects.
type pack struct {
	index *idxfile.MemoryIndex
	file  *packfile.Packfile
}

// noLock is a file that is only read, as packfile wants it.
type noLock struct{ *os.File }

// Lock does nothing.
func (noLock) Lock() error { return nil }

// Unlock does nothing.
func (noLock) Unlock() error { return nil }

// errNoObject is the error of a store that has not an object.
var errNoObject = errors.New("there is no such object")

// object reads an object of the repository, and of which type it is. what says for whom, where that is known.
func (r *Repository) object(id plumbing.Hash, what string) (kind plumbing.ObjectType, content []byte, err error) {
	if err := r.load(); err != nil {
		return 0, nil, err
	}
	for _, s := range r.stores {
		broken := safely(func() error { kind, content, err = s.object(id); return nil })
		if err = errors.Join(broken, err); !errors.Is(err, errNoObject) {
			break
		}
	}
	switch {
	case err == nil:
		return kind, content, nil
	case errors.Is(err, errNoObject):
		return 0, nil, r.missing(id, what)
	}
	return 0, nil, fmt.Errorf("the object %s%s cannot be read: %w", id, what, err)
}

// missing is the error of an object that is not in the clone. Git would fetch it, which this program never does.
func (r *Repository) missing(id plumbing.Hash, what string) error {
	missing := fmt.Sprintf("the object %s%s is not in this clone", id, what)
	_, err := os.Stat(filepath.Join(r.common, "shallow"))
	switch {
	case r.isPartial():
		return errors.New(missing + ", which is a partial one: run git fetch --refetch --no-filter")
	case err == nil:
		return errors.New(missing + ", which is a shallow one: run git fetch --unshallow")
	}
	return errors.New(missing + ": run git fsck, and clone it again")
}

// load opens the stores.
func (r *Repository) load() error {
	if r.loaded {
		return nil
	}
	seen := map[string]bool{}
	next := []string{r.objects()}
	for range 6 { // its own, and as far as Git follows what they borrow from
		var further []string
		for _, dir := range next {
			if seen[dir] {
				continue
			}
			seen[dir] = true
			s, borrows, err := openStore(dir)
			if err != nil {
				return err
			}
			r.stores, further = append(r.stores, s), append(further, borrows...)
		}
		next = further
	}
	r.loaded = true
	return nil
}

// openStore opens the packs of a folder of objects, and finds out which folders it borrows from.
func openStore(dir string) (*store, []string, error) {
	s := &store{dir: dir}
	names, err := filepath.Glob(filepath.Join(escaped(dir), "pack", "pack-*.idx"))
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		p, err := openPack(name)
		if err != nil {
			return nil, nil, errors.Join(err, s.close())
		}
		s.packs = append(s.packs, p)
	}
	list, err := readFile(filepath.Join(dir, "info", "alternates"), limit.Size)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, errors.Join(err, s.close())
	}
	var borrows []string
	for line := range strings.Lines(string(list)) {
		if line = strings.TrimRight(line, "\r\n"); line != "" && line[0] != '#' {
			borrows = append(borrows, from(dir, line))
		}
	}
	return s, borrows, nil
}

// escaped is a path as a pattern that matches it alone.
func escaped(name string) string {
	if os.PathSeparator == '\\' {
		return name // a backslash escapes nothing there
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}

// openPack opens a pack by the name of its index.
func openPack(name string) (pack, error) {
	list, err := openFile(name)
	if err != nil {
		return pack{}, err
	}
	defer list.Close()
	index := idxfile.NewMemoryIndex()
	if safely(func() error { return idxfile.NewDecoder(list).Decode(index) }) != nil {
		return pack{}, fmt.Errorf("%s: %w", name, errBroken)
	}
	f, err := openFile(strings.TrimSuffix(name, ".idx") + ".pack")
	if err != nil {
		return pack{}, err
	}
	return pack{index, packfile.NewPackfileWithCache(index, nil, noLock{f}, cache.NewObjectLRUDefault(), 0)}, nil
}

// close closes the packs.
func (s *store) close() error {
	var all error
	for _, p := range s.packs {
		all = errors.Join(all, p.file.Close())
	}
	return all
}

// object reads an object that has a file of its own, or is in a pack.
func (s *store) object(id plumbing.Hash) (plumbing.ObjectType, []byte, error) {
	hash := id.String()
	f, err := openFile(filepath.Join(s.dir, hash[:2], hash[2:]))
	if err == nil {
		defer f.Close()
		return loose(f)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return 0, nil, err
	}
	for _, p := range s.packs {
		offset, err := p.index.FindOffset(id)
		if err != nil {
			continue
		}
		if size, err := p.file.GetSizeByOffset(offset); err != nil {
			return 0, nil, errBroken
		} else if size > limit.Size {
			return 0, nil, limit.ErrSize
		}
		object, err := p.file.Get(id)
		if err != nil {
			return 0, nil, errBroken
		}
		return content(object)
	}
	return 0, nil, errNoObject
}

// loose reads an object that has a file of its own.
func loose(f io.Reader) (plumbing.ObjectType, []byte, error) {
	in, err := objfile.NewReader(f)
	if err != nil {
		return 0, nil, errBroken
	}
	defer in.Close()
	kind, size, err := in.Header()
	switch {
	case err != nil || size < 0:
		return 0, nil, errBroken
	case size > limit.Size:
		return 0, nil, limit.ErrSize
	}
	text, err := io.ReadAll(io.LimitReader(in, size+1))
	if err != nil || int64(len(text)) != size {
		return 0, nil, errBroken
	}
	return kind, text, nil
}

// content is what an object of a pack holds.
func content(object plumbing.EncodedObject) (plumbing.ObjectType, []byte, error) {
	in, err := object.Reader()
	if err != nil {
		return 0, nil, errBroken
	}
	defer in.Close()
	text, err := io.ReadAll(in)
	if err != nil {
		return 0, nil, errBroken
	}
	return object.Type(), text, nil
}

// beginning are the objects whose hash begins so, each once.
func (r *Repository) beginning(prefix []byte) ([]plumbing.Hash, error) {
	if err := r.load(); err != nil {
		return nil, err
	}
	found := map[plumbing.Hash]bool{}
	for _, s := range r.stores {
		list, err := os.ReadDir(filepath.Join(s.dir, hex.EncodeToString(prefix[:1])))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, entry := range list {
			if name := hex.EncodeToString(prefix[:1]) + entry.Name(); plumbing.IsHash(name) {
				found[plumbing.NewHash(name)] = true
			}
		}
		for _, p := range s.packs {
			entries, err := p.index.Entries()
			if err != nil {
				return nil, errBroken
			}
			for entry, err := entries.Next(); err == nil; entry, err = entries.Next() {
				found[entry.Hash] = true
			}
		}
	}
	var all []plumbing.Hash
	for id := range found {
		if bytes.HasPrefix(id[:], prefix) {
			all = append(all, id)
		}
	}
	slices.SortFunc(all, func(a, b plumbing.Hash) int { return bytes.Compare(a[:], b[:]) })
	return all, nil
}
