package flux

import (
	"errors"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
)

// sharding is spec.sharding of a FluxInstance.
type sharding struct {
	Key     string   `json:"key"`
	Shards  []string `json:"shards"`
	Storage string   `json:"storage"`
}

// ShardRole is the annotation that tells the objects of a shard from the main ones. Source: what Flux Operator v0.58.1
// renders.
const ShardRole = "sharding.fluxcd.io/role"

// check refuses what the CRD refuses.
func (s *sharding) check(claim *storage) error {
	if s != nil && s.persistent() && claim == nil {
		return errors.New("spec.sharding.storage: persistent needs spec.storage")
	}
	return nil
}

// persistent reports whether every shard gets a claim of its own.
func (s *sharding) persistent() bool { return s.Storage == "persistent" }

// shardable are the components that are run once more for each shard; source-watcher since Flux v2.9.
func shardable(version string) []string {
	components := []string{sourceController, kustomizeController, helmController, imageReflectorController,
		imageAutomationController}
	if atLeast(version, "2.9.0") {
		components = append(components, sourceWatcher)
	}
	return components
}

// excludePatch makes the main controllers leave the shards' objects alone.
func (s *sharding) excludePatch(o Options) types.Patch {
	patch := jsonPatch("Deployment", anyOf(shardable(o.Version)...), addArg("--watch-label-selector=!"+s.Key))
	patch.Target.AnnotationSelector = "!" + ShardRole
	return patch
}

// add writes one folder for each shard.
func (s *sharding) add(tree files, o Options, claim *storage) error {
	for _, shard := range s.Shards {
		dir := "/" + shard
		k := s.kustomization(o, shard)
		if s.persistent() {
			k.Resources = append(k.Resources, "pvc.yaml")
			if err := claim.add(tree, dir+"/pvc.yaml"); err != nil {
				return err
			}
		}
		if err := tree.add(dir+"/kustomization.yaml", k); err != nil {
			return err
		}
	}
	return nil
}

// kustomization takes the Deployments and Services of the components again, under the shard's name.
func (s *sharding) kustomization(o Options, shard string) types.Kustomization {
	k := kustomization(o.Namespace)
	k.NameSuffix = "-" + shard
	k.CommonAnnotations = map[string]string{ShardRole: "shard"}
	k.Patches = []types.Patch{dropPatch()}
	for _, c := range shardable(o.Version) {
		if o.has(c) {
			k.Patches = append(k.Patches, s.componentPatches(o, c, shard)...)
		}
	}
	for _, c := range o.Components {
		if slices.Contains(shardable(o.Version), c) {
			k.Resources = append(k.Resources, "../"+c+".yaml")
		}
	}
	k.Patches = append(k.Patches, jsonPatch("Deployment", anyOf(shardable(o.Version)...),
		addArg("--watch-label-selector="+s.Key+"="+shard)))
	return k
}

// dropPatch deletes what is there once only.
func dropPatch() types.Patch {
	once := strings.Join([]string{"Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding",
		"ServiceAccount", "NetworkPolicy", "ResourceQuota"}, "|")
	return types.Patch{
		Patch:  `{"apiVersion": "v1", "kind": "all", "metadata": {"name": "all"}, "$patch": "delete"}`,
		Target: target("("+once+")", ""),
	}
}

// componentPatches give a component's Deployment and Service the shard's selector, and a store of artifacts its address
// and volume.
func (s *sharding) componentPatches(o Options, component, shard string) []types.Patch {
	app := component + "-" + shard
	ops := []op{
		{Op: "replace", Path: "/spec/selector/matchLabels/app", Value: app},
		{Op: "replace", Path: "/spec/template/metadata/labels/app", Value: app},
	}
	if component != sourceController && component != sourceWatcher {
		return []types.Patch{jsonPatch("Deployment", component, ops...)}
	}
	ops = append(ops, addArg(o.storageAddr(app)))
	if component == sourceController && s.persistent() {
		volume := "persistent-data-" + shard
		ops = append(ops,
			op{Op: "replace", Path: "/spec/template/spec/volumes/0", Value: claim(volume, app)},
			op{Op: "replace", Path: container + "/volumeMounts/0",
				Value: map[string]any{"name": volume, "mountPath": "/data"}})
	}
	return []types.Patch{
		jsonPatch("Service", component, op{Op: "replace", Path: "/spec/selector/app", Value: app}),
		jsonPatch("Deployment", component, ops...),
	}
}
