package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
)

// TestTables holds that the tables of the product are what the pinned modules give: also the rows of the newest
// releases, which are taken away here and have to come back the same.
func TestTables(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	product, copied := filepath.Join("..", "..", "fn"), t.TempDir()
	for _, folder := range []string{"flux/data", "fields/census"} {
		if err := os.CopyFS(filepath.Join(copied, folder), os.DirFS(filepath.Join(product, folder))); err != nil {
			t.Fatal(err)
		}
	}
	forget(t, filepath.Join(copied, "flux/data/operators.tsv"), 1)
	forget(t, filepath.Join(copied, "flux/data/distribution.tsv"), 2)
	if err := os.RemoveAll(filepath.Join(copied, "flux/data/manifests")); err != nil {
		t.Fatal(err)
	}
	if err := write(copied); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"flux/data", "fields/census"} {
		same(t, filepath.Join(product, folder), filepath.Join(copied, folder))
	}
}

// forget takes the last rows of a table away.
func forget(t *testing.T, file string, rows int) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(string(content), "\n"), "\n")
	if err := os.WriteFile(file, []byte(strings.Join(lines[:len(lines)-rows], "")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// same fails for each file that the folders do not share byte for byte.
func same(t *testing.T, want, have string) {
	t.Helper()
	var names []string
	for _, root := range []string{want, have} {
		err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && !strings.HasSuffix(name, ".go") {
				names = append(names, name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		a, errA := os.ReadFile(filepath.Join(want, name))
		b, errB := os.ReadFile(filepath.Join(have, name))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s is not what the pinned modules give: run make data (%v, %v)", name, errA, errB)
		}
	}
}

// TestOperatorsAreOrdered holds that the newest release is the last row, which writeOperators relies on.
func TestOperatorsAreOrdered(t *testing.T) {
	read, err := readTable(filepath.Join("..", "..", "fn", "flux", "data", "operators.tsv"), "operator")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(read.rows, func(a, b []string) int { return semver.MustParse(a[0]).Compare(semver.MustParse(b[0])) }) {
		t.Error("operators.tsv is not in the order of the releases")
	}
}
