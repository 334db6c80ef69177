package flux

import (
	"fmt"
	"slices"
)

// The components, by the names of their Deployments.
const (
	sourceController          = "source-controller"
	kustomizeController       = "kustomize-controller"
	helmController            = "helm-controller"
	notificationController    = "notification-controller"
	imageReflectorController  = "image-reflector-controller"
	imageAutomationController = "image-automation-controller"
	sourceWatcher             = "source-watcher"
)

// DefaultComponents are what `flux install`, `flux bootstrap` and a FluxInstance without components install, in Flux's
// order.
// Source: flux2 pkg/manifestgen/install/options.go.
func DefaultComponents() []string {
	return []string{sourceController, kustomizeController, helmController, notificationController}
}

// AllComponents are the components that a Flux release ships, in Flux's order: source-watcher since v2.7.0.
func AllComponents(version string) []string {
	all := EveryComponent()
	if !atLeast(version, "2.7.0") {
		all = slices.DeleteFunc(all, func(c string) bool { return c == sourceWatcher })
	}
	return all
}

// EveryComponent are the components of all releases of Flux, in Flux's order.
func EveryComponent() []string {
	return append(DefaultComponents(), imageReflectorController, imageAutomationController, sourceWatcher)
}

// ArtifactComponents are what the artifact oci://ghcr.io/fluxcd/flux-manifests of a release installs: source-watcher is
// in it since v2.9.3.
// Source: flux2 .github/workflows/release.yaml at each tag.
func ArtifactComponents(version string) []string {
	return sixOrSeven(version, "2.9.3")
}

// RemoteBaseComponents are what github.com/fluxcd/flux2/manifests/install of a release installs: source-watcher is in
// it since v2.8.7.
// Source: flux2 manifests/install/kustomization.yaml at each tag.
func RemoteBaseComponents(version string) []string {
	return sixOrSeven(version, "2.8.7")
}

// sixOrSeven are all components, source-watcher only from a given release on.
func sixOrSeven(version, watcherSince string) []string {
	all := AllComponents(version)
	if !atLeast(version, watcherSince) {
		all = slices.DeleteFunc(all, func(c string) bool { return c == sourceWatcher })
	}
	return all
}

// checkComponents refuses what a release cannot install.
func checkComponents(version string, components []string) error {
	for _, c := range components {
		if !slices.Contains(AllComponents(version), c) {
			return fmt.Errorf("component %q is not part of Flux %s", c, tag(version))
		}
	}
	return nil
}
