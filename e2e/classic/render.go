package classic

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/e2e/objects"
)

// Rendering is what a classic install puts on a cluster.
type Rendering struct {
	Version string
	Install []*objects.Object // Flux itself
	Sync    []*objects.Object // the source and the root Flux Kustomization, as they are in Git
	Extra   []*objects.Object // what the same folder holds besides
}

// Render builds a cluster's install at its version, or at another one: then as the same install would be there.
func (c Cluster) Render(repository string, manifests Manifests, version string) (*Rendering, error) {
	work, err := os.MkdirTemp("", "classic")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	if err := os.CopyFS(work, os.DirFS(repository)); err != nil {
		return nil, err
	}
	version = cmp.Or(version, c.Version)
	var rendering *Rendering
	if c.Install != nil {
		rendering, err = c.renderInstall(work, manifests, version)
	} else {
		rendering, err = c.renderFolder(work, manifests, version)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.File(), err)
	}
	if c.Layout == Flux2Manifests {
		suffixRoles(rendering.Install)
	}
	Relabel(rendering.Install, version)
	rendering.Version = version
	return rendering, nil
}

// Relabel corrects the version labels of manifests whose images were raised by hand: no install could keep those.
func Relabel(list []*objects.Object, version string) {
	for _, object := range list {
		for _, labels := range [][]string{{"metadata", "labels"}, {"spec", "template", "metadata", "labels"}} {
			at := append(labels, versionLabel)
			if _, labelled, _ := unstructured.NestedString(object.Object, at...); labelled {
				_ = unstructured.SetNestedField(object.Object, version, at...)
			}
		}
	}
}

// renderFolder builds the folder of the manifests as it is in Git.
func (c Cluster) renderFolder(work string, manifests Manifests, version string) (*Rendering, error) {
	file, err := c.prepareFolder(work, manifests, version)
	if err != nil {
		return nil, err
	}
	built, err := buildFolder(work, cmp.Or(c.Top, path.Dir(file)))
	if err != nil {
		return nil, err
	}
	rendering := &Rendering{}
	for _, object := range built {
		switch {
		case object.File == file:
			rendering.Install = append(rendering.Install, object.Object)
		case c.isPair(object):
			rendering.Sync = append(rendering.Sync, object.Object)
		default:
			rendering.Extra = append(rendering.Extra, object.Object)
		}
	}
	if len(rendering.Sync) == 0 && c.Root != nil {
		rendering.Sync = []*objects.Object{c.live(work, c.Source), c.live(work, c.Root)}
	}
	if c.Child == nil {
		return rendering, nil
	}
	if len(rendering.Extra) == 0 {
		for _, object := range rendering.Sync {
			c.free(object, c.Child)
		}
	}
	rendering.Install, err = c.throughChild(work, rendering.Install)
	return rendering, err
}

// throughChild is the install as the child of the root applies it.
func (c Cluster) throughChild(work string, install []*objects.Object) ([]*objects.Object, error) {
	content, err := objects.Write(install)
	if err != nil {
		return nil, err
	}
	return Apply(string(content), c.live(work, c.Child))
}

// prepareFolder puts the manifests where the folder reads them, and returns their file.
func (c Cluster) prepareFolder(work string, manifests Manifests, version string) (string, error) {
	if c.Layout == Flux2Manifests {
		return c.standIn(work, manifests, version)
	}
	if version == c.Version {
		return c.Components, nil
	}
	old, err := objects.ReadFile(filepath.Join(work, c.Components))
	if err != nil {
		return "", err
	}
	content, err := manifests.Install(Flags(old, version))
	if err != nil {
		return "", err
	}
	return c.Components, os.WriteFile(filepath.Join(work, c.Components), []byte(content), 0o600)
}

// standIn replaces the remote base by a file with what it builds.
func (c Cluster) standIn(work string, manifests Manifests, version string) (string, error) {
	content, err := manifests.RemoteBase(version)
	if err != nil {
		return "", err
	}
	file := path.Join(path.Dir(c.Components), "flux2-manifests-install.yaml")
	if err := os.WriteFile(filepath.Join(work, file), []byte(content), 0o600); err != nil {
		return "", err
	}
	data, err := os.ReadFile(filepath.Join(work, c.Components))
	if err != nil {
		return "", err
	}
	entry := regexp.MustCompile(`(https://)?` + remoteBase.String())
	data = entry.ReplaceAll(data, []byte(path.Base(file)))
	return file, os.WriteFile(filepath.Join(work, c.Components), data, 0o600)
}

// isPair tells the two sync objects among what a folder builds.
func (c Cluster) isPair(object objects.Located) bool {
	return slices.ContainsFunc([]*objects.Located{c.Source, c.Root}, func(one *objects.Located) bool {
		return one != nil && one.File == object.File && one.GetKind() == object.GetKind() && one.GetName() == object.GetName()
	})
}

// renderInstall builds the install's source as its Flux Kustomization applies it.
func (c Cluster) renderInstall(work string, manifests Manifests, version string) (*Rendering, error) {
	content, err := c.content(manifests, version)
	if err != nil {
		return nil, err
	}
	applied, err := Apply(content, c.live(work, c.Install))
	if err != nil {
		return nil, err
	}
	rendering := &Rendering{Install: applied}
	if c.Root != nil {
		rendering.Sync = []*objects.Object{c.live(work, c.Source), c.free(c.live(work, c.Root), c.Install)}
	}
	return rendering, nil
}

// free is the root without waiting for the install's own Kustomization, which cleanup removes.
func (c Cluster) free(root *objects.Object, own *objects.Located) *objects.Object {
	list, found, _ := unstructured.NestedSlice(root.Object, "spec", "dependsOn")
	kept := slices.DeleteFunc(list, func(entry any) bool { return entry.(map[string]any)["name"] == own.GetName() })
	switch {
	case !found:
	case len(kept) == 0:
		unstructured.RemoveNestedField(root.Object, "spec", "dependsOn")
	default:
		_ = unstructured.SetNestedSlice(root.Object, kept, "spec", "dependsOn")
	}
	return root
}

// content is what the install's source holds at a version.
func (c Cluster) content(manifests Manifests, version string) (string, error) {
	if c.Layout == Flux2Manifests {
		return manifests.RemoteBase(version)
	}
	return manifests.Artifact(version, registryOf(field(c.Artifact, "spec", "url")))
}

// suffixRoles gives the roles of flux2's base the names that every other install has: the operator makes those
// beside the old ones, which stay.
func suffixRoles(list []*objects.Object) {
	for _, object := range list {
		suffix := "-" + cmp.Or(object.GetNamespace(), "flux-system")
		switch object.GetKind() {
		case "ClusterRole", "ClusterRoleBinding", "ResourceQuota":
			object.SetName(strings.TrimSuffix(object.GetName(), suffix) + suffix)
		}
		role, _, _ := unstructured.NestedString(object.Object, "roleRef", "name")
		if strings.HasPrefix(role, "crd-controller") {
			_ = unstructured.SetNestedField(object.Object, strings.TrimSuffix(role, suffix)+suffix, "roleRef", "name")
		}
	}
}

// inGit returns an object as the kustomization.yaml of its folder makes it; as it is where that cannot be built here.
func inGit(work string, object *objects.Located) *objects.Object {
	built, err := buildFolder(work, path.Dir(object.File))
	if err != nil {
		return object.Object
	}
	for _, candidate := range built {
		if candidate.File == object.File && candidate.GetKind() == object.GetKind() && candidate.GetName() == object.GetName() {
			return candidate.Object
		}
	}
	return object.Object
}

// live is an object as the root applies it: with the root's own patches, where it applies the file.
func (c Cluster) live(work string, object *objects.Located) *objects.Object {
	built := inGit(work, object)
	if c.Root == nil {
		return built
	}
	patches, patched, _ := unstructured.NestedSlice(c.Root.Object.Object, "spec", "patches")
	if !patched || !within(c.Path, object.File) {
		return built
	}
	content, err := objects.Write([]*objects.Object{built})
	if err != nil {
		return built
	}
	applied, err := Apply(string(content), &objects.Object{Object: map[string]any{"spec": map[string]any{"patches": patches}}})
	if err != nil || len(applied) != 1 {
		return built
	}
	return applied[0]
}

// Apply builds manifests as kustomize-controller does for a Flux Kustomization.
func Apply(manifests string, kustomization *objects.Object) ([]*objects.Object, error) {
	if _, substitutes, _ := unstructured.NestedMap(kustomization.Object, "spec", "postBuild"); substitutes {
		return nil, errors.New("postBuild on the install is not rendered here")
	}
	folder, err := os.MkdirTemp("", "apply")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	if err := os.WriteFile(filepath.Join(folder, "gotk-components.yaml"), []byte(manifests), 0o600); err != nil {
		return nil, err
	}
	kustomization = kustomization.DeepCopy()
	for _, unread := range []string{"patchesStrategicMerge", "patchesJson6902"} { // kustomize-controller reads v1, which has neither
		unstructured.RemoveNestedField(kustomization.Object, "spec", unread)
	}
	if _, err := kustomize.NewGenerator(folder, *kustomization).WriteFile(folder); err != nil {
		return nil, err
	}
	built, err := build(folder, folder)
	if err != nil {
		return nil, err
	}
	for _, object := range built {
		addCommonMetadata(object, kustomization)
	}
	return built, nil
}

// addCommonMetadata sets the labels and annotations that a Flux Kustomization adds when it applies.
func addCommonMetadata(object, kustomization *objects.Object) {
	for _, kind := range []string{"labels", "annotations"} {
		common, _, _ := unstructured.NestedStringMap(kustomization.Object, "spec", "commonMetadata", kind)
		for name, value := range common {
			_ = unstructured.SetNestedField(object.Object, value, "metadata", kind, name)
		}
	}
}

// originAnnotation is where kustomize says which file an object comes from.
const originAnnotation = "config.kubernetes.io/origin"

// buildFolder builds a folder of the repository, each object with the file it comes from.
func buildFolder(root, folder string) ([]objects.Located, error) {
	directory := filepath.Join(root, folder)
	if _, err := kustomize.NewGenerator(root, objects.Object{}).WriteFile(directory); err != nil {
		return nil, err
	}
	if err := askForOrigins(directory); err != nil {
		return nil, err
	}
	built, err := build(root, directory)
	if err != nil {
		return nil, err
	}
	located := make([]objects.Located, 0, len(built))
	for _, object := range built {
		located = append(located, objects.Located{File: takeOrigin(object, folder), Object: object})
	}
	return located, nil
}

// askForOrigins makes kustomize annotate each object with its file.
func askForOrigins(directory string) error {
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		file := filepath.Join(directory, name)
		data, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		content := map[string]any{}
		if err := cmp.Or(err, yaml.Unmarshal(data, &content)); err != nil {
			return err
		}
		content["buildMetadata"] = []string{"originAnnotations"}
		encoded, err := yaml.Marshal(content)
		return cmp.Or(err, os.WriteFile(file, encoded, 0o600))
	}
	return fmt.Errorf("no kustomization.yaml in %s", directory)
}

// takeOrigin removes the origin annotation and returns the file it names, relative to the repository.
func takeOrigin(object *objects.Object, folder string) string {
	annotations := object.GetAnnotations()
	var origin struct{ Path, Repo string }
	_ = yaml.Unmarshal([]byte(annotations[originAnnotation]), &origin)
	delete(annotations, originAnnotation)
	if len(annotations) == 0 {
		annotations = nil
	}
	object.SetAnnotations(annotations)
	return path.Join(folder, origin.Path)
}

// build runs kustomize as kustomize-controller does.
func build(root, directory string) ([]*objects.Object, error) {
	built, err := kustomize.SecureBuild(root, directory, false)
	if err != nil {
		return nil, err
	}
	data, err := built.AsYaml()
	if err != nil {
		return nil, err
	}
	return objects.Read(data)
}
