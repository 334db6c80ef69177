// Package e2e proves with the real tools that what the migration writes does what the classic install did.
package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/Masterminds/semver/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"migrate-to-flux-operator/e2e/classic"
	"migrate-to-flux-operator/e2e/compare"
	"migrate-to-flux-operator/e2e/objects"
	"migrate-to-flux-operator/e2e/operator"
)

// update rewrites the recorded expectations.
var update = flag.Bool("update", false, "rewrite the recorded expectations")

// elsewhere is a folder of other repositories for TestCorpus, whose outcomes nothing has recorded.
var elsewhere = flag.String("corpus", "", "take the repositories of this folder, and record nothing")

// work is a directory for what is built once and used by every test.
var work string

// TestMain makes the work directory and removes it.
func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

// run is TestMain with room for defer.
func run(m *testing.M) int {
	var err error
	if work, err = os.MkdirTemp("", "migrate-e2e"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(work)
	return m.Run()
}

// startOperator builds the operator's CLI and starts its registry, once.
var startOperator = sync.OnceValues(func() (*operator.Operator, error) {
	return operator.New(work)
})

// theOperator returns the real operator.
func theOperator(t *testing.T) *operator.Operator {
	t.Helper()
	started, err := startOperator()
	if err != nil {
		t.Fatal(err)
	}
	return started
}

// findManifests looks up the operator's module once.
var findManifests = sync.OnceValues(func() (classic.Manifests, error) {
	module, err := operator.Pinned()
	return classic.Manifests{Dir: filepath.Join(module.Dir, "config/data/flux")}, err
})

// manifests returns the Flux manifests of the operator's module.
func manifests(t *testing.T) classic.Manifests {
	t.Helper()
	found, err := findManifests()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// corpus returns a path in the corpus of real repositories, or skips where there is none.
func corpus(t *testing.T, path string) string {
	t.Helper()
	full := filepath.Join("..", "..", "shared", "corpus", path)
	if _, err := os.Stat(full); err != nil {
		t.Skipf("skipped: no corpus of real repositories at %s", full)
	}
	return full
}

// findClusters returns the classic installs of a repository.
func findClusters(t *testing.T, repository string) []classic.Cluster {
	t.Helper()
	found, err := classic.Find(repository)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// hold renders a cluster both ways and compares. An instance without a sync leaves the pair in Git.
func hold(t *testing.T, repository string, cluster classic.Cluster, instance *objects.Object) ([]compare.Difference, error) {
	t.Helper()
	pinned, version := pin(manifests(t), cluster.Version, instance)
	after, err := theOperator(t).Build(pinned)
	if err != nil {
		return nil, err
	}
	before, err := cluster.Render(repository, manifests(t), version)
	if err != nil {
		return nil, err
	}
	all := append(before.Install, bothIn(before.Extra, after)...)
	if _, synced, _ := unstructured.NestedMap(instance.Object, "spec", "sync"); synced {
		all = append(all, before.Sync...)
	}
	return compare.Objects(all, after)
}

// bothIn are the objects beside the install that the operator makes as well, such as the volume claim of
// source-controller.
func bothIn(extra, after []*objects.Object) []*objects.Object {
	return slices.DeleteFunc(slices.Clone(extra), func(one *objects.Object) bool {
		return !slices.ContainsFunc(after, func(other *objects.Object) bool { return objects.Name(one) == objects.Name(other) })
	})
}

// pin chooses the version that both sides render. An instance of 2.6.x runs the newest 2.6; what the classic install
// has is one exact version, and its artifact may hold other controllers than the newest: so the instance is built at
// that version, where its range allows it. Otherwise (another minor, or a version whose manifests the operator does not
// have) the classic install is rendered at what the operator picks, where that is the same minor or newer.
func pin(manifests classic.Manifests, detected string, instance *objects.Object) (*objects.Object, string) {
	pinned := instance.DeepCopy()
	versions, _, _ := unstructured.NestedString(instance.Object, "spec", "distribution", "version")
	picked := manifests.Select(versions)
	if manifests.Has(detected) && minor(picked) == minor(detected) {
		_ = unstructured.SetNestedField(pinned.Object, detected, "spec", "distribution", "version")
		return pinned, detected
	}
	if manifests.Has(detected) {
		return pinned, detected
	}
	return pinned, picked
}

// minor is the minor release of a version: v2.6.4 is 2.6.
func minor(version string) string {
	parsed, err := semver.NewVersion(version)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d.%d", parsed.Major(), parsed.Minor())
}

// report fails a test for each difference.
func report(t *testing.T, found []compare.Difference) {
	t.Helper()
	for _, one := range found {
		t.Errorf("%.500s", one)
	}
}

// readOne reads a file with one object.
func readOne(t *testing.T, file string) *objects.Object {
	t.Helper()
	read, err := objects.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(read) != 1 {
		t.Fatalf("%s: %d objects, want one", file, len(read))
	}
	return read[0]
}

// edit replaces text in an object, or fails: a mutation that changes nothing proves nothing.
func edit(t *testing.T, object *objects.Object, old, replacement string) *objects.Object {
	t.Helper()
	data, err := objects.Write([]*objects.Object{object})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		t.Fatalf("nothing to mutate: %q is not in\n%s", old, data)
	}
	read, err := objects.Read([]byte(strings.Replace(string(data), old, replacement, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return read[0]
}
