package golden

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree is a folder: the content of each file by its path, with slashes.
type tree map[string]string

// readTree reads a folder with its list of deleted files; an absent one is empty.
func readTree(t testing.TB, dir string) tree {
	t.Helper()
	files := tree{}
	if !exists(dir) {
		return files
	}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, name)
		files[filepath.ToSlash(relative)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// with is the tree after changes: files that take the place of others, and the files that DELETED lists gone.
func (files tree) with(changes tree) tree {
	after := maps.Clone(files)
	maps.Copy(after, changes)
	for _, name := range strings.Fields(after[deletedFile]) {
		delete(after, name)
	}
	delete(after, deletedFile)
	return after
}

// minus are the changes that make this tree of an earlier one.
func (files tree) minus(before tree) tree {
	changes := tree{}
	deleted := ""
	for _, name := range union(files, before) {
		content, kept := files[name]
		switch was, old := before[name]; {
		case !kept:
			deleted += name + "\n"
		case !old || was != content:
			changes[name] = content
		}
	}
	if deleted != "" {
		changes[deletedFile] = deleted
	}
	return changes
}

// write puts the files below a folder.
func (files tree) write(t testing.TB, dir string) {
	t.Helper()
	for name, content := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// union lists the files of both trees.
func union(a, b tree) []string {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return slices.Sorted(maps.Keys(both))
}

// differences shows where two trees part.
func differences(want, have tree) string {
	var out strings.Builder
	for _, name := range union(want, have) {
		if want[name] != have[name] {
			out.WriteString(name + ":\n" + difference(want[name], have[name]))
		}
	}
	return out.String()
}

// difference shows where two texts part, line by line, without what they share at both ends.
func difference(want, have string) string {
	w, h := strings.Split(want, "\n"), strings.Split(have, "\n")
	start := 0
	for start < min(len(w), len(h)) && w[start] == h[start] {
		start++
	}
	end := 0
	for end < min(len(w), len(h))-start && w[len(w)-1-end] == h[len(h)-1-end] {
		end++
	}
	var out strings.Builder
	fmt.Fprintf(&out, "  from line %d\n", start+1)
	for _, line := range w[start : len(w)-end] {
		out.WriteString("  want: " + line + "\n")
	}
	for _, line := range h[start : len(h)-end] {
		out.WriteString("  have: " + line + "\n")
	}
	return out.String()
}
