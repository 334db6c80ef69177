package checkout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"migrate-to-flux-operator/fn/regular"
)

// state is every file of a directory with its mode and content, but for `.git`.
func state(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.Name() == ".git" {
			if err == nil && e.IsDir() {
				err = fs.SkipDir
			}
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		content := ""
		if e.Type().IsRegular() {
			raw, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			content = string(raw)
		}
		rel, err := filepath.Rel(dir, name)
		out = append(out, fmt.Sprintf("%s %s %q", rel, info.Mode(), content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sample is a directory and changes of every kind.
func sample(t *testing.T) (dir string, changes []Change) {
	dir = t.TempDir()
	write(t, dir, map[string]string{"a.yaml": "a\n", "b/c.yaml": "c\n", "b/run.sh": "x\n", "d/e/f.yaml": "f\n"})
	if err := os.Chmod(filepath.Join(dir, "b/run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir, []Change{
		{Path: "a.yaml", Before: []byte("a\n"), After: []byte("a2\n")},
		{Path: "b/run.sh", Before: []byte("x\n"), After: []byte("y\n")},
		{Path: "d/e/f.yaml", Before: []byte("f\n")},
		{Path: "n/e/w.yaml", After: []byte("new\n")},
		{Path: "n/e/w.sh", After: []byte("new\n"), Mode: 0o755},
	}
}

func TestApply(t *testing.T) {
	dir, changes := sample(t)
	if err := Apply(context.Background(), dir, changes); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(state(t, dir), "\n")
	want := `. drwxr-xr-x ""
a.yaml -rw-r--r-- "a2\n"
b drwxr-xr-x ""
b/c.yaml -rw-r--r-- "c\n"
b/run.sh -rwxr-xr-x "y\n"
n drwxr-xr-x ""
n/e drwxr-xr-x ""
n/e/w.sh -rwxr-xr-x "new\n"
n/e/w.yaml -rw-r--r-- "new\n"`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// refused checks that changes fail with an error and change nothing.
func refused(t *testing.T, ctx context.Context, dir string, changes []Change, want error) {
	t.Helper()
	before := state(t, dir)
	err := Apply(ctx, dir, changes)
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
	if after := state(t, dir); !slices.Equal(before, after) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
}

func TestApplyRefuses(t *testing.T) {
	content := []byte("x\n")
	for name, c := range map[string]struct {
		change Change
		want   error
	}{
		"a file that changed":    {Change{Path: "z.yaml", Before: []byte("old"), After: content}, regular.ErrChanged},
		"a file that vanished":   {Change{Path: "gone.yaml", Before: []byte("old"), After: content}, regular.ErrChanged},
		"a file that is there":   {Change{Path: "z.yaml", After: content}, errExists},
		"the parent":             {Change{Path: "../x.yaml", After: content}, errOutside},
		"an absolute path":       {Change{Path: "/tmp/x.yaml", After: content}, errOutside},
		"a path with dots":       {Change{Path: "b/../x.yaml", After: content}, errOutside},
		"git's own files":        {Change{Path: "b/.GIT/hooks/x", After: content}, errOutside},
		"a backslash":            {Change{Path: `..\x.yaml`, After: content}, errOutside},
		"the same file twice":    {Change{Path: "a.yaml", Before: []byte("a\n"), After: content}, errTwice},
		"a file as a directory":  {Change{Path: "z.yaml/x.yaml", After: content}, regular.ErrNotAFile},
		"a directory as a file":  {Change{Path: "b", Before: content, After: content}, regular.ErrNotAFile},
		"a link":                 {Change{Path: "link.yaml", Before: []byte("z\n"), After: content}, regular.ErrLink},
		"below a link inside":    {Change{Path: "in/x.yaml", After: content}, regular.ErrLink},
		"below a link outside":   {Change{Path: "out/x.yaml", After: content}, regular.ErrLink},
		"deep below such a link": {Change{Path: "out/y/x.yaml", After: content}, nil},
		"a read-only file":       {Change{Path: "locked.yaml", Before: content, After: nil}, errReadOnly},
		"nothing at all":         {Change{Path: "q.yaml"}, errNoContent},
	} {
		t.Run(name, func(t *testing.T) {
			dir, changes := sample(t)
			write(t, dir, map[string]string{"z.yaml": "z\n", "locked.yaml": "x\n"})
			outside := t.TempDir()
			for link, to := range map[string]string{"link.yaml": "z.yaml", "in": "b", "out": outside} {
				if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
					t.Skip("no symbolic links here:", err)
				}
			}
			if err := os.Chmod(filepath.Join(dir, "locked.yaml"), 0o444); err != nil {
				t.Fatal(err)
			}
			if c.want == nil {
				if err := Apply(context.Background(), dir, append(changes, c.change)); err == nil {
					t.Error("no error")
				}
			} else {
				refused(t, context.Background(), dir, append(changes, c.change), c.want)
			}
			if list, _ := os.ReadDir(outside); len(list) > 0 {
				t.Errorf("%s was written outside", list[0].Name())
			}
		})
	}
}

// countdown is a context that is cancelled after it was asked some times.
type countdown struct {
	context.Context
	left *int
}

// Err counts.
func (c countdown) Err() error {
	if *c.left--; *c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestApplyCancelledHalfWay(t *testing.T) {
	n := 0
	for ; ; n++ {
		dir, changes := sample(t)
		before := state(t, dir)
		left := n
		err := Apply(countdown{context.Background(), &left}, dir, changes)
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) || !slices.Equal(before, state(t, dir)) {
			t.Fatalf("after %d steps: %v\n%s", n, err, strings.Join(state(t, dir), "\n"))
		}
	}
	if n != 15 {
		t.Errorf("cancelled at %d points, want one for each of 3 steps on 5 files", n)
	}
}

// meddler is a context that changes a file when the last step begins.
type meddler struct {
	context.Context
	left *int
	do   func()
}

// Err counts.
func (m meddler) Err() error {
	if *m.left--; *m.left == 0 {
		m.do()
	}
	return nil
}

func TestApplyFileChangedInBetween(t *testing.T) {
	dir, changes := sample(t)
	left := 15 // before the last file's rename
	meddle := meddler{context.Background(), &left, func() { write(t, dir, map[string]string{"n/e/w.yaml": "theirs\n"}) }}
	if err := Apply(meddle, dir, changes); !errors.Is(err, errExists) {
		t.Errorf("got %v", err)
	}
	got := strings.Join(state(t, dir), "\n")
	if !strings.Contains(got, `n/e/w.yaml -rw-r--r-- "theirs\n"`) || !strings.Contains(got, `a.yaml -rw-r--r-- "a\n"`) || strings.Contains(got, "~") {
		t.Errorf("got\n%s", got)
	}
}

func TestApplyReadOnlyDirectory(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root writes everywhere")
	}
	dir, changes := sample(t)
	if err := os.Chmod(filepath.Join(dir, "d/e"), 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(filepath.Join(dir, "d/e"), 0o755)
	refused(t, context.Background(), dir, changes, fs.ErrPermission)
}

func TestApplyFullDisk(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k", "none", dir).CombinedOutput(); err != nil {
		t.Skipf("cannot mount a small disk: %v %s", err, out)
	}
	defer exec.Command("umount", dir).Run()
	write(t, dir, map[string]string{"a.yaml": "a\n", "b.yaml": "b\n"})
	refused(t, context.Background(), dir, []Change{
		{Path: "a.yaml", Before: []byte("a\n"), After: []byte("a2\n")},
		{Path: "b.yaml", Before: []byte("b\n"), After: bytes.Repeat([]byte("x"), 128<<10)},
		{Path: "n/c.yaml", After: []byte("c\n")},
	}, syscall.ENOSPC)
}

// randomText is lines with doubled ones among them, odd line breaks, and with or without a final newline.
func randomText(r *rand.Rand) []byte {
	var out []byte
	for range r.IntN(30) {
		out = append(out, []string{"a", "b: 1", "", "- x", "é 🚀", "+++ x", "--- y", "\\ No newline"}[r.IntN(8)]...)
		out = append(out, []string{"\n", "\n", "\n", "\r\n"}[r.IntN(4)]...)
	}
	if r.IntN(3) == 0 {
		out = append(out, "end"...)
	}
	return append([]byte{}, out...)
}

// mutated is a text with some lines changed.
func mutated(r *rand.Rand, text []byte) []byte {
	out := []byte{}
	for line := range bytes.Lines(text) {
		switch r.IntN(8) {
		case 0:
		case 1:
			out = append(out, "new line\n"...)
			out = append(out, line...)
		default:
			out = append(out, line...)
		}
	}
	if r.IntN(6) == 0 {
		out = bytes.TrimSuffix(out, []byte("\n"))
	}
	return out
}

// randomChanges fills a directory and changes it.
func randomChanges(t *testing.T, r *rand.Rand, dir string) []Change {
	var changes []Change
	for _, name := range []string{"a.yaml", "with space/b c.yaml", "é/ü.yaml", `q"uote.yaml`, "tab\t.yaml", "d/e/f.yaml"} {
		c := Change{Path: name, Before: randomText(r), Mode: 0o644}
		write(t, dir, map[string]string{name: string(c.Before)})
		if r.IntN(4) == 0 {
			c.Mode = 0o755
			if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if r.IntN(4) > 0 {
			c.After = mutated(r, c.Before)
		}
		changes = append(changes, c)
	}
	for _, name := range []string{"new.yaml", "n/e w/x.sh", "empty.yaml"} {
		c := Change{Path: name, After: randomText(r), Mode: 0o644}
		if strings.HasSuffix(name, "sh") {
			c.Mode = 0o755
		}
		if name == "empty.yaml" {
			c.After = []byte{}
		}
		changes = append(changes, c)
	}
	return changes
}

func TestDiffIsApply(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		one, two := t.TempDir(), t.TempDir()
		changes := randomChanges(t, r, one)
		randomChanges(t, rand.New(rand.NewPCG(seed, 1)), two)
		patch := filepath.Join(t.TempDir(), "patch")
		shown := Diff(changes)
		if err := os.WriteFile(patch, shown, 0o644); err != nil {
			t.Fatal(err)
		}
		runGit(t, two, "init", "-q")
		runGit(t, two, "add", "-A")
		apply := []string{"apply", "--whitespace=nowarn", patch}
		if strings.Contains(string(shown), "--unidiff-zero") {
			apply = slices.Insert(apply, 1, "--unidiff-zero")
		}
		runGit(t, two, apply...)
		if err := Apply(context.Background(), one, changes); err != nil {
			t.Fatal(err)
		}
		a, b := state(t, one), state(t, two)
		if !slices.Equal(a, b) {
			t.Fatalf("seed %d: apply gives\n%s\ngit apply gives\n%s\nfrom\n%s", seed, strings.Join(a, "\n"), strings.Join(b, "\n"), Diff(changes))
		}
	}
}

func TestDiff(t *testing.T) {
	got := string(Diff([]Change{
		{Path: "b c.yaml", Before: []byte("x\ny"), After: []byte("x\ny\n")},
		{Path: "a.yaml", After: []byte("x\n")},
		{Path: "same.yaml", Before: []byte("x"), After: []byte("x")},
		{Path: "ü.yaml", Before: []byte("x\n"), Mode: 0o755},
	}))
	want := "diff --git a/a.yaml b/a.yaml\nnew file mode 100644\n--- /dev/null\n+++ b/a.yaml\n@@ -0,0 +1,1 @@\n+x\n" +
		"diff --git a/b c.yaml b/b c.yaml\n--- a/b c.yaml\t\n+++ b/b c.yaml\t\n@@ -1,2 +1,2 @@\n x\n-y\n\\ No newline at end of file\n+y\n" +
		"diff --git \"a/\\303\\274.yaml\" \"b/\\303\\274.yaml\"\ndeleted file mode 100755\n--- \"a/\\303\\274.yaml\"\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
