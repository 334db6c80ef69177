package object

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestBadNames holds where names stand in the objects of Flux and Flux Operator, and that a text that is no name may be
// anything.
func TestBadNames(t *testing.T) {
	for text, want := range map[string]string{
		"metadata: {name: a.b-c, namespace: d}":                                    "",
		"metadata: {name: 'a_b', namespace: 'c.d'}":                                "metadata.name metadata.namespace",
		"metadata: {name: 'a-${b}', namespace: '${c}'}":                            "",
		"metadata: {name: '${b:=$(c)}'}":                                           "metadata.name",
		"spec: {secretRef: {name: $(x)}}":                                          "spec.secretRef.name",
		"spec: {kubeConfig: {secretRef: {name: a;b}}}":                             "spec.kubeConfig.secretRef.name",
		"spec: {sourceRef: {kind: A, name: 'a,b', namespace: -}}":                  "spec.sourceRef.name spec.sourceRef.namespace",
		"spec: {postBuild: {substituteFrom: [{name: a}, {name: A}]}}":              "spec.postBuild.substituteFrom[1].name",
		"spec: {dependsOn: [{name: a b}]}":                                         "spec.dependsOn[0].name",
		"spec: {releaseName: 'x; y', targetNamespace: a.b, storageNamespace: c d}": "spec.releaseName spec.storageNamespace spec.targetNamespace",
		"spec: {sync: {name: --x, pullSecret: 'a\"b', ref: refs/heads/x}}":         "spec.sync.name spec.sync.pullSecret",
		"spec: {distribution: {imagePullSecret: A, artifactPullSecret: B}}":        "spec.distribution.artifactPullSecret spec.distribution.imagePullSecret",
		"spec: {serviceAccountName: '*'}":                                          "spec.serviceAccountName",
		"spec: {values: {secretRef: {name: $x}}, patches: [{sourceRef: {name: $x}}], ref: {name: refs/heads/main}, images: [{name: a/b}]}": "",
	} {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(text), &object); err != nil {
			t.Fatal(err)
		}
		var fields []string
		for _, bad := range BadNames(object) {
			fields = append(fields, bad.Field)
		}
		if got := strings.Join(fields, " "); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	for name, want := range map[string]bool{"": false, "a": true, strings.Repeat("a", 254): false, "A": false, "a/b": false} {
		if IsName(name) != want || IsNamespace(name) != want {
			t.Errorf("%q: want %t", name, want)
		}
	}
}
