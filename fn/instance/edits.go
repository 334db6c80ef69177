package instance

import (
	"fmt"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
)

// readEdits turns what was changed by hand in the manifests, images included, into patches that come before the owner's
// own. What no patch can say is an Error.
//
// An argument is changed where it stands in the release that is installed, base; it is not tested, because Flux
// Operator spells some otherwise.
func (p *Plan) readEdits(base []*kyaml.RNode, findings *finding.List) {
	p.edits = p.Install.PinsAbove(p.Target)
	for _, pin := range p.edits {
		findings.Warn(finding.ImagePinned, p.Install.Anchor, pin.Field, "the image of %v stays as it is in the "+
			"manifests by a patch, because Flux %s has another: remove that when you upgrade Flux",
			pin.Target["name"], p.Target)
	}
	edits, anchor, labels := p.Install.Edits, p.Install.Anchor, p.Install.Labels
	if labels != "" && flux.Has(labels) && p.Target != p.Install.Version.Release.String() {
		// Flux is upgraded: what is of an older release goes with it.
		since, err := p.Install.EditsSince(labels)
		if err != nil {
			findings.Error(finding.InstallDoesNotBuild, anchor, "", "Flux %s cannot be rendered: %s", labels, err)
			return
		}
		edits, labels = since, ""
	}
	if labels != "" {
		// The controllers may use what their release lets them use.
		edits.Differences = slices.DeleteFunc(slices.Clone(edits.Differences), takesRight)
	}
	if len(edits.Differences) == 0 {
		return
	}
	here := byID(edits.Here)
	built, err := flux.Patch(edits.Release, map[string]any{"patches": classic.Entries(repairs(edits.Differences, here,
		byID(edits.Release)))})
	if err != nil {
		findings.Error(finding.HandEditRefused, anchor, "", "the changes that were made by hand in the manifests "+
			"cannot be made patches: %s", err)
		return
	}
	left, _, err := flux.Compare(edits.Here, built)
	if err != nil {
		findings.Error(finding.HandEditRefused, anchor, "", "the manifests cannot be compared: %s", err)
		return
	}
	left = slices.DeleteFunc(left, func(d flux.Difference) bool {
		return strings.HasSuffix(d.Path, ".image") || labels != "" && takesRight(d)
	})
	for _, d := range left {
		findings.Error(finding.HandEditRefused, anchor, "", "the manifests were changed by hand, in a way that no "+
			"flag of flux install and no patch makes: %s; undo it in these manifests first, and move an object of "+
			"your own, in the same commit, into another file that the same Flux Kustomization applies", d)
	}
	said, comment := "the manifests were changed by hand, a patch of the FluxInstance says so now",
		"Changed by hand in the manifests of the classic install."
	if labels != "" {
		said = fmt.Sprintf("the manifests are not all of Flux %s, a patch of the FluxInstance keeps what differs: "+
			"remove it to have what that release has", p.Install.Version)
		comment = "As the classic install has it, whose labels say Flux " + labels + ". Remove this to have what the " +
			"release has."
	}
	for _, changes := range byObject(edits.Differences) {
		findings.Info(finding.HandEditKept, finding.Moved, anchor, "", "%s: %s", said, changes)
	}
	patches := untested(repairs(edits.Differences, here, byID(base)))
	for n := range patches {
		patches[n].Comment = comment
	}
	p.edits = append(p.edits, patches...)
}

// byObject says differences in one line for each object.
func byObject(differences []flux.Difference) []string {
	var lines []string
	for n, d := range differences {
		if n > 0 && d.Object == differences[n-1].Object {
			lines[len(lines)-1] += "; " + strings.TrimPrefix(d.String(), d.Object.String()+" ")
			continue
		}
		lines = append(lines, d.String())
	}
	return lines
}

// takesRight tells a rule, or somebody who has it, that the roles of the controllers have in the release and not in the
// manifests.
func takesRight(d flux.Difference) bool {
	ours := strings.HasPrefix(d.Object.Name, "crd-controller") || strings.HasPrefix(d.Object.Name, "cluster-reconciler")
	return d.Classic == nil && strings.HasPrefix(d.Object.Kind, "ClusterRole") && ours
}

// untested are patches without the operations that test a place.
func untested(patches []classic.Patch) []classic.Patch {
	for n, patch := range patches {
		ops, isJSON := classic.Operations(patch.Body)
		if isJSON {
			patches[n].Body = marshal(slices.DeleteFunc(ops,
				func(op map[string]any) bool { return op["op"] == "test" }))
		}
	}
	return patches
}

// edited is a release with what was changed by hand in the manifests.
func (p *Plan) edited(release []*kyaml.RNode) ([]*kyaml.RNode, error) {
	if len(p.edits) == 0 {
		return release, nil
	}
	return flux.Patch(release, map[string]any{"patches": classic.Entries(p.edits)})
}
