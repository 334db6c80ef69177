package classic

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/shell"
)

// Pair is the source and the root Flux Kustomization that sync a cluster.
type Pair struct {
	Source *object.Object
	Root   *object.Object
	// SourceUnseen tells that the source is not in the input: Source is no more than its name then.
	SourceUnseen bool
	// LiveSource and LiveRoot are the same two as they are on the cluster, after everything that shapes them.
	LiveSource, LiveRoot *object.Object
	// Path is the sync path as a clean slash path from the root of the repository.
	Path string
	// Prefix leads from the root of the repository to the root of the input; empty when they are the same.
	Prefix string
}

// Dir is the folder of the sync path in the input.
func (p Pair) Dir() string {
	if p.Prefix == "" {
		return p.Path
	}
	return path.Clean(strings.TrimPrefix(strings.TrimPrefix(p.Path, p.Prefix), "/"))
}

// NewPath is the sync path that the config moves the root to, empty where it stays.
func (p Pair) NewPath(cfg config.Config) string {
	if cfg.Sync.Path == "" || CleanPath(cfg.Sync.Path) == p.Path {
		return ""
	}
	return CleanPath(cfg.Sync.Path)
}

// sourceKinds are the sources that a cluster can sync from.
var sourceKinds = []string{"GitRepository", "OCIRepository", "Bucket"}

// findPair finds the sync pair of the cluster that an object belongs to, by what the objects say: the root is the Flux
// Kustomization whose path holds that object, whose source is in the input, and that no other such Kustomization holds.
func findPair(set *object.Set, anchor *object.Object, cfg config.Config, found *finding.List) (Pair, bool) {
	candidates := candidatesOrUnseen(set, anchor, cfg)
	if len(candidates) > 1 {
		twoRoots(candidates, found)
		return Pair{}, false
	}
	pairs := withoutRival(set, followed(set, anchor, candidates, found), cfg, found)
	if len(pairs) == 0 {
		return Pair{}, false
	}
	return pairs[0], true
}

// rival is a Flux Kustomization that may be the root instead of one that nothing applies: of the same source and path,
// and applied by nothing either; nil when there is none.
func (p Pair) rival(set *object.Set) *object.Object {
	if !set.HasPaths() || Applies(set, p.Path, p.Root.File) {
		return nil
	}
	for _, k := range set.Of(KustomizeGroup, "Kustomization") {
		source := SourceOf(set, k)
		if syncPath(k) != p.Path || k.ID == p.Root.ID || source == nil || source.ID != p.Source.ID ||
			isTemplate(k) || k.Str("spec", "path") == "" {
			continue
		}
		if len(appliersFrom(set, k, source.Str("spec", "url"))) == 0 {
			return k
		}
	}
	return nil
}

// findPairs finds the sync pairs of all the clusters that apply one object, as several do with a base that they share.
func findPairs(set *object.Set, anchor *object.Object, cfg config.Config, found *finding.List) []Pair {
	candidates := candidatesOrUnseen(set, anchor, cfg)
	if !disjoint(set, candidates) {
		twoRoots(candidates, found)
		return nil
	}
	return withoutRival(set, followed(set, anchor, candidates, found), cfg, found)
}

// withoutRival leaves out the pairs of which no file tells whether they run, unless the config names their root. An
// Error says so.
func withoutRival(set *object.Set, pairs []Pair, cfg config.Config, found *finding.List) []Pair {
	return slices.DeleteFunc(pairs, func(p Pair) bool {
		rival := p.rival(set)
		if rival == nil || slices.Contains(cfg.Clusters, p.Root.ID.String()) {
			return false
		}
		found.Error(finding.TwoRoots, p.Root, "spec.path",
			"nothing in Git applies this, and %s in %s has the same path: where this "+
				"one runs, name %s in the config field clusters; else "+removeUnused, rival.ID, rival.File, p.Root.ID)
		return true
	})
}

// candidatesOrUnseen are the candidates; where there is none, and the pair is to stay in Git as it is, it is the root
// whose source no file shows: nothing of the source is needed then but its name.
func candidatesOrUnseen(set *object.Set, anchor *object.Object, cfg config.Config) []Pair {
	candidates := candidatesFor(set, anchor, cfg)
	if len(candidates) > 0 || cfg.Sync.Mode != config.Keep {
		return candidates
	}
	if root := rootWithoutSource(set, anchor); root != nil {
		return []Pair{{Source: unseenSource(root), Root: root, Path: CleanPath(root.Str("spec", "path")),
			SourceUnseen: true}}
	}
	return nil
}

// unseenSource is the source that a root names.
func unseenSource(root *object.Object) *object.Object {
	ref := func(key string) string { return root.Str("spec", "sourceRef", key) }
	id := object.ID{APIVersion: SourceGroup + "/v1", Kind: ref("kind"),
		Namespace: cmp.Or(ref("namespace"), root.Namespace), Name: ref("name")}
	return object.New(id, fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata:\n  name: %q\n  namespace: %q\n",
		id.APIVersion, id.Kind, id.Name, id.Namespace), "", 0)
}

// Syncs reports whether a Flux Kustomization of the pair's cluster reads from the source of the pair. A cluster has one
// object of a name, and the input one for each cluster.
func (p Pair) Syncs(set *object.Set, k *object.Object) bool {
	return SourceOf(set, k) == p.Source || sourceRef(set, k).Same(p.Source.ID)
}

// removeUnused is how a Flux Kustomization goes that is not believed to run: one that runs after all deletes all that
// it applied.
const removeUnused = "remove the one that does not run, after prune: false on it is pushed and applied, so that it " +
	"deletes nothing if it runs after all"

func twoRoots(candidates []Pair, found *finding.List) {
	a, b := candidates[0], candidates[1]
	remedy := removeUnused + "; where both run, both would apply the new files: set prune: false on one, push, and " +
		"wait until that is applied; then let it apply this no more"
	if a.Source != b.Source {
		remedy = fmt.Sprintf("name the root in the config field clusters (%s or %s), or %s", a.Root.ID, b.Root.ID,
			removeUnused)
	}
	found.Error(finding.TwoRoots, b.Root, "spec.path", "two root Kustomizations sync this install: %s and %s; %s",
		a.describe(), b.describe(), remedy)
}

// others are the pairs of other clusters that apply the anchor too, whatever the config names.
func (p Pair) others(set *object.Set, anchor *object.Object) []Pair {
	return slices.DeleteFunc(candidatesFor(set, anchor, config.Config{}), func(other Pair) bool {
		return other.Is(p) || !disjoint(set, []Pair{p, other})
	})
}

// Is reports whether two are the pair of one cluster. Several clusters can share the file of a root that each gives its
// path.
func (p Pair) Is(other Pair) bool { return p.Root == other.Root && p.Path == other.Path }

// disjoint reports whether each pair is of a cluster of its own: none applies the root of another.
func disjoint(set *object.Set, pairs []Pair) bool {
	for n, a := range pairs {
		for _, b := range pairs[:n] {
			if a.Root == b.Root && a.Path != b.Path {
				continue
			}
			if !set.HasPaths() || Applies(set, a.Path, b.Root.File) || Applies(set, b.Path, a.Root.File) {
				return false
			}
		}
	}
	return true
}

// followed are the pairs with what they are on the cluster. An Error says why there is none.
func followed(set *object.Set, anchor *object.Object, pairs []Pair, found *finding.List) []Pair {
	if releases := syncReleases(set); len(pairs) == 0 && len(releases) > 0 {
		release := Nearest(releases, anchor)
		found.ErrorAbout(finding.SyncPairFromHelm, finding.Unsynced, release, "spec.chart",
			"the sync pair is not in Git: %s", leaveSyncRelease(set, release))
		return nil
	}
	if len(pairs) == 0 {
		found.ErrorAbout(finding.NoSyncPair, finding.Unsynced, anchor, "", "no sync pair found: %s",
			whyNoPair(set, anchor))
	}
	for i := range pairs {
		if err := pairs[i].live(set); err != nil {
			found.Error(finding.NotFollowed, pairs[i].Root, "", "the sync pair cannot be followed to the cluster: %s",
				err)
			return nil
		}
	}
	return pairs
}

// candidatesFor are the pairs that can sync the cluster of an object: one, where everything is as it should be. Those
// that the config names come first, then those of this repository, then those that apply their own root, because a copy
// of a root that lies elsewhere syncs nothing.
func candidatesFor(set *object.Set, anchor *object.Object, cfg config.Config) []Pair {
	candidates := pairsAround(set, anchor)
	if named := chosen(candidates, cfg.Clusters); len(named) > 0 || !set.HasPaths() {
		candidates = named
	}
	candidates = withoutForeign(set, candidates, anchor)
	if own := slices.DeleteFunc(slices.Clone(candidates),
		func(p Pair) bool { return !Applies(set, p.Path, p.Root.File) }); len(own) > 0 {
		candidates = own
	}
	return ofTheNeighbour(candidates, anchor)
}

// ofTheNeighbour leaves out what has another source than the one pair that is defined beside the install, as flux
// bootstrap writes it: that is an application of its own.
func ofTheNeighbour(pairs []Pair, anchor *object.Object) []Pair {
	beside := slices.DeleteFunc(slices.Clone(pairs), func(p Pair) bool { return !p.isBeside(anchor) })
	if len(beside) != 1 {
		return pairs
	}
	return slices.DeleteFunc(slices.Clone(pairs), func(p Pair) bool { return p.Source != beside[0].Source })
}

// whyNoPair says what to do where no pair holds an object. The input may be larger than the repository: then the sync
// path of a pair beside the object leads to its folder from a folder below.
func whyNoPair(set *object.Set, anchor *object.Object) string {
	if root := rootOfNothing(set, anchor); root != nil {
		return fmt.Sprintf("the sync path of %s in %s is %s, and the input has no such folder: run on the whole "+
			"repository, or correct the path, which makes Flux prune what the right path does not apply",
			root.ID, root.File, root.Str("spec", "path"))
	}
	if root := rootOfAnother(set, anchor); root != nil {
		return fmt.Sprintf("the sync path of %s in %s is %s, which does not apply this, so no cluster is synced from "+
			"here: a copy that no cluster uses can stay; where a cluster uses it, correct the path, which makes Flux "+
			"prune what the right path does not apply", root.ID, root.File, root.Str("spec", "path"))
	}
	if file := listedWithoutObjects(set, path.Dir(anchor.File)); file != "" {
		return fmt.Sprintf("the kustomization.yaml of ./%s lists %s, which is not in the input or holds no objects: "+
			"flux bootstrap fills it in, so run on the branch that it pushed to; where no file defines the sync "+
			"pair, %s", path.Dir(anchor.File), file, exportPair(set))
	}
	if root := rootElsewhere(set, anchor); root != nil {
		return fmt.Sprintf("%s in %s syncs ./%s, which does not apply the folder ./%s that both are in: if that was "+
			"applied by hand, list it in the kustomization.yaml of the sync path; if another root applies it, %s",
			root.ID, root.File, syncPath(root), path.Dir(anchor.File), exportPair(set))
	}
	folder := "/" + path.Dir(anchor.File) + "/"
	for _, root := range set.Of(KustomizeGroup, "Kustomization") {
		at := "/" + syncPath(root) + "/"
		if base, _, inside := strings.Cut(folder, at); inside && base != "" && SourceOf(set, root) != nil &&
			root.Str("spec", "path") != "" {
			return fmt.Sprintf("the sync path of %s is ./%s, so its repository is the folder %s: run on that folder",
				root.ID,
				strings.Trim(at, "/"), strings.TrimPrefix(base, "/"))
		}
	}
	if root := rootWithoutSource(set, anchor); root != nil {
		ref := func(key string) string { return root.Str("spec", "sourceRef", key) }
		return fmt.Sprintf("%s in %s is its root, and its source %s/%s is not in the input: run on the whole "+
			"repository; where no file defines the source, put it into one (%s), or set the config field sync.mode "+
			"to keep, with which the sync pair stays as it is", root.ID, root.File, ref("kind"), ref("name"),
			exportSource(cmp.Or(ref("namespace"), root.Namespace), ref("kind"), ref("name")))
	}
	return "no Flux Kustomization of the input has its source there and a path that applies this object, in its file " +
		"or by a patch in a kustomization.yaml; run on the whole repository, with the source and the root of the " +
		"cluster in it; where no file defines them, " + exportPair(set)
}

// exportSource prints a source as YAML.
func exportSource(namespace, kind, name string) shell.Line {
	kinds := map[string]string{"GitRepository": "git", "OCIRepository": "oci", "Bucket": "bucket"}
	return shell.Run("flux", "-n", namespace, "export", "source", kinds[kind], name)
}

// exportRoot prints a Flux Kustomization of a name that nobody knows here.
func exportRoot(namespace string) shell.Line {
	return shell.Run("flux", "-n", namespace, "export", "kustomization", "NAME")
}

// rootWithoutSource is a Flux Kustomization that applies an object and whose source is not in the input; where none
// applies it, it is one that is defined beside it, for a path around it; nil when there is none.
func rootWithoutSource(set *object.Set, anchor *object.Object) *object.Object {
	var applying, near []*object.Object
	for _, root := range set.Of(KustomizeGroup, "Kustomization") {
		if SourceOf(set, root) != nil || root.Str("spec", "path") == "" ||
			!slices.Contains(sourceKinds, root.Str("spec", "sourceRef", "kind")) {
			continue
		}
		at := syncPath(root)
		switch {
		case Applies(set, at, anchor.File):
			applying = append(applying, root)
		case beside(root, anchor) && object.Within(path.Dir(anchor.File), at):
			near = append(near, root)
		}
	}
	if len(applying) == 0 {
		applying = near
	}
	return Nearest(applying, anchor)
}

// rootOfNothing is a Flux Kustomization beside an object whose sync path leads nowhere in the input; nil when there is
// none.
func rootOfNothing(set *object.Set, anchor *object.Object) *object.Object {
	return rootBeside(set, anchor, func(root *object.Object) bool {
		at := syncPath(root)
		return !set.Holds(at) && !strings.Contains("/"+path.Dir(anchor.File)+"/", "/"+at+"/")
	})
}

// listedWithoutObjects is a file that the kustomization.yaml of a folder lists and of which the input has no objects;
// empty when there is none.
func listedWithoutObjects(set *object.Set, dir string) string {
	k := KustomizationIn(set, dir)
	if k == nil {
		return ""
	}
	for _, name := range TextsIn(k.Map(), "resources") {
		isFile := path.Ext(name) == ".yaml" || path.Ext(name) == ".yml"
		if isFile && !strings.Contains(name, "://") && len(set.InFile(path.Join(dir, name))) == 0 {
			return name
		}
	}
	return ""
}

// rootElsewhere is the one Flux Kustomization that the kustomization.yaml of a folder lists together with its source
// and an object, and whose sync path is not around the folder, as where people apply the folder by hand; nil when there
// is none.
func rootElsewhere(set *object.Set, anchor *object.Object) *object.Object {
	dir := path.Dir(anchor.File)
	if KustomizationIn(set, dir) == nil {
		return nil
	}
	var roots []*object.Object
	for _, k := range set.Of(KustomizeGroup, "Kustomization") {
		source := SourceOf(set, k)
		if source != nil && beside(k, anchor) && beside(source, anchor) && Applies(set, dir, k.File) &&
			Applies(set, dir, source.File) {
			roots = append(roots, k)
		}
	}
	if len(roots) != 1 || !Applies(set, dir, anchor.File) || roots[0].Str("spec", "path") == "" ||
		!set.Holds(syncPath(roots[0])) {
		return nil
	}
	return roots[0]
}

// rootOfAnother is a Flux Kustomization beside an object whose sync path is that of a root of the same name in another
// folder, as in a copy of a cluster's folder; nil when there is none.
func rootOfAnother(set *object.Set, anchor *object.Object) *object.Object {
	return rootBeside(set, anchor, func(root *object.Object) bool {
		at := root.Str("spec", "path")
		return !Applies(set, CleanPath(at), root.File) &&
			slices.ContainsFunc(set.Find(root.ID), func(other *object.Object) bool {
				return other.Str("spec", "path") == at && Applies(set, CleanPath(at), other.File)
			})
	})
}

// rootBeside is the first Flux Kustomization beside an object that has a source and a sync path, and of which is holds;
// nil when there is none.
func rootBeside(set *object.Set, anchor *object.Object, is func(root *object.Object) bool) *object.Object {
	for _, root := range set.Of(KustomizeGroup, "Kustomization") {
		source := SourceOf(set, root)
		if !beside(root, anchor) || source == nil || isManifestSource(source) || isFlux2(source) {
			continue
		}
		if at := root.Str("spec", "path"); at != "" && !strings.Contains(at, "${") && is(root) {
			return root
		}
	}
	return nil
}

func (p Pair) describe() string {
	return fmt.Sprintf("%s (path ./%s, source %s)", p.Root.ID, strings.TrimPrefix(p.Path, "."), p.Source.ID)
}

// pairsAround returns the pairs that apply the anchor; all pairs where items carry no paths. Where none does, it is the
// one that is defined beside the anchor, for a path around it; or, where the input is a part of the repository, as with
// `kpt fn eval` on a subfolder, for a path that leads to it.
func pairsAround(set *object.Set, anchor *object.Object) []Pair {
	var applying, around, partial []Pair
	for _, pair := range pairsIn(set) {
		switch {
		case pair.Path == "." && pair.Root.Str("spec", "path") == "" && set.HasPaths() && !pair.isBeside(anchor):
			// Something that is not in the input may set its path: it is no ./ yet.
		case !set.HasPaths() || Applies(set, pair.Path, anchor.File):
			applying = append(applying, pair)
		case !pair.isBeside(anchor):
		case object.Within(path.Dir(anchor.File), pair.Path):
			around = append(around, pair)
		case pair.locate(set, anchor):
			partial = append(partial, pair)
		}
	}
	for _, pairs := range [][]Pair{applying, around} {
		if len(pairs) > 0 {
			return pairs
		}
	}
	return partial
}

// pairsIn are the pairs that the Flux Kustomizations of the input make.
func pairsIn(set *object.Set) []Pair {
	type key struct{}
	return object.Until(set, key{}, func(set *object.Set) []Pair {
		var all []Pair
		for _, root := range set.Of(KustomizeGroup, "Kustomization") {
			source := SourceOf(set, root)
			if source != nil && !isManifestSource(source) && !isOurs(set, root) {
				all = append(all, pairsOf(set, root, source)...)
			}
		}
		return all
	})
}

// isTemplate tells an object that is no object yet: a name or path has a variable that something else fills in.
func isTemplate(o *object.Object) bool {
	return slices.ContainsFunc([]string{o.Name, o.Namespace, o.Str("spec", "path")},
		func(s string) bool { return strings.Contains(s, "${") || strings.Contains(s, "{{") })
}

// isOurs tells the two Flux Kustomizations that deploy adds, under whatever names.
func isOurs(set *object.Set, root *object.Object) bool {
	at := syncPath(root)
	if base := path.Base(at); base != "operator" && base != "instance" || root.Name == "flux-"+base {
		return root.Name == "flux-"+base
	}
	return slices.ContainsFunc(set.Below(at), func(o *object.Object) bool {
		return o.Is(OperatorGroup, "FluxInstance") || o.Is(HelmGroup, "HelmRelease") &&
			(Installs(set, o, "flux-operator") || Installs(set, o, "flux-instance"))
	})
}

// isBeside reports whether both objects of the pair are defined in the folder of the anchor; not without an anchor.
func (p Pair) isBeside(anchor *object.Object) bool {
	if anchor == nil {
		return false
	}
	return anchor.File != "" && beside(p.Root, anchor) && beside(p.Source, anchor)
}

// beside reports whether the files of two objects are in one folder.
func beside(a, b *object.Object) bool { return path.Dir(a.File) == path.Dir(b.File) }

// locate finds the prefix that leads from the repository to the input: the first part of the sync path, such that the
// rest of it is a folder of the input that holds both the anchor and the root. An install deep in the input is no part
// of a sync path that the input does not show.
func (p *Pair) locate(set *object.Set, anchor *object.Object) bool {
	if set.Holds(p.Path) {
		return false
	}
	if strings.Contains("/"+path.Dir(anchor.File)+"/", "/"+p.Path+"/") || strings.Count(anchor.File, "/") > 2 {
		return false
	}
	parts := strings.Split(p.Path, "/")
	for i := 1; i <= len(parts); i++ {
		inner := cmp.Or(path.Join(parts[i:]...), ".")
		if object.Within(path.Dir(anchor.File), inner) && object.Within(path.Dir(p.Root.File), inner) {
			p.Prefix = path.Join(parts[:i]...)
			return true
		}
	}
	return false
}

// chosen keeps the pairs that the config names by their path or their root; all when it names none.
func chosen(pairs []Pair, clusters []string) []Pair {
	if len(clusters) == 0 {
		return pairs
	}
	return slices.DeleteFunc(slices.Clone(pairs), func(p Pair) bool {
		return !slices.ContainsFunc(clusters, p.Named)
	})
}

// Named reports whether an entry of the config field clusters means the pair: its path, or its root as findings name
// it.
func (p Pair) Named(entry string) bool {
	return CleanPath(entry) == p.Path || entry == p.Root.ID.String()
}

// withoutForeign leaves out the pairs of other repositories, whose paths mean nothing here. This repository is the
// source that most Flux Kustomizations use, also where the input does not define it; but what is defined beside the
// install, with the path of a folder around it, is of this repository, as flux bootstrap writes it, however much else
// syncs from a source that is defined elsewhere.
func withoutForeign(set *object.Set, pairs []Pair, anchor *object.Object) []Pair {
	users := map[string]int{}
	for _, url := range repositories(set) {
		users[url]++
	}
	most := 0
	for _, p := range pairs {
		most = max(most, users[p.Source.Str("spec", "url")])
	}
	bootstrapped := func(p Pair) bool {
		return p.isBeside(anchor) && p.Path != "." && object.Within(path.Dir(anchor.File), p.Path)
	}
	moreUsed := func(n int) bool { return n > most }
	if !slices.ContainsFunc(pairs, bootstrapped) &&
		slices.ContainsFunc(slices.Collect(maps.Values(usersOfAbsentSources(set))), moreUsed) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(pairs),
		func(p Pair) bool { return users[p.Source.Str("spec", "url")] < most })
}

// usersOfAbsentSources counts the Flux Kustomizations that sync from each source that the input does not define
// anywhere, as flux bootstrap leaves it where its files were not kept. The keys are Kind/name.
func usersOfAbsentSources(set *object.Set) map[string]int {
	type key struct{}
	return object.Once(set, key{}, countAbsentSources)
}

func countAbsentSources(set *object.Set) map[string]int {
	defined := map[string]bool{}
	for _, kind := range sourceKinds {
		for _, source := range set.Of(SourceGroup, kind) {
			defined[kind+"/"+source.Name] = true
		}
	}
	users := map[string]int{}
	for _, k := range set.Of(KustomizeGroup, "Kustomization") {
		name := k.Str("spec", "sourceRef", "name")
		source := k.Str("spec", "sourceRef", "kind") + "/" + name
		if slices.Contains(sourceKinds, k.Str("spec", "sourceRef", "kind")) && !strings.Contains(name, "${") &&
			!defined[source] {
			users[source]++
		}
	}
	return users
}

// SourceOf returns the source object of a Flux Kustomization as the input has it, nil when it is not there.
func SourceOf(set *object.Set, k *object.Object) *object.Object {
	type key struct{ k *object.Object }
	return object.Once(set, key{k}, func(set *object.Set) *object.Object { return findSource(set, k) })
}

func findSource(set *object.Set, k *object.Object) *object.Object {
	ref := sourceRef(set, k)
	if !slices.Contains(sourceKinds, ref.Kind) {
		return nil
	}
	return Nearest(withoutUnlisted(set, set.Find(ref)), k)
}

// sourceRef is the source that a Flux Kustomization names, where its file does not by what the kustomization.yaml of
// its folder sets, as a component does that Flux Kustomizations share, and with the variables that are known.
func sourceRef(set *object.Set, k *object.Object) object.ID {
	type key struct{ k *object.Object }
	return object.Once(set, key{k}, func(set *object.Set) object.ID { return findSourceRef(set, k) })
}

func findSourceRef(set *object.Set, k *object.Object) object.ID {
	named := k
	if k.Str("spec", "sourceRef", "kind") == "" && set.HasPaths() {
		if shaped, err := throughFolders(set, k, path.Dir(k.File)); err == nil {
			named = shaped
		}
	}
	return object.ID{APIVersion: SourceGroup + "/v1", Kind: named.Str("spec", "sourceRef", "kind"),
		Namespace: substituted(set, cmp.Or(named.Str("spec", "sourceRef", "namespace"), k.Namespace)),
		Name:      substituted(set, named.Str("spec", "sourceRef", "name"))}
}

// withoutUnlisted leaves out, of several objects, those in a file that the kustomization.yaml of its folder does not
// list, such as an example beside the real one: nothing applies those.
func withoutUnlisted(set *object.Set, found []*object.Object) []*object.Object {
	if len(found) < 2 {
		return found
	}
	if listed := slices.DeleteFunc(slices.Clone(found),
		func(o *object.Object) bool { return !isListed(set, o) }); len(listed) > 0 {
		return listed
	}
	return found
}

// isListed reports whether nothing keeps the folder of an object from applying it.
func isListed(set *object.Set, o *object.Object) bool {
	type key struct{ o *object.Object }
	return object.Once(set, key{o}, func(set *object.Set) bool { return Applies(set, path.Dir(o.File), o.File) })
}

// Nearest picks, of several definitions of one object, that of the same cluster: the one whose folder shares most with
// k's.
func Nearest(found []*object.Object, k *object.Object) *object.Object {
	var nearest *object.Object
	most := -1
	for _, o := range found {
		if n := inventory.Shared(o.File, k.File); n > most || n == most && object.Compare(o, nearest) < 0 {
			nearest, most = o, n
		}
	}
	return nearest
}

// syncPath is the clean path of a Flux Kustomization.
func syncPath(k *object.Object) string {
	type key struct{}
	return object.Fact(k, key{}, func(k *object.Object) string { return CleanPath(k.Str("spec", "path")) })
}

// CleanPath is a Flux spec.path as a clean slash path from the root of the repository: "." for ./ and for none.
func CleanPath(p string) string {
	if inner := strings.Trim(strings.TrimPrefix(p, "./"), "/"); !strings.Contains(inner, "..") {
		return path.Clean(inner) // nearly always as it stands
	}
	return cmp.Or(strings.TrimPrefix(path.Clean("/"+p), "/"), ".")
}
