package command

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestLinear holds that each of many clusters in one repository costs what each of few does. What is counted are
// allocations: that depends on no machine, and everything that looks at each cluster for each cluster makes some.
func TestLinear(t *testing.T) {
	const few, many = 6, 24
	planned(t, 1) // renders what all runs share
	each, then := planned(t, few)/few, planned(t, many)/many
	t.Logf("allocations for each cluster: %d of %d clusters, %d of %d", each, few, then, many)
	if then > each*5/4 {
		t.Errorf("each of %d clusters takes %d allocations, and each of %d takes %d", many, then, few, each)
	}
}

// planned counts the allocations of a plan, with its proof, for so many clusters.
func planned(t *testing.T, clusters int) uint64 {
	t.Helper()
	dir := fleet(t, clusters)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	must(t, 0, dir, "plan", "DIR")
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}

// fleet is a repository of clusters that are like the one of the example bootstrap.
func fleet(t testing.TB, clusters int) string {
	t.Helper()
	dir := t.TempDir()
	example := filepath.Join("..", "..", "examples", "bootstrap", "input")
	for n := range clusters {
		name := fmt.Sprintf("cluster-%03d", n)
		copyTree(t, filepath.Join(example, "clusters", "production"), filepath.Join(dir, "clusters", name))
		copyTree(t, filepath.Join(example, "apps"), filepath.Join(dir, "apps", name))
		for _, file := range []string{"apps.yaml", "flux-system/gotk-sync.yaml"} {
			content, err := os.ReadFile(filepath.Join(example, "clusters", "production", file))
			if err != nil {
				t.Fatal(err)
			}
			paths := strings.NewReplacer("./clusters/production", "./clusters/"+name, "path: ./apps", "path: ./apps/"+name)
			write(t, dir, "clusters/"+name+"/"+file, paths.Replace(string(content)))
		}
	}
	return dir
}
