package git

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// Commit is a commit of a repository.
type Commit struct {
	id      plumbing.Hash
	repo    *Repository
	tree    plumbing.Hash
	parents []plumbing.Hash
	when    int64 // when it was made, in seconds
}

// commit reads a commit, through the tags that lead to it.
func (r *Repository) commit(id plumbing.Hash) (*Commit, error) {
	for range 10 {
		kind, text, err := r.object(id, "")
		if err != nil {
			return nil, err
		}
		switch kind {
		case plumbing.CommitObject:
			return r.parse(id, text)
		case plumbing.TagObject:
			if id, err = hashIn(text, "object"); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("the object %s is no commit: name a branch, a tag or a commit", id)
		}
	}
	return nil, errors.New("too many tags that name one another")
}

// hashIn is the object that the first line of a commit or of a tag names.
func hashIn(text []byte, key string) (plumbing.Hash, error) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	hash, found := strings.CutPrefix(string(line), key+" ")
	if !found || !plumbing.IsHash(hash) {
		return plumbing.ZeroHash, errBroken
	}
	return plumbing.NewHash(hash), nil
}

// parse reads what a commit says in its first lines. What a shallow clone has cut off counts for nothing.
func (r *Repository) parse(id plumbing.Hash, text []byte) (*Commit, error) {
	tree, err := hashIn(text, "tree")
	if err != nil {
		return nil, fmt.Errorf("the commit %s cannot be read: %w", id, err)
	}
	c := &Commit{id: id, repo: r, tree: tree}
	head, _, _ := bytes.Cut(text, []byte("\n\n"))
	for line := range strings.Lines(string(head)) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		switch key {
		case "parent":
			c.parents = append(c.parents, plumbing.NewHash(value))
		case "committer":
			if parts := strings.Fields(value[strings.LastIndex(value, ">")+1:]); len(parts) > 0 {
				c.when, _ = strconv.ParseInt(parts[0], 10, 64) // it only orders the search
			}
		}
	}
	return c, nil
}

// parent is the nth parent of a commit.
func (c *Commit) parent(n int) (*Commit, error) {
	if n > len(c.parents) {
		return nil, fmt.Errorf("the commit %s has %d parents", c.id, len(c.parents))
	}
	return c.repo.commit(c.parents[n-1])
}

// Marks of commits in the search for one in the history of another.
const (
	below = 1 << iota // in the history that is searched
	above             // in the history of what is searched for
)

// contains reports whether a commit is this one or in its history. It looks no further back than to where both
// histories are one.
func (c *Commit) contains(other *Commit) (bool, error) {
	cut, err := c.repo.shallow()
	if err != nil {
		return false, err
	}
	marks := map[plumbing.Hash]int{}
	var queue []*Commit
	unsure := false
	mark := func(c *Commit, with int) {
		if marks[c.id]|with != marks[c.id] {
			marks[c.id] |= with
			queue = append(queue, c)
		}
	}
	mark(other, above)
	mark(c, below)
	for slices.ContainsFunc(queue, func(c *Commit) bool { return marks[c.id] == below }) && marks[other.id] == above {
		newest := slices.MaxFunc(queue, func(a, b *Commit) int { return cmp.Compare(a.when, b.when) })
		queue = slices.DeleteFunc(queue, func(c *Commit) bool { return c.id == newest.id })
		if cut[newest.id] {
			unsure = unsure || marks[newest.id] == below
			continue
		}
		for n := range newest.parents {
			parent, err := newest.parent(n + 1)
			if err != nil {
				return false, err
			}
			mark(parent, marks[newest.id])
		}
	}
	if marks[other.id] == above && unsure {
		return false, errors.New("the clone is shallow: run git fetch --unshallow")
	}
	return marks[other.id] == above|below, nil
}

// shallow are the commits whose parents the clone has left out.
func (r *Repository) shallow() (map[plumbing.Hash]bool, error) {
	text, err := readFile(filepath.Join(r.common, "shallow"), mostPacked)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	cut := map[plumbing.Hash]bool{}
	for _, hash := range strings.Fields(string(text)) {
		cut[plumbing.NewHash(hash)] = true
	}
	return cut, nil
}
