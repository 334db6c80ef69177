package command

import (
	"testing"

	"sigs.k8s.io/yaml"
)

// TestPlanAsYAML holds that a name that no terminal should see as it is does not keep a plan from being YAML.
func TestPlanAsYAML(t *testing.T) {
	dir := fixture(t, "deploy")
	for _, name := range []string{"a\u007f", "a\u009b", "a\u202e", "a\u2028", "a: b"} {
		write(t, dir, name+"/broken.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: [\n")
	}
	got := must(t, 0, dir, "plan", "DIR", "--output", "yaml", "--proof", "off")
	var asYAML, asJSON planJSON
	if err := yaml.Unmarshal([]byte(got.out), &asYAML); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(must(t, 0, dir, "plan", "DIR", "--output", "json", "--proof", "off").out), &asJSON); err != nil {
		t.Fatal(err)
	}
	if len(asYAML.Findings) == 0 || len(asYAML.Findings) != len(asJSON.Findings) {
		t.Errorf("%d findings as YAML, %d as JSON", len(asYAML.Findings), len(asJSON.Findings))
	}
}
