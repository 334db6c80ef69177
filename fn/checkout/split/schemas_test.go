package split

import (
	"testing"

	"go.yaml.in/yaml/v3"
)

const crds = `# a file
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: apps.example.com
spec:
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        description: some
          words

        properties:
          schema:
            type: object
    served: true
  - schema:
      openAPIV3Schema: {}
    name: v2
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: b}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: c
spec:
  versions:
  - schema:
      description: such as ${x}
---
kind: Other
schema:
  a: b
`

const leanCRDs = `# a file
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: apps.example.com
spec:
  versions:
  - name: v1
    schema: {}
    served: true
  - schema: {}
    name: v2
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: b}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: c
spec:
  versions:
  - schema:
      description: such as ${x}
---
kind: Other
schema:
  a: b
`

func TestWithoutSchemas(t *testing.T) {
	if lean, cut := WithoutSchemas([]byte(crds)); string(lean) != leanCRDs || !cut {
		t.Errorf("cut: %v, got\n%s", cut, lean)
	}
	for _, none := range []string{"", "kind: ConfigMap\nschema:\n  a: CustomResourceDefinition\n", "kind: CustomResourceDefinition\nkind: b\nschema:\n  a: b\n"} {
		if lean, cut := WithoutSchemas([]byte(none)); string(lean) != none || cut {
			t.Errorf("cut: %v, got\n%s", cut, lean)
		}
	}
}

// TestWithoutSchemasCorpus holds that every CRD of the corpus that parses does so without its schemas, under the same
// name.
func TestWithoutSchemasCorpus(t *testing.T) {
	eachFile(t, func(path string, file []byte) {
		lean, cut := WithoutSchemas(file)
		if !cut {
			return
		}
		before, after := Split(file), Split(lean)
		if len(before) != len(after) {
			t.Fatalf("%s: %d documents of %d are left", path, len(after), len(before))
		}
		for i := range before {
			var was, is yaml.Node
			if before[i].Index < 0 || yaml.Unmarshal(file[before[i].Body:before[i].End], &was) != nil {
				continue
			}
			if err := yaml.Unmarshal(lean[after[i].Body:after[i].End], &is); err != nil || at(&is, "metadata", "name") != at(&was, "metadata", "name") {
				t.Errorf("%s, document %d: %v", path, i, err)
			}
		}
	})
}

// at is the scalar at a path, by the first of doubled keys.
func at(n *yaml.Node, path ...string) string {
	if n.Kind == yaml.DocumentNode {
		n = n.Content[0]
	}
	for _, key := range path {
		if n.Kind != yaml.MappingNode {
			return ""
		}
		next := &yaml.Node{}
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				next = n.Content[i+1]
				break
			}
		}
		n = next
	}
	return n.Value
}
