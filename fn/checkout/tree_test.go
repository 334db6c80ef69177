package checkout

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"migrate-to-flux-operator/fn/limit"
	"testing/fstest"
)

// write creates files with their directories below dir.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// openTree opens a directory for a test.
func openTree(t *testing.T, dir string, o Options) *Tree {
	t.Helper()
	tree, err := Open(context.Background(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tree.Close() })
	return tree
}

// runGit runs git, or skips the test where there is none.
func runGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git to compare with")
	}
	args = append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main",
		"-c", "core.autocrlf=false"}, args...)
	out, err := exec.Command("git", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestOpenReadsWhatMayMatter(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"a.yaml": "a: 1\n", "b/c.yml": "{{ broken", "b/d.json": "{}", "b/Kustomization": "x: 1", "e.txt": "x",
		".git/config.yaml": "x", ".git/HEAD": "ref: refs/heads/main", ".git/objects/x": "x", ".sops.yaml": "x", "bin.yaml": "a\x00b", "wide.yaml": "\xff\xfea\x00:\x00", "big.yaml": strings.Repeat("x", limit.Size+1),
		".krmignore": "skipped/\n*.tmp.yaml\n", "skipped/a.yaml": "x", "x.tmp.yaml": "x", "t.yaml.j2": "x",
	})
	for link, to := range map[string]string{"link.yaml": "a.yaml", "out.yaml": "/etc/hosts", "dir": "b"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	tree := openTree(t, dir, Options{})
	if want := []string{".sops.yaml", "a.yaml", "b/Kustomization", "b/c.yml", "b/d.json"}; !slices.Equal(tree.Files(), want) {
		t.Errorf("got %v, want %v", tree.Files(), want)
	}
	if want := []Note{{"big.yaml", limit.ErrSize.Error()}, {"wide.yaml", errUTF16.Error()}}; !slices.Equal(tree.Notes(), want) {
		t.Errorf("got notes %v, want %v", tree.Notes(), want)
	}
	if want := []string{"skipped", "x.tmp.yaml"}; !slices.Equal(tree.LeftOut(), want) {
		t.Errorf("left out: %v, want %v", tree.LeftOut(), want)
	}
	if _, err := tree.ReadFile("skipped/a.yaml"); err != nil {
		t.Errorf("a .krmignored file is still part of the file system: %v", err)
	}
	for _, name := range []string{".git/config.yaml", "out.yaml", "../x", "/etc/hosts", "b/../a.yaml"} {
		if _, err := tree.ReadFile(name); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

func TestOpenNotesUnreadable(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root reads everything")
	}
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.yaml": "a", "b/c.yaml": "c"})
	for _, name := range []string{"a.yaml", "b"} {
		if err := os.Chmod(filepath.Join(dir, name), 0); err != nil {
			t.Fatal(err)
		}
	}
	defer os.Chmod(filepath.Join(dir, "b"), 0o755)
	if got := openTree(t, dir, Options{}).Notes(); len(got) != 2 || got[0].Message != "permission denied" {
		t.Errorf("got %v", got)
	}
}

func TestOpenStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Open(ctx, t.TempDir(), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestIgnoreLikeGit compares with the files that Git sees: tracked ones and those that it would add.
func TestIgnoreLikeGit(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		".gitignore":     "# comment\n*.tmp.yaml\n/top.yaml\nbuild/\n!keep.tmp.yaml\ndeep/**/gone.yaml\n[ab]x.yaml\nsub/off.yaml\r\n",
		"sub/.gitignore": "*\n!*/\n!*.yaml\nlocal.yaml\n",
		"sub/a.yaml":     "1", "sub/a.json": "1", "sub/local.yaml": "1", "sub/off.yaml": "1", "sub/d/b.json": "1", "sub/d/b.yaml": "1",
		"a.tmp.yaml": "1", "keep.tmp.yaml": "1", "top.yaml": "1", "x/top.yaml": "1", "build/a.yaml": "1", "x/build/a.yaml": "1",
		"deep/gone.yaml": "1", "deep/x/gone.yaml": "1", "deep/x/y/gone.yaml": "1", "ax.yaml": "1", "cx.yaml": "1",
		"build/kept.yaml": "1", "tracked.tmp.yaml": "1", "excluded.yaml": "1",
	})
	runGit(t, dir, "init", "-q")
	write(t, dir, map[string]string{".git/info/exclude": "excluded.yaml\n"})
	runGit(t, dir, "add", "-f", "build/kept.yaml", "tracked.tmp.yaml")
	for n := range 8 { // an index pads names to eight lengths
		name := strings.Repeat("t", n+1) + ".tmp.yaml"
		write(t, dir, map[string]string{name: "1"})
		runGit(t, dir, "add", "-f", name)
	}
	for _, version := range []string{"2", "4"} {
		runGit(t, dir, "update-index", "--index-version", version)
		for _, sub := range []string{"", "sub", "deep", "x"} {
			likeGit(t, dir, sub)
		}
	}
}

// likeGit compares the files below one directory of a repository.
func likeGit(t *testing.T, dir, sub string) {
	t.Helper()
	var want []string
	for name := range strings.Lines(runGit(t, dir, "ls-files", "--cached", "--others", "--exclude-standard")) {
		name, inside := strings.CutPrefix(strings.TrimSpace(name), strings.TrimPrefix(sub+"/", "/"))
		if inside && IsCandidate(filepath.Base(name)) {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	tree := openTree(t, filepath.Join(dir, sub), Options{})
	if !slices.Equal(tree.Files(), want) {
		t.Errorf("%q: got %v, want %v", sub, tree.Files(), want)
	}
}

func TestFileSystem(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.yaml": "a", "b/c.yaml": "c", "b/d.txt": "d", "e/f.yaml": "f", ".git/HEAD": "ref: refs/heads/main", ".git/objects/x": "x"})
	tree := openTree(t, dir, Options{})
	if err := fstest.TestFS(tree, "a.yaml", "b/c.yaml", "b/d.txt", "e/f.yaml"); err != nil {
		t.Error(err)
	}
	changes := []Change{
		{Path: "a.yaml", Before: []byte("a"), After: []byte("changed")},
		{Path: "e/f.yaml", Before: []byte("f")},
		{Path: "new/dir/g.yaml", After: []byte("g")},
		{Path: "b/h.yaml", After: []byte("h")},
	}
	after := tree.With(changes)
	if err := fstest.TestFS(after, "a.yaml", "b/c.yaml", "b/d.txt", "new/dir/g.yaml", "b/h.yaml"); err != nil {
		t.Error(err)
	}
	if _, err := after.Stat("e"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the emptied directory: %v", err)
	}
	want := contents(t, after)
	if err := Apply(context.Background(), dir, changes); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, openTree(t, dir, Options{})); !slices.Equal(got, want) {
		t.Errorf("got %v, planned %v", got, want)
	}
}

// contents is every file and directory of a file system with what it holds.
func contents(t *testing.T, fsys fs.FS) []string {
	t.Helper()
	var out []string
	err := fs.WalkDir(fsys, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			out = append(out, name)
			return err
		}
		raw, err := fs.ReadFile(fsys, name)
		out = append(out, name+"="+string(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
