package instance

import (
	"maps"
	"slices"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/reason"
)

// draft is a FluxInstance in the making: its fields by their names, and the owner's patches.
type draft struct {
	plan *Plan
	// distribution and cluster are the fields that differ from install to install.
	distribution, cluster map[string]any
	// comments stand above the fields of cluster that took the place of a patch with a comment.
	comments map[string]string
	// extra are further fields of the spec: storage, sharding, commonMetadata.
	extra   map[string]any
	patches []classic.Patch
	// replaced are the patches that fields took the place of.
	replaced []replacement
	// taken are objects of the repository beside the install that a field has Flux Operator make, and so take over.
	taken []*kyaml.RNode

	// after is what Flux Operator renders for the draft, imposed what that changes by itself; differences finds both.
	after   []*kyaml.RNode
	imposed []flux.Difference
}

// newDraft takes the flags of the classic install into the fields of a FluxInstance.
func newDraft(p *Plan) *draft {
	o := p.Install.Options
	d := &draft{
		plan:         p,
		distribution: map[string]any{"version": p.Version, "registry": o.Registry},
		cluster:      map[string]any{"type": "kubernetes", "networkPolicy": o.NetworkPolicy},
		extra:        map[string]any{},
		comments:     map[string]string{},
	}
	if o.ImagePullSecret != "" {
		d.distribution["imagePullSecret"] = o.ImagePullSecret
	}
	if o.Domain != "" && o.Domain != "cluster.local" {
		d.cluster["domain"] = o.Domain
	}
	if shards := p.Install.Shards; len(shards) > 0 {
		var names []any
		for _, shard := range shards {
			names = append(names, shard.Name)
		}
		d.extra["sharding"] = map[string]any{"key": shards[0].Key, "shards": names}
	}
	return d
}

// clone is a copy to try a change on.
func (d *draft) clone() *draft {
	c := *d
	c.distribution, c.cluster, c.extra = maps.Clone(d.distribution), maps.Clone(d.cluster), maps.Clone(d.extra)
	c.patches, c.comments, c.replaced, c.taken = slices.Clone(d.patches), maps.Clone(d.comments),
		slices.Clone(d.replaced), slices.Clone(d.taken)
	return &c
}

// inOrder are the fields of a map in the order in which the documentation of the FluxInstance has them.
func inOrder(m map[string]any, comments map[string]string, keys ...string) *kyaml.Node {
	var fields []object.Field
	for _, key := range keys {
		if value, set := m[key]; set {
			fields = append(fields, object.Because(comments[key], key, value))
		}
	}
	return object.Map(fields...)
}

// versionComment tells the next reader what upgrades Flux. Without an artifact Flux Operator installs the newest
// release of the version among the manifests in its image. Source: MIGRATION facts 1.1 and 4.
const versionComment = "Upgrade Flux here: a newer Flux Operator stays within this version. There is no artifact, so " +
	"that the\nmanifests come from inside Flux Operator and not from a tag that moves."

// spec is the FluxInstance's spec without kustomize.
func (d *draft) spec() *kyaml.Node {
	fields := []object.Field{
		object.F("distribution", inOrder(d.distribution, map[string]string{"version": versionComment}, "version",
			"registry", "imagePullSecret")),
		object.F("components", d.plan.Install.Options.Components),
		object.F("cluster", inOrder(d.cluster, d.comments, "type", "size", "domain", "multitenant",
			"tenantDefaultServiceAccount",
			"objectLevelWorkloadIdentity", "networkPolicy")),
	}
	for _, key := range []string{"commonMetadata", "storage", "sharding"} {
		if value, set := d.extra[key]; set {
			fields = append(fields, object.F(key, value))
		}
	}
	if d.plan.Config.Sync.Mode == config.Adopt {
		fields = append(fields, object.F("sync",
			inOrder(d.plan.Sync.Spec, nil, "kind", "name", "url", "ref", "path", "pullSecret", "provider", "interval")))
	}
	return object.Map(fields...)
}

// nodes are the entries of spec.kustomize.patches: the owner's, then those that restate the sync pair.
func (d *draft) nodes() []*kyaml.Node {
	var nodes []*kyaml.Node
	for _, patch := range d.patches {
		nodes = append(nodes, patch.Node())
	}
	if d.plan.Config.Sync.Mode == config.Adopt {
		nodes = append(nodes, d.plan.Sync.Patches...)
	}
	return nodes
}

// instance is the whole FluxInstance, decoded, for rendering.
func (d *draft) instance() (map[string]any, error) {
	spec := d.spec()
	if nodes := d.nodes(); len(nodes) > 0 {
		spec.Content = append(spec.Content, object.Map(object.F("kustomize",
			object.Map(object.F("patches", nodes)))).Content...)
	}
	o, err := object.Build(object.Map(
		object.F("apiVersion", classic.OperatorGroup+"/v1"),
		object.F("kind", "FluxInstance"),
		object.F("metadata", d.plan.metadata(fluxName)),
		object.F("spec", spec)), "")
	if err != nil {
		return nil, err
	}
	return o.Map(), nil
}

// render is what Flux Operator applies for the draft, without what only deploy's guards add.
func (d *draft) render() ([]*kyaml.RNode, error) {
	built := d.clone()
	built.patches = withoutSchemas(d.patches)
	instance, err := built.instance()
	if err != nil {
		return nil, err
	}
	objects, err := flux.Instance(instance, d.plan.Target)
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		if o.GetKind() == "Kustomization" {
			if err := reason.Of(o.PipeE(kyaml.ClearAnnotation(operatorPruneKey))); err != nil {
				return nil, err
			}
		}
	}
	return objects, nil
}
