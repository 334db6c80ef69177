package instance

import (
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/object"
)

// claimName is the volume claim that Flux Operator makes for spec.storage. Source: Flux Operator v0.58.1, MIGRATION
// facts 5.
const claimName = "source-controller"

// Claim is the volume claim of source-controller that the repository defines under the name that Flux Operator gives
// its own; nil when there is none.
func Claim(set *object.Set, install *classic.Install) *object.Object {
	for _, o := range set.Of("", "PersistentVolumeClaim") {
		if o.Name != claimName || set.HasPaths() && !classic.SameCluster(set, o, install) {
			continue
		}
		if live, err := install.Pair.OnCluster(set, o); err == nil && live.Namespace == install.Namespace {
			return o
		}
	}
	return nil
}

// readClaim finds the claim that spec.storage could take over, as it is on the cluster.
func (p *Plan) readClaim(set *object.Set) {
	claim := Claim(set, p.Install)
	if claim == nil {
		return
	}
	if live, err := p.Install.Pair.OnCluster(set, claim); err == nil {
		p.claim = live
	}
}

// withStorage says spec.storage instead of mounting a claim, which Flux Operator then takes over.
func withStorage(d *draft, _ []*kyaml.RNode) bool {
	claim := d.plan.claim
	if claim == nil {
		return false
	}
	nodes, err := classic.Nodes([]*object.Object{claim})
	class, size := claim.Str("spec", "storageClassName"), claim.Str("spec", "resources", "requests", "storage")
	if err != nil || class == "" || size == "" {
		return false
	}
	d.extra["storage"] = object.Map(object.F("class", class), object.F("size", size))
	d.taken = append(d.taken, nodes...)
	dropped := d.dropOperations(func(op map[string]any) bool {
		at, _ := op["path"].(string)
		return strings.HasPrefix(at, "/spec/template/spec/volumes") ||
			strings.HasPrefix(at, containerPath+"/volumeMounts")
	})
	kept := slices.DeleteFunc(slices.Clone(d.patches), func(p classic.Patch) bool {
		_, isJSON := classic.Operations(p.Body)
		return !isJSON && strings.Contains(p.Body, "claimName: "+claimName)
	})
	dropped = dropped || len(kept) < len(d.patches)
	d.patches = kept
	return dropped
}
