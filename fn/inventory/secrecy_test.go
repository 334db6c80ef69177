package inventory

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestCopiesOfSecretsAreNotShown copies a value of a Secret into a name in each way that kustomize has, and one into
// what is shown nowhere.
func TestCopiesOfSecretsAreNotShown(t *testing.T) {
	const (
		source    = "{kind: Secret, name: s, fieldPath: stringData.a}"
		intoName  = "source: " + source + "\n  targets: [{select: {kind: Service}, fieldPaths: [metadata.name]}]\n"
		intoValue = "source: " + source + "\n  targets: [{select: {kind: Service}, fieldPaths: [spec.clusterIP]}]\n"
		objects   = "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: x, annotations: {copy: hunter2}}, stringData: {a: hunter2}}\n---\n" +
			"{apiVersion: v1, kind: Service, metadata: {name: $(A), namespace: x}, spec: {clusterIP: None}}\n"
		plugin = "transformers:\n- |-\n  {apiVersion: builtin, kind: ReplacementTransformer, metadata: {name: x}, replacements: [{"
	)
	for name, field := range map[string]string{
		"inline":               "replacements:\n- " + intoName,
		"without a kind":       "replacements:\n- " + strings.Replace(intoName, "kind: Secret, ", "", 1),
		"in a file":            "replacements: [{path: r.yaml}]\n",
		"a plugin":             plugin + strings.ReplaceAll(strings.ReplaceAll(intoName, "\n", ","), ",  ", ", ") + "}]}\n",
		"a file of a plugin":   plugin + "path: r.yaml}]}\n",
		"a variable":           "vars: [{name: A, objref: {kind: Secret, name: s, apiVersion: v1}, fieldref: {fieldPath: stringData.a}}]\nconfigurations: [c.yaml]\n",
		"into what is no name": "replacements:\n- " + intoValue,
		"without a path":       "replacements:\n- " + strings.Replace(intoName, ", fieldPaths: [metadata.name]", "", 1),
		"a wildcard":           "replacements:\n- " + strings.Replace(intoName, "metadata.name", "'*.name'", 1),
		"kinds that match":     "replacements:\n- " + strings.Replace(intoName, "{kind: Service}, fieldPaths: [metadata.name]", "{kind: 'Config.*|S.*e'}, fieldPaths: [spec.clusterIP]", 1),
		"a copy in metadata":   "replacements:\n- " + strings.Replace(intoName, "stringData.a", "metadata.annotations.copy", 1),
	} {
		t.Run(name, func(t *testing.T) {
			files, err := (*Files)(nil).With(fstest.MapFS{
				"kustomization.yaml": {Data: []byte("resources: [a.yaml]\n" + field)},
				"a.yaml":             {Data: []byte(objects)},
				"r.yaml":             {Data: []byte("- " + intoName)},
				"c.yaml":             {Data: []byte("varReference: [{kind: Service, path: metadata/name}]\n")},
			})
			if err != nil {
				t.Fatal(err)
			}
			inv := files.Build(Root{Kustomization: map[string]any{"metadata": map[string]any{"name": "root", "namespace": "x"}}})
			if len(inv.Entries) != 2 {
				t.Fatalf("%d objects: %v %v", len(inv.Entries), inv.Owners[0].Broken, inv.Opaque)
			}
			for _, e := range inv.Entries {
				if strings.Contains(e.ID.String(), "hunter2") {
					t.Error(e.ID)
				}
			}
			if noted := len(inv.Opaque) > 0; noted == (name == "into what is no name") {
				t.Error(inv.Opaque)
			}
		})
	}
}
