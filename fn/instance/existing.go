package instance

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// Existing is a FluxInstance that the input has, in one of its two forms.
type Existing struct {
	// At is what defines it: the FluxInstance, or the HelmRelease of the chart flux-instance.
	At *object.Object
	// Form is FluxInstance or HelmRelease.
	Form string
	// Instance is the FluxInstance as it comes to the cluster.
	Instance map[string]any
	// Ignored are values that the chart takes no notice of.
	Ignored []string
	// Err tells why the FluxInstance of a HelmRelease is not known; then Instance has only its name.
	Err error
}

// Existings are all of the input.
func Existings(set *object.Set) []*Existing { return ExistingsIn(set, "") }

// Kustomization is the name of the Flux Kustomization that applies it and little else; that which deploy writes where
// none does.
func (e *Existing) Kustomization(set *object.Set) string {
	if k := e.appliedBy(set); k != nil {
		return k.Name
	}
	return instanceName
}

// appliedBy is the Flux Kustomization that applies it and little else; nil where none does.
func (e *Existing) appliedBy(set *object.Set) *object.Object {
	for _, k := range set.Of(classic.KustomizeGroup, "Kustomization") {
		if at := k.Str("spec", "path"); at != "" && e.At.File != "" &&
			strings.HasSuffix(classic.CleanPath(at), path.Dir(e.At.File)) {
			return k
		}
	}
	return nil
}

// Source is what syncs its cluster: the source that Flux Operator generates for it or, where that stays in Git, that of
// the Flux Kustomization whose path leads to it; nil where neither is known.
func (e *Existing) Source(set *object.Set) *object.Object {
	if e.Adopts() {
		root, known := e.Root()
		if !known || root.Source == nil {
			return nil
		}
		text, err := kyaml.Marshal(root.Source)
		if err != nil {
			return nil
		}
		return object.New(object.IDOf(root.Source), string(text), e.At.File, e.At.Index)
	}
	for _, k := range set.Of(classic.KustomizeGroup, "Kustomization") {
		if at := k.Str("spec", "path"); at != "" && object.Within(path.Dir(e.At.File), classic.CleanPath(at)) {
			if source := classic.SourceOf(set, k); source != nil {
				return source
			}
		}
	}
	return nil
}

// operatorKustomization is the Flux Kustomization that installs Flux Operator for it, as deploy writes it; nil where
// something else does.
func (e *Existing) operatorKustomization(set *object.Set, install *classic.Install) *object.Object {
	k, present := e.appliedBy(set), presentOperator(set, install)
	if k == nil || present == nil || present.Kind != "HelmRelease" {
		return nil
	}
	dependsOn, _ := object.Get[[]any](k.Map(), "spec", "dependsOn")
	for _, other := range set.Of(classic.KustomizeGroup, "Kustomization") {
		needed := slices.ContainsFunc(dependsOn, func(entry any) bool {
			on, _ := entry.(map[string]any)
			return on["name"] == other.Name
		})
		if needed && other.File == k.File && InstallsOperator(set, install, other) {
			return other
		}
	}
	return nil
}

// ExistingsIn are all of the input; a HelmRelease that names no namespace is in this one.
func ExistingsIn(set *object.Set, namespace string) []*Existing {
	var all []*Existing
	for _, o := range set.Of(classic.OperatorGroup, "FluxInstance") {
		all = append(all, &Existing{At: o, Form: config.FluxInstance, Instance: o.Map()})
	}
	for _, o := range set.Of(classic.HelmGroup, "HelmRelease") {
		if set.IsNew(o) && !o.MayHold("instance") { // what deploy writes for the chart has its values
			continue
		}
		if classic.Installs(set, o, instanceName) {
			all = append(all, existingRelease(set, o, cmp.Or(o.Str("spec", "targetNamespace"), o.Namespace, namespace)))
		}
	}
	return all
}

// existingRelease reads the FluxInstance that a HelmRelease renders.
func existingRelease(set *object.Set, o *object.Object, namespace string) *Existing {
	e := &Existing{At: o, Form: config.HelmRelease}
	values, err := classic.ChartValues(set, o)
	if err == nil {
		e.Instance, e.Ignored, err = flux.ChartInstance(chartOr(ReleaseVersion(set, o)), namespace, values)
	}
	if e.Err = err; err != nil {
		e.Instance = map[string]any{"apiVersion": classic.OperatorGroup + "/v1", "kind": "FluxInstance",
			"metadata": map[string]any{"name": fluxName, "namespace": namespace}}
	}
	return e
}

// chartOr is the version of a chart; one that is not pinned is taken to be the last that is known.
func chartOr(version string) *semver.Version {
	if v, err := semver.NewVersion(version); err == nil {
		return v
	}
	return flux.LastChart()
}

// ID is that of the FluxInstance.
func (e *Existing) ID() object.ID {
	return object.ID{APIVersion: classic.OperatorGroup + "/v1", Kind: "FluxInstance",
		Namespace: e.Str("metadata", "namespace"), Name: e.Str("metadata", "name")}
}

// Str reads a text of the FluxInstance.
func (e *Existing) Str(keys ...string) string {
	text, _ := object.Get[string](e.Instance, keys...)
	return text
}

// Field is where the object that defines the FluxInstance has one of its fields.
func (e *Existing) Field(field string) string {
	if rest, isSpec := strings.CutPrefix(field, "spec"); isSpec && e.Form == config.HelmRelease {
		return "spec.values.instance" + rest
	}
	return field
}

// Adopts reports whether the FluxInstance generates the sync pair.
func (e *Existing) Adopts() bool {
	_, hasSync := object.Get[map[string]any](e.Instance, "spec", "sync")
	return hasSync
}

// Kept reports whether Helm leaves the FluxInstance when its release goes. Helm looks at the release, not at the object
// on the cluster. Source: helm.sh/helm v3.19.0 and v4.2.2, filterManifestsToKeep.
func (e *Existing) Kept() bool {
	annotations, _ := object.Get[map[string]any](e.Instance, "metadata", "annotations")
	return e.Form != config.HelmRelease || annotations[policyKey] == keep
}
