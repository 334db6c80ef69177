package classic

import (
	"testing"

	"migrate-to-flux-operator/fn/fields"
	"migrate-to-flux-operator/fn/fields/census"
)

// TestCensus holds the table of the install's own Flux Kustomization against the Flux API. Some fields have no rule on
// purpose: what they do to the install has no counterpart, so that they are left over and refused.
func TestCensus(t *testing.T) {
	refused := map[string]bool{"spec.buildMetadata": true, "spec.components": true, "spec.ignore": true, "spec.kubeConfig": true,
		"spec.namePrefix": true, "spec.nameSuffix": true}
	rules := artifactRules
	for field := range refused {
		rules = append(rules[:len(rules):len(rules)], refusal(field))
	}
	for _, complaint := range census.Complaints("Kustomization", rules) {
		t.Error(complaint)
	}
	for _, row := range census.Blind("Kustomization", rules) {
		t.Errorf("the row for %s could go and nobody would see it", row)
	}
	for _, rule := range artifactRules {
		if refused[rule.From] {
			t.Errorf("%s has a rule and is said to have none", rule.From)
		}
	}
}

// refusal stands for a field that is left over on purpose.
func refusal(field string) fields.Rule { return fields.Rule{From: field, Why: "refused"} }
