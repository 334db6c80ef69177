package live

import (
	"flag"
	"slices"
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

// scenarios are all replays: the migration as it is meant, what the guards hold, what they would have to hold, and what
// messages tell to do.
var scenarios = append([]scenario{
	{"adopt", append(every, shards), adoptAndGoBack()},
	{"helm-release", layouts, adoptAndGoBack("--instance-form", "HelmRelease")},
	{"keep", layouts, keep},
	{"new-path-below", []layout{fluxManifests}, movePath("cluster")},
	{"new-path-beside", []layout{bootstrap}, movePath("../new")},
	{"cleanup-before-the-operator", every, cleanupBeforeTheOperator},
	{"cleanup-during-the-take-over", layouts, cleanupDuringTheTakeOver},
	{"cleanup-with-a-stalled-instance", layouts, cleanupWithAStalledInstance},
	{"go-back-before-the-take-over", layouts, goBackBeforeTheTakeOver},
	{"rename-lost-with-its-guard", []layout{fluxManifests}, renameLostWithItsGuard},
	{"two-clusters", []layout{sharedOne}, twoClusters},
	{"disaster-field-not-restated", []layout{fluxManifests}, fieldNotRestated},
	{"disaster-cleanup-without-deploy", layouts, cleanupWithoutDeploy},
	{"disaster-both-in-one-push", layouts, bothInOnePush},
	{"disaster-without-guards", layouts, withoutGuards},
	{"disaster-rename-lost", []layout{fluxManifests}, renameLost},
	{"disaster-narrowed-kustomization", layouts, narrowedKustomization},
	{"remedy-forget-the-release", []layout{flux2Chart}, forgetTheRelease},
	{"remedy-restore-sync", []layout{fluxManifests}, restoreSync},
	{"remedy-guard-missing", layouts, guardMissing},
	{"remedy-guard-undone", []layout{fluxManifests}, guardUndone},
	{"remedy-two-owners-keep-helm", []layout{fluxManifests}, keepTheHelmRelease},
	{"remedy-two-owners-keep-instance", []layout{fluxManifests}, keepTheFluxInstance},
	{"remedy-pair-in-another-namespace", []layout{fluxManifests}, moveThePair},
	{"remedy-two-pairs", []layout{fluxManifests}, twoPairs},
	{"remedy-switch-to-helm", []layout{fluxManifests}, switchToHelm},
	{"remedy-switch-to-instance", []layout{bootstrap}, switchToInstance},
}, remedyScenarios()...)

// shortly are the replays where there is no time for all: of each kind of scenario one.
var shortly = []string{
	"adopt/flux-manifests", "adopt/bootstrap", "helm-release/flux-manifests", "two-clusters/shared-source", "cleanup-before-the-operator/child",
	"go-back-before-the-take-over/bootstrap", "disaster-both-in-one-push/bootstrap", "disaster-without-guards/flux-manifests",
	"remedy-forget-the-release/flux2-chart", "remedy-two-roots-one-goes/flux-manifests",
}

// TestShortly holds that each of these is a replay: one that is none would be left out without a word.
func TestShortly(t *testing.T) {
	left := slices.Clone(shortly)
	for _, one := range scenarios {
		for _, l := range one.layouts {
			left = slices.DeleteFunc(left, func(name string) bool { return name == one.name+"/"+l.name })
		}
	}
	if len(left) > 0 {
		t.Errorf("no replay is called %s", list(left))
	}
}

// TestPrograms builds what a replay runs, and plays nothing.
func TestPrograms(t *testing.T) {
	if !*live {
		t.Skip("skipped: make e2e-live-programs builds a Kubernetes")
	}
	theTools(t)
}

// TestReplay plays every scenario, each on a cluster of its own, and prints the table. With -short it plays a few, and
// says which it left out.
func TestReplay(t *testing.T) {
	if !*live {
		t.Skip("skipped: make e2e-live builds and runs a real API server")
	}
	built := theTools(t)
	w := world{tools: built, product: theProduct(t), registry: newRegistry(t, built), table: &table{}}
	t.Cleanup(func() { t.Logf("\n%s", w.table) })
	for _, one := range scenarios {
		for _, l := range one.layouts {
			t.Run(one.name+"/"+l.name, func(t *testing.T) {
				if testing.Short() && !slices.Contains(shortly, one.name+"/"+l.name) {
					t.Skip("left out: -short")
				}
				t.Parallel() // most of a scenario is waiting
				line := w.table.row(one.name + "/" + l.name)
				t.Cleanup(func() { line.failed = t.Failed(); t.Log(line.line()) })
				r := newReplay(t, w, l, line)
				one.play(t, r)
				r.judge(t)
			})
		}
	}
}
