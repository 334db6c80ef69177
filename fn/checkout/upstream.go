package checkout

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Publication tells how far files have come on their way to a cluster.
type Publication struct {
	// Repository is false where the directory is in no Git repository or there is no Git to ask; the rest is empty then.
	Repository bool
	// Upstream is the branch that the checked out one follows, such as origin/main; empty where it follows none.
	Upstream string
	// Uncommitted are the files that HEAD does not hold with the expected content, sorted.
	Uncommitted []string
	// Unpushed are the files that the upstream branch, as last fetched, does not hold with the expected content, sorted;
	// all files where there is no upstream branch.
	Unpushed []string
}

// Published reports whether all files are committed and in the upstream branch.
func (p Publication) Published() bool {
	return p.Repository && p.Upstream != "" && len(p.Uncommitted) == 0 && len(p.Unpushed) == 0
}

// Upstream looks for files, given by path with the content that each is to have, in HEAD and in the upstream branch of
// the repository around dir. It runs git, changes nothing and does not fetch. Line breaks are compared as Git stores
// them: \r\n and \n are the same.
func Upstream(ctx context.Context, dir string, files map[string][]byte) (Publication, error) {
	git := gitIn{ctx, dir}
	prefix, err := git.line("rev-parse", "--show-prefix")
	if errors.As(err, new(*exec.ExitError)) || errors.Is(err, exec.ErrNotFound) {
		return Publication{}, ctx.Err()
	}
	if err != nil {
		return Publication{}, err
	}
	p := Publication{Repository: true}
	names := slices.Sorted(maps.Keys(files))
	p.Uncommitted, err = git.differing("HEAD", prefix, names, files)
	if err != nil {
		return p, err
	}
	p.Upstream, err = git.line("rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}")
	if errors.As(err, new(*exec.ExitError)) && ctx.Err() == nil {
		p.Upstream, p.Unpushed = "", names
		return p, nil
	}
	if err != nil {
		return p, err
	}
	p.Unpushed, err = git.differing("@{upstream}", prefix, names, files)
	return p, err
}

// gitIn runs git in a directory.
type gitIn struct {
	ctx context.Context
	dir string
}

// command is one run of git, without prompts, locks or translations.
func (g gitIn) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(g.ctx, "git", append([]string{"-C", g.dir}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1")
	return cmd
}

// line is the one line that git prints.
func (g gitIn) line(args ...string) (string, error) {
	out, err := g.command(args...).Output()
	return strings.TrimRight(string(out), "\r\n"), err
}

// differing are the files that a commit does not hold with the expected content.
func (g gitIn) differing(commit, prefix string, names []string, files map[string][]byte) ([]string, error) {
	var ask bytes.Buffer
	for _, name := range names {
		if strings.Contains(name, "\n") {
			return nil, fmt.Errorf("%q: a path with a line break", name)
		}
		fmt.Fprintf(&ask, "%s:%s%s\n", commit, prefix, name)
	}
	cmd := g.command("cat-file", "--batch")
	cmd.Stdin = &ask
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	answer := bufio.NewReader(bytes.NewReader(out))
	var missing []string
	for _, name := range names {
		content, found, err := readObject(answer)
		if err != nil {
			return nil, err
		}
		if !found || !bytes.Equal(unixLines(content), unixLines(files[name])) {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

// readObject reads one answer of git cat-file --batch.
func readObject(r *bufio.Reader) (content []byte, found bool, err error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, false, fmt.Errorf("git cat-file: %w", err)
	}
	var id, kind string
	var size int
	if n, _ := fmt.Sscanf(line, "%s %s %d\n", &id, &kind, &size); n != 3 || strings.HasSuffix(line, " missing\n") {
		return nil, false, nil
	}
	content = make([]byte, size+1)
	if _, err := io.ReadFull(r, content); err != nil {
		return nil, false, fmt.Errorf("git cat-file: %w", err)
	}
	return content[:size], kind == "blob", nil
}

// unixLines is a text with \n line breaks.
func unixLines(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) }
