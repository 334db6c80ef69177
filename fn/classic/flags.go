package classic

import (
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// container is what the flags of `flux install` show in: the one container of a controller and its pod.
type container struct {
	image       string
	args        []string
	pullSecrets []string
	tolerations []string
}

func containerOf(deployment *object.Object) container {
	var c container
	pod, _ := object.Get[map[string]any](deployment.Map(), "spec", "template", "spec")
	containers, _ := object.Get[[]any](pod, "containers")
	for _, entry := range containers {
		m, _ := entry.(map[string]any)
		if m["name"] == "manager" {
			c.image, _ = m["image"].(string)
			args, _ := m["args"].([]any)
			for _, arg := range args {
				c.args = append(c.args, fmt.Sprint(arg))
			}
		}
	}
	c.pullSecrets = stringsIn(pod, "imagePullSecrets", "name")
	c.tolerations = stringsIn(pod, "tolerations", "key")
	return c
}

func stringsIn(m map[string]any, list, key string) []string {
	entries, _ := object.Get[[]any](m, list)
	var all []string
	for _, entry := range entries {
		e, _ := entry.(map[string]any)
		if s, isString := e[key].(string); isString {
			all = append(all, s)
		}
	}
	return all
}

// arg is the value of a flag, of the last time it is given.
func (c container) arg(name string) string {
	value := ""
	for _, arg := range c.args {
		if v, found := strings.CutPrefix(arg, "--"+name+"="); found {
			value = v
		}
	}
	return value
}

// readFlags reads what shows of the flags of `flux install`. Source: flux2 pkg/manifestgen/install v2.7.5.
func readFlags(o *flux.Options, objects, deployments []*object.Object) {
	first := containerOf(deployments[0])
	o.Registry = strings.TrimSuffix(repository(first.image), "/"+deployments[0].Name)
	if len(first.pullSecrets) > 0 {
		o.ImagePullSecret = first.pullSecrets[0]
	}
	o.TolerationKeys = first.tolerations
	o.LogLevel = first.arg("log-level")
	o.WatchAllNamespaces = first.arg("watch-all-namespaces") != "false"
	o.NetworkPolicy = slices.ContainsFunc(objects, func(x *object.Object) bool { return x.Kind == "NetworkPolicy" })
	o.Domain = domain(deployments)
}

// domain is the cluster domain, as it shows in the addresses that controllers tell each other.
func domain(deployments []*object.Object) string {
	for _, d := range deployments {
		for _, flag := range []string{"storage-adv-addr", "events-addr"} {
			if _, after, found := strings.Cut(containerOf(d).arg(flag), ".svc."); found {
				return strings.TrimRight(strings.TrimSuffix(after, "/"), ".")
			}
		}
	}
	return ""
}

// repository is an image reference without tag and digest.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if at := strings.LastIndex(image, ":"); at > strings.LastIndex(image, "/") {
		image = image[:at]
	}
	return image
}

// TagOf is the tag of an image, empty where it has none.
func TagOf(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if at := strings.LastIndex(image, ":"); at > strings.LastIndex(image, "/") {
		return image[at+1:]
	}
	return ""
}

// manifestVersion is the release that runs: the one whose images these are. Where several releases share them, or the
// images are not tagged, the label decides; where neither tells, the config.
func manifestVersion(objects, deployments []*object.Object, cfg config.Config, found *finding.List) (Version, bool) {
	label, labelled := labelVersion(objects)
	releases, tagged := releasesOf(deployments)
	if !labelled || label.Release.Major() > 0 { // what is refused anyway needs no more words
		warnDigests(deployments, found)
	}
	switch {
	case !tagged && labelled:
		return label, true
	case len(releases) > 0:
		return byImages(label, labelled, releases, deployments[0], found), true
	case labelled && flux.Controllers(label.Release.String()) == nil:
		return label, true
	case labelled:
		found.Warn(finding.MixedVersions, deployments[0], "spec.template.spec.containers[0].image",
			"no release ships these image tags together: the install is taken for Flux %s, as its labels say", label)
		return label, true
	}
	if label := deployments[0].Str("metadata", "labels", versionLabel); label != "" {
		found.Error(finding.VersionNotCarried, deployments[0], "metadata.labels",
			"Flux %s is not a release, so Flux Operator does not carry it: upgrade Flux to a release first", label)
		return Version{}, false
	}
	if configured, ok := configuredVersion(cfg.Instance.Version); ok {
		return configured, true
	}
	found.Error(finding.VersionUnknown, deployments[0], "spec.template.spec.containers[0].image",
		"the Flux version cannot be read: no release ships these image tags together, and no label says it; set the "+
			"config field instance.version to the minor version that the manifests are of, such as 2.6.x")
	return Version{}, false
}

// warnDigests says which images are pinned to a digest: it is not carried, because Flux Operator pins the images of the
// release that it installs. What an owner wants to keep is a patch, which is carried.
func warnDigests(deployments []*object.Object, found *finding.List) {
	pinned := slices.DeleteFunc(slices.Clone(deployments),
		func(o *object.Object) bool { return !strings.Contains(containerOf(o).image, "@") })
	if len(pinned) == 0 {
		return
	}
	more := ""
	if n := len(pinned); n > 1 {
		more = fmt.Sprintf(" (and of %d more)", n-1)
	}
	found.Warn(finding.DigestNotCarried, pinned[0], "spec.template.spec.containers[0].image",
		"the digest of %s%s is not carried: Flux Operator installs the image of the release; to keep the digest, "+
			"name it under images in kustomization.yaml", containerOf(pinned[0]).image, more)
}

// versionLabel is the label in which flux install writes the release on everything that it installs.
const versionLabel = "app.kubernetes.io/version"

// labelVersion reads the label that Flux puts on everything that it installs.
func labelVersion(objects []*object.Object) (Version, bool) {
	for _, o := range objects {
		version, err := parseVersion(o.Str("metadata", "labels", versionLabel), "the label "+versionLabel)
		if err == nil {
			return version, true
		}
	}
	return Version{}, false
}

// byImages picks, of the releases that ship the images, the one of the label, or else the newest.
func byImages(label Version, labelled bool, releases []*semver.Version, at *object.Object,
	found *finding.List) Version {
	if labelled && slices.ContainsFunc(releases, label.Release.Equal) {
		return label
	}
	version := Version{Release: releases[len(releases)-1], Exact: true, From: "the image tags"}
	if labelled {
		found.Warn(finding.MixedVersions, at, "metadata.labels", "the labels say Flux %s, but the images are those "+
			"of %s, which is what runs: the take-over changes the CRDs and roles as well", label, version)
	}
	return version
}

// releasesOf are the releases that ship all of these images; tagged is false where an image has no tag.
func releasesOf(deployments []*object.Object) (releases []*semver.Version, tagged bool) {
	for n, d := range deployments {
		tag := TagOf(containerOf(d).image)
		if tag == "" {
			return nil, false
		}
		ships := flux.ByController(d.Name, tag)
		if n == 0 {
			releases = ships
			continue
		}
		releases = slices.DeleteFunc(slices.Clone(releases),
			func(v *semver.Version) bool { return !slices.ContainsFunc(ships, v.Equal) })
	}
	return releases, true
}

// Pin is the image of a controller that its release does not ship.
type Pin struct{ Component, Image string }

// readPins are the images that are not those of the release, or come from somewhere else than most.
func (i *Install) readPins(deployments []*object.Object) []Pin {
	tags := flux.Controllers(i.Version.Release.String())
	var pins []Pin
	for _, d := range deployments {
		image := containerOf(d).image
		foreign := repository(image) != i.Options.Registry+"/"+d.Name
		if known, set := tags[d.Name]; foreign || set && TagOf(image) != known {
			pins = append(pins, Pin{d.Name, image})
		}
	}
	return pins
}

// PinsAbove are the patches that keep the images which a release does not have: those that are newer than its own, and
// those that it cannot be compared with.
func (i *Install) PinsAbove(release string) []Patch {
	tags := flux.Controllers(release)
	var patches []Patch
	for _, pin := range i.Pins {
		running, err := semver.NewVersion(TagOf(pin.Image))
		shipped, unknown := semver.NewVersion(tags[pin.Component])
		ours := repository(pin.Image) == i.Options.Registry+"/"+pin.Component
		if ours && err == nil && unknown == nil && !running.GreaterThan(shipped) {
			continue
		}
		patches = append(patches, Patch{
			Body: fmt.Sprintf("- op: replace\n  path: /spec/template/spec/containers/0/image\n  value: %s\n",
				pin.Image),
			Target: map[string]any{"kind": "Deployment", "name": pin.Component},
			Comment: fmt.Sprintf("As in gotk-components: Flux %s has another image. Remove this when you upgrade "+
				"Flux.", release),
			Field: "spec.template.spec.containers[0].image",
		})
	}
	return patches
}
