package inventory

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// TestSameAsKustomize builds every path of some repositories that has a
// kustomization.yaml and nothing opaque, from memory and with kustomize on
// the disk.
func TestSameAsKustomize(t *testing.T) {
	compared := 0
	for i, dir := range repositories(t) {
		if i%4 != 0 { // the others add time, not cases
			continue
		}
		files, err := load(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		clusters, err := Discover(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range clusters {
			for _, o := range c.Inventory.Owners {
				if v := newView(files); o.Unread == "" && o.Broken == "" && v.hasKustomization(o.Path) {
					compared += sameBuild(t, v, dir, o.Path)
				}
			}
		}
	}
	t.Logf("%d paths compared", compared)
	if compared == 0 {
		t.Error("no path was compared")
	}
}

// sameBuild compares one path, and returns 1 unless it has an opaque part.
func sameBuild(t *testing.T, v *view, dir, path string) int {
	t.Helper()
	got := renderOnce(v, path, transforms{})
	if len(got.opaque) > 0 {
		return 0
	}
	defer silence()()
	k := krusty.MakeKustomizer(&krusty.Options{LoadRestrictions: types.LoadRestrictionsNone, PluginConfig: types.DisabledPluginConfig()})
	res, err := k.Run(filesys.MakeFsOnDisk(), filepath.Join(dir, path))
	if err != nil || got.err != nil {
		t.Errorf("%s: kustomize says %v, we say %v", path, err, got.err)
		return 1
	}
	var want, have []string
	for _, r := range res.Resources() {
		want = append(want, newObject(r, path).ID.String())
	}
	for _, o := range got.objects {
		have = append(have, o.ID.String())
	}
	if !slices.Equal(want, have) {
		t.Errorf("%s: kustomize has %v, we have %v", path, want, have)
	}
	return 1
}
