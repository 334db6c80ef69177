package flux

import (
	"errors"
	"fmt"
	"slices"

	"sigs.k8s.io/kustomize/api/types"
)

// profiles are the operator's own patches, in its order. The ones that teach the CRDs of notification-controller the
// operator's kinds are left out, because the CRDs here have no schemas.
func (in *instance) profiles(o Options) []types.Patch {
	c := in.Spec.Cluster
	patches := c.typePatches()
	patches = append(patches, c.sizePatches()...)
	patches = append(patches, c.tenantPatches()...)
	if o.has(notificationController) {
		patches = append(patches, jsonPatch("ClusterRole", "crd-controller-"+o.Namespace,
			op{Op: "add", Path: "/rules/-", Value: ruleOn("fluxcd.controlplane.io")}))
	}
	patches = append(patches, c.gatePatches(o)...)
	if c.MultitenantWorkloadIdentity {
		patches = append(patches, c.tenantIdentityPatches()...)
	}
	return patches
}

// gatePatches set feature gates, of shards as well.
func (c cluster) gatePatches(o Options) []types.Patch {
	var patches []types.Patch
	for _, component := range o.Components {
		if gates := slices.Concat(o.artifactGate(component), c.identityOps(component, o.Version)); len(gates) > 0 {
			patches = append(patches, jsonPatch("Deployment", component, gates...))
		}
	}
	return patches
}

// ruleOn allows everything on an API group.
func ruleOn(group string) map[string]any {
	return map[string]any{"apiGroups": []string{group}, "resources": []string{"*"}, "verbs": []string{"*"}}
}

// typePatches are those of spec.cluster.type: OpenShift assigns its own security context.
func (c cluster) typePatches() []types.Patch {
	if c.Type != "openshift" {
		return nil
	}
	remove := func(path string) op { return op{Op: "remove", Path: path} }
	return []types.Patch{
		jsonPatch("Deployment", "",
			remove("/spec/template/spec/securityContext"),
			remove(container+"/securityContext/seccompProfile"),
			remove(container+"/securityContext/runAsNonRoot")),
		jsonPatch("Namespace", "",
			remove("/metadata/labels/pod-security.kubernetes.io~1warn"),
			remove("/metadata/labels/pod-security.kubernetes.io~1warn-version")),
	}
}

// resources is a container's requests and limits.
type resources struct{ cpuRequest, memoryRequest, cpuLimit, memoryLimit string }

// sizeProfile is what one spec.cluster.size sets.
type sizeProfile struct {
	size string
	// The appliers are kustomize- and helm-controller, source is source-controller.
	applierArgs, sourceArgs []string
	// Who gets which resources: all controllers, or these only.
	all, appliers, source *resources
}

// sizeProfiles are the operator's presets. Source: what Flux Operator v0.58.1 renders for each size.
func sizeProfiles() []sizeProfile {
	medium := &resources{"100m", "128Mi", "2000m", "1Gi"}
	return []sizeProfile{
		{
			size:        "small",
			applierArgs: []string{"--concurrent=5", "--requeue-dependency=10s"},
			sourceArgs: []string{"--helm-cache-max-size=10", "--helm-cache-ttl=720m",
				"--helm-cache-purge-interval=60m"},
			all: &resources{"100m", "64Mi", "1000m", "512Mi"},
		},
		{
			size:        "medium",
			applierArgs: []string{"--concurrent=10", "--requeue-dependency=5s"},
			sourceArgs: []string{"--helm-cache-max-size=50", "--helm-cache-ttl=720m",
				"--helm-cache-purge-interval=60m", "--concurrent=5"},
			appliers: medium, source: medium,
		},
		{
			size:        "large",
			applierArgs: []string{"--concurrent=20", "--requeue-dependency=5s"},
			sourceArgs: []string{"--helm-cache-max-size=100", "--helm-cache-ttl=720m",
				"--helm-cache-purge-interval=60m", "--concurrent=10"},
			appliers: &resources{"100m", "256Mi", "3000m", "3Gi"},
			source:   &resources{"100m", "256Mi", "2000m", "2Gi"},
		},
	}
}

// podMetadata are the operations that set what the operator sets on the pods of every size.
func podMetadata() []op {
	return []op{
		{Op: "add", Path: "/spec/template/metadata/labels/app.kubernetes.io~1part-of", Value: "flux"},
		{Op: "add", Path: "/spec/template/metadata/annotations/cluster-autoscaler.kubernetes.io~1safe-to-evict",
			Value: "true"},
	}
}

// sizePatches are those of spec.cluster.size.
func (c cluster) sizePatches() []types.Patch {
	for _, p := range sizeProfiles() {
		if p.size == c.Size {
			mark := mergePatch(map[string]any{"metadata": map[string]any{"name": "all",
				"annotations": map[string]any{"fluxcd.controlplane.io/profile": c.Size}}})
			return append([]types.Patch{mark}, p.patches()...)
		}
	}
	return nil
}

// patches spells a size out.
func (p sizeProfile) patches() []types.Patch {
	appliers := anyOf(kustomizeController, helmController)
	return slices.Concat(
		p.all.patches(""),
		p.appliers.patches(appliers),
		p.source.patches(sourceController),
		[]types.Patch{
			jsonPatch("Deployment", appliers, addArgs(p.applierArgs...)...),
			jsonPatch("Deployment", sourceController, addArgs(p.sourceArgs...)...),
		},
	)
}

// patches replaces the resources of the controllers with such a name.
func (r *resources) patches(name string) []types.Patch {
	if r == nil {
		return nil
	}
	return []types.Patch{jsonPatch("Deployment", name,
		op{Op: "replace", Path: container + "/resources", Value: map[string]any{
			"requests": map[string]string{"cpu": r.cpuRequest, "memory": r.memoryRequest},
			"limits":   map[string]string{"cpu": r.cpuLimit, "memory": r.memoryLimit},
		}})}
}

// tenantPatches are those of spec.cluster.multitenant.
func (c cluster) tenantPatches() []types.Patch {
	if !c.Multitenant {
		return nil
	}
	account := or(c.TenantDefaultServiceAccount, "default")
	appliers := anyOf(kustomizeController, helmController)
	referrers := anyOf(kustomizeController, helmController, notificationController, imageReflectorController,
		imageAutomationController, sourceWatcher)
	return []types.Patch{
		jsonPatch("Deployment", referrers, addArg("--no-cross-namespace-refs=true")),
		jsonPatch("Deployment", kustomizeController, addArg("--no-remote-bases=true")),
		jsonPatch("Deployment", appliers, addArg("--default-service-account="+account)),
		jsonPatch("Kustomization", "", op{Op: "add", Path: "/spec/serviceAccountName", Value: kustomizeController}),
	}
}

// checkWorkloadIdentity refuses the settings that a release is too old for, and one without the other.
func (c cluster) checkWorkloadIdentity(version string) error {
	switch {
	case c.ObjectLevelWorkloadIdentity && !atLeast(version, "2.6.0"):
		return fmt.Errorf("spec.cluster.objectLevelWorkloadIdentity needs Flux 2.6, not %s", version)
	case c.MultitenantWorkloadIdentity && !atLeast(version, "2.7.0"):
		return fmt.Errorf("spec.cluster.multitenantWorkloadIdentity needs Flux 2.7, not %s", version)
	case c.MultitenantWorkloadIdentity && !c.ObjectLevelWorkloadIdentity:
		return errors.New("spec.cluster.multitenantWorkloadIdentity needs objectLevelWorkloadIdentity")
	}
	return nil
}

// identityOps set the workload identity feature gate: since Flux v2.7 in both directions, for all controllers; in v2.6,
// where it is off by default, only to turn it on, and helm-controller has none. Before, there is no such gate.
func (c cluster) identityOps(component, version string) []op {
	controllers := []string{sourceController, kustomizeController, notificationController, imageReflectorController,
		imageAutomationController}
	switch {
	case atLeast(version, "2.7.0"):
		controllers = append(controllers, helmController)
	case !c.ObjectLevelWorkloadIdentity:
		return nil
	}
	if !slices.Contains(controllers, component) {
		return nil
	}
	return []op{addArg(fmt.Sprintf("--feature-gates=ObjectLevelWorkloadIdentity=%t", c.ObjectLevelWorkloadIdentity))}
}

// tenantIdentityPatches are those of spec.cluster.multitenantWorkloadIdentity.
func (c cluster) tenantIdentityPatches() []types.Patch {
	users := anyOf(sourceController, notificationController, imageReflectorController, imageAutomationController)
	account := or(c.TenantDefaultServiceAccount, "default")
	decryption := or(c.TenantDefaultDecryptionServiceAccount, "default")
	kubeConfig := or(c.TenantDefaultKubeConfigServiceAccount, "default")
	return []types.Patch{
		jsonPatch("Deployment", users, addArg("--default-service-account="+account)),
		jsonPatch("Deployment", kustomizeController, addArg("--default-decryption-service-account="+decryption)),
		jsonPatch("Deployment", anyOf(kustomizeController, helmController), addArg(
			"--default-kubeconfig-service-account="+kubeConfig)),
	}
}

// rolePatches take the right to create service account tokens from the controllers where workload identity is off. The
// rule is there since Flux v2.6, and one further down since v2.7, which put a rule for source-watcher before it.
func (c cluster) rolePatches(version string) []types.Patch {
	if c.ObjectLevelWorkloadIdentity || !atLeast(version, "2.6.0") {
		return nil
	}
	rule := "/rules/10"
	if atLeast(version, "2.7.0") {
		rule = "/rules/11"
	}
	return []types.Patch{jsonPatch("ClusterRole", "crd-controller", op{Op: "remove", Path: rule})}
}
