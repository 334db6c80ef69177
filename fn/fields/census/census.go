// Package census holds rule tables against the Flux APIs: every leaf field has a rule, and every rule names a field. It
// is for tests.
package census

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/fields"
)

// apiFields lists the leaf fields of the Flux APIs. e2e/data writes it: run `go run ./data` in e2e.
//
//go:embed api-fields.tsv
var apiFields string

// Complaints says what is wrong with the rules for a kind: a field of any API version that no rule takes, and a rule
// for a field that no API version has. The fields that Kubernetes gives every object are not looked at.
func Complaints(kind string, rules []fields.Rule) []string {
	leaves := leavesOf(kind)
	if len(leaves) == 0 {
		return []string{"the data has no fields of " + kind}
	}
	var complaints []string
	for _, leaf := range leaves {
		if !slices.ContainsFunc(rules, func(r fields.Rule) bool { return holds(r.From, leaf) }) {
			complaints = append(complaints, fmt.Sprintf("%s: no rule takes %s", kind, leaf))
		}
	}
	for _, rule := range rules {
		if !ofKubernetes(rule.From) && !slices.ContainsFunc(leaves,
			func(leaf string) bool { return holds(rule.From, leaf) }) {
			complaints = append(complaints, fmt.Sprintf("%s: the rule for %s takes nothing that the API has", kind,
				rule.From))
		}
	}
	return complaints
}

// Blind lists the rules whose loss Complaints would not see, though no other rule stands in for them: neither one for a
// parent, nor ones for every field below, which leave a rule for what no API knows.
func Blind(kind string, rules []fields.Rule) []string {
	var blind []string
	for i, rule := range rules {
		others := slices.Delete(slices.Clone(rules), i, i+1)
		covered := slices.ContainsFunc(others,
			func(r fields.Rule) bool { return holds(r.From, rule.From) || holds(rule.From, r.From) })
		if !covered && !ofKubernetes(rule.From) && len(Complaints(kind, others)) == len(Complaints(kind, rules)) {
			blind = append(blind, rule.From)
		}
	}
	return blind
}

// leavesOf lists the leaf fields of a kind, over all API versions.
func leavesOf(kind string) []string {
	var leaves []string
	for line := range strings.Lines(apiFields) {
		if cells := strings.Split(strings.TrimSpace(line), "\t"); cells[0] == kind {
			leaves = append(leaves, cells[2])
		}
	}
	slices.Sort(leaves)
	return slices.Compact(leaves)
}

// holds reports whether a rule for a path takes a field: the same, or one below it.
func holds(rule, field string) bool {
	return field == rule || strings.HasPrefix(field, rule+".")
}

// ofKubernetes tells the fields of every object from those of the Flux API.
func ofKubernetes(path string) bool {
	return path == "apiVersion" || path == "kind" || holds("metadata", path) || strings.HasPrefix(path, "metadata[")
}
