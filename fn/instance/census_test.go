package instance

import (
	"slices"
	"testing"

	"migrate-to-flux-operator/fn/fields"
	"migrate-to-flux-operator/fn/fields/census"
)

// TestCensus holds the tables of the sync pair against the Flux APIs: no field is without a rule, no rule without a
// field, and no row can go unseen.
func TestCensus(t *testing.T) {
	tables := map[string][]fields.Rule{"GitRepository": gitRules, "OCIRepository": ociRules, "Bucket": bucketRules, "Kustomization": rootRules}
	for kind, table := range tables {
		t.Run(kind, func(t *testing.T) {
			rules := slices.Concat(identityRules, table)
			for _, complaint := range census.Complaints(kind, rules) {
				t.Error(complaint)
			}
			for _, row := range census.Blind(kind, rules) {
				t.Errorf("%s: the row for %s could go and nobody would see it", kind, row)
			}
			bogus := append(slices.Clone(rules), fields.Rule{From: "spec.noSuchField", Restate: true})
			if len(census.Complaints(kind, bogus)) != len(census.Complaints(kind, rules))+1 {
				t.Errorf("%s: a row for a field that is not there would not be seen", kind)
			}
		})
	}
}
