package classic

import (
	"path"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/shell"
)

// componentsFile is the name that flux bootstrap gives its manifests.
const componentsFile = "gotk-components.yaml"

// WritesBootstrap reports whether flux bootstrap writes a file of this name.
func WritesBootstrap(name string) bool { return name == componentsFile || name == "gotk-sync.yaml" }

// findPlaceholders finds folders that are prepared for flux bootstrap, whose manifests are nothing but comments. What
// runs cannot be read there: the version is the config's, and the components are those that the repository needs.
func findPlaceholders(set *object.Set, cfg config.Config, found *finding.List) []*Install {
	var installs []*Install
	for _, k := range set.Of(ConfigGroup, "Kustomization") {
		if file := placeholderOf(set, k); file != "" {
			installs = append(installs, readPlaceholder(set, k, file, cfg, found)...)
		}
	}
	return installs
}

// placeholderOf is the gotk-components.yaml without objects that a kustomization.yaml lists; empty when it lists none.
func placeholderOf(set *object.Set, k *object.Object) string {
	if set.Read == nil || !k.MayHold(componentsFile) {
		return ""
	}
	for _, file := range entriesOf(k, "resources") {
		if path.Base(file) != componentsFile || len(set.InFile(file)) > 0 {
			continue
		}
		if _, exists := set.Read(file); exists {
			return file
		}
	}
	return ""
}

// readPlaceholder takes the install to be what flux bootstrap would write, with what the kustomization.yaml does to it.
func readPlaceholder(set *object.Set, k *object.Object, file string, cfg config.Config,
	found *finding.List) []*Install {
	if content, _ := set.Read(file); azureFlux.Match(content) {
		found.Error(finding.AzureExtension, k, "resources", "%s stands for the manifests: %s", file, azureWords)
		return nil
	}
	if tellAzure(set, found) {
		return nil
	}
	const empty = "%s holds no objects, so the Flux version and the components cannot be read"
	if len(candidatesFor(set, k, cfg)) == 0 {
		found.ErrorAbout(finding.EmptyManifests, finding.Unsynced, k, "resources",
			empty+", and the sync pair is not in the input: flux bootstrap fills both in, so run on the branch that it "+
				"pushed to; where Flux was installed in another way, write the pair of the cluster beside it (flux "+
				"export source git NAME, flux export kustomization NAME), and set the config field instance.version "+
				"to the minor version that runs", file)
		return nil
	}
	version, known := configuredVersion(cfg.Instance.Version)
	if !known {
		found.Error(finding.EmptyManifests, k, "resources",
			empty+": flux bootstrap fills it in, so run on the branch that it pushed to; "+
				"where Flux was installed in another way, set the config field instance.version to the minor version "+
				"that runs, such as 2.6.x", file)
		return nil
	}
	pair, ok := findPair(set, k, cfg, found)
	if !ok {
		return nil
	}
	install := &Install{Anchor: k, Namespace: pair.Root.Namespace, Version: version, Pair: pair, Placeholder: file}
	install.Options = flux.DefaultOptions(version.Release.String())
	install.Options.Namespace = install.Namespace
	install.Options.Components = append(install.Options.Components, componentsFor(set, version)...)
	var err error
	if install.Folder, err = ReadFolder(set, path.Dir(k.File)); err != nil {
		found.Error(finding.NotFollowed, k, "", "%s", err)
		return nil
	}
	if !install.readLayers(set, found) {
		return nil
	}
	own := found.For(install.Cluster())
	defer found.Merge(own)
	own.Warn(finding.CompareWithCluster, k, "resources",
		empty+": Flux %s is what instance.version says, and the components are taken to be %s, "+
			"without other flags of flux install. Compare them with %s, and correct the FluxInstance before you push",
		file, version, strings.Join(install.Options.Components, ", "), deploymentsCommand(install.Namespace))
	return []*Install{install}
}

// deploymentsCommand shows the controllers that run.
func deploymentsCommand(namespace string) shell.Line {
	return shell.Run("kubectl", "-n", namespace, "get", "deployments", "-o", "wide")
}

// componentsFor are the components beyond the default that the objects of the repository need.
func componentsFor(set *object.Set, version Version) []string {
	needs := []struct{ group, kind, component string }{
		{"image.toolkit.fluxcd.io", "ImagePolicy", "image-reflector-controller"},
		{"image.toolkit.fluxcd.io", "ImageUpdateAutomation", "image-automation-controller"},
		{"source.extensions.fluxcd.io", "ArtifactGenerator", "source-watcher"},
	}
	var components []string
	for _, need := range needs {
		if len(set.Of(need.group, need.kind)) > 0 &&
			slices.Contains(flux.AllComponents(version.Release.String()), need.component) {
			components = append(components, need.component)
		}
	}
	return components
}
