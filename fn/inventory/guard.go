package inventory

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/limit"
)

// The metadata by which kustomize-controller leaves an object alone, as a label or as an annotation, in whatever case.
// Source: kustomize-controller v1.9.4, apply and deleteObjects; fluxcd/pkg/ssa, AnyInMetadata and shouldSkipApply.
const (
	PruneKey     = kustomizeGroup + "/prune"
	reconcileKey = kustomizeGroup + "/reconcile"
	ssaKey       = kustomizeGroup + "/ssa"
	forceKey     = kustomizeGroup + "/force"
	Disabled     = "disabled"
)

// EntryOf is an object as it is here, of no owner.
func EntryOf(content map[string]any) Entry {
	o := (&object{}).with(content)
	return Entry{ID: o.ID, APIVersion: o.apiVersion, Labels: o.labels, Annotations: o.annotations}
}

// OwnerOf is a Flux Kustomization as it is here.
func OwnerOf(content map[string]any) Owner { return newOwner(definition{object: content}) }

// Guarded reports whether kustomize-controller never deletes the object once it has applied it as it is here. What it
// does not apply at all gets no guard from Git.
func (e Entry) Guarded() bool {
	return e.has(PruneKey, Disabled) && !e.has(reconcileKey, Disabled) && !e.has(ssaKey, "ignore")
}

// Excluded reports whether kustomize-controller does not delete the object, which is on the cluster as it is here.
func (e Entry) Excluded() bool { return e.has(PruneKey, Disabled) || e.has(reconcileKey, Disabled) }

// Frozen names what keeps kustomize-controller from bringing a change in Git to the object on the cluster; empty where
// nothing does.
func (e Entry) Frozen() string {
	_, mark := e.frozen()
	return mark
}

// frozen is Frozen, with the key alone as well.
func (e Entry) frozen() (key, mark string) {
	for _, mark := range [][2]string{{reconcileKey, Disabled}, {ssaKey, "Ignore"}, {ssaKey, "IfNotPresent"}} {
		if e.has(mark[0], mark[1]) {
			return mark[0], mark[0] + ": " + mark[1]
		}
	}
	return "", ""
}

// Recreated reports whether kustomize-controller deletes and creates the object where a change is of an immutable
// field.
func (e Entry) Recreated() bool { return e.has(forceKey, "enabled") }

// has reports whether the object has a label or an annotation with a value.
func (e Entry) has(key, value string) bool {
	return strings.EqualFold(e.Labels[key], value) || strings.EqualFold(e.Annotations[key], value)
}

// orphanSince is the first release of Flux that knows spec.deletionPolicy.
var orphanSince = semver.MustParse("2.5.0-0")

// HasDeletionPolicy reports whether a Flux Kustomization of an API version can have spec.deletionPolicy in a release of
// Flux; nil is the newest. The API server refuses a field that it does not know. Source: the CRD of
// kustomize-controller v1.4.0 to v1.9.4.
func HasDeletionPolicy(apiVersion string, release *semver.Version) bool {
	return apiVersion == kustomizeGroup+"/v1" && (release == nil || !release.LessThan(orphanSince))
}

// Orphans says why the finalizer of the Flux Kustomization deletes nothing in a release of Flux; empty where it does.
// Source: kustomize-controller v1.9.4, finalizerShouldDeleteResources.
func (o Owner) Orphans(release *semver.Version) string {
	common := dig(o.object, "spec", "commonMetadata")
	metadata := Entry{Labels: stringMap(common["labels"]), Annotations: stringMap(common["annotations"])}
	switch {
	case o.DeletionPolicy != "" && !HasDeletionPolicy(str(o.object, "apiVersion"), release):
		return "" // Flux applies nothing of it
	case metadata.Guarded():
		return "annotates what it applies against pruning"
	case o.DeletionPolicy == "Orphan":
		return "orphans what it applied"
	case !o.Prune && (o.DeletionPolicy == "" || o.DeletionPolicy == "MirrorPrune"):
		return "goes, and does not prune"
	}
	return ""
}

// Entry is the Flux Kustomization as what applies it applies it; false where nothing does that could be read.
func (inv *Inventory) Entry(o Owner) (Entry, bool) {
	if entries := inv.Find(o.id()); len(entries) > 0 {
		return entries[0], true
	}
	return Entry{}, false
}

// GuardsAll reports whether each Flux Kustomization that reads a kustomization.yaml guards all that this lists, also
// what no file shows, such as a remote base: an object that stands in its place is guarded as it is applied. Nothing
// reads it where found is false.
func (inv *Inventory) GuardsAll(file string) (guarded, found bool) {
	guarded = true
	for _, owner := range inv.readers(file) {
		found, guarded = true, guarded && inv.guardsStandIn(owner, file)
	}
	return guarded && found, found
}

// readers are the Flux Kustomizations whose builds read a file.
func (inv *Inventory) readers(file string) []Name {
	var all []Name
	for _, o := range inv.Owners {
		if o.Reads(file) {
			all = append(all, o.Name)
		}
	}
	return all
}

// Reads reports whether a Flux Kustomization of the inventory reads a file to build what it applies.
func (inv *Inventory) Reads(file string) bool {
	return slices.ContainsFunc(inv.Owners, func(o Owner) bool { return o.Reads(file) })
}

// guardsStandIn reports whether an object that a kustomization.yaml lists besides is guarded as a Flux Kustomization
// applies it.
func (inv *Inventory) guardsStandIn(name Name, file string) bool {
	owner, _ := inv.Owner(name)
	source, ours := inv.walk.resolve(owner.Source)
	fields, err := transformsOf(dig(owner.object, "spec"))
	if !ours || err != nil {
		return false
	}
	for _, allowed := range []leniency{strict, patches, replacements} {
		v := newView(inv.walk.artifact(source))
		v.allowed, v.standIn = allowed, file
		built := renderOnce(v, owner.Path, fields)
		if built.err != nil {
			continue
		}
		finished := inv.walk.renderer.finish(built, variables{open: true}, dig(owner.object, "spec", "commonMetadata"))
		n := slices.IndexFunc(finished.objects, func(o *object) bool { return strings.Contains(o.Name, standInName) })
		return n >= 0 && Entry{Labels: finished.objects[n].labels,
			Annotations: finished.objects[n].annotations}.Guarded()
	}
	return false
}

// standInName is the name of what stands for all that a kustomization.yaml lists, and standInText what it is.
const (
	standInName = "stands-for-what-is-listed"
	standInText = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + standInName + ", namespace: default}\n"
)

// putStandIn lists the stand-in in the kustomization.yaml that was asked for.
func (c *cleaner) putStandIn(k *types.Kustomization) {
	file := path.Join(path.Dir(c.file), standInName+".yaml")
	if c.standIn != c.file || c.override[file] != nil {
		return
	}
	c.override[file] = []byte(standInText)
	k.Resources = append(slices.Clone(k.Resources), standInName+".yaml")
	c.changed = true
}

// Sets names what sets one of some keys on the way of an object to the cluster, what comes last first: fields of the
// Flux Kustomization that applies it, and of the kustomization.yaml files that its build reads.
func (inv *Inventory) Sets(e Entry, keys ...string) []string {
	return inv.sets(e, mentions(keys), maxDepth)
}

// Undoes names what takes a guard from an object that has it in its file, as Sets does: what sets one of the keys by
// which it is told to anything else, or else what replaces all that holds them.
func (inv *Inventory) Undoes(e Entry, keys ...string) []string {
	mentioned := mentions(keys)
	sets := inv.sets(e, func(text string) bool { return mentioned(guards.ReplaceAllString(text, "")) }, maxDepth)
	if len(sets) > 0 {
		return sets
	}
	return inv.sets(e, replaces.MatchString, maxDepth)
}

var (
	// guards is a guard in a patch: it undoes none.
	guards = regexp.MustCompile(`(?i)` + PruneKey + `['"]?:\s*['"]?` + Disabled +
		`|deletionPolicy: Orphan|path: /spec/deletionPolicy\s+value: Orphan`)
	// replaces is a patch that replaces or removes the annotations, the labels, the spec or more of an object.
	replaces = regexp.MustCompile(`path['"]?:\s*['"]?` +
		`(/|/metadata|/metadata/annotations|/metadata/labels|/spec)?['"]?\s*[\n,}]|\$patch`)
)

// mentions reports whether a text has one of the keys, as they are or as a JSON patch has them.
func mentions(keys []string) func(text string) bool {
	return func(text string) bool {
		return slices.ContainsFunc(keys, func(key string) bool {
			return strings.Contains(text, key) || strings.Contains(text, strings.ReplaceAll(key, "/", "~1"))
		})
	}
}

// maxDepth is how many Flux Kustomizations may stand above an object: more is a circle.
const maxDepth = 16

// sets names what has such a text, for an object below so many Flux Kustomizations at most.
func (inv *Inventory) sets(e Entry, has func(text string) bool, depth int) []string {
	var all []string
	if owner, found := inv.Owner(e.Owner); found {
		for _, field := range mentioning(dig(owner.object, "spec"), specFields, e.Kind, nil, has) {
			all = append(all, fmt.Sprintf("spec.%s of %s%s", field, owner.ref(), inv.inTurn(owner, has, depth)))
		}
	}
	if e.File == nil {
		return all
	}
	read := e.File.build.trace
	for _, file := range slices.SortedFunc(maps.Keys(read), outermost) {
		var k map[string]any
		content := read[file].content
		if !slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(file)) ||
			limit.Check(content) != nil ||
			yaml.Unmarshal(content, &k) != nil || !isKustomization(k) {
			continue
		}
		for _, field := range mentioning(k, fileFields, e.Kind,
			func(name string) []byte { return read[path.Join(path.Dir(file), name)].content }, has) {
			all = append(all, fmt.Sprintf("%s of %s", field, file))
		}
	}
	return all
}

// inTurn says what has such a text on the way of a Flux Kustomization, where its own file does not.
func (inv *Inventory) inTurn(owner Owner, has func(text string) bool, depth int) string {
	if of, applied := inv.Entry(owner); applied && of.Owner != owner.Name && depth > 0 {
		if sets := inv.sets(of, has, depth-1); len(sets) > 0 {
			return " (set by " + sets[0] + ")"
		}
	}
	return ""
}

// outermost orders files by how far they are from the root of the repository.
func outermost(a, b string) int {
	if n := strings.Count(a, "/") - strings.Count(b, "/"); n != 0 {
		return n
	}
	return strings.Compare(a, b)
}

// specFields and fileFields are the fields of a Flux Kustomization and of a kustomization.yaml that change what others
// apply, what comes last first.
var (
	specFields = []string{"commonMetadata", "patches"}
	fileFields = []string{"transformers", "commonAnnotations", "commonLabels", "labels", "patchesJson6902", "patches",
		"patchesStrategicMerge", "replacements"}
)

// mentioning are those fields, and entries of their lists, that reach objects of a kind and whose text or file has
// something.
func mentioning(m map[string]any, fields []string, kind string, read func(file string) []byte,
	has func(text string) bool) []string {
	found := func(value any) bool {
		text, _ := yaml.Marshal(value)
		entry, _ := value.(map[string]any)
		for _, file := range []any{value, entry["path"]} {
			if name, ok := file.(string); ok && read != nil && !strings.Contains(name, "\n") {
				text = append(text, read(name)...)
			}
		}
		return has(string(text)) && reaches(str(entry, "target", "kind"), kind)
	}
	var all []string
	for _, field := range fields {
		list, isList := m[field].([]any)
		if !isList && m[field] != nil && found(m[field]) {
			all = append(all, field)
		}
		for n, entry := range slices.Backward(list) {
			if found(entry) {
				all = append(all, fmt.Sprintf("%s[%d]", field, n))
			}
		}
	}
	return all
}

// reaches reports whether the target of a patch, a pattern, may be of a kind.
func reaches(pattern, kind string) bool {
	target, err := regexp.Compile("^(?:" + pattern + ")$")
	return pattern == "" || err != nil || target.MatchString(kind)
}

// isKustomization reports whether k is kustomize's file rather than a Flux Kustomization in a file of that name.
func isKustomization(k map[string]any) bool {
	api, _ := k["apiVersion"].(string)
	return api == "" || strings.HasPrefix(api, "kustomize.config.k8s.io/")
}
