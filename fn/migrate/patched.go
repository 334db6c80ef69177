package migrate

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/reason"
)

// tellPatched says what patches that are for every Flux Kustomization set on the new ones, once for those on which they
// set the same. Where that cannot be followed, the proof says so.
func tellPatched(set *object.Set, install *classic.Install, added []*object.Object, findings *finding.List) {
	first, names := map[string]*object.Object{}, map[string][]string{}
	for _, o := range added {
		if !o.Is(classic.KustomizeGroup, "Kustomization") {
			continue
		}
		live, err := install.Pair.OnCluster(set, o)
		if err != nil {
			continue
		}
		if fields := strings.Join(changedFields(o, live), ", "); fields != "" {
			first[fields] = cmp.Or(first[fields], o)
			names[fields] = append(names[fields], o.Name)
		}
	}
	for _, fields := range slices.Sorted(maps.Keys(names)) {
		findings.Info(finding.PatchedByRoot, finding.Found, first[fields], "spec",
			"patches for all Flux Kustomizations set %s on the new %s too: see that you want that",
			fields, strings.Join(names[fields], " and "))
	}
}

// keptFields are those of the new Flux Kustomizations that decide whether they do what they are for.
var keptFields = []string{"spec.dependsOn", "spec.kubeConfig", "spec.namePrefix", "spec.nameSuffix", "spec.path",
	"spec.serviceAccountName", "spec.sourceRef", "spec.suspend", "spec.targetNamespace"}

// checkArrival refuses a child that applies the new Flux Kustomizations as something else than they are: what it does
// to all that it applies is meant for applications.
func checkArrival(set *object.Set, install *classic.Install, plan *instance.Plan, added []*object.Object,
	findings *finding.List) {
	if plan.Above == nil || plan.Above.Child == nil || findings.Failed() {
		return
	}
	child := plan.Above.Child
	for _, o := range added {
		if !o.Is(classic.KustomizeGroup, "Kustomization") {
			continue
		}
		live, err := install.Pair.OnCluster(set, o)
		if err != nil {
			findings.Error(finding.OutputDir, child, "", "config field outputDir: what it makes of %s in %s cannot be "+
				"followed: %s; name another folder", o.ID, o.File, err)
			return
		}
		fields := changedFields(o, live)
		if slices.Contains(fields, "spec.postBuild") && slices.ContainsFunc(added, hasVariable) {
			findings.Error(finding.OutputDir, child, "", "config field outputDir: a patch sets spec.postBuild of %s, "+
				"and what is new has ${variables} that are not for it: name a folder where that does not happen", o.ID)
			return
		}
		changed := slices.DeleteFunc(fields, func(field string) bool { return !slices.Contains(keptFields, field) })
		if live.Name != o.Name {
			changed = append(changed, "metadata.name")
		}
		if live.Namespace != o.Namespace {
			changed = append(changed, "metadata.namespace")
		}
		if len(changed) > 0 {
			findings.Error(finding.OutputDir, child, "", "config field outputDir: on the way from %s, %s of %s is set "+
				"otherwise, by a patch or a kustomization.yaml: name a folder where that does not happen", o.File,
				strings.Join(changed, ", "), o.ID)
			return
		}
		if _, replaced := object.Get[any](child.Map(), "spec", "postBuild"); replaced &&
			hasVariable(o) {
			findings.Error(finding.OutputDir, child, "spec.postBuild", "config field outputDir: it replaces the "+
				"${variables} of what it applies, and %s in %s has some that are not for it: name a folder that the "+
				"root applies", o.ID, o.File)
			return
		}
	}
}

// hasVariable reports whether an object has a ${variable} that Flux replaces.
func hasVariable(o *object.Object) bool {
	return strings.Contains(o.Text(), "${") && o.Annotation(instance.SubstituteKey) != instance.Disabled
}

// changedFields are the fields of the spec of an object that another state of it has otherwise.
func changedFields(o, live *object.Object) []string {
	was, _ := object.Get[map[string]any](o.Map(), "spec")
	is, _ := object.Get[map[string]any](live.Map(), "spec")
	all := maps.Clone(is)
	maps.Copy(all, was)
	var fields []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !reflect.DeepEqual(was[key], is[key]) {
			fields = append(fields, "spec."+key)
		}
	}
	return fields
}

// operation is one of a JSON patch.
type operation struct {
	Op   string `json:"op"`
	Path string `json:"path"`
}

// openLists gives the new Flux Kustomizations the empty lists and maps to which patches for all Flux Kustomizations add
// an entry: such a patch fails where there is none, and with it all that the root applies.
func openLists(set *object.Set, install *classic.Install, added []*object.Object) error {
	for _, o := range added {
		if !o.Is(classic.KustomizeGroup, "Kustomization") {
			continue
		}
		patches, err := install.Pair.PatchesOn(set, o)
		if err != nil {
			return err
		}
		for _, patch := range patches {
			var operations []operation
			if yaml.Unmarshal([]byte(patch.Body), &operations) != nil {
				continue // it merges, and makes what is not there
			}
			for _, op := range operations {
				if err := open(o, op); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// openComment stands beside an empty list that a patch adds to.
const openComment = "for the patch that adds to it"

// open makes the list or map that an operation adds an entry to.
func open(o *object.Object, op operation) error {
	tokens := strings.Split(strings.TrimPrefix(op.Path, "/"), "/")
	last := len(tokens) - 1
	if op.Op != "add" || last < 1 {
		return nil
	}
	for i, token := range tokens {
		tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
	}
	if _, there := object.Get[any](o.Map(), tokens[:last]...); there {
		return nil
	}
	return o.EditNode(func(node *kyaml.RNode) error {
		kind := kyaml.MappingNode
		if tokens[last] == "-" || tokens[last] == "0" {
			kind = kyaml.SequenceNode
		}
		made, err := reason.With(node.Pipe(kyaml.LookupCreate(kind, tokens[:last]...)))
		if err == nil {
			made.YNode().Style, made.YNode().LineComment = kyaml.FlowStyle, openComment
		}
		return err
	})
}
