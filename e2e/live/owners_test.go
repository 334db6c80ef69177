package live

import (
	"strings"
	"testing"
)

// instanceKey is the FluxInstance.
const instanceKey = "FluxInstance.fluxcd.controlplane.io/flux-system/flux"

// twoOwners is the code for a FluxInstance that a HelmRelease renders and a file defines as well.
const twoOwners = "instance-defined-twice"

// secondOwner is the file that defines the FluxInstance a second time: another Flux Kustomization applies it, and
// prunes.
const secondOwner = "apps/extra/instance.yaml"

// withTwoOwners deploys a HelmRelease, which does not keep the FluxInstance, and has Flux apply the FluxInstance
// without a guard.
func (r *replay) withTwoOwners(t *testing.T) {
	t.Helper()
	r.deploy(t, "--instance-form", "HelmRelease")
	r.takenOver(t)
	instance := r.inForm(t, "FluxInstance")[r.instanceFile()]
	if !strings.Contains(instance, guardLine) {
		t.Fatalf("the FluxInstance has no guard:\n%s", instance)
	}
	files := r.impatient(t, r.files(t)).edited(t, r.releaseFile(), keepLine, "      example.com/owner: team\n").
		with("kubernetes/flux/extra.yaml", fluxKustomization("extra", "./apps/extra")).with("apps/extra/extra.yaml", extraObject)
	r.pushTree(t, "a second owner", files.with(secondOwner, strings.Replace(instance, guardLine, "", 1)))
	r.settle(t)
	r.takenOver(t)
	r.before[instanceKey] = r.snapshot(t)[instanceKey] // which is to be kept too
	r.finds(t, twoOwners, r.flags...)
}

// The lines that keep the FluxInstance: from Flux, and from Helm.
const (
	guardLine = "    kustomize.toolkit.fluxcd.io/prune: disabled\n"
	keepLine  = "      helm.sh/resource-policy: keep\n"
)

// releaseCheck is how the Flux Kustomization waits for the HelmRelease.
const releaseCheck = `    - apiVersion: helm.toolkit.fluxcd.io/v2
      kind: HelmRelease
      name: flux-instance
      namespace: flux-system
`

// releaseFile is where the first commit puts the HelmRelease of the FluxInstance.
func (r *replay) releaseFile() string {
	return r.folder + "/flux-operator/instance/helmrelease.yaml"
}

// keepTheHelmRelease takes the FluxInstance out of Git, as a plan tells that finds two owners.
func keepTheHelmRelease(t *testing.T, r *replay) {
	r.withTwoOwners(t)
	files := r.files(t)
	r.pushTree(t, "guard the FluxInstance", files.edited(t, secondOwner, "  annotations:\n", "  annotations:\n"+guardLine))
	r.settle(t)
	r.pushTree(t, "remove the FluxInstance", files.without(t, secondOwner))
	r.settle(t)
	r.oneOwner(t)
}

// keepTheFluxInstance takes the HelmRelease out of Git and off the cluster, as a plan tells that finds two owners.
func keepTheFluxInstance(t *testing.T, r *replay) {
	r.withTwoOwners(t)
	files := r.files(t)
	kept := files.edited(t, r.releaseFile(), "    commonAnnotations:\n", "    commonAnnotations:\n"+keepLine)
	r.pushTree(t, "keep the FluxInstance", kept)
	r.settle(t)
	r.shell(t, "kubectl -n flux-system wait helmrelease/flux-instance --for=condition=Ready --timeout=2m")
	r.expects("HelmRelease.helm.toolkit.fluxcd.io/flux-system/" + instanceName)
	alone := kept.without(t, r.releaseFile()).edited(t, r.folder+"/flux-operator/instance/kustomization.yaml", "- ./helmrelease.yaml\n", "").
		edited(t, r.folder+"/flux-operator/ks.yaml", releaseCheck, "")
	r.pushTree(t, "remove the HelmRelease", alone)
	r.settle(t)
	r.shell(t, "kubectl -n flux-system delete helmrelease/flux-instance")
	r.flags = nil
	r.oneOwner(t)
}

// oneOwner fails unless Flux runs as before, and no plan finds two owners any more.
func (r *replay) oneOwner(t *testing.T) {
	t.Helper()
	r.takenOver(t)
	r.kept(t)
	if said := r.advise(t, r.flags...); said.finds(twoOwners) {
		t.Fatalf("it still says so: %v", said)
	}
	r.finish(t, r.flags...)
}
