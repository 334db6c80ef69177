package inventory

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"migrate-to-flux-operator/fn/finding"

	"sigs.k8s.io/yaml"
)

// corpus is where real repositories lie, outside of the project.
const corpus = "../../../shared/corpus"

// repositories lists the corpus, or skips the test.
func repositories(t *testing.T) []string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: the real repositories are not tested")
	}
	dirs, _ := filepath.Glob(corpus + "/*@*")
	if len(dirs) == 0 {
		t.Skipf("%s is absent: the real repositories are not tested", corpus)
	}
	return dirs
}

// TestCorpus builds every cluster of every repository, prints how much of it
// is opaque, and sees no difference to itself.
func TestCorpus(t *testing.T) {
	t.Logf("%-55s %5s %5s %7s %7s %8s %7s", "cluster", "roots", "ks", "objects", "opaque", "problems", "seconds")
	for _, dir := range repositories(t) {
		tree := os.DirFS(dir)
		clusters := open(t, tree).Discover()
		if len(clusters) == 0 {
			t.Logf("%-55s no cluster found", filepath.Base(dir))
		}
		for _, c := range clusters {
			start := time.Now()
			inv := open(t, tree).Build(c.Roots...)
			if inv.List() != c.Inventory.List() {
				t.Errorf("%s: Discover and Build differ", c.Path)
			}
			seconds := time.Since(start).Seconds()
			opaque, all := inv.Share()
			t.Logf("%-55s %5d %5d %7d %3d/%-3d %8d %7.2f", cut(filepath.Base(dir))+" "+c.Path, len(c.Roots), all, len(inv.Entries), opaque, all, len(inv.Problems), seconds)
			again := follow(t, inv, tree, c.Roots...)
			if again.List() != inv.List() || again.Tree() != inv.Tree() {
				t.Errorf("%s: a second build differs", c.Path)
			}
			if v := Compare(inv, again, CompareOptions{}); len(v.Changes) > 0 || !v.OK() {
				t.Errorf("%s differs from itself:\n%s", c.Path, v.Text())
			}
		}
	}
}

// cut shortens the name of a repository.
func cut(s string) string { return s[:min(len(s), 28)] }

// TestRandomDeletions takes away at random something that a root reaches: an
// entry of a kustomization.yaml, one beside a patch, or a folder. The verdict
// has to see it every time.
func TestRandomDeletions(t *testing.T) {
	const trials = 200
	random := rand.New(rand.NewPCG(1, 2))
	var subjects []subject
	for _, dir := range repositories(t) {
		subjects = append(subjects, subjectsIn(t, dir)...)
	}
	kinds := map[string]int{}
	for done := 0; done < trials; {
		s := subjects[random.IntN(len(subjects))]
		e := s.prey[random.IntN(len(s.prey))]
		how, after := s.delete(random, e)
		if after == nil {
			continue
		}
		done++
		kinds[how]++
		s.check(t, how, e, after)
	}
	t.Logf("%d deletions in %d clusters: %v", trials, len(subjects), kinds)
	if len(kinds) < 3 {
		t.Errorf("not every kind of deletion was tried: %v", kinds)
	}
}

// subject is a cluster from which something is deleted.
type subject struct {
	dir   string
	tree  fstest.MapFS
	inv   *Inventory
	roots []Root
	prey  []Entry // what Flux would prune
}

// subjectsIn returns the clusters of a repository that prune anything.
func subjectsIn(t *testing.T, dir string) []subject {
	t.Helper()
	files, err := load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	tree := fstest.MapFS{}
	for name := range files.files {
		tree[name] = &fstest.MapFile{Data: files.content(name)}
	}
	var out []subject
	for _, c := range open(t, tree).Discover() {
		inv := c.Inventory
		s := subject{dir: dir, tree: tree, inv: inv, roots: c.Roots}
		for _, e := range inv.Entries {
			owner, _ := inv.Owner(e.Owner)
			if owner.prunes() && owner.Broken == "" && !e.Guarded() && !e.Unknown && len(inv.Find(e.ID)) == 1 && tree[e.File.String()] != nil {
				s.prey = append(s.prey, e)
			}
		}
		if len(s.prey) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// delete takes e's folder, or the entry that leads to e's file, out of a copy
// of the tree. It returns nothing where that cannot be done.
func (s subject) delete(random *rand.Rand, e Entry) (string, fstest.MapFS) {
	after := fstest.MapFS{}
	for name, f := range s.tree {
		after[name] = f
	}
	dir := path.Dir(e.File.String())
	if random.IntN(3) == 0 && dir != "." {
		for name := range s.tree {
			if strings.HasPrefix(name, dir+"/") {
				delete(after, name)
			}
		}
		return "folder", after
	}
	for up := dir; up != "."; up = path.Dir(up) {
		if how := dropEntry(after, up, e.File.String()); how != "" {
			return how, after
		}
		if random.IntN(2) == 0 {
			break
		}
	}
	return "", nil
}

// dropEntry takes the entry that covers file out of the kustomization.yaml of dir.
func dropEntry(tree fstest.MapFS, dir, file string) string {
	name := path.Join(dir, "kustomization.yaml")
	var k map[string]any
	if tree[name] == nil || yaml.Unmarshal(tree[name].Data, &k) != nil || strings.HasPrefix(str(k, "apiVersion"), kustomizeGroup) {
		return ""
	}
	resources, _ := k["resources"].([]any)
	kept := slices.DeleteFunc(slices.Clone(resources), func(r any) bool {
		p := path.Join(dir, r.(string))
		return file == p || strings.HasPrefix(file, p+"/")
	})
	if len(kept) == len(resources) {
		return ""
	}
	k["resources"] = kept
	data, _ := yaml.Marshal(k)
	tree[name] = &fstest.MapFile{Data: data, Mode: fs.ModePerm}
	if k["patches"] != nil {
		return "patch target"
	}
	return "resources entry"
}

// check demands an error, and for e itself an answer that is not `fine`.
func (s subject) check(t *testing.T, how string, e Entry, tree fs.FS) {
	t.Helper()
	after := follow(t, s.inv, tree, s.roots...)
	v := Compare(s.inv, after, CompareOptions{})
	if v.OK() {
		t.Errorf("%s: %s of %s (%s) is not noticed:\n%s", filepath.Base(s.dir), how, e.ID, e.File, v.Text())
	}
	if len(after.Find(e.ID)) > 0 {
		return // something else brings it, or the file was a component's
	}
	i := slices.IndexFunc(v.Changes, func(c Change) bool { return c.ID == e.ID })
	if i >= 0 && (v.Changes[i].Action == Lost || v.Changes[i].Action == Stuck || v.Changes[i].Severity == finding.Error) {
		return
	}
	if i < 0 || v.Changes[i].Action == Moved {
		return // its owner goes on as before, or a stuck one no longer competes for it: an issue says so
	}
	t.Errorf("%s: %s of %s: %s", filepath.Base(s.dir), how, e.ID, v.Changes[i])
}
