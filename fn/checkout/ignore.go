package checkout

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/fluxcd/pkg/sourceignore/gitignore"

	"migrate-to-flux-operator/fn/regular"
)

// ignoreFiles are the names of files that list what to leave out.
const (
	gitIgnoreFile = ".gitignore"
	krmIgnoreFile = ".krmignore"
)

// rules are the patterns of one kind of ignore file that hold in a directory, the closest last.
type rules []rule

// rule is one pattern. Most name a file or an ending, and a look at the name tells that they do not match.
type rule struct {
	gitignore.Pattern
	anywhere bool   // no slash: it matches names, not paths
	name     string // the only name that it matches, if not empty
	ending   string // what every name that it matches ends with
}

// newRule reads a line of an ignore file in a directory.
func newRule(line string, dir []string) rule {
	body := strings.TrimSuffix(strings.TrimPrefix(strings.TrimRight(line, " "), "!"), "/")
	if strings.Contains(body, "/") {
		return rule{Pattern: gitignore.ParsePattern(line, dir)}
	}
	r := rule{Pattern: gitignore.ParsePattern(line, nil), anywhere: true}
	rest, star := strings.CutPrefix(body, "*")
	switch {
	case strings.ContainsAny(rest, `*?[\`):
	case star:
		r.ending = rest
	default:
		r.name = body
	}
	return r
}

// match is what the rule says about a path.
func (r rule) match(segments []string, isDir bool) gitignore.MatchResult {
	if !r.anywhere {
		return r.Match(segments, isDir)
	}
	last := segments[len(segments)-1:]
	if r.name != "" && r.name != last[0] || !strings.HasSuffix(last[0], r.ending) {
		return gitignore.NoMatch
	}
	return r.Match(last, isDir)
}

// with is the rules of a directory that has an ignore file of its own.
func (r rules) with(file []byte, dir []string) rules {
	out := r[:len(r):len(r)]
	for line := range strings.Lines(string(bytes.TrimPrefix(file, []byte("\xef\xbb\xbf")))) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) != "" && line[0] != '#' {
			out = append(out, newRule(line, dir))
		}
	}
	return out
}

// ignores reports whether a path is left out. Its parents are not, so that only the path itself is looked at.
func (r rules) ignores(segments []string, isDir bool) bool {
	for _, rule := range slices.Backward(r) {
		if match := rule.match(segments, isDir); match != gitignore.NoMatch {
			return match == gitignore.Exclude
		}
	}
	return false
}

// repository is the Git repository around a directory, as far as its files tell without Git.
type repository struct {
	dir    string   // its top directory, "" where there is none
	gitDir string   // where its index is
	prefix []string // the way from its top directory to the one that was opened
	once   sync.Once
	files  map[string]bool // tracked files and their directories, relative to the opened directory
}

// findRepository looks for a repository from dir upwards.
func findRepository(dir string) *repository {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return &repository{}
	}
	var prefix []string
	for at := abs; ; at = filepath.Dir(at) {
		if gitDir := gitDirOf(at); gitDir != "" {
			return &repository{dir: at, gitDir: gitDir, prefix: prefix}
		}
		if filepath.Dir(at) == at {
			return &repository{}
		}
		prefix = append([]string{filepath.Base(at)}, prefix...)
	}
}

// gitDirOf is the Git directory of a repository's top directory: `.git`, or where a `.git` file of a worktree points.
func gitDirOf(dir string) string {
	git := filepath.Join(dir, ".git")
	info, err := os.Lstat(git)
	switch {
	case err != nil:
		return ""
	case info.IsDir():
		return git
	}
	text, err := regular.ReadIn(dir, ".git")
	to, found := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir: ")
	if err != nil || !found {
		return ""
	}
	if !filepath.IsAbs(to) {
		to = filepath.Join(dir, to)
	}
	return to
}

// rules are the ignore rules that hold in the opened directory from above it.
func (r *repository) rules() rules {
	if r.dir == "" {
		return nil
	}
	var out rules
	if file, err := regular.ReadIn(r.gitDir, "info/exclude"); err == nil {
		out = out.with(file, nil)
	}
	for i := range r.prefix {
		dir := filepath.Join(append([]string{r.dir}, r.prefix[:i]...)...)
		if file, err := regular.ReadIn(dir, gitIgnoreFile); err == nil {
			out = out.with(file, r.prefix[:i:i])
		}
	}
	return out
}

// tracks reports whether Git tracks a file, or a file below a directory, although it is ignored. The index is read
// when the first ignored path asks for it.
func (r *repository) tracks(name string) bool {
	r.once.Do(func() {
		r.files = map[string]bool{}
		if r.gitDir == "" {
			return
		}
		index, err := os.ReadFile(filepath.Join(r.gitDir, "index"))
		if err != nil {
			return
		}
		prefix := strings.Join(append(r.prefix[:len(r.prefix):len(r.prefix)], ""), "/")
		for _, file := range indexPaths(index) {
			file, inside := strings.CutPrefix(file, prefix)
			for ; inside && file != "." && !r.files[file]; file = path.Dir(file) {
				r.files[file] = true
			}
		}
	})
	return r.files[name]
}
