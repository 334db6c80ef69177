package classic

import (
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"

	"migrate-to-flux-operator/fn/flux"
)

// Version is the Flux release that a classic install runs.
type Version struct {
	// Release is the version; of a range it is the newest release.
	Release *semver.Version
	// Exact reports whether the input names the release itself and not a range of one minor version.
	Exact bool
	// From says where the version was read.
	From string
}

// MinorRange is the semver range of the release's minor version, such as 2.6.x.
func (v Version) MinorRange() string {
	return fmt.Sprintf("%d.%d.x", v.Release.Major(), v.Release.Minor())
}

// String is the version as Flux writes it, without a leading v.
func (v Version) String() string {
	if !v.Exact {
		return v.MinorRange()
	}
	return v.Release.String()
}

// parseVersion reads a release such as v2.6.4.
//
// It fails on what is not a whole semantic version, on pre-releases too: no table knows them.
func parseVersion(text, from string) (Version, error) {
	release, err := semver.StrictNewVersion(strings.TrimPrefix(text, "v"))
	if err != nil {
		return Version{}, fmt.Errorf("%q is not a Flux release such as v2.6.4", text)
	}
	if release.Prerelease() != "" {
		return Version{}, fmt.Errorf("%q is a pre-release, which Flux Operator does not carry", text)
	}
	return Version{Release: release, Exact: true, From: from}, nil
}

// parseRange reads a semver range that stays within one minor version.
//
// It fails on a range that admits several minor versions: which of them runs cannot be read from the input.
func parseRange(text, from string) (Version, error) {
	constraint, err := semver.NewConstraint(text)
	if err != nil {
		return Version{}, fmt.Errorf("%q is not a semver range", text)
	}
	var newest *semver.Version
	for _, release := range append(flux.Releases(), laterMinors()...) {
		if !constraint.Check(release) {
			continue
		}
		if newest != nil && newest.Minor() != release.Minor() {
			return Version{}, fmt.Errorf("%q admits several minor versions of Flux", text)
		}
		if newest == nil || release.GreaterThan(newest) {
			newest = release
		}
	}
	if newest == nil {
		return Version{}, fmt.Errorf("%q admits no known release of Flux", text)
	}
	next := semver.New(newest.Major(), newest.Minor()+1, 0, "", "")
	if constraint.Check(next) {
		return Version{}, fmt.Errorf("%q admits several minor versions of Flux", text)
	}
	return Version{Release: newest, From: from}, nil
}

// laterMinors are minor versions of Flux to come, so that a range that stays within one is read, and refused as later
// than what is known.
func laterMinors() []*semver.Version {
	newest := flux.NewestOperator().Max
	later := make([]*semver.Version, 20)
	for i := range later {
		later[i] = semver.New(newest.Major(), newest.Minor()+1+uint64(i), 0, "", "")
	}
	return later
}

// configuredVersion is the version that the config names, for installs whose files do not tell.
func configuredVersion(text string) (Version, bool) {
	if v, err := parseVersion(text, "config field instance.version"); err == nil {
		return v, true
	}
	v, err := parseRange(text, "config field instance.version")
	return v, err == nil
}
