package golden

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/fn/framework"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/kio/kioutil"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/krm"
)

// outcome is what a run came to.
type outcome struct {
	// text is what went to stdout.
	text string
	// results are those of the output.
	results framework.Results
	// tree is the output as files, for a case that has files.
	tree tree
	// err is what goes to stderr; with it the exit code is 1.
	err error
}

// run calls the function.
func run(list []byte) outcome {
	var out bytes.Buffer
	err := krm.Run(bytes.NewReader(list), &out)
	o := outcome{text: out.String(), err: err}
	var read struct {
		Results framework.Results `json:"results"`
	}
	if yaml.Unmarshal(out.Bytes(), &read) == nil {
		o.results = read.Results
	}
	return o
}

// written is an outcome with the tree of files that kpt makes of it.
func written(t testing.TB, files tree, list []byte, o outcome) outcome {
	t.Helper()
	before := filesOf(t, itemsOf(t, list))
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if files[name] != before[name] {
			t.Fatalf("%s is not written as kpt would write it, which would show as a change:\n%s", name, difference(files[name], before[name]))
		}
	}
	o.tree = maps.Clone(files)
	for name := range before {
		delete(o.tree, name)
	}
	maps.Copy(o.tree, filesOf(t, itemsOf(t, []byte(o.text))))
	return o
}

// listOf is the ResourceList that kpt makes of a tree of files.
func listOf(t testing.TB, files tree, config []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	files.write(t, dir)
	items, err := kio.LocalPackageReader{
		PackagePath: dir, MatchFilesGlob: kio.MatchAll, IncludeSubpackages: true, PreserveSeqIndent: true, WrapBareSeqNode: true,
	}.Read()
	if err != nil {
		t.Fatal(err)
	}
	return encode(t, items, config)
}

// encode writes items as a ResourceList.
func encode(t testing.TB, items []*kyaml.RNode, config []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := kio.ByteWriter{Writer: &out, KeepReaderAnnotations: true, WrappingAPIVersion: kio.ResourceListAPIVersion, WrappingKind: kio.ResourceListKind}
	if len(config) > 0 {
		w.FunctionConfig = kyaml.MustParse(string(config))
	}
	if err := w.Write(items); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// itemsOf reads the items of a ResourceList.
func itemsOf(t testing.TB, list []byte) []*kyaml.RNode {
	t.Helper()
	if len(bytes.TrimSpace(list)) == 0 {
		t.Fatal("there is no ResourceList")
	}
	items, err := (&kio.ByteReader{Reader: bytes.NewReader(list), OmitReaderAnnotations: true}).Read()
	if err != nil {
		t.Fatalf("the ResourceList cannot be read: %v", err)
	}
	return items
}

// filesOf writes items to files, as kpt does.
func filesOf(t testing.TB, items []*kyaml.RNode) tree {
	t.Helper()
	dir := t.TempDir()
	if err := (kio.LocalPackageWriter{PackagePath: dir}).Write(items); err != nil {
		t.Fatal(err)
	}
	return readTree(t, dir)
}

// place names where an item is written to, or the object itself where it carries no path.
func place(item *kyaml.RNode) string {
	annotations := item.GetAnnotations()
	if path := annotations[kioutil.PathAnnotation]; path != "" {
		return path + "#" + annotations[kioutil.IndexAnnotation]
	}
	return fmt.Sprintf("%s %s %s/%s", item.GetApiVersion(), item.GetKind(), item.GetNamespace(), item.GetName())
}

// texts are the items of a list as text, by place.
func texts(t testing.TB, list []byte) tree {
	t.Helper()
	all := tree{}
	for _, item := range itemsOf(t, list) {
		at := place(item)
		if _, twice := all[at]; twice {
			t.Errorf("two items at %s", at)
		}
		all[at] = item.MustString()
	}
	return all
}
