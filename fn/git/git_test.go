package git

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// run runs the git program, or skips the test where there is none; what it says comes without the last line break.
func run(t testing.TB, dir string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("skipped: no git to make a repository with")
	}
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main",
		"-c", "protocol.file.allow=always", "-c", "gc.auto=0", "-c", "maintenance.auto=false"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimRight(string(out), "\n")
}

// write writes files into a folder.
func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

// commit writes files and commits them.
func commit(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	write(t, dir, files)
	run(t, dir, "add", "--all")
	run(t, dir, "commit", "--quiet", "--allow-empty", "--message", "x")
}

// made is a repository with an upstream branch and two commits.
func made(t testing.TB) (upstream, dir string) {
	t.Helper()
	upstream, dir = filepath.Join(t.TempDir(), "upstream"), t.TempDir()
	run(t, ".", "init", "--quiet", "--bare", upstream)
	run(t, upstream, "config", "uploadpack.allowFilter", "true")
	run(t, dir, "init", "--quiet")
	commit(t, dir, map[string]string{"a.yaml": "a: 1\n", "sub/b.yaml": "b: 1\n"})
	commit(t, dir, map[string]string{"a.yaml": "a: 2\n", "sub/deep/c.yaml": "c: 1\n"})
	run(t, dir, "remote", "add", "origin", upstream)
	run(t, dir, "push", "--quiet", "--set-upstream", "origin", "main")
	run(t, dir, "remote", "set-head", "origin", "main")
	return upstream, dir
}

// found is the repository around a folder.
func found(t testing.TB, dir string) *Repository {
	t.Helper()
	r, err := Find(dir)
	if err != nil || r == nil {
		t.Fatalf("%s: %v, %v", dir, r, err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// filesOf are the files of a revision.
func filesOf(r *Repository, revision string) (map[string]string, error) {
	c, err := r.Commit(revision)
	if err != nil {
		return nil, err
	}
	tree, err := c.Files()
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	return all, fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(tree, name)
		all[name] = string(content)
		return err
	})
}

// now are the files of the last commit that made makes.
var now = map[string]string{"a.yaml": "a: 2\n", "sub/b.yaml": "b: 1\n", "sub/deep/c.yaml": "c: 1\n"}

// TestKinds holds that every kind of repository that Git makes is read like any other.
func TestKinds(t *testing.T) {
	for name, kind := range map[string]func(t *testing.T, upstream, dir string) string{
		"plain": func(_ *testing.T, _, dir string) string { return dir },
		"linked working tree": func(t *testing.T, _, dir string) string {
			linked := filepath.Join(t.TempDir(), "linked")
			run(t, dir, "worktree", "add", "--quiet", "-b", "other", "--track", linked, "origin/main")
			return linked
		},
		"submodule": func(t *testing.T, upstream, _ string) string {
			outer := t.TempDir()
			run(t, outer, "init", "--quiet")
			run(t, outer, "submodule", "--quiet", "add", "--branch", "main", upstream, "inner")
			return filepath.Join(outer, "inner")
		},
		"shallow": func(t *testing.T, upstream, _ string) string {
			return clone(t, upstream, "--depth", "1", "--no-local")
		},
		"shared": func(t *testing.T, upstream, _ string) string { return clone(t, upstream, "--shared") },
		"shared twice": func(t *testing.T, upstream, _ string) string {
			return clone(t, clone(t, upstream, "--shared"), "--shared")
		},
		"separate folder": func(t *testing.T, upstream, _ string) string {
			return clone(t, upstream, "--separate-git-dir", filepath.Join(t.TempDir(), "git"))
		},
		"partial, with what is checked out": func(t *testing.T, upstream, _ string) string {
			return clone(t, upstream, "--filter", "blob:none", "--no-local")
		},
		"packed": func(t *testing.T, _, dir string) string {
			run(t, dir, "pack-refs", "--all")
			run(t, dir, "repack", "-adq")
			return dir
		},
		"many packs": func(t *testing.T, _, dir string) string {
			run(t, dir, "config", "core.multiPackIndex", "true")
			run(t, dir, "repack", "-dq")
			run(t, dir, "multi-pack-index", "write")
			return dir
		},
		"index of version 4 without a checksum": func(t *testing.T, _, dir string) string {
			run(t, dir, "config", "index.skipHash", "true")
			run(t, dir, "update-index", "--index-version", "4", "--force-write-index")
			return dir
		},
		"newer format, config for the working tree": func(t *testing.T, _, dir string) string {
			run(t, dir, "config", "core.repositoryFormatVersion", "1")
			run(t, dir, "config", "extensions.worktreeConfig", "true")
			return dir
		},
		"behind a link": func(t *testing.T, _, dir string) string {
			link := filepath.Join(t.TempDir(), "link")
			if err := os.Symlink(dir, link); err != nil {
				t.Skip("skipped: no links here: ", err)
			}
			return link
		},
	} {
		t.Run(name, func(t *testing.T) {
			upstream, dir := made(t)
			r := found(t, kind(t, upstream, dir))
			index, err := r.Index()
			if err != nil || !slices.Equal(index.Files(), slices.Sorted(maps.Keys(now))) {
				t.Errorf("the index holds %v: %v", index, err)
			}
			if changed, err := r.Changed(index); err != nil || len(changed) > 0 {
				t.Errorf("changed: %v: %v", changed, err)
			}
			for _, revision := range []string{"HEAD", "@{upstream}", "origin/main", "origin", "HEAD^{commit}", run(t, r.Top, "rev-parse", "--short", "HEAD")} {
				if got, err := filesOf(r, revision); err != nil || !maps.Equal(got, now) {
					t.Errorf("%s holds %v: %v", revision, got, err)
				}
			}
			p, err := r.Published(map[string][]byte{"a.yaml": []byte("a: 2\r\n"), "sub/b.yaml": []byte("b: 1\n")}, "", "main")
			if err != nil || p.Upstream == "" || p.Read != "origin/main" || len(p.Uncommitted)+len(p.Unpushed)+len(p.Lacking) > 0 || p.Behind != "" {
				t.Errorf("published: %+v: %v", p, err)
			}
		})
	}
}

// clone is a clone.
func clone(t testing.TB, upstream string, flags ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clone")
	if !slices.Contains(flags, "--shared") { // which is for a path alone
		upstream = "file://" + upstream
	}
	run(t, ".", append(append([]string{"clone", "--quiet"}, flags...), upstream, dir)...)
	return dir
}

// TestRefused holds that what cannot be read is said, and is not taken for no repository.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		breaks func(t *testing.T, dir string) string
		want   string
	}{
		"SHA-256": {func(t *testing.T, _ string) string {
			dir := t.TempDir()
			run(t, dir, "init", "--quiet", "--object-format", "sha256")
			return dir
		}, `extensions.objectFormat is "sha256"`},
		"reftable": {func(t *testing.T, dir string) string {
			run(t, dir, "config", "core.repositoryFormatVersion", "1")
			run(t, dir, "config", "extensions.refStorage", "reftable")
			return dir
		}, "git refs migrate --ref-format=files"},
		"unknown extension": {func(t *testing.T, dir string) string {
			run(t, dir, "config", "core.repositoryFormatVersion", "1")
			run(t, dir, "config", "extensions.compatObjectFormat", "sha256")
			return dir
		}, "extensions.compatobjectformat is not known"},
		"newer format": {func(t *testing.T, dir string) string {
			run(t, dir, "config", "core.repositoryFormatVersion", "2")
			return dir
		}, `core.repositoryFormatVersion is "2"`},
		"split index": {func(t *testing.T, dir string) string {
			run(t, dir, "update-index", "--split-index")
			return dir
		}, "git update-index --no-split-index"},
		"sparse index": {func(t *testing.T, dir string) string {
			run(t, dir, "sparse-checkout", "set", "--cone", "--sparse-index", "other")
			return dir
		}, "git sparse-checkout reapply --no-sparse-index"},
		"broken index":   {writes(".git/index", "DIRC\x00\x00\x00\x02\x00\x00\x00\x09x"), "it is damaged"},
		"broken config":  {writes(".git/config", "[remote \"o\"\n\turl = https://user:secret@example.com\n"), "its config cannot be parsed"},
		"broken HEAD":    {writes(".git/HEAD", "what?\n"), "it is damaged"},
		"broken branch":  {writes(".git/refs/heads/main", "what?\n"), "it is damaged"},
		"no HEAD":        {removes(".git/HEAD"), "it has no HEAD"},
		"no objects":     {removes(".git/objects"), "it has no folder of objects"},
		"empty .git":     {func(t *testing.T, _ string) string { return mkdir(t, ".git") }, "it has no HEAD"},
		".git as a text": {func(t *testing.T, _ string) string { dir := t.TempDir(); return writes(".git", "x")(t, dir) }, "does not name a folder"},
		"gitdir that is gone": {func(t *testing.T, _ string) string {
			dir := t.TempDir()
			return writes(".git", "gitdir: /none/there")(t, dir)
		},
			"/none/there, which is not there"},
		"link that leads nowhere": {func(t *testing.T, _ string) string { return linked(t, ".git", "/none/there") }, "no such file"},
		"HEAD is a device": {func(t *testing.T, dir string) string {
			removes(".git/HEAD")(t, dir)
			return linkedIn(t, dir, ".git/HEAD", os.DevNull)
		}, "not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, dir := made(t)
			dir = c.breaks(t, dir)
			r, err := Find(dir)
			if err == nil && r != nil {
				defer r.Close()
				_, err = r.Index()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func writes(name, content string) func(*testing.T, string) string {
	return func(t *testing.T, dir string) string {
		write(t, dir, map[string]string{name: content})
		return dir
	}
}

func removes(name string) func(*testing.T, string) string {
	return func(t *testing.T, dir string) string {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
}

func mkdir(t *testing.T, name string) string {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func linked(t *testing.T, name, to string) string { return linkedIn(t, t.TempDir(), name, to) }

func linkedIn(t *testing.T, dir, name, to string) string {
	if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
		t.Skip("skipped: no links here: ", err)
	}
	return dir
}

// TestFind holds which folder is the top of which repository.
func TestFind(t *testing.T) {
	if r, err := Find(t.TempDir()); r != nil || err != nil {
		t.Errorf("a repository where there is none: %v, %v", r, err)
	}
	_, dir := made(t)
	if r := found(t, filepath.Join(dir, "sub", "deep")); !slices.Equal(r.Prefix, []string{"sub", "deep"}) {
		t.Errorf("the way to the folder is %v", r.Prefix)
	}
	run(t, dir, "init", "--quiet", "--bare", "bare")
	if r := found(t, filepath.Join(dir, "bare")); !slices.Equal(r.Prefix, []string{"bare"}) {
		t.Errorf("a bare repository in the tree is taken for one: %+v", r)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Join(dir, "sub"), link); err != nil {
		t.Skip("skipped: no links here: ", err)
	}
	if r := found(t, link); !slices.Equal(r.Prefix, []string{"sub"}) {
		t.Errorf("behind a link the way is %v", r.Prefix)
	}
}

// TestRevisions holds that revisions name what they name to Git.
func TestRevisions(t *testing.T) {
	_, dir := made(t)
	run(t, dir, "tag", "light", "HEAD~1")
	run(t, dir, "tag", "-a", "-m", "x", "heavy", "HEAD^")
	run(t, dir, "tag", "-a", "-m", "x", "of/tag", "heavy")
	run(t, dir, "checkout", "-q", "-b", "side/one", "main~1")
	commit(t, dir, map[string]string{"side.yaml": "s: 1\n"})
	run(t, dir, "checkout", "-q", "main")
	run(t, dir, "merge", "-q", "--no-edit", "side/one")
	run(t, dir, "fetch", "-q", "origin", "main")
	r := found(t, dir)
	for _, revision := range []string{"HEAD", "@", "main", "heads/main", "refs/heads/main", "side/one", "light", "heavy", "of/tag", "tags/heavy", "origin/main", "origin",
		"remotes/origin/main", "HEAD~1", "HEAD~2", "HEAD^", "HEAD^2", "HEAD^2~1", "HEAD~", "main^0", "heavy^{}", "heavy^{commit}", "@{upstream}", "@{u}", "main@{upstream}",
		"main@{u}~1", "FETCH_HEAD", run(t, dir, "rev-parse", "HEAD"), run(t, dir, "rev-parse", "--short=9", "HEAD^2"), run(t, dir, "rev-parse", "heavy")} {
		want := run(t, dir, "rev-parse", revision+"^{commit}")
		if got, err := r.Commit(revision); err != nil || got.id.String() != want {
			t.Errorf("%s is %v: %v; want %s", revision, got, err, want)
		}
	}
	for revision, want := range map[string]string{
		"none": "names no commit of this clone", "--output=x": "is no revision", "HEAD:sub": "is no revision", "HEAD~9": "has 0 parents", "HEAD^9": "has 2 parents",
		"": "is no revision", "../../etc/passwd": "names no commit", "refs/heads/../../config": "names no commit", "side/one@{u}": "follows no upstream branch",
		"HEAD@{1}": "names no commit", "main..side/one": "names no commit", "0000000000000000000000000000000000000001": "is not in this clone",
		run(t, dir, "rev-parse", "HEAD^{tree}"): "is no commit", "abc": "names no commit",
	} {
		if got, err := r.Commit(revision); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %v: %v; want %q", revision, got, err, want)
		}
	}
}

// TestFiles holds that a commit's files are those that are stored, below the folder, whatever is configured or an
// attribute says.
func TestFiles(t *testing.T) {
	dir, marker := t.TempDir(), filepath.Join(t.TempDir(), "ran")
	run(t, dir, "init", "--quiet")
	link := os.Symlink("a.yaml", filepath.Join(dir, "link.yaml")) == nil
	large := strings.Repeat("x", 11<<20)
	commit(t, dir, map[string]string{"a.yaml": "a\r\n", "sub/b.yaml": "b\n", "sub/c.yaml": "c\n", "large.yaml": large,
		".gitattributes": "sub/c.yaml export-ignore\n*.yaml filter=x diff=x text eol=crlf\n"})
	for key, value := range map[string]string{"filter.x.smudge": "touch " + marker, "filter.x.clean": "touch " + marker, "filter.x.process": "touch " + marker, "diff.x.textconv": "touch " + marker,
		"core.fsmonitor": "touch " + marker, "core.sshCommand": "touch " + marker, "core.pager": "touch " + marker, "core.hooksPath": dir, "credential.helper": "!touch " + marker,
		"include.path": "../included", "uploadpack.packObjectsHook": "touch " + marker} {
		run(t, dir, "config", key, value)
	}
	r := found(t, dir)
	got, err := filesOf(r, "HEAD")
	if err != nil || got["a.yaml"] != "a\n" && got["a.yaml"] != "a\r\n" || got["sub/c.yaml"] != "c\n" || len(got["large.yaml"]) <= 10<<20 {
		t.Errorf("got %d files: %v", len(got), err)
	}
	if _, has := got["link.yaml"]; has && link {
		t.Error("a link is a file")
	}
	if got, err := filesOf(found(t, filepath.Join(dir, "sub")), "HEAD"); err != nil || !maps.Equal(got, map[string]string{"b.yaml": "b\n", "c.yaml": "c\n"}) {
		t.Errorf("below sub: %v: %v", got, err)
	}
	write(t, dir, map[string]string{"new/x.yaml": "x"})
	if got, err := filesOf(found(t, filepath.Join(dir, "new")), "HEAD"); err != nil || len(got) > 0 {
		t.Errorf("below what is not committed: %v: %v", got, err)
	}
	index, err := r.Index()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Changed(index); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("something that is configured has run")
	}
}

// TestMissing holds that an object which is not in the clone is named, that nothing is fetched, and that what the error
// says brings it.
func TestMissing(t *testing.T) {
	upstream, dir := made(t)
	commit(t, dir, map[string]string{"a.yaml": "a: 3\n"})
	run(t, dir, "push", "--quiet")
	marker := filepath.Join(t.TempDir(), "ran")
	for name, c := range map[string]struct {
		clone, remedy []string
		want          string
	}{
		"partial":  {[]string{"--filter", "blob:none", "--no-local"}, []string{"fetch", "--quiet", "--refetch", "--no-filter"}, "git fetch --refetch --no-filter"},
		"treeless": {[]string{"--filter", "tree:0", "--no-local"}, []string{"fetch", "--quiet", "--refetch", "--no-filter"}, "git fetch --refetch --no-filter"},
		"shallow":  {[]string{"--depth", "1", "--no-local"}, []string{"fetch", "--quiet", "--unshallow"}, "git fetch --unshallow"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := clone(t, upstream, c.clone...)
			run(t, dir, "config", "remote.origin.uploadpack", "touch "+marker+"; git-upload-pack")
			r := found(t, dir)
			_, err := filesOf(r, "HEAD~1")
			if err == nil || !strings.Contains(err.Error(), "the object ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if _, err := os.Stat(marker); err == nil {
				t.Error("a program has run")
			}
			run(t, dir, "config", "--unset", "remote.origin.uploadpack")
			run(t, dir, c.remedy...)
			if got, err := filesOf(found(t, dir), "HEAD~1"); err != nil || !maps.Equal(got, now) {
				t.Errorf("after the fetch: %v: %v", got, err)
			}
		})
	}
	blob := run(t, dir, "rev-parse", "HEAD:a.yaml")
	if err := os.Remove(filepath.Join(dir, ".git", "objects", blob[:2], blob[2:])); err != nil {
		t.Fatal(err)
	}
	if _, err := filesOf(found(t, dir), "HEAD"); err == nil || !strings.Contains(err.Error(), blob+" of a.yaml is not in this clone: run git fsck") {
		t.Errorf("of a damaged repository: %v", err)
	}
}

// TestBroken holds that damaged objects are errors and no panics.
func TestBroken(t *testing.T) {
	_, dir := made(t)
	run(t, dir, "repack", "-adq")
	packs, err := filepath.Glob(filepath.Join(dir, ".git", "objects", "pack", "*"))
	if err != nil || len(packs) == 0 {
		t.Fatal(packs, err)
	}
	for _, name := range packs {
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, broken := range [][]byte{nil, whole[:len(whole)/2], bytes.Repeat([]byte{0xff}, len(whole)), append(whole[:40:40], bytes.Repeat([]byte{0x95}, len(whole)-40)...)} {
			if err := errors.Join(os.Chmod(name, 0o600), os.WriteFile(name, broken, 0o600)); err != nil {
				t.Fatal(err)
			}
			got, err := filesOf(found(t, dir), "HEAD")
			if err == nil && !maps.Equal(got, now) {
				t.Errorf("%s, broken, gives %v", filepath.Base(name), got)
			}
		}
		if err := os.WriteFile(name, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPublished holds what is said of how far files have come.
func TestPublished(t *testing.T) {
	upstream, dir := made(t)
	files := map[string][]byte{"a.yaml": []byte("a: 2\n"), "new.yaml": []byte("new\r\n")}
	only := map[string][]byte{"a.yaml": files["a.yaml"]}
	for _, step := range []struct {
		name  string
		do    func()
		files map[string][]byte
		want  Publication
		err   string
	}{
		{"written", func() { write(t, dir, map[string]string{"new.yaml": "new\n"}) }, files,
			Publication{Uncommitted: []string{"new.yaml"}, Upstream: "origin/main", Unpushed: []string{"new.yaml"}}, ""},
		{"committed", func() { commit(t, dir, nil) }, files, Publication{Upstream: "origin/main", Unpushed: []string{"new.yaml"}}, ""},
		{"pushed", func() { run(t, dir, "push", "-q") }, files, Publication{Upstream: "origin/main"}, ""},
		{"diverged", func() {
			other := clone(t, upstream)
			commit(t, other, map[string]string{"theirs.yaml": "x\n"})
			run(t, other, "push", "-q")
			commit(t, dir, map[string]string{"ours.yaml": "x\n"})
			run(t, dir, "fetch", "-q")
		}, files, Publication{Upstream: "origin/main", Behind: "origin/main holds commits that HEAD does not"}, ""},
		{"merged", func() { run(t, dir, "merge", "-q", "--no-edit", "@{u}") }, files, Publication{Upstream: "origin/main"}, ""},
		{"behind", func() { run(t, dir, "reset", "-q", "--hard", "HEAD~1") }, files,
			Publication{Upstream: "origin/main", Behind: "origin/main holds commits that HEAD does not"}, ""},
		{"of a local branch", func() {
			run(t, dir, "checkout", "-q", "-b", "local", "--track", "main")
		}, only, Publication{Why: "the branch local follows main, a branch of this clone", Unpushed: []string{"a.yaml"}}, ""},
		{"no upstream", func() { run(t, dir, "branch", "--unset-upstream") }, only,
			Publication{Why: "the branch local follows no upstream branch", Unpushed: []string{"a.yaml"}}, ""},
		{"configured and not fetched", func() {
			run(t, dir, "config", "branch.local.remote", "origin")
			run(t, dir, "config", "branch.local.merge", "refs/heads/local")
		}, only, Publication{}, "origin/local, which the branch local follows, is not in this clone: run git fetch"},
		{"configured and never fetched", func() {
			run(t, dir, "config", "remote.origin.fetch", "+refs/heads/main:refs/remotes/origin/main")
		}, only, Publication{}, "the branch local follows refs/heads/local of origin, which is not fetched"},
		{"detached", func() { run(t, dir, "checkout", "-q", "--detach") }, only, Publication{Why: "HEAD is detached", Unpushed: []string{"a.yaml"}}, ""},
		{"unborn", func() { run(t, dir, "checkout", "-q", "--orphan", "empty") }, only,
			Publication{Uncommitted: []string{"a.yaml"}, Why: "the branch empty has no commit yet", Unpushed: []string{"a.yaml"}}, ""},
	} {
		step.do()
		got, err := found(t, dir).Published(step.files, "", "")
		if step.err != "" {
			if err == nil || !strings.Contains(err.Error(), step.err) {
				t.Errorf("%s: got %v, want %q", step.name, err, step.err)
			}
			continue
		}
		if err != nil || !slices.Equal(got.Uncommitted, step.want.Uncommitted) || !slices.Equal(got.Unpushed, step.want.Unpushed) || got.Upstream != step.want.Upstream ||
			got.Why != step.want.Why || got.Behind != step.want.Behind {
			t.Errorf("%s:\ngot  %+v: %v\nwant %+v", step.name, got, err, step.want)
		}
	}
	// From a folder the paths are its own, and no commit is no content.
	run(t, dir, "checkout", "-q", "--force", "main")
	sub := found(t, filepath.Join(dir, "sub"))
	if p, err := sub.Published(map[string][]byte{"b.yaml": []byte("b: 1\n"), "none/b.yaml": nil}, "", ""); err != nil || !slices.Equal(p.Unpushed, []string{"none/b.yaml"}) {
		t.Errorf("from a folder: %+v: %v", p, err)
	}
}

// TestShallowAndAhead holds that what a shallow clone cannot tell is said, and what it can is told.
func TestShallowAndAhead(t *testing.T) {
	upstream, _ := made(t)
	dir := clone(t, upstream, "--depth", "1", "--no-local")
	commit(t, dir, map[string]string{"mine.yaml": "x"})
	if p, err := found(t, dir).Published(nil, "", ""); err != nil || p.Behind != "" {
		t.Errorf("ahead: %+v: %v", p, err)
	}
	other := clone(t, upstream)
	commit(t, other, map[string]string{"theirs.yaml": "x"})
	run(t, other, "push", "-q")
	run(t, dir, "fetch", "-q", "--depth", "1")
	if p, err := found(t, dir).Published(nil, "", ""); err != nil || !strings.Contains(p.Behind, "git fetch --unshallow") {
		t.Errorf("diverged: %+v: %v", p, err)
	}
}

// TestChanged holds that what differs from HEAD is what git status names.
func TestChanged(t *testing.T) {
	upstream, _ := made(t)
	dir := clone(t, upstream)
	commit(t, dir, map[string]string{"same.yaml": "s\n", "crlf.yaml": "a\nb\n", "gone.yaml": "g\n", "staged.yaml": "s\n", "removed.yaml": "r\n", "touched.yaml": "t\n"})
	if changed := changedIn(t, dir); len(changed) > 0 {
		t.Errorf("of a clean tree: %v", changed)
	}
	write(t, dir, map[string]string{"a.yaml": "a: 9\n", "crlf.yaml": "a\r\nb\r\n", "staged.yaml": "other\n", "touched.yaml": "t\n", "added.yaml": "x\n"})
	run(t, dir, "add", "staged.yaml", "added.yaml")
	run(t, dir, "rm", "-q", "--cached", "removed.yaml")
	run(t, dir, "config", "core.autocrlf", "input")
	if err := os.Remove(filepath.Join(dir, "gone.yaml")); err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(run(t, dir, "status", "--porcelain", "--untracked-files=no", "--no-renames")) {
		if name := strings.TrimSpace(line[3:]); name != "crlf.yaml" {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	if got := changedIn(t, dir); !slices.Equal(got, slices.Compact(want)) || len(got) != 5 {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	empty := t.TempDir()
	run(t, empty, "init", "--quiet")
	write(t, empty, map[string]string{"x": "x"})
	run(t, empty, "add", "x")
	if got := changedIn(t, empty); !slices.Equal(got, []string{"x"}) {
		t.Errorf("before the first commit: %v", got)
	}
}

// changedIn is what differs from HEAD.
func changedIn(t *testing.T, dir string) []string {
	t.Helper()
	r := found(t, dir)
	index, err := r.Index()
	if err != nil {
		t.Fatal(err)
	}
	changed, err := r.Changed(index)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// TestFetched holds which remote is the one that an address leads to.
func TestFetched(t *testing.T) {
	_, dir := made(t)
	for name, url := range map[string]string{"company": "git@git.example.com:acme/fleet.git", "mirror": "https://mirror.example.com:8443/acme/fleet/"} {
		run(t, dir, "remote", "add", name, url)
		run(t, dir, "update-ref", "refs/remotes/"+name+"/main", "HEAD~1")
	}
	for address, want := range map[string]string{
		"ssh://git@git.example.com/acme/fleet":         "company/main",
		"https://x:y@GIT.example.com:443/acme/fleet":   "company/main",
		"https://git.example.com/acme/fleet-infra.git": "origin/main", // which is followed
		"git@mirror.example.com:acme/fleet":            "mirror/main",
		"":                                             "origin/main",
	} {
		b, err := found(t, dir).Fetched(address, "main")
		if err != nil || b == nil || b.Name != want {
			t.Errorf("%s: %+v, %v; want %s", address, b, err, want)
		}
	}
	if b, err := found(t, dir).Fetched("ssh://git@git.example.com/acme/fleet", "none"); b != nil || err != nil {
		t.Errorf("a branch that was never fetched: %+v, %v", b, err)
	}
	run(t, dir, "checkout", "--quiet", "--detach")
	run(t, dir, "remote", "remove", "origin")
	if b, err := found(t, dir).Fetched("https://git.example.com/acme/other", "main"); b != nil || err != nil {
		t.Errorf("of two remotes neither of which is followed: %+v, %v", b, err)
	}
	run(t, dir, "remote", "remove", "mirror")
	if b, err := found(t, dir).Fetched("https://git.example.com/acme/other", "main"); err != nil || b == nil || b.Name != "company/main" {
		t.Errorf("the only remote: %+v, %v", b, err)
	}
}
