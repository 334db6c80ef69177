package instance

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// repair adds a patch for every difference that is left: flags that a FluxInstance has no field for, and what labels,
// replicas and the like of a kustomization.yaml do. The value is always the classic one. It returns what is still
// different.
func (d *draft) repair(before []*kyaml.RNode, differences []flux.Difference) []flux.Difference {
	tried := d.clone()
	tried.patches = append(tried.patches, repairs(differences, byID(before), byID(d.after))...)
	left, err := tried.differences(before)
	if err != nil || len(left) >= len(differences) {
		return differences
	}
	*d = *tried
	return left
}

func byID(objects []*kyaml.RNode) map[flux.ID]map[string]any {
	all := map[flux.ID]map[string]any{}
	for _, o := range objects {
		if content, err := o.Map(); err == nil {
			all[flux.IDOf(o)] = content
		}
	}
	return all
}

// change is one repair of one object, and its patch.
type change struct {
	path string
	body string
}

// repairs are the patches for the differences: equal ones of several objects of a kind are one patch.
func repairs(differences []flux.Difference, before, after map[flux.ID]map[string]any) []classic.Patch {
	changes := map[flux.ID][]change{}
	for _, difference := range differences {
		id := difference.Object
		// A rule has no name to remove it by, so that where one has to go, all are set.
		only := !slices.ContainsFunc(differences,
			func(d flux.Difference) bool { return d.Object == id && losesRule(d) })
		if c, ok := repairOf(difference, before[id], after[id], only); ok && !slices.Contains(changes[id], c) {
			changes[id] = append(changes[id], c)
		}
	}
	type group struct {
		group, kind, body string
		shard             bool
	}
	sharded := slices.ContainsFunc(slices.Collect(maps.Values(after)), isShard)
	names, paths := map[group][]string{}, map[group][]string{}
	for _, id := range slices.SortedFunc(maps.Keys(changes), compareIDs) {
		for _, c := range changes[id] {
			// Several differences can have one repair, such as those within a list.
			g := group{id.Group, id.Kind, c.body, isShard(after[id])}
			if !slices.Contains(names[g], id.Name) {
				names[g] = append(names[g], id.Name)
			}
			if !slices.Contains(paths[g], c.path) {
				paths[g] = append(paths[g], c.path)
			}
		}
	}
	var patches []classic.Patch
	for _, g := range slices.SortedFunc(maps.Keys(names), func(a, b group) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(names[a][0], names[b][0]), cmp.Compare(a.body, b.body))
	}) {
		target := map[string]any{"kind": g.kind, "name": alternatives(names[g])}
		if g.group != "" {
			target["group"] = g.group
		}
		if sharded && !g.shard {
			beside(target)
		}
		patches = append(patches, classic.Patch{Body: g.body, Target: target, Comment: "As the classic install had it.",
			Field: strings.Join(paths[g], ", ")})
	}
	return joined(patches)
}

// isShard tells an object of a shard from those of the main controllers.
func isShard(o map[string]any) bool {
	role, _ := object.Get[string](o, "metadata", "annotations", flux.ShardRole)
	return role != ""
}

// joined makes one patch of the operations on the same objects. What removes comes last and from the end of a list, so
// that the places of the others hold.
func joined(patches []classic.Patch) []classic.Patch {
	var all []classic.Patch
	at := map[string]int{}
	for _, patch := range patches {
		ops, isJSON := classic.Operations(patch.Body)
		target := oneLine(patch.Target)
		n, seen := at[target]
		if !isJSON || !seen {
			if isJSON {
				at[target] = len(all)
			}
			all = append(all, patch)
			continue
		}
		all[n].Field += ", " + patch.Field
		before, _ := classic.Operations(all[n].Body)
		all[n].Body = marshal(slices.SortedStableFunc(slices.Values(append(before, ops...)), compareOperations))
	}
	return all
}

// compareOperations orders removals behind everything else, the last place first.
func compareOperations(a, b map[string]any) int {
	place := func(op map[string]any) int {
		pointer, _ := op["path"].(string)
		n, err := strconv.Atoi(pointer[strings.LastIndex(pointer, "/")+1:])
		if op["op"] != "remove" {
			return -1
		} else if err != nil {
			return math.MaxInt
		}
		return n
	}
	x, y := place(a), place(b)
	if (x < 0) != (y < 0) {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(y, x)
}

// losesRule tells a rule of a role that the classic install does not have.
func losesRule(d flux.Difference) bool {
	_, isRule := ruleOf(d.Path)
	return isRule && d.Classic == nil
}

// repairOf is the patch body for one difference; false where no patch can mend it. Rules are appended to those of the
// role where that is all that it takes.
func repairOf(d flux.Difference, before, after map[string]any, appends bool) (change, bool) {
	switch {
	case before == nil && after != nil && d.Object.Kind != crdKind:
		return change{d.Path, marshal(map[string]any{"$patch": "delete", "apiVersion": after["apiVersion"],
			"kind": d.Object.Kind, "metadata": map[string]any{"name": "all"}})}, true
	case before == nil || after == nil:
		return change{}, false
	case strings.Contains(d.Path, ".args["):
		return repairArgument(d, before, after)
	case strings.HasPrefix(d.Path, "metadata."), strings.HasPrefix(d.Path, podMetadata):
		return repairMetadata(d)
	}
	if rule, isRule := ruleOf(d.Path); isRule && appends {
		return change{d.Path, marshal([]any{map[string]any{"op": "add", "path": "/rules/-", "value": rule}})}, true
	}
	keys := pathKeys(d.Path)
	pointer, value, found := valueAt(before, keys)
	op := map[string]any{"op": "add", "path": pointer, "value": value}
	if !found {
		op = map[string]any{"op": "remove", "path": pointer}
	}
	return change{d.Path, marshal([]any{op})}, true
}

// ruleOf is the rule of a role that a path names by its content.
func ruleOf(path string) (rule map[string]any, isRule bool) {
	text, isRule := strings.CutPrefix(path, "rules[")
	if !isRule || yaml.Unmarshal([]byte(strings.TrimSuffix(text, "]")), &rule) != nil {
		return nil, false
	}
	return rule, true
}

// pathKeys are the keys that lead to the smallest part of an object that can be set as a whole: in a pod, the field of
// the one container or of the pod; elsewhere the field of the spec.
func pathKeys(path string) []string {
	keys := strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' })
	depth := 2
	if strings.HasPrefix(path, "spec.template.spec.containers[") {
		return []string{"spec", "template", "spec", "containers", "0",
			strings.TrimSuffix(keys[min(5, len(keys)-1)], "]")}
	}
	if strings.HasPrefix(path, "spec.template.") {
		depth = 4
	}
	if !strings.HasPrefix(path, "spec.") {
		depth = 1
	}
	return keys[:min(depth, len(keys))]
}

// valueAt is the value at these keys and their JSON pointer.
func valueAt(o map[string]any, keys []string) (pointer string, value any, found bool) {
	value, found = o, true
	for _, key := range keys {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		switch at := value.(type) {
		case map[string]any:
			value, found = at[key]
		case []any:
			n, err := strconv.Atoi(key)
			if found = err == nil && n < len(at); found {
				value = at[n]
			}
		default:
			found = false
		}
		if !found {
			value = nil
		}
	}
	return pointer, value, found
}

// repairArgument sets, adds or removes one flag of a controller, in its place. The place is tested first: in a later
// release the argument may stand elsewhere, and Flux Operator then says so and applies nothing, rather than change
// another argument.
func repairArgument(d flux.Difference, before, after map[string]any) (change, bool) {
	flag := d.Path[strings.Index(d.Path, ".args[")+len(".args["):]
	flag, _, _ = strings.Cut(flag, "]")
	_, was, _ := valueAt(before, []string{"spec", "template", "spec", "containers", "0", "args"})
	_, is, _ := valueAt(after, []string{"spec", "template", "spec", "containers", "0", "args"})
	_, classicArg := argument(was, flag)
	at, operatorArg := argument(is, flag)
	path := containerPath + "/args/" + strconv.Itoa(at)
	there := map[string]any{"op": "test", "path": path, "value": operatorArg}
	switch {
	case classicArg == "" && operatorArg == "":
		return change{}, false
	case classicArg == "":
		return change{d.Path, marshal([]any{there, map[string]any{"op": "remove", "path": path}})}, true
	case operatorArg == "":
		return change{d.Path, marshal([]any{map[string]any{"op": "add", "path": containerPath + "/args/-",
			"value": classicArg}})}, true
	default:
		return change{d.Path, marshal([]any{there,
			map[string]any{"op": "replace", "path": path, "value": classicArg}})}, true
	}
}

// argument finds a flag, the last time it is given.
func argument(args any, flag string) (int, string) {
	list, _ := args.([]any)
	for i := len(list) - 1; i >= 0; i-- {
		arg, _ := list[i].(string)
		if name, _, _ := strings.Cut(arg, "="); name == flag {
			return i, arg
		}
	}
	return 0, ""
}

// podMetadata leads to the labels and annotations of pods.
const podMetadata = "spec.template.metadata."

// repairMetadata sets a label or an annotation by a merge, which also works where there is none yet.
func repairMetadata(d flux.Difference) (change, bool) {
	at, inPod := strings.CutPrefix(d.Path, podMetadata)
	field, key, found := strings.Cut(strings.TrimPrefix(at, "metadata."), ".")
	if !found || field != "labels" && field != "annotations" {
		return change{}, false
	}
	set := map[string]any{field: map[string]any{key: d.Classic}}
	body := map[string]any{"apiVersion": "v1", "kind": "all", "metadata": map[string]any{"name": "all"}}
	if inPod {
		body["spec"] = map[string]any{"template": map[string]any{"metadata": set}}
		body["apiVersion"], body["kind"] = "apps/v1", d.Object.Kind
	} else {
		body["metadata"] = map[string]any{"name": "all", field: set[field]}
	}
	return change{d.Path, marshal(body)}, true
}

// marshal writes a value that was decoded from YAML.
func marshal(value any) string {
	text, _ := yaml.Marshal(value)
	return string(text)
}
