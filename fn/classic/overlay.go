package classic

import (
	"cmp"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/object"
)

// pairsOf are the pairs that a root makes: one for each cluster where patches on the way there give it its path, as
// overlays do with a root that their clusters share, and the one whose path stands in its file.
func pairsOf(set *object.Set, root, source *object.Object) []Pair {
	type key struct{ root *object.Object }
	return object.Once(set, key{root}, func(set *object.Set) []Pair {
		overlaid := overlaidPairs(set, root, source)
		written := Pair{Source: source, Root: root, Path: syncPath(root)}
		if isTemplate(root) || slices.ContainsFunc(overlaid,
			func(p Pair) bool { return p.Path == written.Path || passes(set, p.Path, root.File, written.Path) }) {
			return overlaid
		}
		return append(overlaid, written)
	})
}

// overlaidPairs are the pairs of the folders that apply a root and give it their own path while they do.
func overlaidPairs(set *object.Set, root, source *object.Object) []Pair {
	var pairs []Pair
	for _, patched := range patchedPaths(set) {
		if !patched.names(root) || !Applies(set, patched.path, root.File) {
			continue
		}
		pair := Pair{Source: source, Root: root, Path: patched.path}
		if live, err := pair.OnCluster(set, root); err == nil && live != root &&
			CleanPath(live.Str("spec", "path")) == pair.Path {
			pairs = append(pairs, pair)
		}
	}
	return slices.CompactFunc(pairs, Pair.Is)
}

// passes reports whether the way from a folder to a file leads through another folder, which then is no cluster but a
// base.
func passes(set *object.Set, dir, file, through string) bool {
	dirs, _ := chain(set, dir, file, map[string]bool{})
	return slices.Contains(dirs, through)
}

// patchedPath is the path that a patch gives to the Flux Kustomizations of a name, which is a regular expression.
type patchedPath struct {
	path, name string
	pattern    *regexp.Regexp // of the name, nil where it is none
}

// names reports whether the patch can be meant for a Flux Kustomization: one that selects by something else can be.
func (p patchedPath) names(root *object.Object) bool {
	return p.name == "" || p.pattern != nil && p.pattern.MatchString(root.Name)
}

// patchedPaths are what patches of kustomization.yaml files set as the path of a Flux Kustomization, in the order of
// the paths.
func patchedPaths(set *object.Set) []patchedPath {
	type key struct{}
	return object.Once(set, key{}, func(set *object.Set) []patchedPath {
		found := map[patchedPath]bool{}
		for _, kind := range []string{"Kustomization", "Component"} {
			for _, k := range set.Of(ConfigGroup, kind) {
				if folder := patching(set, k); folder != nil {
					for _, patch := range folder.Patches {
						name, _ := patch.Target["name"].(string)
						found[patchedPath{path: pathSet(patch.Body), name: name}] = true
					}
				}
			}
		}
		maps.DeleteFunc(found, func(p patchedPath, _ bool) bool { return p.path == "" })
		all := slices.SortedFunc(maps.Keys(found),
			func(a, b patchedPath) int { return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.name, b.name)) })
		for i := range all {
			all[i].pattern, _ = regexp.Compile("^(" + all[i].name + ")$") // one that is none matches nothing
		}
		return all
	})
}

// patching reads a kustomization.yaml with the patches that may set a path; nil for one without patches, and for one
// that cannot be read, which says so where it shapes something.
func patching(set *object.Set, k *object.Object) *Folder {
	if k.File == "" || !k.MayHold("patch") {
		return nil
	}
	folder, err := readFolder(set, path.Dir(k.File), forKustomizations, maySetPath)
	if err != nil || folder == nil {
		return nil
	}
	return folder
}

// forKustomizations is contentOf without the patches that select other kinds, whose files need not be read then.
func forKustomizations(o *object.Object, path ...string) ([]Patch, error) {
	patches, err := contentOf(o, path...)
	return slices.DeleteFunc(patches, func(p Patch) bool {
		kind, _ := p.Target["kind"].(string)
		return kind != "Kustomization" && wordOnly.MatchString(kind)
	}), err
}

// wordOnly is a regular expression that is no more than a word.
var wordOnly = regexp.MustCompile(`^[A-Za-z]+$`)

// maySetPath reports whether a patch may set the path of a Flux Kustomization, without parsing it. Most patches are
// operations on other fields: they have a path, but the spec is no key of theirs.
func maySetPath(p Patch) bool {
	if strings.Contains(p.Body, `\`) {
		return strings.Contains(p.Body, "path") // escapes can spell all else
	}
	names := len(p.Target) > 0 || strings.Contains(p.Body, "Kustomization")
	return names && (strings.Contains(p.Body, "/spec/path") || specKey.MatchString(p.Body) &&
		strings.Contains(p.Body, "path"))
}

// specKey is where spec can be a key.
var specKey = regexp.MustCompile(`spec([^/]|$)`)

// pathSet is the path that a patch sets, clean; empty where it sets none.
func pathSet(body string) string {
	if ops, isJSON := Operations(body); isJSON {
		for _, op := range ops {
			if value, isText := op["value"].(string); isText && op["path"] == "/spec/path" {
				return CleanPath(value)
			}
		}
		return ""
	}
	var merge struct {
		Spec struct {
			Path string `json:"path"`
		} `json:"spec"`
	}
	if yaml.Unmarshal([]byte(body), &merge) != nil || merge.Spec.Path == "" {
		return ""
	}
	return CleanPath(merge.Spec.Path)
}
