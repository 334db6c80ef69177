package flux

import (
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// fluxInstance is a FluxInstance of Flux v2.7.5 with a sync and the given fields of spec, as YAML.
func fluxInstance(t *testing.T, spec string) map[string]any {
	t.Helper()
	object := map[string]any{}
	if err := sigsyaml.Unmarshal([]byte(spec), &object); err != nil {
		t.Fatal(err)
	}
	for field, value := range map[string]any{
		"distribution": map[string]any{"version": "2.7.5", "registry": "ghcr.io/fluxcd"},
		"sync":         map[string]any{"kind": "GitRepository", "url": "https://example.com/a", "ref": "refs/heads/main", "path": "./c", "name": "home"},
	} {
		if _, set := object[field]; !set {
			object[field] = value
		}
	}
	return map[string]any{"metadata": map[string]any{"name": "flux", "namespace": "flux-system"}, "spec": object}
}

// render builds it and fails the test where it does not build.
func render(t *testing.T, spec string) []*yaml.RNode {
	t.Helper()
	objects, err := Instance(fluxInstance(t, spec), "")
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// at is the value of a leaf, "absent" without it.
func at(t *testing.T, object *yaml.RNode, path string) string {
	t.Helper()
	content, err := object.Map()
	if err != nil {
		t.Fatal(err)
	}
	value, ok := flatten(IDOf(object), content)[path]
	if !ok {
		return "absent"
	}
	return fmt.Sprint(value)
}

// args is the path of a flag of a controller.
func args(flag string) string { return "spec.template.spec.containers[manager].args[--" + flag + "]" }

func TestInstanceSettings(t *testing.T) {
	const manager = "spec.template.spec.containers[manager]"
	for _, c := range []struct{ spec, kind, name, path, want string }{
		{`{}`, "Namespace", "flux-system", "metadata.annotations.fluxcd.controlplane.io/prune", "disabled"},
		{`{}`, "Service", "source-controller", "metadata.annotations.kustomize.toolkit.fluxcd.io/ssa", "Ignore"},
		{`{}`, "Service", "source-controller", "metadata.labels.fluxcd.controlplane.io/name", "flux"},
		{`{}`, "Deployment", "source-controller", manager + ".image", "ghcr.io/fluxcd/source-controller:v1.7.4"},
		{`{}`, "Deployment", "source-controller", args("events-addr"), "http://notification-controller.flux-system.svc.cluster.local./"},
		{`{}`, "Deployment", "source-controller", args("feature-gates") + "[ObjectLevelWorkloadIdentity]", "false"},
		{`{components: [source-controller]}`, "Deployment", "source-controller", args("events-addr"), ""},
		{`{cluster: {domain: k8s.local}}`, "Deployment", "source-controller", args("storage-adv-addr"), "source-controller.$(RUNTIME_NAMESPACE).svc.k8s.local."},
		{`{cluster: {size: small}}`, "Deployment", "notification-controller", manager + ".resources.limits.memory", "512Mi"},
		{`{cluster: {size: large}}`, "Deployment", "source-controller", args("concurrent"), "10"},
		{`{cluster: {type: openshift}}`, "Deployment", "source-controller", "spec.template.spec.securityContext.fsGroup", "absent"},
		{`{cluster: {multitenant: true}}`, "Kustomization", "home", "spec.serviceAccountName", "kustomize-controller"},
		{`{cluster: {multitenant: true, tenantDefaultServiceAccount: flux}}`, "Deployment", "helm-controller", args("default-service-account"), "flux"},
		{`{cluster: {objectLevelWorkloadIdentity: true}}`, "ClusterRole", "crd-controller-flux-system", tokenRule, "present"},
		{`{cluster: {}}`, "ClusterRole", "crd-controller-flux-system", tokenRule, "absent"},
		{`{storage: {class: fast, size: 1Gi}}`, "PersistentVolumeClaim", "source-controller", "spec.resources.requests.storage", "1Gi"},
		{`{sharding: {shards: [s1]}}`, "Deployment", "helm-controller-s1", args("watch-label-selector"), "sharding.fluxcd.io/key=s1"},
		{`{sharding: {shards: [s1]}}`, "Deployment", "helm-controller", args("watch-label-selector"), "!sharding.fluxcd.io/key"},
		{`{commonMetadata: {labels: {team: a}}}`, "CustomResourceDefinition", "buckets.source.toolkit.fluxcd.io", "metadata.labels.team", "a"},
		{`{}`, "Kustomization", "home", "spec.interval", "10m0s"},
		{`{}`, "GitRepository", "home", "spec.interval", "1m0s"},
		{`{sync: {kind: OCIRepository, url: "oci://a/b", ref: "1.10", path: ./}}`, "OCIRepository", "flux-system", "spec.ref.tag", "1.1"},
		{`{sync: {kind: OCIRepository, url: "oci://a/b", ref: a, path: ./}, distribution: {version: 2.5.x}}`, "OCIRepository", "flux-system", "apiVersion", "source.toolkit.fluxcd.io/v1beta2"},
		{`{sync: {kind: Bucket, url: minio, ref: b, path: ./}}`, "Bucket", "flux-system", "spec.bucketName", "b"},
	} {
		t.Run(c.spec+" "+c.path, func(t *testing.T) {
			if got := at(t, find(t, render(t, c.spec), c.kind, c.name), c.path); got != c.want {
				t.Errorf("%s %s is %q, want %q", c.name, c.path, got, c.want)
			}
		})
	}
}

func TestInstanceNetworkPolicyDefaultsToTrue(t *testing.T) {
	for spec, want := range map[string]int{`{}`: 3, `{cluster: {size: small}}`: 3, `{cluster: {networkPolicy: false}}`: 0} {
		count := 0
		for _, object := range render(t, spec) {
			if object.GetKind() == "NetworkPolicy" {
				count++
			}
		}
		if count != want {
			t.Errorf("%s renders %d network policies, want %d", spec, count, want)
		}
	}
}

func TestInstanceRefuses(t *testing.T) {
	for spec, want := range map[string]string{
		`{components: [source-watcher], distribution: {version: 2.6.x}}`:                 "source-watcher",
		`{cluster: {objectLevelWorkloadIdentity: true}, distribution: {version: 2.5.x}}`: "needs Flux 2.6",
		`{cluster: {multitenantWorkloadIdentity: true}}`:                                 "needs objectLevelWorkloadIdentity",
		`{sync: {kind: GitRepository, url: a, ref: b, path: c, provider: aws}}`:          "needs Flux 2.9",
		`{sharding: {shards: [a], storage: persistent}}`:                                 "needs spec.storage",
		`{distribution: {version: 2.8.4}}`:                                               "no Flux release",
	} {
		if _, err := Instance(fluxInstance(t, spec), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", spec, err, want)
		}
	}
}
