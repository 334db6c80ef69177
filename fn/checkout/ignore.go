package checkout

import (
	"bytes"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/sourceignore/gitignore"

	"migrate-to-flux-operator/fn/git"
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

// Ignored reports whether Git would leave out a new file, for which `git add` needs --force; nothing does outside of a
// clone.
func (t *Tree) Ignored(file string) bool {
	if t.repo == nil || t.index.Has(file) {
		return false
	}
	here, err := rulesAbove(t.repo)
	if err != nil {
		return false // Open has failed for that
	}
	segments := slices.Clone(t.repo.Prefix)
	parts := strings.Split(file, "/")
	for i, part := range parts {
		if ignoring, err := t.ReadFile(path.Join(append(slices.Clone(parts[:i]), gitIgnoreFile)...)); err == nil {
			here = here.with(ignoring, slices.Clone(segments))
		}
		if segments = append(segments, part); here.ignores(segments, i < len(parts)-1) {
			return true
		}
	}
	return false
}

// rulesAbove are the ignore rules that hold in the opened directory from above it, and those of the clone.
func rulesAbove(repo *git.Repository) (rules, error) {
	file, err := repo.Excludes()
	if err != nil {
		return nil, err
	}
	out := rules(nil).with(file, nil)
	for i := range repo.Prefix {
		dir := filepath.Join(append([]string{repo.Top}, repo.Prefix[:i]...)...)
		if file, err := regular.ReadIn(dir, gitIgnoreFile); err == nil {
			out = out.with(file, repo.Prefix[:i:i])
		}
	}
	return out, nil
}

// trackedBelow are the files below a directory that Git tracks, and the directories that they are in.
func trackedBelow(dir string) (map[string]bool, error) {
	repo, err := git.Find(dir)
	if err != nil || repo == nil {
		return nil, err
	}
	defer repo.Close()
	index, err := repo.Index()
	if err != nil {
		return nil, err
	}
	return trackedIn(index), nil
}

// trackedIn are the files that Git tracks, and the directories that they are in.
func trackedIn(index *git.Index) map[string]bool {
	all := map[string]bool{}
	for _, file := range index.Files() {
		for ; file != "." && !all[file]; file = path.Dir(file) {
			all[file] = true
		}
	}
	return all
}
