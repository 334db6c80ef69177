package instance

import (
	"time"

	"migrate-to-flux-operator/fn/inventory"
)

// The annotations that decide what Flux and Flux Operator delete, and their one value that matters here.
// Sources: kustomize-controller v1.7.3 (prune), Flux Operator 0.58.1 (fluxcd.controlplane.io/prune).
const (
	PruneKey         = inventory.PruneKey
	SubstituteKey    = "kustomize.toolkit.fluxcd.io/substitute"
	operatorPruneKey = "fluxcd.controlplane.io/prune"
	Disabled         = inventory.Disabled
)

// sameDuration reports whether two values are one duration, such as 2h and 2h0m0s.
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
