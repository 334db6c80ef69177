package classic

import (
	"cmp"
	"slices"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
)

// syncChart is the name of the community's chart that makes a sync pair.
const syncChart = "flux2-sync"

// syncReleases are the HelmReleases of that chart, which own the pairs that they make.
func syncReleases(set *object.Set) []*object.Object {
	return slices.DeleteFunc(set.Of(HelmGroup, "HelmRelease"), func(release *object.Object) bool {
		return !Installs(set, release, syncChart)
	})
}

// CheckSyncRelease refuses an install whose pair a HelmRelease makes: Helm and Flux Operator would both own the pair,
// and when the release goes, Helm deletes the root, whose finalizer deletes everything that it applied.
func (i *Install) CheckSyncRelease(set *object.Set, found *finding.List) {
	for _, release := range syncReleases(set) {
		if SameCluster(set, release, i) {
			found.Error(finding.SyncPairFromHelm, release, "spec.chart", "Helm owns the sync pair of this cluster: %s",
				leaveSyncRelease(set, release))
		}
	}
}

// leaveSyncRelease says how a pair gets from Helm into Git. Source: charts/flux2-sync 1.11 to 1.14, whose objects go by
// the name of the release.
func leaveSyncRelease(set *object.Set, release *object.Object) string {
	own := cmp.Or(NamespaceOf(set, release), "flux-system")
	return "this HelmRelease makes it, and Helm deletes it when the release goes, with everything that the root " +
		"applied. Write both halves into a file that the root itself applies (flux export source git, " +
		"flux export kustomization), and let Helm forget the release: " + forgetRelease(own, release) + ". Then run again"
}
