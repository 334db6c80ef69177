package live

import (
	"slices"
	"strings"
	"testing"
)

// The release of Flux that the community's chart flux2 installs, and that chart.
const (
	charted      = "v2.8.5"
	chartVersion = "2.18.3"
)

// flux2Chart is Flux installed by the community's chart, in a HelmRelease.
var flux2Chart = layout{
	name: "flux2-chart", folder: "clusters/one", root: "flux-system", source: "flux-system",
	pair: "clusters/one/sync.yaml", install: "flux", manager: "helm", chart: true,
}

// forgetTheRelease has Helm forget the release of Flux, as cleanup tells, once Flux Operator has taken over.
func forgetTheRelease(t *testing.T, r *replay) {
	const release = "flux/helmrelease.yaml"
	r.deploy(t)
	r.takenOver(t)
	r.settle(t)
	r.kept(t)
	message := r.says(t, "Let Helm forget the release instead", "--phase", "cleanup", "--taken-over")
	if !strings.Contains(message, "set wait: false there first") {
		t.Errorf("it does not say that wait is in the way:\n%s", message)
	}
	r.pushTree(t, "wait: false", r.files(t).edited(t, "clusters/one/flux.yaml", "wait: true", "wait: false"))
	r.settle(t)
	r.pushTree(t, "suspend", r.files(t).edited(t, release, "spec:\n", "spec:\n  suspend: true\n"))
	r.settle(t)
	if shown := r.shell(t, between(t, message, "wait until ", " shows it suspended")); !strings.Contains(shown, "True") {
		t.Fatalf("not suspended:\n%s", shown)
	}
	// The source of the chart goes with it: nothing guards that, and nothing needs it.
	r.expects("OCIRepository.source.toolkit.fluxcd.io/flux-system/flux2", kustomizationNamed("flux"))
	r.pushTree(t, "remove it from Git", r.files(t).without(t, "flux", "clusters/one/flux.yaml"))
	r.settle(t)
	r.expects("HelmRelease.helm.toolkit.fluxcd.io/flux-system/flux")
	r.shell(t, between(t, message, "keeps it on the cluster; then ", ". The annotation"))
	r.reconciled(t)
	r.settle(t)
	r.kept(t, append(slices.Clone(r.wanted), "Secret/flux-system/sh.helm.release.v1.flux.v1")...) // Helm's history, which the command deletes
	r.oneRoot(t)
}

// between is the part of a text between two others.
func between(t *testing.T, text, before, after string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, before)
	part, _, ended := strings.Cut(rest, after)
	if !found || !ended {
		t.Fatalf("nothing between %q and %q in\n%s", before, after, text)
	}
	return part
}
