package inventory

import (
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// isRemoteFile reports whether kustomize reads p by HTTP, whatever file has that name.
// Source: kustomize api v0.21.2, loader.IsRemoteFile.
func isRemoteFile(p string) bool {
	u, err := url.Parse(p)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https")
}

// user is what a Git address may begin with.
var user = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9-]*@`)

// isRepository reports whether kustomize clones p, whatever folder has that name.
// Source: kustomize api v0.21.2, git.NewRepoSpecFromURL.
func isRepository(p string) bool {
	if filepath.IsAbs(p) {
		return false
	}
	p, _, _ = strings.Cut(p, "?")
	_, p = cutPrefix(p, "git::")
	scheme, p := cutPrefix(p, "ssh://", "https://", "http://", "file://")
	if scheme == "file://" {
		return p != "" && inRepository(p, 1)
	}
	name := user.FindString(p)
	p = p[len(name):]
	github, _ := cutPrefix(p, "github.com/", "github.com:")
	short := scheme == "" && (name != "" || github != "")
	if scheme == "" && !short {
		return false
	}
	end := strings.Index(p, "/")
	if colon := strings.Index(p, ":"); short && (end < 0 || colon > 0 && colon < end) {
		end = colon
	}
	return end >= 0 && inRepository(p[end+1:], 2)
}

// cutPrefix cuts the first of the prefixes, in any case of letters, that there is.
func cutPrefix(p string, prefixes ...string) (prefix, rest string) {
	for _, prefix := range prefixes {
		if len(prefix) <= len(p) && strings.ToLower(p[:len(prefix)]) == prefix {
			return prefix, p[len(prefix):]
		}
	}
	return "", p
}

// inRepository reports whether what is behind a host names a repository, by a mark or by as many segments, and does not
// leave it again.
func inRepository(p string, segments int) bool {
	repository, inside := p, ""
	if before, after, found := strings.Cut(p, "_git/"); found {
		name, rest, _ := strings.Cut(after, "/")
		repository, inside = before+"_git/"+name, rest
	} else if before, after, found := strings.Cut(p, "//"); found {
		repository, inside = before, after
	} else if before, after, found := strings.Cut(p, ".git"); found {
		repository, inside = before+".git", after
	} else if parts := strings.SplitN(p, "/", 3); segments > 1 && len(parts) < segments {
		return false
	} else if segments > 1 && len(parts) > segments {
		inside = parts[segments]
	}
	first, _, _ := strings.Cut(path.Clean(strings.TrimPrefix(inside, "/")), "/")
	return repository != "" && first != ".."
}

// isAddress reports whether p, which is not in the tree, is meant as an address.
func isAddress(p string) bool {
	prefix, _ := cutPrefix(p, "git::", "gh:", "git@", "github.com/", "github.com:", "gitlab.com/", "bitbucket.org/")
	return prefix != "" || strings.Contains(p, "://") || strings.Contains(p, "?ref=") || strings.Contains(p, ".git/") ||
		strings.Contains(p, "_git/")
}
