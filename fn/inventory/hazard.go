package inventory

import (
	"fmt"
	"path"
)

// Hazard is something that Flux would do, or not do, to Flux Operator or to the FluxInstance, through which Flux itself
// runs.
type Hazard struct {
	Entry Entry
	Field string // of the object; empty where it is of the Flux Kustomization that applies it
	What  string
}

// Hazards are those of all that makes Flux Operator run Flux: FluxInstances, and HelmReleases of the two charts.
func (inv *Inventory) Hazards() []Hazard {
	var all []Hazard
	for _, e := range inv.Entries {
		gone, operates := inv.operates(e)
		if !operates {
			continue
		}
		owner, _ := inv.Owner(e.Owner)
		add := func(field, what string, args ...any) {
			all = append(all, Hazard{e, field, fmt.Sprintf(what, args...)})
		}
		if gone == uninstallsFlux && !e.Guarded() && (owner.Prune || owner.Orphans(nil) == "") {
			add("metadata.annotations", "%s prunes it when it leaves Git, and that %s: annotate it with %s: %s",
				owner.ref(), gone, PruneKey, Disabled)
		}
		if where := inv.forces(owner, e); where != "" {
			add("", "%s: where the API server refuses a change%s, Flux deletes it and creates it anew, and that %s: "+
				"take that out for it", where, example(e), gone)
		}
		if key, frozen := e.frozen(); frozen != "" {
			add("metadata.annotations", "%s is on it: what changes of it in Git does not reach the cluster%s", frozen,
				inv.setBy(e, key))
		}
		of, _ := inv.Entry(owner)
		if key, frozen := of.frozen(); frozen != "" {
			add("", "%s is on %s, which applies it: Flux changes nothing of that%s", frozen, owner.ref(),
				inv.setBy(of, key))
		}
		if owner.Suspend {
			add("", "%s, which applies it, is suspended, so that it does not reach the cluster: resume it, once you "+
				"know what else has changed in Git since, all of which Flux then applies and prunes", owner.ref())
		}
	}
	return all
}

// example is a change of an object that the API server refuses. Source: the FluxInstance CRD of Flux Operator 0.58.1.
func example(e Entry) string {
	if e.Kind == "FluxInstance" {
		return ", of spec.sync.name for one"
	}
	return ""
}

// What becomes of a cluster when an object goes.
const (
	uninstallsFlux     = "uninstalls Flux"
	uninstallsOperator = "uninstalls Flux Operator"
)

// operates reports whether an object makes Flux Operator run Flux, and what happens when it goes. Helm keeps a
// FluxInstance that is annotated for that.
func (inv *Inventory) operates(e Entry) (gone string, operates bool) {
	if e.Group == operatorGroup && e.Kind == "FluxInstance" {
		return uninstallsFlux, true
	}
	if e.Kind != "HelmRelease" {
		return "", false
	}
	content, err := e.object.content()
	if err != nil {
		return "", false
	}
	switch inv.chartOf(e, content) {
	case "flux-operator":
		return uninstallsOperator, true
	case "flux-instance":
		if str(content, "spec", "values", "commonAnnotations", "helm.sh/resource-policy") == "keep" {
			return "takes it from Helm", true
		}
		return uninstallsFlux, true
	}
	return "", false
}

// chartOf is the name of the chart that a HelmRelease installs, empty where no file shows it.
func (inv *Inventory) chartOf(e Entry, content map[string]any) string {
	if chart := str(content, "spec", "chart", "spec", "chart"); chart != "" {
		return path.Base(chart)
	}
	return path.Base(str(inv.walk.known(refOf(dig(content, "spec", "chartRef"), e.Namespace)), "spec", "url"))
}

// forces names what makes Flux delete and create an object anew; empty where nothing does.
func (inv *Inventory) forces(owner Owner, e Entry) string {
	switch {
	case e.Recreated():
		return forceKey + ": enabled is on it" + inv.setBy(e, forceKey)
	case mayBeTrue(owner.object, "spec", "force"):
		by := ""
		if of, applied := inv.Entry(owner); applied {
			by = inv.setBy(of, "force")
		}
		return fmt.Sprintf("spec.force of %s is true%s", owner.ref(), by)
	}
	return ""
}

// setBy says what sets a key on an object, where its own file does not.
func (inv *Inventory) setBy(e Entry, key string) string {
	if sets := inv.Sets(e, key); len(sets) > 0 {
		return ", set by " + sets[0]
	}
	return ""
}
