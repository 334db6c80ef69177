package golden

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"migrate-to-flux-operator/fn/checkout/split"
	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
)

// unlike are the cases in which the clusters of an install are others than those that apply it by the inventory, with
// the reason.
var unlike = map[string]string{
	"bootstrap-patch-of-a-missing-object-refused":   "the root does not build",
	"root-that-does-not-build-refused":              "the root does not build",
	"overlay-that-does-not-build-refused":           "a root does not build",
	"two-clusters-one-does-not-build-refused":       "a root does not build",
	"root-with-a-name-prefix-kept-refused":          "the root is applied under another name",
	"root-with-a-name-prefix-refused":               "the root is applied under another name",
	"sync-path-with-a-name-suffix-refused":          "the root is applied under another name",
	"install-that-the-source-ignores-refused":       "the source leaves out the install",
	"path-that-the-source-leaves-out-refused":       "the source leaves out the root",
	"bootstrap-root-that-leaves-its-own-folder-out": "nothing applies the install, which flux bootstrap applied",
	"one-shot-*":             "nothing applies the install, which was applied by hand",
	"roots-applied-by-hand*": "nothing applies the root, which was applied by hand",
	"bootstrap-two-nested-roots-one-chosen-refused":  "the config names the inner one of two roots",
	"two-roots-one-path-neither-applied-root-chosen": "the config names one of two roots",
	"two-sources-one-path-root-chosen*":              "the config names one of two roots",
	"cleanup-source-of-another-refused":              "two Flux Kustomizations are no part of what the other applies",
	"overlay-of-a-base-with-a-path-of-its-own":       "the base of two clusters may be a third",
	"root-is-the-repository":                         "two Flux Kustomizations are no part of what the other applies",
}

// TestModelsAgree holds what finds the sync pair of an install against what finds clusters by building what Flux
// applies: of each install of each case, the roots of the one are the roots of the other that apply it.
func TestModelsAgree(t *testing.T) {
	compared, met := 0, map[string]bool{}
	for _, name := range caseNames(t, "testdata") {
		dir := filepath.Join(root, "testdata", name)
		files := inputOf(t, dir)
		if len(files) == 0 {
			continue
		}
		cfg, err := config.Parse(read(t, dir, configFile))
		if err != nil {
			continue
		}
		set := files.set()
		for _, install := range classic.Detect(set, cfg, &finding.List{}) {
			if install.Pair.Prefix != "" {
				continue // the inventory begins at the root of the repository
			}
			compared++
			byPair, byInventory := rootsOf(install), rootsThatApply(t, set, install)
			known := slices.IndexFunc(slices.Collect(maps.Keys(unlike)), func(pattern string) bool {
				ok, _ := path.Match(pattern, name)
				met[pattern] = met[pattern] || ok && !slices.Equal(byPair, byInventory)
				return ok
			}) >= 0
			if !known && !slices.Equal(byPair, byInventory) {
				t.Errorf("%s: %s of %s: %v by its pair, %v by the inventory", name, install.Anchor.ID, install.Layout,
					byPair, byInventory)
			}
		}
	}
	for pattern := range unlike {
		if !met[pattern] {
			t.Errorf("%s: the two agree, and it is named as unlike", pattern)
		}
	}
	if compared < 600 {
		t.Errorf("only %d installs were compared", compared)
	}
}

// set is the set of a tree as a checkout has it.
func (files tree) set() *object.Set {
	all := fstest.MapFS{}
	var objects []*object.Object
	for name, content := range files {
		all[name] = &fstest.MapFile{Data: []byte(content)}
		for _, doc := range split.Split([]byte(content)) {
			o, err := object.Parse(content[doc.Body:doc.End], name, doc.Index)
			if err != nil || doc.Index < 0 {
				continue
			}
			if slices.Contains(classic.KustomizationFiles, path.Base(name)) && o.Kind == "" {
				o.ID = object.ID{APIVersion: classic.ConfigGroup + "/v1beta1", Kind: "Kustomization"}
			}
			if o.Kind != "" {
				objects = append(objects, o)
			}
		}
	}
	slices.SortFunc(objects, object.Compare)
	set := object.NewSet(objects)
	set.Tree = func() (fs.FS, error) { return all, nil }
	set.Read = func(name string) ([]byte, bool) { content, ok := files[name]; return []byte(content), ok }
	return set
}

// rootsOf are the roots of the clusters of an install, sorted.
func rootsOf(install *classic.Install) []string {
	all := []string{fmt.Sprint(install.Pair.LiveRoot.ID, " ", install.Pair.Path)}
	for _, other := range install.Sharing {
		all = append(all, fmt.Sprint(other.Root.ID, " ", other.Path))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// rootsThatApply are the roots of the clusters of the input that apply an install, sorted.
func rootsThatApply(t *testing.T, set *object.Set, install *classic.Install) []string {
	t.Helper()
	files, err := classic.FilesOf(set)
	if err != nil {
		t.Fatal(err)
	}
	anchor := install.Anchor
	var all []string
	for _, cluster := range files.Discover() {
		applies := cluster.Inventory.Applied(anchor.Group(), anchor.Kind, anchor.Name, anchor.File)
		if anchor.Group() == classic.ConfigGroup {
			applies = cluster.Inventory.Reads(anchor.File)
		}
		for _, owner := range cluster.Inventory.Owners {
			if applies && owner.Root {
				id := object.ID{Kind: "Kustomization", Namespace: owner.Namespace, Name: owner.Name.Name}
				all = append(all, strings.TrimSpace(fmt.Sprint(id, " ", owner.Path)))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
