package flux

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/reason"
)

// instance is the part of a FluxInstance that decides what is rendered. Source: the CRD of Flux Operator v0.58.1.
type instance struct {
	Metadata struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Spec struct {
		Distribution struct {
			Version         string `json:"version"`
			Registry        string `json:"registry"`
			Variant         string `json:"variant"`
			ImagePullSecret string `json:"imagePullSecret"`
		} `json:"distribution"`
		Components     []string `json:"components"`
		Cluster        cluster  `json:"cluster"`
		CommonMetadata struct {
			Labels      map[string]string `json:"labels"`
			Annotations map[string]string `json:"annotations"`
		} `json:"commonMetadata"`
		Storage  *storage  `json:"storage"`
		Sharding *sharding `json:"sharding"`
		Sync     *sync     `json:"sync"`
		// The API knows nothing but patch and target: other fields of a kustomize patch (path, options) are dropped
		// here too.
		Kustomize struct {
			Patches []struct {
				Patch  string          `json:"patch"`
				Target *types.Selector `json:"target"`
			} `json:"patches"`
		} `json:"kustomize"`
	} `json:"spec"`
}

// cluster is spec.cluster. The CRD sets networkPolicy to true where it is missing.
type cluster struct {
	Domain                                string `json:"domain"`
	Multitenant                           bool   `json:"multitenant"`
	MultitenantWorkloadIdentity           bool   `json:"multitenantWorkloadIdentity"`
	TenantDefaultServiceAccount           string `json:"tenantDefaultServiceAccount"`
	TenantDefaultDecryptionServiceAccount string `json:"tenantDefaultDecryptionServiceAccount"`
	TenantDefaultKubeConfigServiceAccount string `json:"tenantDefaultKubeConfigServiceAccount"`
	ObjectLevelWorkloadIdentity           bool   `json:"objectLevelWorkloadIdentity"`
	NetworkPolicy                         *bool  `json:"networkPolicy"`
	Type                                  string `json:"type"`
	Size                                  string `json:"size"`
}

// storage is spec.storage, the volume claim of source-controller.
type storage struct {
	Class string `json:"class"`
	Size  string `json:"size"`
}

// Instance renders what Flux Operator v0.58.1 applies for a FluxInstance on a cluster, at a Flux release; an empty
// version means the one that spec.distribution.version resolves to. CRDs are cut down to what they serve, and images
// have no digest, which the operator pins where it knows the registry. The error is the one that the operator would
// stop at: a patch that does not build, or settings that exclude each other. spec.distribution.artifact has no say
// here.
func Instance(fluxInstance map[string]any, version string) ([]*yaml.RNode, error) {
	in, err := decodeInstance(fluxInstance)
	if err != nil {
		return nil, err
	}
	if version == "" {
		v, err := Latest(in.Spec.Distribution.Version)
		if err != nil {
			return nil, err
		}
		version = v.Original()
	}
	o := in.options(version)
	if err := in.check(o); err != nil {
		return nil, err
	}
	tree, root, err := in.tree(o)
	if err != nil {
		return nil, err
	}
	objects, err := in.build(tree, root, o)
	if err != nil {
		return nil, err
	}
	return objects, in.own(objects, o)
}

// decodeInstance reads a FluxInstance and sets the defaults of its CRD.
func decodeInstance(object map[string]any) (*instance, error) {
	content, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var in instance
	if err := reason.Of(json.Unmarshal(content, &in)); err != nil {
		return nil, fmt.Errorf("decode FluxInstance: %w", err)
	}
	if in.Metadata.Namespace == "" {
		return nil, errors.New("the FluxInstance has no namespace")
	}
	if in.Spec.Cluster.NetworkPolicy == nil {
		yes := true
		in.Spec.Cluster.NetworkPolicy = &yes
	}
	if s := in.Spec.Sharding; s != nil {
		s.Key = or(s.Key, "sharding.fluxcd.io/key")
	}
	if s := in.Spec.Sync; s != nil {
		if err := s.setDefaults(in.Metadata.Namespace); err != nil {
			return nil, err
		}
	}
	return &in, nil
}

// options are the settings that the operator shares with `flux install`; it leaves the others at their defaults.
func (in *instance) options(version string) Options {
	o := DefaultOptions(version)
	o.Namespace = in.Metadata.Namespace
	o.Components = in.Spec.Components
	o.Registry = in.Spec.Distribution.Registry
	o.ImagePullSecret = in.Spec.Distribution.ImagePullSecret
	o.NetworkPolicy = *in.Spec.Cluster.NetworkPolicy
	o.Domain = in.Spec.Cluster.Domain
	o = o.withDefaults()
	o.manifestTags = !upstream(o.Registry, in.Spec.Distribution.Variant)
	return o
}

// upstream reports whether the operator takes the images for those of the Flux release. Its own builds have the tags of
// its manifests.
func upstream(registry, variant string) bool {
	if variant != "" {
		return variant == "upstream-alpine"
	}
	return registry == "fluxcd" || registry == "ghcr.io/fluxcd"
}

// check refuses what the operator refuses before it builds.
func (in *instance) check(o Options) error {
	return first(
		checkComponents(o.Version, o.Components),
		in.Spec.Cluster.checkWorkloadIdentity(o.Version),
		in.Spec.Sync.check(o.Version),
		in.Spec.Sharding.check(in.Spec.Storage),
	)
}

// tree holds everything that the operator hands to kustomize, and root is its kustomization.
func (in *instance) tree(o Options) (tree files, root types.Kustomization, err error) {
	tree, err = o.tree(func(component string) []op { return in.controllerOps(o, component) })
	if err != nil {
		return nil, root, err
	}
	root = o.root()
	if in.Spec.Storage != nil {
		root.Patches = append(root.Patches, volumePatch(o)...)
	}
	if in.Spec.Sharding != nil {
		root.Resources = append(root.Resources, in.Spec.Sharding.Shards...)
		root.Patches = append(root.Patches, in.Spec.Sharding.excludePatch(o))
		if err := in.Spec.Sharding.add(tree, o, in.Spec.Storage); err != nil {
			return nil, root, err
		}
	}
	if in.Spec.Storage != nil {
		root.Resources = append(root.Resources, "pvc.yaml")
	}
	if in.Spec.Sync != nil {
		root.Resources = append(root.Resources, "sync.yaml")
		tree["/sync.yaml"] = in.Spec.Sync.manifest(o)
	}
	root.Patches = append(root.Patches, in.profiles(o)...)
	root.Patches = append(root.Patches, in.userPatches()...)
	root.Images = in.images(o)
	return tree, root, first(
		tree.add("/namespace.yaml", namespace(o)),
		in.Spec.Storage.add(tree, "/pvc.yaml"),
		tree.add("/roles/kustomization.yaml", o.roles(in.Spec.Cluster.rolePatches(o.Version)...)),
		tree.add("/kustomization.yaml", root),
	)
}

// controllerOps are the operations of the operator on every controller.
func (in *instance) controllerOps(o Options, component string) []op {
	return slices.Concat(o.flagOps(component, o.eventsAddrIn(o.Namespace)), podMetadata())
}

// namespace is the Namespace as the operator has it.
func namespace(o Options) map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{
			"name": o.Namespace,
			"labels": map[string]any{
				"pod-security.kubernetes.io/warn":         "restricted",
				"pod-security.kubernetes.io/warn-version": "latest",
			},
			"annotations": map[string]any{"fluxcd.controlplane.io/prune": "disabled"},
		},
	}
}

// userPatches are spec.kustomize.patches, which come after all others.
func (in *instance) userPatches() []types.Patch {
	var patches []types.Patch
	for _, p := range in.Spec.Kustomize.Patches {
		patches = append(patches, types.Patch{Patch: p.Patch, Target: p.Target})
	}
	return patches
}

// images are what the operator does to images after the patches, where one brings an image under the name that the
// manifests have.
func (in *instance) images(o Options) []types.Image {
	named := func(p types.Patch) bool { return strings.Contains(p.Patch, "fluxcd/") }
	if !slices.ContainsFunc(in.userPatches(), named) {
		return nil
	}
	tags := Controllers(o.Version)
	if o.manifestTags {
		tags = nil
	}
	var images []types.Image
	for _, c := range o.Components {
		images = append(images, types.Image{Name: "fluxcd/" + c, NewName: o.Registry + "/" + c, NewTag: tags[c]})
	}
	return images
}

// own sets what the operator sets on every object after all patches, so that no patch can change it: its labels and
// annotations, and then spec.commonMetadata.
func (in *instance) own(objects []*yaml.RNode, o Options) error {
	labels := map[string]string{
		"app.kubernetes.io/managed-by":     "flux-operator",
		"app.kubernetes.io/instance":       o.Namespace,
		"app.kubernetes.io/version":        o.Version,
		"app.kubernetes.io/part-of":        "flux",
		"fluxcd.controlplane.io/name":      in.Metadata.Name,
		"fluxcd.controlplane.io/namespace": in.Metadata.Namespace,
	}
	annotations := map[string]string{
		"kustomize.toolkit.fluxcd.io/ssa":   "Ignore",
		"kustomize.toolkit.fluxcd.io/prune": "Disabled",
	}
	for _, object := range objects {
		err := first(
			merge(object, annotations, "metadata", "annotations"),
			merge(object, labels, "metadata", "labels"),
			merge(object, in.Spec.CommonMetadata.Labels, "metadata", "labels"),
			merge(object, in.Spec.CommonMetadata.Annotations, "metadata", "annotations"),
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// merge adds entries to a map in an object. The setters of kyaml parse every value anew.
func merge(object *yaml.RNode, add map[string]string, path ...string) error {
	if len(add) == 0 {
		return nil
	}
	entries, err := reason.With(object.Pipe(yaml.LookupCreate(yaml.MappingNode, path...)))
	if err != nil {
		return err
	}
	node := entries.YNode()
	for _, key := range slices.Sorted(maps.Keys(add)) {
		if field := entries.Field(key); field != nil {
			field.Value.SetYNode(scalar(add[key]))
		} else {
			node.Content = append(node.Content, scalar(key), scalar(add[key]))
		}
	}
	return nil
}

// scalar is a string as YAML.
func scalar(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: yaml.NodeTagString, Value: value}
}

// add writes the volume claim; without spec.storage there is none.
func (s *storage) add(tree files, path string) error {
	if s == nil {
		return nil
	}
	return tree.add(path, map[string]any{
		"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": map[string]any{"name": sourceController},
		"spec": map[string]any{
			"accessModes":      []string{"ReadWriteOnce"},
			"storageClassName": s.Class,
			"resources":        map[string]any{"requests": map[string]any{"storage": s.Size}},
		},
	})
}

// volumePatch mounts the claim in source-controller, but not in its shards.
func volumePatch(o Options) []types.Patch {
	if !o.has(sourceController) {
		return nil
	}
	patch := jsonPatch("Deployment", sourceController,
		op{Op: "add", Path: "/spec/template/spec/volumes/-", Value: claim("persistent-data", sourceController)},
		op{Op: "replace", Path: container + "/volumeMounts/0",
			Value: map[string]any{"name": "persistent-data", "mountPath": "/data"}})
	patch.Target.AnnotationSelector = "!" + ShardRole
	return []types.Patch{patch}
}

// claim is a volume that a claim backs.
func claim(volume, name string) map[string]any {
	return map[string]any{"name": volume, "persistentVolumeClaim": map[string]any{"claimName": name}}
}

// setDefaults fills what the CRD and the operator fill: the interval in Go's spelling, and the namespace as name.
func (s *sync) setDefaults(namespace string) error {
	s.Name = or(s.Name, namespace)
	interval, err := time.ParseDuration(or(s.Interval, "1m"))
	s.Interval = interval.String()
	return err
}
