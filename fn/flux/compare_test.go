package flux

import (
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// install renders all components of a release, as bootstrap does.
func install(t *testing.T, version string) []*yaml.RNode {
	t.Helper()
	o := DefaultOptions(version)
	o.Components = AllComponents(version)
	objects, err := Install(o)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// instanceOf is a FluxInstance that installs the same, without sync.
func instanceOf(version string) map[string]any {
	return map[string]any{"metadata": map[string]any{"name": "flux", "namespace": "flux-system"}, "spec": map[string]any{
		"distribution": map[string]any{"version": version, "registry": "ghcr.io/fluxcd"},
		"components":   AllComponents(version),
	}}
}

// differences compares and fails the test on an error.
func differences(t *testing.T, classic, operator []*yaml.RNode) []string {
	t.Helper()
	found, _, err := Compare(classic, operator)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range found {
		out = append(out, d.String())
	}
	return out
}

// In every release the operator renders what `flux install` does, but for what it imposes.
func TestOperatorRendersTheClassicInstall(t *testing.T) {
	for _, v := range Releases() {
		version := v.Original()
		if !Has(version) {
			continue
		}
		t.Run(version, func(t *testing.T) {
			operator, err := Instance(instanceOf(version), version)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range differences(t, install(t, version), operator) {
				t.Error(d)
			}
		})
	}
}

// Compare must see a change of anything that the operator does not impose.
func TestCompareSeesWhatIsLost(t *testing.T) {
	operator, err := Instance(instanceOf("v2.7.5"), "v2.7.5")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ target, patch, want string }{
		"flag":        {"{kind: Deployment, name: helm-controller}", addFlag, `Deployment/flux-system/helm-controller spec.template.spec.containers[manager].args[--x]: classic "y", operator absent`},
		"gate":        {"{kind: Deployment, name: helm-controller}", `- {op: add, path: /spec/template/spec/containers/0/args/-, value: "--feature-gates=OOMWatch=true,ExternalArtifact=false"}`, `[OOMWatch]: classic "true", operator absent`},
		"gate value":  {"{kind: Deployment, name: helm-controller}", `- {op: add, path: /spec/template/spec/containers/0/args/-, value: "--feature-gates=ExternalArtifact=false"}`, `[ExternalArtifact]: classic "false", operator "true"`},
		"token rule":  {"{kind: Deployment, name: helm-controller}", `- {op: add, path: /spec/template/spec/containers/0/args/-, value: "--feature-gates=ObjectLevelWorkloadIdentity=true"}`, "serviceaccounts/token"},
		"log level":   {"{kind: Deployment, name: helm-controller}", `- {op: replace, path: /spec/template/spec/containers/0/args/2, value: --log-level=debug}`, `[--log-level]: classic "debug", operator "info"`},
		"object":      {"{kind: NetworkPolicy, name: allow-egress}", deleteAny, `NetworkPolicy/flux-system/allow-egress (object): classic absent`},
		"annotation":  {"{kind: Namespace}", `- {op: add, path: /metadata/annotations, value: {a: b}}`, `Namespace/flux-system metadata.annotations.a: classic "b"`},
		"image":       {"{kind: Deployment, name: helm-controller}", `- {op: replace, path: /spec/template/spec/containers/0/image, value: "a/b:c"}`, `.image: classic "a/b:c"`},
		"events":      {"{kind: Deployment, name: helm-controller}", `- {op: replace, path: /spec/template/spec/containers/0/args/0, value: --events-addr=}`, `[--events-addr]: classic ""`},
		"volume":      {"{kind: Deployment, name: helm-controller}", `- {op: add, path: /spec/template/spec/volumes/-, value: {name: ca, emptyDir: {}}}`, `volumes[ca].emptyDir: classic "{}"`},
		"CRD version": {"{kind: CustomResourceDefinition, name: buckets.*}", `- {op: replace, path: /spec/versions/0/served, value: false}`, `versions[v1].served: classic "false", operator "true"`},
	} {
		t.Run(name, func(t *testing.T) {
			var target map[string]any
			if err := yaml.Unmarshal([]byte(c.target), &target); err != nil {
				t.Fatal(err)
			}
			classic, err := Patch(install(t, "v2.7.5"), map[string]any{"patches": []any{map[string]any{"target": target, "patch": c.patch}}})
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(differences(t, classic, operator), "\n")
			if !strings.Contains(got, c.want) {
				t.Errorf("have %q, want %q", got, c.want)
			}
		})
	}
}

func TestCompareRefusesDuplicates(t *testing.T) {
	objects := install(t, "v2.7.5")
	if _, _, err := Compare(append(objects, objects[0]), nil); err == nil {
		t.Error("the same object twice is no error")
	}
}

func TestFlagsInForce(t *testing.T) {
	for _, c := range []struct {
		args []any
		want string
	}{
		{[]any{"--a=1", "--a=2"}, "map[args[--a]:2]"},
		{[]any{"--a"}, "map[args[--a]:true]"},
		{[]any{"--feature-gates=A=true,B=false", "--feature-gates=B=true"}, "map[args[--feature-gates][A]:true args[--feature-gates][B]:true]"},
		{[]any{"--override-manager=a", "--override-manager=b"}, "map[args[--override-manager]:a,b]"},
		{[]any{"run", "--a=b=c"}, "map[args[--a]:b=c args[0]:run]"},
	} {
		l := leaves{}
		l.addArgs("args", c.args)
		if got := fmt.Sprint(map[string]any(l)); got != c.want {
			t.Errorf("%v is %s, want %s", c.args, got, c.want)
		}
	}
}
