package classic

import (
	"cmp"
	"fmt"
	"os"
	"path"
)

// FindAt builds the folder that a cluster syncs, and finds there what its files alone do not show: a root that gets its
// path from the folder itself, and the manifests that the folder applies from somewhere else.
func FindAt(repository, folder string) (Cluster, error) {
	found := Cluster{Layout: Bootstrap, Path: path.Clean(folder), Top: path.Clean(folder)}
	work, err := os.MkdirTemp("", "classic")
	if err != nil {
		return found, err
	}
	defer os.RemoveAll(work)
	if err := os.CopyFS(work, os.DirFS(repository)); err != nil {
		return found, err
	}
	built, err := buildFolder(work, found.Top)
	if err != nil {
		return found, err
	}
	for _, object := range built {
		if isFluxKustomization(object) && path.Clean(field(&object, "spec", "path")) == found.Path {
			found.Root, found.Source = &object, sourceOf(built, object)
		}
	}
	for _, one := range findComponents(work, built) {
		found.Components, found.Version = one.Components, cmp.Or(one.Version, found.Version)
	}
	if found.Root == nil || found.Source == nil || found.Components == "" {
		return found, fmt.Errorf("%s builds no root, no source or no source-controller", folder)
	}
	return found, nil
}
