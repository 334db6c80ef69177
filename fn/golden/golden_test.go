// Package golden runs the cases of testdata and examples: a directory is a case, and its name is the fact that it
// shows. testdata/README.md says how a case is laid out.
package golden

import (
	"cmp"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// update writes what the function does as the expectation, and deletes what is no longer one.
var update = flag.Bool("update", false, "write the expectations of the golden cases and delete stale ones")

// root is the root of the repository.
var root = filepath.Join("..", "..")

// TestGolden runs every case of testdata.
func TestGolden(t *testing.T) {
	runAll(t, "testdata")
}

// TestGoldenExamples runs the examples that are laid out as cases.
func TestGoldenExamples(t *testing.T) {
	if len(caseNames(t, "examples")) == 0 {
		t.Skip("no example has an input and an expectation")
	}
	runAll(t, "examples")
}

func runAll(t *testing.T, parent string) {
	names := caseNames(t, parent)
	if len(names) == 0 {
		t.Fatalf("no cases in %s", parent)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			if !*update { // which writes a case before those that build on it
				t.Parallel()
			}
			c := load(t, filepath.Join(root, parent, name))
			switch {
			case c.list != nil:
				runList(t, c)
			case c.flags != nil:
				runCheckout(t, c)
			default:
				runTree(t, c)
			}
		})
	}
}

// caseNames lists the folders of parent that are cases; a folder that holds something else is not one.
func caseNames(t *testing.T, parent string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, parent))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() && (parent == "testdata" || exists(filepath.Join(root, parent, entry.Name(), "expected"))) {
			names = append(names, entry.Name())
		}
	}
	slices.SortStableFunc(names, func(a, b string) int {
		return cmp.Compare(depth(t, parent, a), depth(t, parent, b))
	})
	return names
}

// depth counts the cases that a case builds on: -update has to write those first.
func depth(t *testing.T, parent, name string) int {
	t.Helper()
	for n := 0; ; n++ {
		from := strings.TrimSpace(string(read(t, filepath.Join(root, parent, name), fromFile)))
		if from == "" {
			return n
		}
		if n > len(from) {
			t.Fatalf("%s builds on itself", name)
		}
		name = filepath.Dir(from)
	}
}

// runTree holds what the edges make of a tree of files against the expectation, and proves what holds for every case.
func runTree(t *testing.T, c golden) {
	list := listOf(t, c.input, c.config)
	first := run(list)
	if *update {
		c.write(t, written(t, c.input, list, first))
		c = load(t, c.dir)
	}
	t.Run("function", func(t *testing.T) {
		c.checkResults(t, first)
		c.checkTree(t, written(t, c.input, list, first).tree)
	})
	if testing.Short() {
		return // what holds for every case is proved without -short
	}
	t.Run("apply", func(t *testing.T) { proveApply(t, c, first) })
	prove(t, list, first)
}

// runList is runTree for a case whose input is what a program wrote to the function's stdin.
func runList(t *testing.T, c golden) {
	got := run(c.list)
	if *update {
		c.writeList(t, got)
		c = load(t, c.dir)
	}
	c.checkList(t, got)
	if got.text == "" {
		return
	}
	prove(t, c.list, got)
}
