// Package flux knows the Flux and Flux Operator releases, and renders a Flux install in memory: as `flux install`
// prints it, as Flux Operator builds it from a FluxInstance, and as a kustomization.yaml changes it. Nothing here reads
// the disk, the network or the clock.
//
// The facts are in data (each table names its source in its first line); e2e/data writes them. The manifests there are
// those of the Flux releases but for the schemas of the CRDs: a patch that reaches into a CRD schema cannot be rendered
// here, and fails.
//
// kustomize keeps a global schema: the functions that render are not safe for concurrent use.
package flux

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"migrate-to-flux-operator/fn/reason"
)

// data holds the tables and the manifests. It is read on use only.
//
//go:embed data
var data embed.FS

// table reads a table of data: its header and its rows, without the line that names the source.
func table(name string) (header []string, rows [][]string) {
	content, err := data.ReadFile("data/" + name)
	if err != nil {
		panic(err) // embedded: a missing table is a build that must not ship, and every test fails on it
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	for _, line := range lines[2:] {
		rows = append(rows, strings.Split(line, "\t"))
	}
	return strings.Split(lines[1], "\t"), rows
}

// Releases lists the Flux releases that are known, oldest first.
// Source: the tags of fluxcd/flux2 (data/distribution.tsv).
func Releases() []*semver.Version {
	_, rows := table("distribution.tsv")
	versions := make([]*semver.Version, len(rows))
	for i, row := range rows {
		versions[i] = semver.MustParse(row[0])
	}
	slices.SortFunc(versions, (*semver.Version).Compare)
	return versions
}

// Has reports whether the manifests of a Flux release are here: v2.2.3 and later, but v2.8.4, which Flux Operator never
// embedded.
func Has(version string) bool {
	_, err := fs.Stat(data, "data/manifests/"+tag(version))
	return err == nil && version != ""
}

// Latest resolves a semver range as Flux Operator does: the newest release with manifests that matches it.
func Latest(constraint string) (*semver.Version, error) {
	return latest(constraint, nil)
}

// latest is Latest among the releases up to limit, when there is one.
func latest(constraint string, limit *semver.Version) (*semver.Version, error) {
	c, err := reason.With(semver.NewConstraint(constraint))
	if err != nil {
		return nil, fmt.Errorf("version %q is no semver range: %w", constraint, err)
	}
	for _, v := range slices.Backward(Releases()) {
		if c.Check(v) && Has(v.Original()) && (limit == nil || !v.GreaterThan(limit)) {
			return v, nil
		}
	}
	return nil, fmt.Errorf("no Flux release with manifests matches %q", constraint)
}

// Controllers gives the image tag of each component that a Flux release ships; nil when the release is not known.
// Source: manifests/bases of the release (data/distribution.tsv).
func Controllers(version string) map[string]string {
	header, rows := table("distribution.tsv")
	for _, row := range rows {
		if row[0] == tag(version) {
			return controllers(header, row)
		}
	}
	return nil
}

// ByController lists the Flux releases that ship a component at an image tag, oldest first.
func ByController(component, imageTag string) []*semver.Version {
	var found []*semver.Version
	for _, v := range Releases() {
		if Controllers(v.Original())[component] == imageTag && imageTag != "" {
			found = append(found, v)
		}
	}
	return found
}

// controllers reads one row of distribution.tsv.
func controllers(header, row []string) map[string]string {
	out := map[string]string{}
	for i, column := range header[1:] {
		if row[i+1] != "-" {
			out[component(column)] = row[i+1]
		}
	}
	return out
}

// component is the full name for a column of distribution.tsv.
func component(column string) string {
	if column == sourceWatcher {
		return column
	}
	return column + "-controller"
}

// tag is the release's name in the data files: with the leading v, however it was given.
func tag(version string) string { return "v" + strings.TrimPrefix(version, "v") }

// atLeast compares a release with a lowest one. What is no version is older than everything.
func atLeast(version, lowest string) bool {
	v, err := semver.NewVersion(version)
	return err == nil && !v.LessThan(semver.MustParse(lowest))
}
