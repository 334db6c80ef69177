package classic

import (
	"cmp"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"migrate-to-flux-operator/e2e/objects"
)

const (
	kustomizeGroup = "kustomize.toolkit.fluxcd.io"
	sourceGroup    = "source.toolkit.fluxcd.io"
	partOf         = "app.kubernetes.io/part-of"
	versionLabel   = "app.kubernetes.io/version"
)

// The layouts that are rendered here.
const (
	FluxManifests  = "flux-manifests"  // the artifact and a Flux Kustomization
	Bootstrap      = "bootstrap"       // the manifests are in a folder of the repository
	Flux2Manifests = "flux2-manifests" // flux2's own base, in a kustomization.yaml or as the source of a Flux Kustomization
)

// Cluster is a classic install with the pair that syncs it, as found in a repository.
type Cluster struct {
	Layout  string
	Version string // empty when the repository does not tell
	Path    string // the root's path, without ./
	// Top is the folder to build, where that is not the one of the manifests: what is above shapes them, or the pair.
	Top string

	// Source and Root are the sync pair; nil where the repository does not hold it.
	Source, Root *objects.Located
	// Child is the Flux Kustomization between the root and the folder of the manifests; nil where the root applies that
	// itself.
	Child *objects.Located
	// Install and Artifact are the Flux Kustomization of the install and its source (flux-manifests and
	// flux2-manifests).
	Install, Artifact *objects.Located
	// Components is the file of the manifests (bootstrap), or the kustomization.yaml with the remote base
	// (flux2-manifests).
	Components string
}

// Find returns the clusters of a repository, in the order of their files.
func Find(repository string) ([]Cluster, error) {
	all, err := objects.ReadDir(repository)
	if err != nil {
		return nil, err
	}
	bases, err := findRemoteBases(repository)
	if err != nil {
		return nil, err
	}
	found := slices.Concat(findArtifacts(all), findComponents(repository, all), bases)
	for i := range found {
		found[i].findPair(all)
	}
	return found, nil
}

// findArtifacts finds the Flux Kustomizations that apply the flux-manifests artifact, or flux2's base from Git.
func findArtifacts(all []objects.Located) []Cluster {
	var found []Cluster
	for _, object := range all {
		if !isFluxKustomization(object) {
			continue
		}
		if layout, artifact := installSource(all, object); artifact != nil {
			version, _, _ := strings.Cut(field(artifact, "spec", "ref", "tag"), "@")
			found = append(found, Cluster{Layout: layout, Version: version, Install: &object, Artifact: artifact})
		}
	}
	return found
}

// installSource returns the source of a Flux Kustomization that installs Flux, nil for any other.
func installSource(all []objects.Located, kustomization objects.Located) (string, *objects.Located) {
	source := sourceOf(all, kustomization)
	if source == nil {
		return "", nil
	}
	url := strings.TrimSuffix(field(source, "spec", "url"), ".git")
	switch {
	case strings.Contains(url, "/flux-manifests"):
		return FluxManifests, source
	case strings.HasSuffix(url, "/fluxcd/flux2") && path.Clean(field(&kustomization, "spec", "path")) == "manifests/install":
		return Flux2Manifests, source
	}
	return "", nil
}

// remoteBase is a resource that names flux2's base at a version.
var remoteBase = regexp.MustCompile(`github\.com/fluxcd/flux2/+manifests/install/?\?ref=(v[0-9][^\s"'&]*)`)

// findRemoteBases finds the kustomization.yaml files that build flux2's base.
func findRemoteBases(repository string) ([]Cluster, error) {
	var found []Cluster
	err := filepath.WalkDir(repository, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasPrefix(entry.Name(), "kustomization.y") {
			return err
		}
		data, err := os.ReadFile(file)
		if match := remoteBase.FindSubmatch(data); match != nil {
			relative, _ := filepath.Rel(repository, file)
			found = append(found, Cluster{Layout: Flux2Manifests, Version: string(match[1]), Components: filepath.ToSlash(relative)})
		}
		return err
	})
	return found, err
}

// findComponents finds the files that hold Flux's own manifests.
func findComponents(repository string, all []objects.Located) []Cluster {
	var found []Cluster
	for _, object := range all {
		if object.GetKind() != "Deployment" || object.GetName() != "source-controller" || object.GetLabels()[partOf] != "flux" {
			continue
		}
		version := cmp.Or(headerVersion(repository, object.File), object.GetLabels()[versionLabel])
		found = append(found, Cluster{Layout: Bootstrap, Version: version, Components: object.File})
	}
	return found
}

// header is the line in which `flux install` says its version.
var header = regexp.MustCompile(`(?m)^# Flux [Vv]ersion: (v\S+)`)

// headerVersion reads the version in a file's header. It goes before the labels, which people forget when they
// change the images by hand.
func headerVersion(repository, file string) string {
	data, _ := os.ReadFile(filepath.Join(repository, file))
	if match := header.FindSubmatch(data); match != nil {
		return string(match[1])
	}
	return ""
}

// File is where the install is described.
func (c *Cluster) File() string {
	if c.Install != nil {
		return c.Install.File
	}
	return c.Components
}

// findPair finds the root: of the Flux Kustomizations that apply the install's file the one that is most like a root.
// One with the path ./ must be beside the install: it could be anything's. Where the install was applied by hand, its
// neighbour is the root.
func (c *Cluster) findPair(all []objects.Located) {
	users := usersOf(all)
	var best []int
	for _, object := range all {
		source := rootSource(all, object)
		if source == nil {
			continue
		}
		applied := path.Clean(field(&object, "spec", "path"))
		beside := path.Dir(object.File) == path.Dir(c.File())
		together := path.Dir(object.File) == path.Dir(source.File)
		applies := within(applied, c.File()) && (applied != "." || beside)
		if !applies && !(beside && together && c.Components != "") {
			continue
		}
		// It applies the install, and itself; its source is defined beside it, and is what most others sync from,
		// because the others are of other repositories; it is beside the install; it is the innermost.
		rank := []int{number(applies), number(within(applied, object.File)), number(together), users[address(source)], number(beside), len(applied)}
		if best == nil || slices.Compare(rank, best) >= 0 {
			best, c.Root, c.Source, c.Path = rank, &object, source, applied
		}
	}
	c.findChild(all)
}

// findChild takes what applies the manifests for a child of the root, where it does not apply itself and another one
// does.
func (c *Cluster) findChild(all []objects.Located) {
	if c.Components == "" || c.Root == nil || within(c.Path, c.Root.File) {
		return
	}
	for _, object := range all {
		source, applied := rootSource(all, object), path.Clean(field(&object, "spec", "path"))
		if source != nil && address(source) == address(c.Source) && within(applied, c.Root.File) && within(applied, object.File) {
			c.Child, c.Root, c.Source, c.Path = c.Root, &object, source, applied
			return
		}
	}
}

// number is 1 for what holds.
func number(holds bool) int {
	if holds {
		return 1
	}
	return 0
}

// address is where a source reads from.
func address(source *objects.Located) string {
	return field(source, "spec", "url") + field(source, "spec", "bucketName")
}

// usersOf counts the Flux Kustomizations that sync from each address.
func usersOf(all []objects.Located) map[string]int {
	users := map[string]int{}
	for _, object := range all {
		if !isFluxKustomization(object) {
			continue
		}
		if source := sourceOf(all, object); source != nil {
			users[address(source)]++
		}
	}
	return users
}

// rootSource returns the source of a Flux Kustomization that can be a root, nil for that of an install.
func rootSource(all []objects.Located, object objects.Located) *objects.Located {
	if !isFluxKustomization(object) {
		return nil
	}
	source := sourceOf(all, object)
	if _, install := installSource(all, object); source == nil || install != nil {
		return nil
	}
	return source
}

// isFluxKustomization tells Flux's Kustomization from kustomize's.
func isFluxKustomization(object objects.Located) bool {
	return object.GetKind() == "Kustomization" && objects.Group(object.Object) == kustomizeGroup
}

// sourceOf finds the source of a Flux Kustomization, the nearest one when several clusters use one name.
func sourceOf(all []objects.Located, kustomization objects.Located) *objects.Located {
	kind, name := field(&kustomization, "spec", "sourceRef", "kind"), field(&kustomization, "spec", "sourceRef", "name")
	var candidates []objects.Located
	for _, object := range all {
		if object.GetKind() == kind && object.GetName() == name && objects.Group(object.Object) == sourceGroup {
			candidates = append(candidates, object)
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	nearest := slices.MaxFunc(candidates, func(a, b objects.Located) int {
		return common(a.File, kustomization.File) - common(b.File, kustomization.File)
	})
	return &nearest
}

// common counts the leading bytes that two paths share.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// within reports whether a file lies under a folder.
func within(folder, file string) bool {
	return folder == "." || strings.HasPrefix(file, strings.TrimPrefix(folder, "/")+"/")
}

// field reads a string field.
func field(object *objects.Located, at ...string) string {
	value, _, _ := unstructured.NestedString(object.Object.Object, at...)
	return value
}
