package inventory

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// update rewrites the expectations.
var update = flag.Bool("update", false, "rewrite testdata/*/want.txt")

// TestCompare runs every case of testdata: the base with the files of before/
// is pushed, then the base with those of after/. An empty file is one that
// is removed. The roots are those that are live before the push.
func TestCompare(t *testing.T) {
	cases, err := filepath.Glob("testdata/*/after")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, c := range cases {
		dir := filepath.Dir(c)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			before := overlay(t, os.DirFS("testdata/base"), filepath.Join(dir, "before"))
			after := overlay(t, before, filepath.Join(dir, "after"))
			was, is := pair(t, before, after)
			golden(t, filepath.Join(dir, "want.txt"), Compare(was, is, CompareOptions{}).Text())
		})
	}
}

// overlay puts the files of dir over a tree.
func overlay(t *testing.T, tree fs.FS, dir string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	for _, layer := range []fs.FS{tree, os.DirFS(dir)} {
		files, err := load(layer)
		if err != nil && layer == tree {
			t.Fatal(err)
		}
		for name := range files.files {
			data := files.content(name)
			if len(data) == 0 {
				delete(out, name)
				continue
			}
			out[name] = &fstest.MapFile{Data: data}
		}
	}
	return out
}

// pair builds both sides from the roots of the first.
func pair(t *testing.T, before, after fs.FS) (*Inventory, *Inventory) {
	t.Helper()
	files := open(t, before)
	clusters := files.Discover()
	if len(clusters) != 1 {
		t.Fatalf("clusters: %v", clusters)
	}
	was := files.Build(clusters[0].Roots...)
	return was, follow(t, was, after, clusters[0].Roots...)
}

// open reads a tree.
func open(t *testing.T, tree fs.FS) *Files {
	t.Helper()
	files, err := Open(tree)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// follow builds the state after another one.
func follow(t *testing.T, before *Inventory, tree fs.FS, roots ...Root) *Inventory {
	t.Helper()
	files, err := (&Files{renderer: before.walk.renderer}).With(tree)
	if err != nil {
		t.Fatal(err)
	}
	return files.Follow(before, roots...)
}

// golden compares with a file, or writes it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// TestTree shows the base as people see it.
func TestTree(t *testing.T) {
	base := os.DirFS("testdata/base")
	was, _ := pair(t, base, base)
	golden(t, "testdata/tree.txt", was.Tree())
	if !strings.Contains(was.List(), "HelmRelease/default/echo\tflux-system/echo\tkubernetes/apps/default/echo/helmrelease.yaml") {
		t.Errorf("the patch of the parent, with a value from the repository, does not reach the child:\n%s", was.List())
	}
}
