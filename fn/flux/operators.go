package flux

import (
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Operator is a Flux Operator release and the range of Flux releases that it embeds and therefore can install.
type Operator struct {
	Version *semver.Version
	// Date is the day of the release. What came after the newest operator is not in the tables.
	Date string
	Min  *semver.Version
	Max  *semver.Version
}

// Runs reports whether this operator can install a Flux release: it is within its range, and its manifests are
// embedded.
func (o Operator) Runs(fluxVersion string) bool {
	v, err := semver.NewVersion(fluxVersion)
	return err == nil && !v.LessThan(o.Min) && !v.GreaterThan(o.Max) && Has(fluxVersion)
}

// Latest resolves a semver range as this operator does, that is among the releases that it embeds.
func (o Operator) Latest(constraint string) (*semver.Version, error) {
	return latest(constraint, o.Max)
}

// Supports reports whether this operator's FluxInstance has a field, spelled as in Since.
func (o Operator) Supports(field string) bool {
	since, ok := Since(field)
	return ok && !o.Version.LessThan(since)
}

// Operators lists the Flux Operator releases that embed Flux, oldest first.
// Source: config/data/flux at the operator's tags (data/operators.tsv).
func Operators() []Operator {
	_, rows := table("operators.tsv")
	var out []Operator
	for _, row := range rows {
		low, high, _ := strings.Cut(row[2], "..")
		minimum, err1 := semver.NewVersion(low)
		maximum, err2 := semver.NewVersion(high)
		// The first two releases embedded nothing.
		if err1 == nil && err2 == nil && !maximum.LessThan(minimum) {
			out = append(out, Operator{Version: semver.MustParse(row[0]), Date: row[1], Min: minimum, Max: maximum})
		}
	}
	slices.SortFunc(out, func(a, b Operator) int { return a.Version.Compare(b.Version) })
	return out
}

// FindOperator looks an operator release up, with or without the leading v.
func FindOperator(version string) (Operator, bool) {
	v, err := semver.NewVersion(version)
	if err != nil {
		return Operator{}, false
	}
	all := Operators()
	i := slices.IndexFunc(all, func(o Operator) bool { return o.Version.Equal(v) })
	if i < 0 {
		return Operator{}, false
	}
	return all[i], true
}

// LaterOperator reports whether an operator release came after all that are known. What is known of the newest holds
// for it: within a major version the API only grows, and manifests of Flux are only added. Another major version is
// none of which that is known.
func LaterOperator(version string) (Operator, bool) {
	v, err := semver.StrictNewVersion(strings.TrimPrefix(version, "v"))
	later := NewestOperator()
	if err != nil || v.Prerelease() != "" || v.Major() != later.Version.Major() || !v.GreaterThan(later.Version) {
		return Operator{}, false
	}
	later.Version = v
	return later, true
}

// NewestOperator is the last release of Operators.
func NewestOperator() Operator {
	all := Operators()
	return all[len(all)-1]
}

// Since gives the first Flux Operator release whose FluxInstance has a field ("spec.sync.name"), an item of a list
// ("spec.components[]=source-watcher") or a value of an enum ("spec.cluster.size=small").
// Source: the FluxInstance CRD at the operator's tags (data/fields.tsv).
func Since(field string) (*semver.Version, bool) {
	_, rows := table("fields.tsv")
	for _, row := range rows {
		if row[0] == field {
			return semver.MustParse(row[1]), true
		}
	}
	return nil, false
}
