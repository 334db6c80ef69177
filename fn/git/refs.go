package git

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/go-git/go-git/v5/plumbing"
)

// errNoRef is the error of a name that no branch, tag or other reference has.
var errNoRef = errors.New("there is no such reference")

// pseudo are the names of the references that are no branches or tags, such as HEAD and FETCH_HEAD.
var pseudo = regexp.MustCompile(`^([A-Z]+_)?HEAD$`)

// ref reads what a reference holds: an object, or the name of another reference, which need not be there.
func (r *Repository) ref(name string) (id plumbing.Hash, to string, err error) {
	dir := r.common
	switch {
	case pseudo.MatchString(name):
		dir = r.dir
	case !strings.HasPrefix(name, "refs/") || plumbing.ReferenceName(name).Validate() != nil:
		return id, "", errNoRef
	case strings.HasPrefix(name, "refs/worktree/"), strings.HasPrefix(name, "refs/bisect/"):
		dir = r.dir
	}
	file := filepath.Join(dir, filepath.FromSlash(name))
	info, err := os.Stat(file)
	none := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
	if none || err == nil && info.IsDir() {
		id, err := r.packed(name)
		return id, "", err
	}
	text, err := readFile(file, mostPacked)
	if err != nil {
		return id, "", err // and not what is packed, which may be older
	}
	first, rest, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	if first == "ref:" {
		return id, strings.TrimSpace(rest), nil
	}
	first, _, _ = strings.Cut(first, "\t")
	if !plumbing.IsHash(first) {
		return id, "", fmt.Errorf("%s names neither a commit nor a branch: %w", name, errBroken)
	}
	return plumbing.NewHash(first), "", nil
}

// packed finds a reference that has no file of its own.
func (r *Repository) packed(name string) (plumbing.Hash, error) {
	text, err := readFile(filepath.Join(r.common, "packed-refs"), mostPacked)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return plumbing.ZeroHash, err
	}
	for line := range bytes.Lines(text) {
		id, packed, _ := strings.Cut(strings.TrimRight(string(line), "\r\n"), " ")
		if packed == name && plumbing.IsHash(id) {
			return plumbing.NewHash(id), nil
		}
	}
	return plumbing.ZeroHash, errNoRef
}

// mostPacked is the size above which a list of references is not read.
const mostPacked = 256 << 20

// follow reads a reference through those that it names.
func (r *Repository) follow(name string) (plumbing.Hash, error) {
	for range 5 { // as far as Git goes
		id, to, err := r.ref(name)
		if err != nil || to == "" {
			return id, err
		}
		name = to
	}
	return plumbing.ZeroHash, fmt.Errorf("%s: too many references that name one another", name)
}

// head is the branch that is checked out, empty where HEAD is detached, and the commit, which an unborn branch has not.
func (r *Repository) head() (branch string, id plumbing.Hash, err error) {
	id, to, err := r.ref("HEAD")
	switch {
	case errors.Is(err, errNoRef):
		return "", id, errors.New("it has no HEAD: run git fsck, and repair it or clone it again")
	case err != nil || to == "":
		return "", id, err
	}
	if id, err = r.follow(to); errors.Is(err, errNoRef) {
		err = nil
	}
	return strings.TrimPrefix(to, "refs/heads/"), id, err
}

// upstream is the reference that holds, as last fetched, what a branch follows; empty where it follows nothing.
func (r *Repository) upstream(branch string) (string, error) {
	section := r.config.Section("branch").Subsection(branch)
	remote, merge := section.Option("remote"), section.Option("merge")
	switch {
	case remote == "" || merge == "":
		return "", nil
	case remote == ".":
		return merge, nil
	}
	for _, spec := range r.config.Section("remote").Subsection(remote).OptionAll("fetch") {
		if to := mapped(spec, merge); to != "" {
			return to, nil
		}
	}
	return "", fmt.Errorf("the branch %s follows %s of %s, which is not fetched: see git config --get-all "+
		"remote.%[3]s.fetch", branch, merge, remote)
}

// mapped is where a fetch puts a reference of a remote; empty where it does not take it.
func mapped(spec, name string) string {
	from, to, _ := strings.Cut(strings.TrimPrefix(spec, "+"), ":")
	before, after, pattern := strings.Cut(from, "*")
	if !pattern {
		if from == name {
			return to
		}
		return ""
	}
	if len(name) < len(from)-1 || !strings.HasPrefix(name, before) || !strings.HasSuffix(name, after) {
		return ""
	}
	return strings.Replace(to, "*", name[len(before):len(name)-len(after)], 1)
}

// short is a reference as people call it.
func short(ref string) string {
	for _, prefix := range []string{"refs/heads/", "refs/remotes/", "refs/"} {
		if name, found := strings.CutPrefix(ref, prefix); found {
			return name
		}
	}
	return ref
}

// revision is a name, and the steps from there through the history.
var revision = regexp.MustCompile(`^([^~^:]+)((?:~\d{0,6}|\^\d{0,3}|\^\{(?:commit)?\})*)$`)

// Commit finds the commit that a revision names: a branch, a remote's branch, a tag, a hash or the beginning of one,
// @{upstream}, and ancestors of these by ~ and ^.
func (r *Repository) Commit(name string) (*Commit, error) {
	parts := revision.FindStringSubmatch(name)
	if parts == nil || strings.HasPrefix(name, "-") {
		return nil, fmt.Errorf("%q is no revision that is understood here: name a branch, a tag or a commit", name)
	}
	id, err := r.named(parts[1])
	if errors.Is(err, errNoRef) {
		return nil, fmt.Errorf("%q names no commit of this clone: look at git branch --all, and fetch it", name)
	}
	if err != nil {
		return nil, err
	}
	commit, err := r.commit(id)
	for _, step := range steps.FindAllString(parts[2], -1) {
		if err == nil {
			commit, err = commit.step(step)
		}
	}
	return commit, err
}

// steps are the parts of the way through the history.
var steps = regexp.MustCompile(`~\d*|\^\d+|\^\{(?:commit)?\}|\^`)

// step goes to an ancestor.
func (c *Commit) step(step string) (*Commit, error) {
	count, err := strconv.Atoi(step[1:])
	if err != nil {
		count = 1
	}
	switch {
	case strings.HasPrefix(step, "^{"), step == "^0":
		return c, nil
	case step[0] == '^':
		return c.parent(count)
	}
	for range count {
		if c, err = c.parent(1); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// named is the object that the first part of a revision names.
func (r *Repository) named(name string) (plumbing.Hash, error) {
	for _, suffix := range []string{"@{upstream}", "@{u}"} {
		if branch, follows := strings.CutSuffix(strings.ToLower(name), suffix); follows {
			return r.upstreamOf(name[:len(branch)])
		}
	}
	if name == "@" {
		name = "HEAD"
	}
	if plumbing.IsHash(name) {
		return plumbing.NewHash(name), nil
	}
	for _, at := range []string{"%s", "refs/%s", "refs/tags/%s", "refs/heads/%s", "refs/remotes/%s",
		"refs/remotes/%s/HEAD"} {
		if id, err := r.follow(fmt.Sprintf(at, name)); !errors.Is(err, errNoRef) {
			return id, err
		}
	}
	return r.abbreviated(name)
}

// upstreamOf is the commit that a branch follows, the one that is checked out where none is named.
func (r *Repository) upstreamOf(branch string) (id plumbing.Hash, err error) {
	if branch == "" || branch == "HEAD" || branch == "@" {
		if branch, _, err = r.head(); err != nil {
			return id, err
		}
	}
	ref, err := r.upstream(branch)
	switch {
	case err != nil:
		return id, err
	case branch == "":
		return id, errors.New("HEAD is detached, so that no branch is followed: name a branch")
	case ref == "":
		return id, fmt.Errorf("the branch %s follows no upstream branch: see git branch --set-upstream-to", branch)
	}
	if id, err = r.follow(ref); errors.Is(err, errNoRef) {
		return id, notFetched(branch, ref)
	}
	return id, err
}

// notFetched is the error where what a branch follows is not in the clone.
func notFetched(branch, ref string) error {
	return fmt.Errorf("%s, which the branch %s follows, is not in this clone: run git fetch, or let it follow "+
		"another one", short(ref), branch)
}

// abbreviated finds the object whose hash begins so.
func (r *Repository) abbreviated(name string) (plumbing.Hash, error) {
	even := len(name) &^ 1
	prefix, err := hex.DecodeString(name[:even])
	if err != nil || len(name) < 4 || strings.Trim(name[even:], "0123456789abcdefABCDEF") != "" {
		return plumbing.ZeroHash, errNoRef
	}
	found, err := r.beginning(prefix)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	found = slices.DeleteFunc(found, func(id plumbing.Hash) bool {
		return !strings.HasPrefix(id.String(),
			strings.ToLower(name))
	})
	switch len(found) {
	case 0:
		return plumbing.ZeroHash, errNoRef
	case 1:
		return found[0], nil
	}
	return plumbing.ZeroHash, fmt.Errorf("%q is the beginning of %d objects: write more of it", name, len(found))
}
