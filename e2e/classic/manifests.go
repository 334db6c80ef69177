// Package classic renders what a classic Flux install renders, with Flux's own code: `flux install`'s generator
// and kustomize-controller's. It finds the install by itself, so that it does not repeat a mistake of the product.
package classic

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/fluxcd/flux2/v2/pkg/manifestgen/install"
	"github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/e2e/objects"
)

// Manifests is a directory of Flux manifests, one folder per version, as `flux install` downloads them.
type Manifests struct {
	Dir string
}

// Has reports whether a version's manifests are there.
func (m Manifests) Has(version string) bool {
	info, err := os.Stat(filepath.Join(m.Dir, version))
	return err == nil && info.IsDir() && version != ""
}

// Select returns the newest version in a range, as the operator does; empty when there is none.
func (m Manifests) Select(versions string) string {
	constraint, err := semver.NewConstraint(versions)
	if err != nil {
		return ""
	}
	var newest *semver.Version
	entries, _ := os.ReadDir(m.Dir)
	for _, entry := range entries {
		version, err := semver.NewVersion(entry.Name())
		if err != nil || !constraint.Check(version) {
			continue
		}
		if newest == nil || version.GreaterThan(newest) {
			newest = version
		}
	}
	if newest == nil {
		return ""
	}
	return newest.Original()
}

// Install renders what `flux install --export` prints.
func (m Manifests) Install(options install.Options) (string, error) {
	if !m.Has(options.Version) {
		return "", fmt.Errorf("no manifests of Flux %s", options.Version)
	}
	base, err := os.MkdirTemp("", "flux-install")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(base)
	if err := os.CopyFS(base, os.DirFS(filepath.Join(m.Dir, options.Version))); err != nil {
		return "", err
	}
	manifest, err := install.Generate(options, base)
	if err != nil || since(options.Version, "2.7.0") {
		return manifest.Content, err
	}
	return withoutPodLabels(manifest.Content)
}

// withoutPodLabels undoes what the generator does since Flux 2.7: label the pods too.
func withoutPodLabels(content string) (string, error) {
	read, err := objects.Read([]byte(content))
	if err != nil {
		return "", err
	}
	for _, object := range read {
		for _, label := range []string{"instance", "part-of", "version"} {
			unstructured.RemoveNestedField(object.Object, "spec", "template", "metadata", "labels", "app.kubernetes.io/"+label)
		}
	}
	written, err := objects.Write(read)
	return string(written), err
}

// Artifact renders the content of the flux-manifests artifact of a version.
func (m Manifests) Artifact(version, registry string) (string, error) {
	options := install.MakeDefaultOptions()
	options.Version, options.Registry = version, registry
	options.Components = ArtifactComponents(version)
	return m.Install(options)
}

// RemoteBase renders what github.com/fluxcd/flux2/manifests/install builds at a version: not what `flux install`
// prints, its roles have no suffix and its objects no version label.
func (m Manifests) RemoteBase(version string) (string, error) {
	base, err := os.MkdirTemp("", "flux-base")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(base)
	if err := os.CopyFS(base, os.DirFS(filepath.Join(m.Dir, version))); err != nil {
		return "", err
	}
	for name, content := range map[string]any{
		"namespace.yaml": baseNamespace(), "labels.yaml": baseLabels(), "kustomization.yaml": baseKustomization(BaseComponents(version)),
	} {
		encoded, err := yaml.Marshal(content)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(base, name), encoded, 0o600); err != nil {
			return "", err
		}
	}
	built, err := kustomize.SecureBuild(base, base, false)
	if err != nil {
		return "", err
	}
	content, err := built.AsYaml()
	return string(content), err
}

// baseNamespace is the namespace of the remote base.
func baseNamespace() any {
	return map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{
		"name": "flux-system",
		"labels": map[string]any{
			"pod-security.kubernetes.io/warn":         "restricted",
			"pod-security.kubernetes.io/warn-version": "latest",
		},
	}}
}

// baseLabels is the label transformer of the remote base.
func baseLabels() any {
	return map[string]any{
		"apiVersion": "builtin", "kind": "LabelTransformer", "metadata": map[string]any{"name": "labels"},
		"labels": map[string]any{"app.kubernetes.io/part-of": "flux", "app.kubernetes.io/instance": "flux-system"},
		"fieldSpecs": []any{
			map[string]any{"path": "metadata/labels", "create": true},
			map[string]any{"kind": "Deployment", "path": "spec/template/metadata/labels", "create": true},
		},
	}
}

// baseKustomization is the kustomization.yaml of the remote base.
func baseKustomization(components []string) any {
	resources := []any{"namespace.yaml"}
	images := []any{}
	for _, component := range components {
		resources = append(resources, component+".yaml")
		images = append(images, map[string]any{"name": "fluxcd/" + component, "newName": "ghcr.io/fluxcd/" + component})
	}
	return map[string]any{
		"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "namespace": "flux-system",
		"resources": append(resources, "rbac.yaml", "policies.yaml"), "transformers": []any{"labels.yaml"}, "images": images,
	}
}

// coreComponents are the controllers that every classic install has by default.
var coreComponents = []string{"source-controller", "kustomize-controller", "helm-controller", "notification-controller"}

// ArtifactComponents are the controllers in the flux-manifests artifact of a version.
func ArtifactComponents(version string) []string {
	return withExtra(since(version, "2.9.3"))
}

// BaseComponents are the controllers in the remote base of a version.
func BaseComponents(version string) []string {
	return withExtra(since(version, "2.8.7"))
}

// withExtra adds the image controllers, and source-watcher where it is in.
func withExtra(watcher bool) []string {
	components := append(slices.Clone(coreComponents), "image-reflector-controller", "image-automation-controller")
	if watcher {
		components = append(components, "source-watcher")
	}
	return components
}

// since reports whether a version is another or newer.
func since(version, first string) bool {
	parsed, err := semver.NewVersion(version)
	return err == nil && !parsed.LessThan(semver.MustParse(first))
}

// registryOf tells the image registry of a flux-manifests artifact by its address.
func registryOf(url string) string {
	if strings.Contains(url, "docker.io") {
		return "docker.io/fluxcd"
	}
	return "ghcr.io/fluxcd"
}
