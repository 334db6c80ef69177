package inventory

import (
	"bytes"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/limit"
)

// Cluster is a place in the repository from which a cluster is synced.
type Cluster struct {
	Path  string `json:"path"` // what the root syncs, or where several roots are defined
	Roots []Root `json:"-"`
	// Inventory is what they apply, as Build would say.
	Inventory *Inventory `json:"inventory"`
}

// Discover finds the clusters of a repository: Flux Kustomizations that apply
// their own definition or, in a repository without such, those that nothing
// else applies. Beside a cluster that syncs itself the latter are apps that
// someone switched off. Without a namespace they are taken to be in
// flux-system. Roots that no file defines are given: each is a cluster.
func (f *Files) Discover(given ...Root) []Cluster {
	clusters, _ := f.Survey(given...)
	return clusters
}

// Survey is Discover, and names the folders that do not build and that a patch may give to a Flux Kustomization as its
// path: they may be clusters, which the inventory cannot tell.
func (f *Files) Survey(given ...Root) (clusters []Cluster, unbuilt []string) {
	d := f.discovery()
	for _, root := range given {
		inv := d.follow(root)
		d.add(inv.Owners[0].Path, inv)
	}
	d.dropForeign()
	d.placeholders()
	d.selfSynced()
	if d.overlaid(); len(d.clusters) == 0 {
		d.unreached()
	}
	return d.clusters, d.unbuilt
}

// Beyond finds the clusters that sync themselves besides those whose
// inventories are known. Of these nothing is followed again.
func (f *Files) Beyond(known ...*Inventory) []Cluster {
	d := f.discovery()
	for _, inv := range known {
		maps.Copy(d.reached, d.filesOf(inv))
	}
	d.dropForeign()
	d.selfSynced()
	d.overlaid()
	return d.clusters
}

// discovery looks for roots.
type discovery struct {
	files      *snapshot
	renderer   *renderer
	candidates []definedObject
	sources    map[Ref][]definedObject
	patched    map[string]bool // paths that patches may give to Flux Kustomizations
	unbuilt    []string        // those that do not build
	clusters   []Cluster
	reached    map[string]bool // files that a cluster found so far is built of
}

// discovery has looked through the files, and found no cluster yet.
func (f *Files) discovery() *discovery {
	d := &discovery{files: f.snapshot, renderer: f.renderer, sources: map[Ref][]definedObject{},
		patched: map[string]bool{}, reached: map[string]bool{}}
	d.scan()
	return d
}

// patchedPath is a value that a patch may give to the path of a Flux Kustomization.
var patchedPath = regexp.MustCompile(`\b(?:path|value)["']?\s*:\s*["']?([\w./-]+)`)

// readPatches notes the paths that the patches of a file may give to Flux Kustomizations: of a kustomization.yaml, and
// of a list of operations. Of merge patches in files of their own the candidates tell.
func (d *discovery) readPatches(file string, data []byte) {
	operations := bytes.Contains(data, []byte("op")) && bytes.Contains(data, []byte("/spec"))
	if !slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(file)) && !operations {
		return
	}
	for _, set := range patchedPath.FindAllSubmatch(data, -1) {
		if dir := path.Clean(string(set[1])); d.files.isDir(dir) {
			d.patched[dir] = true
		}
	}
}

// definedObject is an object and the file that defines it.
type definedObject struct {
	file   string
	object map[string]any
}

// scan collects the Flux Kustomizations whose path exists, and the sources.
func (d *discovery) scan() {
	for _, file := range slices.Sorted(maps.Keys(d.files.files)) {
		if ext := path.Ext(file); ext != ".yaml" && ext != ".yml" {
			continue
		}
		data := d.files.content(file)
		d.readPatches(file, data)
		if !bytes.Contains(data, []byte(fluxGroups)) {
			continue
		}
		for _, object := range documents(data) {
			d.sort(definedObject{file, object})
		}
	}
}

// halves are what the text of one half of a sync pair has, and that of a CRD
// or a role has not.
var halves = [][]byte{[]byte(kustomizeGroup + "/"), []byte(sourceGroup + "/")}

// documents returns the objects of a YAML stream that may be one half of a
// sync pair, up to the first that does not parse: a template is no manifest.
// A text that costs too much has none.
func documents(data []byte) []map[string]any {
	if limit.Check(data) != nil {
		return nil
	}
	var out []map[string]any
	for doc := range bytes.SplitSeq(data, []byte("\n---")) {
		if !slices.ContainsFunc(halves, func(half []byte) bool { return bytes.Contains(doc, half) }) {
			continue
		}
		var object map[string]any
		if yaml.Unmarshal(doc, &object) != nil {
			return out
		}
		if object != nil {
			out = append(out, object)
		}
	}
	return out
}

// sort keeps an object if it may be half of a sync pair.
func (d *discovery) sort(o definedObject) {
	meta := dig(o.object, "metadata")
	if meta == nil {
		return
	}
	if str(meta, "namespace") == "" {
		meta["namespace"] = "flux-system"
	}
	group, _, _ := strings.Cut(str(o.object, "apiVersion"), "/")
	owner := newOwner(definition{object: o.object})
	switch {
	case group == sourceGroup:
		ref := Ref{str(o.object, "kind"), str(meta, "namespace"), str(meta, "name")}
		d.sources[ref] = append(d.sources[ref], o)
	case group == kustomizeGroup && d.syncs(owner):
		d.candidates = append(d.candidates, o)
	}
}

// syncs reports whether a Flux Kustomization may be about this tree. What has
// neither a path nor a source is a patch.
func (d *discovery) syncs(o Owner) bool {
	spec := dig(o.object, "spec")
	return o.Name.Name != "" && d.files.isDir(o.Path) && (spec["path"] != nil || spec["sourceRef"] != nil)
}

// placeholders makes roots of bootstrap directories whose gotk-sync.yaml is
// still empty: bootstrap will write the path that it lies in.
func (d *discovery) placeholders() {
	for _, file := range slices.Sorted(maps.Keys(d.files.files)) {
		if path.Base(file) != "gotk-sync.yaml" || documents(d.files.content(file)) != nil {
			continue
		}
		dir := path.Dir(path.Dir(file))
		root := Root{Kustomization: map[string]any{
			"apiVersion": kustomizeGroup + "/v1",
			"kind":       "Kustomization",
			"metadata":   map[string]any{"name": "flux-system", "namespace": "flux-system"},
			"spec": map[string]any{
				"path":      "./" + dir,
				"prune":     true,
				"sourceRef": map[string]any{"kind": "GitRepository", "name": "flux-system"},
			},
		}}
		d.add(dir, d.follow(root))
	}
}

// dropForeign drops candidates that read another repository. Which source is
// this repository no file says; but most Flux Kustomizations read it, by paths
// that exist here. The path `.` exists everywhere, so it is no evidence.
func (d *discovery) dropForeign() {
	home := map[string]bool{}
	for _, c := range d.candidates {
		if pathOf(c) != "." {
			home[location(d.root(c).Source)] = true
		}
	}
	if len(home) == 0 {
		return
	}
	d.candidates = slices.DeleteFunc(d.candidates, func(c definedObject) bool {
		return !home[location(d.root(c).Source)]
	})
}

// root pairs a Flux Kustomization with its source: of several of that name,
// the one that is nearest to it.
func (d *discovery) root(o definedObject) Root {
	owner := newOwner(definition{object: o.object})
	root := Root{Kustomization: o.object}
	best := -1
	for _, s := range d.sources[owner.Source] {
		if n := Shared(s.file, o.file); n > best {
			best, root.Source = n, s.object
		}
	}
	return root
}

// Shared counts the folders that two files have in common; equal files have one more.
func Shared(a, b string) int {
	n := 0
	for i := 0; ; i++ {
		endA, endB := i == len(a) || a[i] == '/', i == len(b) || b[i] == '/'
		if endA && endB {
			n++
		}
		if i == len(a) || i == len(b) || a[i] != b[i] {
			return n
		}
	}
}

// overlaid finds the clusters that share the file of a root and give it their path by a patch: the kustomization.yaml
// of that path then applies the root with the path.
func (d *discovery) overlaid() {
	for _, c := range d.candidates {
		if dig(c.object, "spec", "sourceRef") == nil {
			d.patched[pathOf(c)] = true
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(d.patched)) {
		if dir == "." || slices.ContainsFunc(d.clusters, func(c Cluster) bool { return c.Path == dir }) {
			continue // everything is below the one, the other is found
		}
		built := d.renderer.render(d.files, dir, transforms{})
		if built.err != nil {
			d.unbuilt = append(d.unbuilt, dir)
		}
		for _, object := range built.objects {
			if root, found := d.overlay(dir, object, built.trace); found {
				d.add(dir, d.follow(root))
			}
		}
	}
}

// overlay is the root that the build of a directory makes of a Flux Kustomization that has another path in its file.
func (d *discovery) overlay(dir string, o *object, read trace) (root Root, found bool) {
	if !o.isKustomization() {
		return root, false
	}
	content, err := o.content()
	if err != nil || newOwner(definition{object: content}).Path != dir {
		return root, false
	}
	asInFile := slices.ContainsFunc(d.candidates, func(c definedObject) bool {
		return str(c.object, "metadata", "name") == o.Name && pathOf(c) == dir && read[c.file].content != nil &&
			dig(c.object, "spec", "sourceRef") != nil
	})
	return d.root(definedObject{path.Join(dir, "kustomization.yaml"), content}), !asInFile
}

// selfSynced finds the Flux Kustomizations whose output holds their own
// definition, the widest path first, so that a nested one is no root.
func (d *discovery) selfSynced() {
	var pairs []definedObject
	for _, c := range d.candidates {
		if p := pathOf(c); p == "." || strings.HasPrefix(c.file, p+"/") {
			pairs = append(pairs, c)
		}
	}
	slices.SortStableFunc(pairs, func(a, b definedObject) int { return len(pathOf(a)) - len(pathOf(b)) })
	for _, c := range pairs {
		if d.reached[c.file] {
			continue
		}
		if inv := d.follow(d.root(c)); defines(inv, c) {
			d.add(pathOf(c), inv)
		}
	}
}

// pathOf is the path that a Flux Kustomization applies.
func pathOf(o definedObject) string { return newOwner(definition{object: o.object}).Path }

// follow reads what a root reaches.
func (d *discovery) follow(roots ...Root) *Inventory {
	return (&walk{files: d.files, renderer: d.renderer, roots: roots}).build()
}

// defines reports whether the inventory has the object, by a build that read that
// very file.
func defines(inv *Inventory, o definedObject) bool {
	id := newOwner(definition{object: o.object}).id()
	return slices.ContainsFunc(inv.Find(id), func(e Entry) bool { return e.File.Read(o.file) })
}

// add keeps a cluster and what it reaches.
func (d *discovery) add(path string, inv *Inventory) {
	d.clusters = append(d.clusters, Cluster{Path: path, Roots: inv.walk.roots, Inventory: inv})
	maps.Copy(d.reached, d.filesOf(inv))
}

// filesOf are the files with candidates that an inventory is built of.
func (d *discovery) filesOf(inv *Inventory) map[string]bool {
	builds := map[*build]bool{}
	for _, e := range inv.Entries {
		builds[e.File.build] = true
	}
	files := map[string]bool{}
	for b := range builds {
		for _, c := range d.candidates {
			if b.read(c.file) {
				files[c.file] = true
			}
		}
	}
	return files
}

// unreached makes clusters of what no cluster applies: the Flux
// Kustomizations of one directory are the roots of one. What reads another
// repository than most do has a path that means nothing here.
func (d *discovery) unreached() {
	below := map[string]bool{}
	var open []definedObject
	for _, c := range d.ofMost() {
		if d.reached[c.file] {
			continue
		}
		inv := d.follow(d.root(c))
		if dig(c.object, "spec", "sourceRef") == nil &&
			len(inv.Find(newOwner(definition{object: c.object}).id())) == 0 {
			continue // a patch, of which nothing comes back: no object of its own
		}
		open = append(open, c)
		files := d.filesOf(inv)
		delete(files, c.file)
		maps.Copy(below, files)
	}
	dirs := map[string][]Root{}
	for _, c := range open {
		if !below[c.file] {
			dirs[path.Dir(c.file)] = append(dirs[path.Dir(c.file)], d.root(c))
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		inv := d.follow(dirs[dir]...)
		if len(inv.walk.roots) == 1 {
			dir = inv.Owners[0].Path
		}
		d.add(dir, inv)
	}
}

// ofMost are the candidates that read the repository which most of them read;
// of several that are read as often, those of all.
func (d *discovery) ofMost() []definedObject {
	readers, most := map[string]int{}, 0
	for _, c := range d.candidates {
		readers[d.address(c)]++
		most = max(most, readers[d.address(c)])
	}
	return slices.DeleteFunc(slices.Clone(d.candidates),
		func(c definedObject) bool { return readers[d.address(c)] < most })
}

// address is where a candidate's source fetches from, at whatever ref.
func (d *discovery) address(c definedObject) string {
	spec := dig(d.root(c).Source, "spec")
	return canonical(str(spec, "url")+str(spec, "endpoint")) + " " + str(spec, "bucketName")
}
