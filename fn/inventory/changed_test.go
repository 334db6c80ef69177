package inventory

import (
	"cmp"
	"reflect"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestWithoutGuards is for each form of a guard that counts: it is no change of the object.
func TestWithoutGuards(t *testing.T) {
	for _, test := range []struct {
		name, metadata, spec string
		guard                bool
	}{
		{"annotation", `annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}`, ``, true},
		{"annotation in another case", `annotations: {kustomize.toolkit.fluxcd.io/prune: Disabled}`, ``, true},
		{"label", `labels: {kustomize.toolkit.fluxcd.io/prune: disabled}`, ``, true},
		{"another annotation", `annotations: {example.com/team: a}`, ``, false},
		{"annotation of all", ``, `prune: true, commonMetadata: {annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}}`, true},
		{"label of all", ``, `prune: true, commonMetadata: {labels: {kustomize.toolkit.fluxcd.io/prune: disabled}}`, true},
		{"policy", ``, `prune: true, deletionPolicy: Orphan`, true},
		{"another policy", ``, `prune: true, deletionPolicy: Delete`, false},
		{"no pruning", ``, `prune: false`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			plain, changed := entryContent(t, "", "prune: true"), entryContent(t, test.metadata, cmp.Or(test.spec, "prune: true"))
			if same := reflect.DeepEqual(withoutGuards(plain), withoutGuards(changed)); same != test.guard {
				t.Errorf("reported as a guard: %t, want %t", same, test.guard)
			}
		})
	}
}

// entryContent is the content of the entry of a Flux Kustomization.
func entryContent(t *testing.T, metadata, spec string) map[string]any {
	t.Helper()
	content := map[string]any{}
	if err := yaml.Unmarshal([]byte("{kind: Kustomization, metadata: {"+metadata+"}, spec: {"+spec+"}}"), &content); err != nil {
		t.Fatal(err)
	}
	said := dig(content, "metadata")
	said["labels"], said["annotations"] = stringMap(said["labels"]), stringMap(said["annotations"])
	return content
}
