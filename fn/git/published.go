package git

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// Publication tells how far files have come on their way to a cluster.
type Publication struct {
	// Uncommitted are the files that HEAD does not hold with the expected content, sorted.
	Uncommitted []string
	// Upstream is the branch that the checked out one follows, such as origin/main; empty where it follows none, and
	// Why says why.
	Upstream, Why string
	// Unpushed are the files that the upstream branch, as last fetched, does not hold with the expected content,
	// sorted; all where there is no upstream branch.
	Unpushed []string
	// Read is the branch that Flux reads, as it is called here, such as origin/main; empty where that is not known or
	// was never fetched.
	Read string
	// Lacking are the files that it does not hold with the expected content, as last fetched, sorted.
	Lacking []string
	// Behind says what the upstream branch may hold that HEAD does not; empty where HEAD holds all of it.
	Behind string
}

// Published looks for files, given by path with the content that each is to have, in HEAD, in the upstream branch and
// in the one that Flux reads of the repository at an address, which may be empty, both as last fetched. Line breaks are
// compared as Git stores them: \r\n and \n are the same.
func (r *Repository) Published(files map[string][]byte, address, read string) (Publication, error) {
	p := Publication{Unpushed: slices.Sorted(maps.Keys(files))}
	if read != "" {
		branch, err := r.Fetched(address, read)
		if err == nil && branch != nil {
			p.Read = branch.Name
			p.Lacking, err = branch.Differing(files)
		}
		if err != nil {
			return p, err
		}
	}
	branch, id, err := r.head()
	if err != nil {
		return p, err
	}
	if id.IsZero() {
		p.Uncommitted, p.Why = p.Unpushed, fmt.Sprintf("the branch %s has no commit yet", branch)
		return p, nil
	}
	head, err := r.commit(id)
	if err != nil {
		return p, err
	}
	if p.Uncommitted, err = head.Differing(files); err != nil {
		return p, err
	}
	if branch == "" {
		p.Why = "HEAD is detached"
		return p, nil
	}
	ref, err := r.upstream(branch)
	switch local, isLocal := strings.CutPrefix(ref, "refs/heads/"); {
	case err != nil:
		return p, err
	case ref == "":
		p.Why = "the branch " + branch + " follows no upstream branch"
	case isLocal:
		p.Why = "the branch " + branch + " follows " + local + ", a branch of this clone"
	default:
		err = r.publishedIn(&p, head, files, ref)
	}
	return p, err
}

// publishedIn adds what the upstream branch holds.
func (r *Repository) publishedIn(p *Publication, head *Commit, files map[string][]byte, ref string) error {
	id, err := r.upstreamOf("")
	if err != nil {
		return err
	}
	upstream, err := r.commit(id)
	if err != nil {
		return err
	}
	p.Upstream = short(ref)
	if p.Unpushed, err = upstream.Differing(files); err != nil {
		return err
	}
	switch all, err := head.contains(upstream); {
	case err != nil:
		p.Behind = fmt.Sprintf("it was not checked whether %s holds commits that HEAD does not: %v", p.Upstream, err)
	case !all:
		p.Behind = p.Upstream + " holds commits that HEAD does not"
	}
	return nil
}

// Branch is a branch of a remote, as it was last fetched.
type Branch struct {
	// Name is how it is called here, such as origin/main.
	Name string
	// Remote is the remote that it was fetched from.
	Remote string
	*Commit
}

// Fetched finds a branch of the repository at an address, as it was last fetched; nil where it never was.
func (r *Repository) Fetched(address, branch string) (*Branch, error) {
	remote, err := r.remoteOf(address)
	if err != nil {
		return nil, err
	}
	for _, spec := range r.config.Section("remote").Subsection(remote).OptionAll("fetch") {
		ref := mapped(spec, "refs/heads/"+branch)
		if ref == "" {
			continue
		}
		id, err := r.follow(ref)
		if errors.Is(err, errNoRef) {
			continue
		}
		if err != nil {
			return nil, err
		}
		commit, err := r.commit(id)
		return &Branch{Name: short(ref), Remote: remote, Commit: commit}, err
	}
	return nil, nil
}

// remoteOf is the remote with an address. Where none has it, because it is a mirror's or written in another way, it is
// the one that the checked out branch follows, the only one, or origin.
func (r *Repository) remoteOf(address string) (string, error) {
	remotes := r.config.Section("remote").Subsections
	for _, remote := range remotes {
		if Place(address) != "" && slices.ContainsFunc(remote.OptionAll("url"), func(url string) bool {
			return Place(url) == Place(address)
		}) {
			return remote.Name, nil
		}
	}
	current, _, err := r.head()
	if followed := r.config.Section("branch").Subsection(current).Option("remote"); err != nil || followed != "" &&
		followed != "." {
		return followed, err
	}
	if len(remotes) == 1 {
		return remotes[0].Name, nil
	}
	return "origin", nil
}

// Place is where an address leads to, however one logs in there: host and path; empty for a path of this machine.
func Place(address string) string {
	_, rest, isURL := strings.Cut(address, "://")
	if !isURL {
		rest = strings.Replace(address, ":", "/", 1) // git@github.com:acme/fleet.git
	}
	host, name, _ := strings.Cut(rest, "/")
	host = host[strings.LastIndex(host, "@")+1:]
	if isURL {
		host, _, _ = strings.Cut(host, ":")
	}
	name = strings.TrimSuffix(strings.Trim(name, "/"), ".git")
	if host == "" || name == "" {
		return ""
	}
	return strings.ToLower(host) + "/" + name
}

// Differing are the files that a commit does not hold with the expected content.
func (c *Commit) Differing(files map[string][]byte) ([]string, error) {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		content, found, err := c.content(path.Join(append(slices.Clone(c.repo.Prefix), name)...))
		if err != nil {
			return nil, err
		}
		if !found || !bytes.Equal(unixLines(content), unixLines(files[name])) {
			all = append(all, name)
		}
	}
	return all, nil
}

// content is what the commit has under a path from the top of the repository.
func (c *Commit) content(name string) (text []byte, found bool, err error) {
	at := entry{id: c.tree, mode: filemode.Dir}
	for part := range strings.SplitSeq(name, "/") {
		if at.mode != filemode.Dir {
			return nil, false, nil
		}
		entries, err := c.repo.entries(at.id, " above "+name)
		if err != nil {
			return nil, false, err
		}
		n := slices.IndexFunc(entries, func(e entry) bool { return e.name == part })
		if n < 0 {
			return nil, false, nil
		}
		at = entries[n]
	}
	if !at.isFile() {
		return nil, false, nil
	}
	kind, text, err := c.repo.object(at.id, " of "+name)
	return text, kind == plumbing.BlobObject, err
}

// unixLines is a text with \n line breaks.
func unixLines(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) }
