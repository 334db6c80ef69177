package migrate

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/reason"
)

// move prepares the new sync path: a kustomization.yaml there applies everything that the old path applies, so that it
// does not matter when the root moves. Until then the old path applies it, and where the new one lies below, it applies
// just that: otherwise kustomize-controller would find the same objects there twice.
//
// A kustomization.yaml that is at the new path already is its owner's. Whether it applies everything, the proof shows.
func move(set *object.Set, install *classic.Install, plan *instance.Plan, findings *finding.List) {
	if plan.NewPath == "" {
		return
	}
	from, to := install.Pair.Dir(), plan.NewPath
	below := object.Within(to, from)
	if above := kustomizationBetween(set, from, to); above != nil && below {
		findings.Error(finding.RootCannotMove, above, "", "config field sync.path: this kustomization.yaml is above "+
			"%s, and cannot be listed from there: use another path", shown(to))
		return
	}
	old := classic.KustomizationIn(set, from)
	err := writeNewPath(set, old, from, to)
	if err == nil && old == nil && below {
		err = addKustomization(set, from, oldPathComment, dotted(relative(from, to)))
	}
	if err != nil {
		findings.Error(finding.RootCannotMove, install.Pair.Root, "spec.path",
			"config field sync.path: %s cannot apply what %s does: %s", shown(to), shown(from), err)
		return
	}
	findings.Info(finding.RootMoves, finding.Moved, install.Pair.Root, "spec.path",
		"with the take-over the root moves from %s to %s, whose kustomization.yaml lists all that the old path "+
			"applies: a file that is new from then on has to be listed there", shown(from), shown(to))
}

// shown is a folder as sync paths are written.
func shown(dir string) string { return "./" + strings.TrimPrefix(dir, ".") }

const oldPathComment = "The path that the root synced before Flux Operator took it over. It applies what the new " +
	"path does, so that\nnothing changes whenever the root moves; it is not used afterwards."

const newPathComment = "Everything that the root applied from its path before Flux Operator."

// kustomizationBetween is a kustomization.yaml in a folder between two, the lower one's own left out.
func kustomizationBetween(set *object.Set, upper, lower string) *object.Object {
	for dir := path.Dir(lower); dir != upper && object.Within(dir, upper); dir = path.Dir(dir) {
		if k := classic.KustomizationIn(set, dir); k != nil {
			return k
		}
	}
	return nil
}

// writeNewPath writes the kustomization.yaml of the new path unless it is there. Where the old path has one, it is
// listed as a whole, or, since kustomize lists no folder from below it, copied with its paths rewritten.
func writeNewPath(set *object.Set, old *object.Object, from, to string) error {
	if classic.KustomizationIn(set, to) != nil {
		return nil
	}
	if old != nil && object.Within(to, from) {
		return copyKustomization(set, old, from, to)
	}
	names := []string{"."}
	if old == nil {
		names = resourcesOf(set, from)
	}
	var entries []string
	for _, name := range names {
		entries = append(entries, dotted(relative(to, path.Join(from, name))))
	}
	return addKustomization(set, to, newPathComment, entries...)
}

// dotted is a relative path as kustomization.yaml files spell it.
func dotted(entry string) string {
	if strings.HasPrefix(entry, "../") {
		return entry
	}
	return "./" + entry
}

// addKustomization adds a kustomization.yaml with these resources to a folder.
func addKustomization(set *object.Set, dir, comment string, resources ...string) error {
	var list []*kyaml.Node
	for _, r := range resources {
		list = append(list, object.Value(r))
	}
	o, err := object.Build(object.Map(
		object.F("apiVersion", classic.ConfigGroup+"/v1beta1"),
		object.F("kind", "Kustomization"),
		object.Because(comment, "resources", list)), path.Join(dir, "kustomization.yaml"))
	if err != nil {
		return err
	}
	set.Add(o)
	return nil
}

// pathFree are the fields of a kustomization.yaml that name no files, and patches where they are inline.
// Source: kustomize.config.k8s.io/v1beta1 of kustomize v5.8.
var pathFree = []string{"apiVersion", "kind", "metadata", "namespace", "namePrefix", "nameSuffix", "labels",
	"commonLabels", "commonAnnotations",
	"images", "replicas", "generatorOptions", "buildMetadata", "sortOptions"}

// copyKustomization copies a kustomization.yaml to a folder below its own, with the paths of what it lists rewritten.
//
// It fails on a field that may name other files.
func copyKustomization(set *object.Set, old *object.Object, from, to string) error {
	for _, field := range slices.Sorted(maps.Keys(old.Map())) {
		if !slices.Contains(pathFree, field) && !slices.Contains(classic.EntryFields, field) &&
			!(field == "patches" && inline(old)) {
			return fmt.Errorf("field %s of its kustomization.yaml may name files by paths that would be others from "+
				"there: move what it does into a kustomization.yaml of its own, or use a path that is not below %s",
				field, shown(from))
		}
	}
	node, err := old.Node()
	if err != nil {
		return err
	}
	for _, field := range classic.EntryFields {
		if err := rebase(node, field, from, to); err != nil {
			return err
		}
	}
	text, err := node.String()
	if err != nil {
		return err
	}
	o, err := object.Parse(text, path.Join(to, "kustomization.yaml"), 0)
	if err != nil {
		return err
	}
	set.Add(o)
	return nil
}

// inline reports whether no patch is in a file.
func inline(k *object.Object) bool {
	patches, _ := object.Get[[]any](k.Map(), "patches")
	return !slices.ContainsFunc(patches, func(p any) bool {
		patch, isMap := p.(map[string]any)
		return !isMap || patch["path"] != nil
	})
}

// rebase rewrites the paths of a list to be relative to another folder; URLs stay as they are.
func rebase(node *kyaml.RNode, field, from, to string) error {
	list, err := reason.With(node.Pipe(kyaml.Lookup(field)))
	if err != nil || list == nil {
		return err
	}
	for _, entry := range list.YNode().Content {
		if strings.Contains(entry.Value, "://") || strings.Contains(entry.Value, "?ref=") ||
			strings.Contains(entry.Value, "\n") {
			continue
		}
		entry.Value = dotted(relative(to, path.Join(from, entry.Value)))
	}
	return nil
}
