package live

import (
	"flag"
	"testing"
)

// live says that the replay is meant to run: it builds a Kubernetes.
var live = flag.Bool("live", false, "replay migrations on a real API server")

// binary is the product, where it is built already.
var binary = flag.String("product", "", "the binary under test; built from this repository when empty")

// scenario is one replay.
type scenario struct {
	name    string
	layouts []layout
	play    func(*testing.T, *replay)
}

// scenarios are all replays: the migration as it is meant, what the guards hold, and what they would have to hold.
var scenarios = []scenario{
	{"adopt", append(every, shards), adoptAndGoBack},
	{"keep", layouts, keep},
	{"new-path-below", layouts, movePath("cluster")},
	{"new-path-beside", layouts, movePath("../new")},
	{"cleanup-before-the-operator", append(every, shards), cleanupBeforeTheOperator},
	{"cleanup-during-the-take-over", every, cleanupDuringTheTakeOver},
	{"cleanup-with-a-stalled-instance", layouts, cleanupWithAStalledInstance},
	{"go-back-before-the-take-over", layouts, goBackBeforeTheTakeOver},
	{"rename-lost-with-its-guard", []layout{fluxManifests}, renameLostWithItsGuard},
	{"disaster-field-not-restated", []layout{fluxManifests}, fieldNotRestated},
	{"disaster-cleanup-without-deploy", layouts, cleanupWithoutDeploy},
	{"disaster-both-in-one-push", layouts, bothInOnePush},
	{"disaster-without-guards", every, withoutGuards},
	{"disaster-rename-lost", []layout{fluxManifests}, renameLost},
	{"disaster-narrowed-kustomization", layouts, narrowedKustomization},
}

// TestReplay plays every scenario, each on a cluster of its own.
func TestReplay(t *testing.T) {
	if testing.Short() || !*live {
		t.Skip("skipped: make e2e-live builds and runs a real API server")
	}
	built, product := theTools(t), theProduct(t)
	for _, one := range scenarios {
		for _, l := range one.layouts {
			t.Run(one.name+"/"+l.name, func(t *testing.T) {
				t.Parallel() // most of a scenario is waiting
				one.play(t, newReplay(t, built, product, l))
			})
		}
	}
}
