package classic

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
)

// TellTraces says, of an input without an install, what in it speaks of one that is not whole: where Flux came from,
// and what is missing. It tells whether there is such a trace.
func TellTraces(set *object.Set, found *finding.List) bool {
	traces := tellAzure(set, found)
	for _, k := range oneShots(set) {
		traces = true
		found.Error(finding.NoSyncPair, k, "resources", "Flux was installed from this by hand, and the sync pair of "+
			"the cluster is not in the input: %s", exportPair(set))
	}
	for _, source := range set.Of(SourceGroup, "OCIRepository") {
		if isManifestSource(source) && !isTemplate(source) {
			traces = true
			found.Error(finding.NoInstall, source, "", "no Flux Kustomization applies Flux's manifests from this "+
				"source: run on the whole repository; where it is gone from Git, put it back (%s)",
				exportRoot(cmp.Or(source.Namespace, "flux-system")))
		}
	}
	return traces
}

// exportPair says how the pair gets into Git.
func exportPair(set *object.Set) string {
	kind, name, absent := strings.Cut(absentSource(set), "/")
	if !absent {
		kind, name = "GitRepository", "NAME"
	}
	return fmt.Sprintf("write both halves into a file that the root itself applies (%s, %s), push that, wait until "+
		"it is applied, and run again",
		exportSource("flux-system", kind, name), exportRoot("flux-system"))
}

// absentSource is Kind/name of the source that most Flux Kustomizations sync from of those that the input does not
// define; empty where it defines all.
func absentSource(set *object.Set) string {
	users := usersOfAbsentSources(set)
	most := ""
	for _, source := range slices.Sorted(maps.Keys(users)) {
		if users[source] > users[most] {
			most = source
		}
	}
	return most
}
