package object

import (
	"testing"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

func TestBuild(t *testing.T) {
	o, err := Build(Map(
		F("apiVersion", "v1"),
		F("kind", "ConfigMap"),
		F("metadata", Map(F("name", "a"), Because("why it is there", "annotations", map[string]any{"b": "2", "a": "1"}))),
		F("data", map[string]any{"number": "1.10", "truth": "true", "text": "line\nline\n"}),
		F("absent", nil),
		F("list", []*kyaml.Node{Value("x"), Map(F("z", 1))}),
		F("empty", map[string]any{}),
	), "dir/a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const want = `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  # why it is there
  annotations:
    a: "1"
    b: "2"
data:
  number: "1.10"
  text: |
    line
    line
  truth: "true"
list:
  - x
  - z: 1
empty: {}
`
	if o.Text() != want {
		t.Errorf("want:\n%s\nhave:\n%s", want, o.Text())
	}
	if o.File != "dir/a.yaml" || o.Kind != "ConfigMap" || o.Name != "a" {
		t.Errorf("the object is %v in %s", o.ID, o.File)
	}
}
