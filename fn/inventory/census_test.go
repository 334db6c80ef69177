package inventory

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	//lint:ignore SA1019 the types of the plugins have no other place
	"sigs.k8s.io/kustomize/api/builtins"
	"sigs.k8s.io/kustomize/api/types"
)

// plain are the fields of kustomize's types, by type, whose text is no path and no address.
const plain = `
builtins.AnnotationsTransformerPlugin: Annotations
builtins.LabelTransformerPlugin: Labels
builtins.NamespaceTransformerPlugin: SetRoleBindingSubjects
builtins.PatchJson6902TransformerPlugin: JsonOp
builtins.PatchStrategicMergeTransformerPlugin: Patches
builtins.PatchTransformerPlugin: Patch
builtins.PrefixTransformerPlugin: Prefix
builtins.SuffixTransformerPlugin: Suffix
builtins.Target: FieldPath
builtins.ValueAddTransformerPlugin: Value
resid.Gvk: Group Kind Version
resid.ResId: Name Namespace
types.FieldOptions: Delimiter Encoding
types.FieldSelector: FieldPath
types.FieldSpec: Path
types.GeneratorArgs: Behavior Name Namespace
types.GeneratorOptions: Annotations Labels
types.IAMPolicyGeneratorArgs: Cloud
types.Image: Digest Name NewName NewTag TagSuffix
types.KubernetesService: Name Namespace
types.Kustomization: BuildMetadata CommonAnnotations CommonLabels NamePrefix NameSuffix Namespace
types.KvPairSources: LiteralSources
types.Label: Pairs
types.LegacySortOptions: OrderFirst OrderLast
types.ObjectMeta: Annotations Labels Name Namespace
types.Patch: Patch
types.Replacement: SourceValue
types.Replica: Name
types.SecretArgs: Type
types.Selector: AnnotationSelector LabelSelector
types.ServiceAccount: Name ProjectId
types.SortOptions: Order
types.SourceSelector: FieldPath
types.Target: APIVersion Name Namespace
types.TargetSelector: FieldPaths
types.TypeMeta: APIVersion Kind
types.Var: Name
`

// configured are the values that a kustomization.yaml, and the objects that configure plugins, are read into.
var configured = map[string]any{
	"Kustomization":                        types.Kustomization{},
	"AnnotationsTransformerPlugin":         builtins.AnnotationsTransformerPlugin{},
	"ConfigMapGeneratorPlugin":             builtins.ConfigMapGeneratorPlugin{},
	"HashTransformerPlugin":                builtins.HashTransformerPlugin{},
	"HelmChartInflationGeneratorPlugin":    builtins.HelmChartInflationGeneratorPlugin{},
	"IAMPolicyGeneratorPlugin":             builtins.IAMPolicyGeneratorPlugin{},
	"ImageTagTransformerPlugin":            builtins.ImageTagTransformerPlugin{},
	"LabelTransformerPlugin":               builtins.LabelTransformerPlugin{},
	"NamespaceTransformerPlugin":           builtins.NamespaceTransformerPlugin{},
	"PatchJson6902TransformerPlugin":       builtins.PatchJson6902TransformerPlugin{},
	"PatchStrategicMergeTransformerPlugin": builtins.PatchStrategicMergeTransformerPlugin{},
	"PatchTransformerPlugin":               builtins.PatchTransformerPlugin{},
	"PrefixTransformerPlugin":              builtins.PrefixTransformerPlugin{},
	"SuffixTransformerPlugin":              builtins.SuffixTransformerPlugin{},
	"ReplacementTransformerPlugin":         builtins.ReplacementTransformerPlugin{},
	"ReplicaCountTransformerPlugin":        builtins.ReplicaCountTransformerPlugin{},
	"SecretGeneratorPlugin":                builtins.SecretGeneratorPlugin{},
	"ValueAddTransformerPlugin":            builtins.ValueAddTransformerPlugin{},
}

// TestEveryField holds that each text that kustomize reads is known to be a path, or to be none: a field that a new
// release of kustomize adds fails here until somebody has looked at it.
func TestEveryField(t *testing.T) {
	known := map[string]bool{}
	for line := range strings.Lines(plain) {
		of, fields, _ := strings.Cut(strings.TrimSpace(line), ": ")
		for _, field := range strings.Fields(fields) {
			known[of+"."+field] = false
		}
	}
	for field := range readings {
		known[field] = false
	}
	read := map[string]bool{}
	for name, value := range configured {
		census(reflect.TypeOf(value), read)
		if _, reads := plugins[strings.TrimSuffix(name, "Plugin")]; !reads && name != "Kustomization" && len(paths(reflect.TypeOf(value))) > 0 {
			t.Errorf("%s reads files, and is not among the plugins", name)
		}
	}
	for field := range read {
		if _, ok := known[field]; !ok {
			t.Errorf("kustomize reads %s: is it a path?", field)
		}
		known[field] = true
	}
	for field, met := range known {
		if !met {
			t.Errorf("kustomize does not read %s", field)
		}
	}
}

// census notes the fields of a type, and of those below it, that hold text.
func census(of reflect.Type, read map[string]bool) {
	if of.Kind() != reflect.Struct {
		return
	}
	for i := range of.NumField() {
		field := of.Field(i)
		if !field.IsExported() {
			continue
		}
		name := of.String() + "." + field.Name
		below := field.Type
		for slices.Contains([]reflect.Kind{reflect.Slice, reflect.Pointer, reflect.Map}, below.Kind()) {
			below = below.Elem()
		}
		switch {
		case read[name]:
		case readings[name] == asChart || below.Kind() == reflect.String || below.Kind() == reflect.Interface:
			read[name] = true
		default:
			census(below, read)
		}
	}
}

// paths are the fields of a type, and of those below it, that name files.
func paths(of reflect.Type) []string {
	read := map[string]bool{}
	census(of, read)
	var all []string
	for field := range read {
		if readings[field] != asText {
			all = append(all, field)
		}
	}
	return all
}

// TestEveryPlugin holds that all plugins are known that kustomize has.
func TestEveryPlugin(t *testing.T) {
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "sigs.k8s.io/kustomize/api/builtins").Output()
	if err != nil {
		t.Skip("skipped: go cannot tell where kustomize is:", err)
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "builtins.go"))
	if err != nil {
		t.Fatal(err)
	}
	_, types, _ := strings.Cut(string(source), "type (")
	types, _, _ = strings.Cut(types, "\n)")
	found := regexp.MustCompile(`\w+Plugin\b`).FindAllString(types, -1)
	for _, plugin := range found {
		if _, known := configured[plugin]; !known {
			t.Errorf("%s is not known", plugin)
		}
	}
	if len(found) == 0 {
		t.Error("no plugin is found")
	}
}
