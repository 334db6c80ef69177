package proof

import (
	"maps"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/migrate"
)

// proveArrival proves that Flux applies what the phase deploy adds, and in the phase cleanup the FluxInstance:
// .sourceignore or spec.ignore of the source can leave out what the path of the root leads to, and then nothing takes
// over.
func (s states) proveArrival(outcome migrate.Outcome, trees []Trees, findings *finding.List) {
	if len(trees) == 0 || len(trees) < len(outcome.Installs) {
		return // an Error has said why
	}
	if s.config.Phase == config.Cleanup {
		s.proveInstances(outcome, trees, findings)
		return
	}
	byName := func(a, b inventory.ID) int { return strings.Compare(a.String(), b.String()) }
	for _, id := range slices.SortedFunc(maps.Keys(s.added), byName) {
		for _, file := range slices.Sorted(slices.Values(s.added[id])) {
			applied := slices.ContainsFunc(trees,
				func(t Trees) bool { return t.After.Applied(id.Group, id.Kind, id.Name, file) })
			if id.Name == "" || applied {
				continue
			}
			findings.Add(finding.Finding{Severity: finding.Error, Code: finding.IgnoredBySource, Topic: finding.Proof,
				File: file,
				Message: "Flux would not apply what this commit adds: " + id.String() + ": .sourceignore or " +
					"spec.ignore of the source leaves it out; set the config field outputDir to a folder that Flux " +
					"reads"})
			return
		}
	}
}

// proveInstances warns of a FluxInstance that no Flux Kustomization applies: what is in Git says nothing of what is on
// the cluster.
func (s states) proveInstances(outcome migrate.Outcome, trees []Trees, findings *finding.List) {
	for _, cluster := range outcome.Clusters {
		at := slices.IndexFunc(trees, func(t Trees) bool { return t.Cluster == cluster.Path })
		if at < 0 || cluster.Instance == "" ||
			slices.ContainsFunc(trees[at].Before.Entries, func(e inventory.Entry) bool {
				return e.File.String() == cluster.Instance
			}) {
			continue
		}
		findings.Add(finding.Finding{Severity: finding.Warning, Code: finding.InstanceNotApplied, Topic: finding.Proof,
			File: cluster.Instance, Cluster: cluster.Path,
			Message: "no Flux Kustomization applies this FluxInstance: it is on the cluster only if something else " +
				"applies it"})
	}
}
