package checkout

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

func TestUpstream(t *testing.T) {
	remote, dir := t.TempDir(), t.TempDir()
	ask := func(sub string, files map[string][]byte) Publication {
		t.Helper()
		p, err := Upstream(context.Background(), filepath.Join(dir, sub), files)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	files := map[string][]byte{"b.yaml": []byte("b\r\n"), "sub/a.yaml": []byte("a\n")}
	if _, err := exec.LookPath("git"); err == nil && ask("", files).Repository {
		t.Error("a repository where there is none")
	}
	git(t, remote, "init", "-q", "--bare")
	git(t, dir, "init", "-q")
	write(t, dir, map[string]string{"sub/a.yaml": "a\n", "b.yaml": "b\n"})
	git(t, dir, "add", "sub")
	git(t, dir, "commit", "-q", "-m", "x")
	both, second := []string{"b.yaml", "sub/a.yaml"}, []string{"b.yaml"}
	if p := ask("", files); p.Upstream != "" || !slices.Equal(p.Uncommitted, second) || !slices.Equal(p.Unpushed, both) || p.Published() {
		t.Errorf("without upstream: %+v", p)
	}
	git(t, dir, "remote", "add", "origin", remote)
	git(t, dir, "push", "-q", "-u", "origin", "main")
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "y")
	if p := ask("", files); p.Upstream != "origin/main" || len(p.Uncommitted) > 0 || !slices.Equal(p.Unpushed, second) || p.Published() {
		t.Errorf("before the push: %+v", p)
	}
	git(t, dir, "push", "-q")
	if p := ask("", files); !p.Published() {
		t.Errorf("after the push: %+v", p)
	}
	if p := ask("sub", map[string][]byte{"a.yaml": []byte("a\n")}); !p.Published() {
		t.Errorf("from a subdirectory: %+v", p)
	}
	if p := ask("", map[string][]byte{"b.yaml": []byte("other\n")}); p.Published() {
		t.Errorf("other content: %+v", p)
	}
	git(t, dir, "checkout", "-q", "--detach")
	if p := ask("", files); p.Published() || p.Upstream != "" {
		t.Errorf("a detached HEAD: %+v", p)
	}
}
