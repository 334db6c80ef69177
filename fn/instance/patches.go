package instance

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// carrier carries the owner's patches over to spec.kustomize.patches. The same patch does not always mean the same
// there: Flux Operator applies it before it sets namespaces and labels, to objects whose cluster roles have no suffix
// yet.
// Source: MIGRATION facts 2.2, measured with Flux Operator 0.32.0 and 0.58.1.
type carrier struct {
	// classic is what the owner's patches apply to today.
	classic []*kyaml.RNode
	// options are those of the install, to tell a moot patch from a mistake.
	options flux.Options
	// instance is the FluxInstance without patches.
	instance  map[string]any
	version   string
	namespace string
	shards    []classic.Shard
	findings  *finding.List
	// left are the patches that are left out, with the reason.
	left []leftOut
}

// leftOut is a patch that the FluxInstance does not have, and why it needs none.
type leftOut struct {
	patch classic.Patch
	why   string
}

// carry returns the patches as spec.kustomize.patches needs them; what has no effect today is left out and said.
func (c *carrier) carry(patches []classic.Patch) []classic.Patch {
	if len(patches) == 0 {
		return nil
	}
	today, err := c.selectedToday(patches)
	if err != nil {
		return nil
	}
	then, err := c.selectedThen(patches)
	if err != nil {
		return nil
	}
	var carried []classic.Patch
	for i, patch := range patches {
		carried = append(carried, c.retarget(patch, today[i], then[i])...)
	}
	return carried
}

// selectedToday is what each patch applies to now. An Error names the patch whose target kustomize refuses.
func (c *carrier) selectedToday(patches []classic.Patch) ([][]flux.ID, error) {
	return c.selected(patches, func(targets []map[string]any) ([][]flux.ID,
		error) {
		return flux.SelectEach(c.classic, targets)
	})
}

// selectedThen is what each patch will apply to under Flux Operator.
func (c *carrier) selectedThen(patches []classic.Patch) ([][]flux.ID, error) {
	return c.selected(patches, func(targets []map[string]any) ([][]flux.ID, error) {
		for i, target := range targets {
			targets[i] = c.bare(target)
		}
		return flux.InstanceSelectEach(c.instance, c.version, targets)
	})
}

func (c *carrier) selected(patches []classic.Patch, ask func([]map[string]any) ([][]flux.ID, error)) ([][]flux.ID,
	error) {
	var targets []map[string]any
	for _, patch := range patches {
		targets = append(targets, patch.Target)
	}
	each, err := ask(slices.Clone(targets))
	if err == nil {
		return each, nil
	}
	if _, err := ask(nil); err != nil {
		c.findings.Error(finding.InstallDoesNotBuild, patches[0].Object, "",
			"the install does not build, whatever the patches: %s", err)
		return nil, err
	}
	for i, target := range targets {
		if _, err := ask([]map[string]any{target}); err != nil {
			c.findings.Error(finding.PatchTarget, patches[i].Object, patches[i].Field,
				"kustomize refuses the target of the patch: %s", err)
			return nil, err
		}
	}
	c.findings.Error(finding.PatchTarget, patches[0].Object, patches[0].Field,
		"kustomize refuses the targets of the patches: %s", err)
	return nil, err
}

// bare is a target without the namespace of the install: Flux Operator sets it only after the patches.
func (c *carrier) bare(target map[string]any) map[string]any {
	target = maps.Clone(target)
	if target["namespace"] == c.namespace {
		delete(target, "namespace")
	}
	return target
}

// crdKind is the kind whose schemas are not among the manifests that this project carries.
const crdKind = "CustomResourceDefinition"

// ownKinds are the kinds that Flux Operator adds to what Alerts and Receivers accept.
var ownKinds = []any{"FluxInstance", "ResourceSet", "ResourceSetInputProvider"}

// schemaPatch carries a patch on CRDs as it is, but for what Flux Operator does by itself: the schemas are not here, so
// what it changes cannot be compared.
func (c *carrier) schemaPatch(patch classic.Patch, crds []flux.ID) []classic.Patch {
	ops, isJSON := classic.Operations(patch.Body)
	kept := slices.DeleteFunc(slices.Clone(ops), func(op map[string]any) bool {
		at, _ := op["path"].(string)
		return op["op"] == "add" && strings.HasSuffix(at, "/kind/enum/-") && slices.Contains(ownKinds, op["value"])
	})
	if !c.hasVersions(patch, kept, crds) {
		return nil
	}
	switch {
	case isJSON && len(kept) == 0:
		c.left = append(c.left, leftOut{patch, "Flux Operator adds its kinds to this CRD by itself"})
		c.findings.Info(finding.PatchWithoutEffect, finding.Moved, patch.Object, patch.Field,
			"the patch is left out: Flux Operator adds its kinds to this CRD by itself")
		return nil
	case isJSON && len(kept) < len(ops):
		patch = patch.With(marshal(kept), patch.Target)
	}
	c.findings.Warn(finding.CRDPatch, patch.Object, patch.Field, "the patch on a CRD is carried as it is, and what "+
		"it changes is not compared: check the CRD after the take-over")
	return []classic.Patch{patch}
}

// versionAt is the number of a version in the path of an operation on a CRD.
var versionAt = regexp.MustCompile(`^/spec/versions/(\d+)/`)

// hasVersions refuses a patch on a version that a CRD does not have, at which kustomize stops. Releases of Flux take
// old versions out, so that the numbers of the others change.
func (c *carrier) hasVersions(patch classic.Patch, ops []map[string]any, crds []flux.ID) (ok bool) {
	for _, op := range ops {
		at, _ := op["path"].(string)
		found := versionAt.FindStringSubmatch(at)
		if found == nil {
			continue
		}
		n, _ := strconv.Atoi(found[1])
		for _, crd := range crds {
			if names := c.versionsOf(crd); n >= len(names) {
				c.findings.Error(finding.CRDVersionNumber, patch.Object, patch.Field,
					"the patch is about /spec/versions/%s of %s, which in Flux %s has %s and no more, so that "+
						"kustomize refuses it: correct the number, or take the patch out first",
					found[1], crd, c.version, strings.Join(names, ", "))
				return false
			}
		}
	}
	return true
}

// versionsOf are the names of the versions of a CRD, in its order.
func (c *carrier) versionsOf(crd flux.ID) []string {
	var names []string
	for _, o := range c.classic {
		if flux.IDOf(o) != crd {
			continue
		}
		content, _ := o.Map()
		versions, _ := object.Get[[]any](content, "spec", "versions")
		for _, entry := range versions {
			version, _ := entry.(map[string]any)
			name, _ := version["name"].(string)
			names = append(names, name)
		}
	}
	return names
}

// Shape does to objects what the owner did to the install, but for patches on the schemas of CRDs.
//
// It fails where kustomize does not build.
func Shape(install *classic.Install, objects []*kyaml.RNode) ([]*kyaml.RNode, error) {
	return install.Shape(objects, func(p classic.Patch) bool { return !p.OnSchemas() })
}

// withoutSchemas are the patches that can be built here.
func withoutSchemas(patches []classic.Patch) []classic.Patch {
	return slices.DeleteFunc(slices.Clone(patches), classic.Patch.OnSchemas)
}

// Render is what Flux Operator applies for a FluxInstance, without what its patches change in the schemas of CRDs.
//
// It fails where Flux Operator would refuse the FluxInstance.
func Render(instance map[string]any) ([]*kyaml.RNode, error) {
	bare := maps.Clone(instance)
	spec, _ := object.Get[map[string]any](instance, "spec")
	if spec = maps.Clone(spec); spec == nil {
		return nil, errors.New("it has no spec")
	}
	kustomize, _ := object.Get[map[string]any](spec, "kustomize")
	patches, _ := object.Get[[]any](kustomize, "patches")
	spec["kustomize"] = map[string]any{"patches": slices.DeleteFunc(slices.Clone(patches), func(entry any) bool {
		patch, _ := entry.(map[string]any)
		kind, _ := object.Get[string](patch, "target", "kind")
		body, _ := patch["patch"].(string)
		return classic.Patch{Body: body, Target: map[string]any{"kind": kind}}.OnSchemas()
	})}
	bare["spec"] = spec
	return flux.Instance(bare, "")
}

// retarget makes the patch select under Flux Operator what it selects today.
func (c *carrier) retarget(patch classic.Patch, today, then []flux.ID) []classic.Patch {
	target := c.bare(patch.Target)
	switch {
	case len(today) == 0:
		c.selectsNothing(patch)
		return nil
	case patch.OnSchemas():
		return c.schemaPatch(patch, today)
	case !sameObjects(today, then):
		return c.byName(patch, today)
	case len(target) != len(patch.Target):
		return []classic.Patch{patch.With(patch.Body, target)}
	default:
		return []classic.Patch{patch}
	}
}

// selectsNothing leaves out a patch that has no effect today. One for a kind that Flux never installs was meant for
// others: a root gives it to every Flux Kustomization. The rest can be a mistake.
func (c *carrier) selectsNothing(patch classic.Patch) {
	all, err := Everything(c.options)
	if err != nil {
		c.findings.Error(finding.InstallDoesNotBuild, patch.Object, patch.Field,
			"the classic install cannot be rendered: %s", err)
		return
	}
	known, err := flux.Selects(all, patch.Target)
	if err == nil && len(known) > 0 {
		c.left = append(c.left, leftOut{patch,
			fmt.Sprintf("it selects %s, which is not installed under this name", known[0])})
		c.findings.Warn(finding.PatchWithoutEffect, patch.Object, patch.Field,
			"the patch is left out: it selects %s, which is not installed under this name, so it has no effect today",
			known[0])
		return
	}
	if kinds, err := flux.Selects(all, kindOf(patch.Target)); err == nil && len(kinds) == 0 {
		c.findings.Info(finding.PatchWithoutEffect, finding.Moved, patch.Object, patch.Field,
			"the patch is left out: Flux installs no %v, so it has no effect", patch.Target["kind"])
		return
	}
	c.findings.Warn(finding.PatchWithoutEffect, patch.Object, patch.Field, "the patch is left out: it selects "+
		"nothing that Flux installs (target %s), so it has no effect today; if that is a mistake, correct the target "+
		"and add the patch to the FluxInstance", oneLine(patch.Target))
}

// kindOf is a target without what narrows it to some objects of its kind.
func kindOf(target map[string]any) map[string]any {
	kind := map[string]any{}
	for _, key := range []string{"group", "version", "kind"} {
		if value, set := target[key]; set {
			kind[key] = value
		}
	}
	return kind
}

// sameObjects compares what a patch selects. Objects that Flux Operator does not generate, such as a NetworkPolicy that
// is switched off, cannot be selected there and do not count.
func sameObjects(today, then []flux.ID) bool {
	a, b := slices.Clone(today), slices.Clone(then)
	slices.SortFunc(a, compareIDs)
	slices.SortFunc(b, compareIDs)
	return slices.Equal(a, b)
}

func compareIDs(a, b flux.ID) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Namespace, b.Namespace))
}

// byName spells out what a patch selects today: one entry for each kind, and for those of the shards.
func (c *carrier) byName(patch classic.Patch, objects []flux.ID) []classic.Patch {
	type kind struct {
		group, kind string
		shard       bool
	}
	names := map[kind][]string{}
	for _, id := range objects {
		k := kind{id.Group, id.Kind, c.ofShard(id)}
		names[k] = append(names[k], id.Name)
	}
	var all []classic.Patch
	for _, k := range slices.SortedFunc(maps.Keys(names), func(a, b kind) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.group, b.group),
			strings.Compare(fmt.Sprint(a.shard), fmt.Sprint(b.shard)))
	}) {
		slices.Sort(names[k])
		target := map[string]any{"kind": k.kind, "name": alternatives(names[k])}
		if k.group != "" {
			target["group"] = k.group
		}
		if len(c.shards) > 0 && !k.shard {
			beside(target)
		}
		all = append(all, patch.With(patch.Body, target))
	}
	return all
}

// ofShard tells an object of a shard.
func (c *carrier) ofShard(id flux.ID) bool {
	return slices.ContainsFunc(c.shards, func(s classic.Shard) bool { return strings.HasSuffix(id.Name, "-"+s.Name) })
}

// beside keeps a target that names a main controller from its shards: kustomize selects an object that got a suffix by
// the name before it as well.
func beside(target map[string]any) { target["annotationSelector"] = "!" + flux.ShardRole }

// alternatives is the regular expression for these names; kustomize anchors it.
func alternatives(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return "(" + strings.Join(names, "|") + ")"
}

func oneLine(target map[string]any) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(target)) {
		parts = append(parts, fmt.Sprintf("%s: %v", key, target[key]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
