package classic

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
)

// remoteBase is the part of a resource's address that means flux2's own manifests: their folder, where kustomize takes
// // as the root of the repository, or the file that each release has of them built.
// Source: fluxcd/flux2 .github/workflows/release.yaml.
var remoteBase = regexp.MustCompile(`github\.com/fluxcd/flux2((\.git)?/{1,2}manifests/install|` +
	`/releases/(latest/)?download/([^/]+/)?install\.yaml)`)

// controllerBase is the folder of one controller in flux2's manifests.
var controllerBase = regexp.MustCompile(`github\.com/fluxcd/flux2(?:\.git)?/{1,2}manifests/bases/([a-z-]+)`)

// ControllerOf is the controller whose folder in flux2's manifests an address means, "" where it means something else.
func ControllerOf(address string) string {
	if found := controllerBase.FindStringSubmatch(address); found != nil {
		return found[1]
	}
	return ""
}

// oneShots are the kustomization.yaml files that install Flux from flux2's manifests and that no Flux Kustomization of
// the input applies: they were applied by hand, once, to get the cluster going.
func oneShots(set *object.Set) []*object.Object {
	var found []*object.Object
	for _, k := range set.Of(ConfigGroup, "Kustomization") {
		if BaseVersion(k) != "" && onlyBase(k) && !applied(set, k) {
			found = append(found, k)
		}
	}
	return found
}

// IsRemoteBase tells an entry of a kustomization.yaml that means flux2's own manifests.
func IsRemoteBase(entry string) bool { return remoteBase.MatchString(entry) }

// BaseVersion is the release of the flux2 manifests that a kustomization.yaml installs, "" when it installs none.
func BaseVersion(k *object.Object) string {
	if !k.MayHold("fluxcd/flux2") {
		return ""
	}
	for _, field := range EntryFields {
		for _, entry := range TextsIn(k.Map(), field) {
			if IsRemoteBase(entry) {
				return refOf(entry)
			}
		}
	}
	return ""
}

// refOf is the release that the address of flux2's manifests names.
func refOf(address string) string {
	_, ref, found := strings.Cut(address, "ref=")
	if _, file, isFile := strings.Cut(address, "/releases/download/"); isFile {
		ref, found = path.Dir(file), true
	}
	ref, _, _ = strings.Cut(ref, "&")
	switch {
	case found:
		return ref
	case strings.Contains(address, "/releases/"):
		return "the latest release"
	default:
		return "the default branch"
	}
}

// onlyBase reports whether the remote base is all that a kustomization.yaml applies.
func onlyBase(k *object.Object) bool {
	entries := 0
	for _, field := range EntryFields {
		entries += len(TextsIn(k.Map(), field))
	}
	return entries == 1
}

// applied reports whether a Flux Kustomization of this repository applies an object.
func applied(set *object.Set, k *object.Object) bool {
	repository := mainRepository(set)
	for _, flux := range reaching(set, k.File) {
		if source := SourceOf(set, flux); source != nil && !isForeign(set, flux, repository) &&
			Applies(set, syncPath(flux), k.File) {
			return true
		}
	}
	return false
}

// shareOneShots gives each one-shot bootstrap to the one install whose files are nearest; where several are equally
// near, or a cluster without an install is as near, it belongs to none, because removing it could take the bootstrap of
// a cluster that is not migrated.
func shareOneShots(set *object.Set, installs []*Install) {
	for _, k := range oneShots(set) {
		if owner := nearestInstall(set, k, installs); owner != nil {
			owner.Bootstrap = append(owner.Bootstrap, k)
		}
	}
}

func nearestInstall(set *object.Set, k *object.Object, installs []*Install) *Install {
	var owner *Install
	most, ties := -1, 0
	at := path.Dir(k.File) + "/"
	for _, install := range installs {
		switch near := inventory.Shared(at, install.Anchor.File); {
		case near > most:
			owner, most, ties = install, near, 1
		case near == most:
			ties++
		}
	}
	for _, pair := range selfSynced(set) {
		known := slices.ContainsFunc(installs,
			func(i *Install) bool { return i.Pair.Is(pair) || SameCluster(set, pair.Root, i) })
		if !known && inventory.Shared(at, pair.Root.File) >= most {
			return nil
		}
	}
	if ties != 1 {
		return nil
	}
	return owner
}
