package instance

import (
	"strings"
	"time"

	"migrate-to-flux-operator/fn/object"
)

// The annotations that decide what Flux and Flux Operator delete, and their one value that matters here.
// Sources: kustomize-controller v1.7.3 (prune), Flux Operator 0.58.1 (fluxcd.controlplane.io/prune).
const (
	PruneKey         = "kustomize.toolkit.fluxcd.io/prune"
	substituteKey    = "kustomize.toolkit.fluxcd.io/substitute"
	operatorPruneKey = "fluxcd.controlplane.io/prune"
	Disabled         = "disabled"
)

// KustomizationName is the Flux Kustomization that applies the FluxInstance.
const KustomizationName = instanceName

// PruneDisabled tells whether Flux never prunes an object; it compares as kustomize-controller does.
func PruneDisabled(o *object.Object) bool { return strings.EqualFold(o.Annotation(PruneKey), Disabled) }

// OwnerGuarded tells whether removing a Flux Kustomization leaves what it applied.
// Source: kustomize-controller v1.7.3, finalizer: deletionPolicy Orphan, or MirrorPrune with prune false, or every object
// excluded by its annotation.
func OwnerGuarded(owner *object.Object) bool {
	common, _ := object.Get[map[string]any](owner.Map(), "spec", "commonMetadata", "annotations")
	if value, _ := common[PruneKey].(string); strings.EqualFold(value, Disabled) {
		return true
	}
	policy := owner.Str("spec", "deletionPolicy")
	prune, _ := object.Get[bool](owner.Map(), "spec", "prune")
	return policy == "Orphan" || !prune && (policy == "" || policy == "MirrorPrune")
}

// sameDuration tells whether two values are one duration, such as 2h and 2h0m0s.
func sameDuration(a, b any) bool {
	as, aok := a.(string)
	bs, bok := b.(string)
	if !aok || !bok {
		return false
	}
	ad, aerr := time.ParseDuration(as)
	bd, berr := time.ParseDuration(bs)
	return aerr == nil && berr == nil && ad == bd
}
