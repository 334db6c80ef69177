package checkout

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// killer is a context that ends Apply, without letting it put anything back, when it is asked for the last time.
type killer struct {
	context.Context
	left *int
}

// Err counts.
func (k killer) Err() error {
	if *k.left--; *k.left < 0 {
		panic(k)
	}
	return nil
}

// kill lets Apply take some steps, and reports whether it was killed then.
func kill(t *testing.T, dir string, changes []Change, steps int) (killed bool) {
	t.Helper()
	defer func() {
		if broken := recover(); broken != nil {
			if _, ours := broken.(killer); !ours {
				panic(broken)
			}
			killed = true
		}
	}()
	if err := Apply(killer{context.Background(), &steps}, dir, changes); err != nil {
		t.Fatal(err)
	}
	return false
}

// TestRecover kills Apply after each step: the next run finds out what was changed, and puts it back.
func TestRecover(t *testing.T) {
	for steps := 0; ; steps++ {
		dir, changes := sample(t)
		before := state(t, dir)
		if !kill(t, dir, changes, steps) {
			break
		}
		tree := openTree(t, dir, Options{})
		left, err := tree.Leftover()
		if err != nil || left.Folder == "" != (steps < 5) || len(left.Changed) != max(0, steps-10) {
			t.Errorf("after %d steps: %+v, %v", steps, left, err)
		}
		if files := strings.Join(tree.Files(), " "); strings.Contains(files, folder) || tree.check("open", folder+"/new0") == nil && left.Folder != "" {
			t.Errorf("after %d steps: the folder is read: %s", steps, files)
		}
		if err := Apply(context.Background(), dir, changes); steps >= 5 && !errors.Is(err, errKilled) {
			t.Errorf("after %d steps: another apply is not refused: %v", steps, err)
		}
		if steps < 5 {
			continue
		}
		if recovered, err := Recover(dir); err != nil || !slices.Equal(recovered.Changed, left.Changed) {
			t.Errorf("after %d steps: %+v, %v", steps, recovered, err)
		}
		if after := state(t, dir); !slices.Equal(before, after) {
			t.Errorf("after %d steps: got\n%s\nwant\n%s", steps, strings.Join(after, "\n"), strings.Join(before, "\n"))
		}
		if err := Apply(context.Background(), dir, changes); err != nil {
			t.Errorf("after %d steps: the next apply: %v", steps, err)
		}
	}
}

// TestRecoverForward kills Apply when all is in its place: it stays there.
func TestRecoverForward(t *testing.T) {
	dir, changes := sample(t)
	if !kill(t, dir, changes, 14) {
		t.Fatal("not killed")
	}
	write(t, dir, map[string]string{"n/e/w.yaml": "new\n"})
	if left, err := Recover(dir); err != nil || left.Folder == "" || len(left.Changed) > 0 {
		t.Errorf("%+v, %v", left, err)
	}
	whole, changes := sample(t)
	if err := Apply(context.Background(), whole, changes); err != nil {
		t.Fatal(err)
	}
	without := func(all []string) []string {
		return slices.DeleteFunc(all, func(s string) bool { return strings.HasPrefix(s, "d ") || strings.HasPrefix(s, "d/") })
	}
	if got, want := without(state(t, dir)), without(state(t, whole)); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestRecoverRefuses holds that nothing is put back, or removed, of which it is not sure that Apply has put it there.
func TestRecoverRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(t *testing.T, dir string)
		want string
	}{
		"a changed file was edited since": {func(t *testing.T, dir string) { write(t, dir, map[string]string{"a.yaml": "theirs\n"}) }, "edited since: a.yaml"},
		"the old content is gone":         {func(t *testing.T, dir string) { remove(t, dir, oldOf(0)) }, "its old content is gone"},
		"the old content was changed": {func(t *testing.T, dir string) {
			remove(t, dir, oldOf(0))
			write(t, dir, map[string]string{oldOf(0): "x"})
		}, "its old content is gone"},
		"somebody's file in the folder": {func(t *testing.T, dir string) { write(t, dir, map[string]string{folder + "/notes": "x"}) }, "what no apply has written"},
		"somebody's folder":             {func(t *testing.T, dir string) { write(t, dir, map[string]string{folder + "/old/x": "x"}) }, "what no apply has written"},
		"a journal of something else":   {func(t *testing.T, dir string) { write(t, dir, map[string]string{journalName: "{\"a\": 1}"}) }, "what no apply has written"},
		"a journal that leads out": {func(t *testing.T, dir string) {
			write(t, dir, map[string]string{journalName: `{"files": [{"path": "../x"}]}`})
		}, "leads out of the directory"},
		"a journal that leads into .git": {func(t *testing.T, dir string) {
			write(t, dir, map[string]string{journalName: `{"files": [{"path": ".git/config"}]}`})
		}, "leads out of the directory"},
		"a folder in Git": {func(t *testing.T, dir string) {
			runGit(t, dir, "init", "-q")
			runGit(t, dir, "add", "--all", "--force")
		}, "is in Git"},
		"another run at work": {func(t *testing.T, dir string) {
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			unlock, err := lock(root)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(unlock)
		}, "another apply is at work"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, changes := sample(t)
			if !kill(t, dir, changes, 12) {
				t.Fatal("not killed")
			}
			c.do(t, dir)
			before := state(t, dir)
			if _, err := Recover(dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if after := state(t, dir); !slices.Equal(before, after) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
			}
		})
	}
}

// remove removes a file.
func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}
