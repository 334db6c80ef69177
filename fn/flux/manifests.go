package flux

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// manifest reads one file of a release's manifests: "rbac", "policies" or a component.
func manifest(version, name string) ([]byte, error) {
	content, err := data.ReadFile(path.Join("data/manifests", tag(version), name+".yaml"))
	if err != nil {
		return nil, fmt.Errorf("no manifest of %s for Flux %s", name, tag(version))
	}
	return content, nil
}

// Served lists the API versions of a kind that a Flux release serves, as its CRD lists them; nil when it has no such
// kind. A release without manifests serves what another release of its minor does, and v2.0 and v2.1 what v2.2 does but
// for `sinceV22`.
func Served(version, group, kind string) []string {
	v, err := semver.NewVersion(version)
	if err != nil {
		return nil
	}
	files, _ := fs.Glob(data, "data/manifests/v"+standIn(v).String()+"/*.yaml")
	for _, file := range files {
		content, _ := data.ReadFile(file)
		if served := servedIn(content, group, kind); served != nil {
			return slices.DeleteFunc(served, func(api string) bool {
				return !atLeast(v.String(), "2.2.0") && slices.Contains(sinceV22(), group+"/"+api+" "+kind)
			})
		}
	}
	return nil
}

// sinceV22 are the API versions that Flux v2.2.0 introduced. Source: the CRDs in gotk-components.yaml of v2.0.0, v2.1.2
// and v2.2.1; those three held no image kinds before v2.2, which are taken to be as in v2.2.
func sinceV22() []string {
	return []string{
		"helm.toolkit.fluxcd.io/v2beta2 HelmRelease",
		"notification.toolkit.fluxcd.io/v1beta3 Alert",
		"notification.toolkit.fluxcd.io/v1beta3 Provider",
	}
}

// standIn is the release whose manifests speak for v: itself, else the newest of its minor or below, else the oldest
// there is. API versions come and go with minors only.
func standIn(v *semver.Version) *semver.Version {
	var oldest *semver.Version
	for _, r := range slices.Backward(Releases()) {
		if !Has(r.Original()) {
			continue
		}
		if r.Major() == v.Major() && r.Minor() == v.Minor() || r.LessThan(v) {
			return r
		}
		oldest = r
	}
	return oldest
}

// servedIn finds the CRD of a kind in a manifest. The files are ours, so that a plain parse of each document is enough.
func servedIn(manifest []byte, group, kind string) []string {
	for doc := range bytes.SplitSeq(manifest, []byte("\n---\n")) {
		if !bytes.Contains(doc, []byte("\n    kind: "+kind+"\n")) {
			continue
		}
		var crd struct {
			Spec struct {
				Group    string
				Versions []struct {
					Name   string
					Served bool
				}
			}
		}
		if yaml.Unmarshal(doc, &crd) != nil || crd.Spec.Group != group {
			continue
		}
		var served []string
		for _, v := range crd.Spec.Versions {
			if v.Served {
				served = append(served, v.Name)
			}
		}
		return served
	}
	return nil
}

// lines joins text lines, for the small manifests that are written by hand.
func lines(l ...string) []byte { return []byte(strings.Join(l, "\n") + "\n") }
