package flux

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// The charts of Flux Operator; both are published with the version of Flux Operator, but not for each of its releases.
const (
	OperatorChart = "flux-operator"
	InstanceChart = "flux-instance"
)

// LastChart is the last version of the charts that is known here. Source: data/charts.tsv.
func LastChart() *semver.Version {
	_, rows := table("charts.tsv")
	return semver.MustParse(rows[len(rows)-1][0])
}

// ChartPublished reports whether the charts exist in the version of a Flux Operator release; later ones than the last
// that is known are taken to. Source: the tags of controlplaneio-fluxcd/charts (data/charts.tsv).
func ChartPublished(version *semver.Version) bool {
	_, rows := table("charts.tsv")
	return version.GreaterThan(LastChart()) ||
		slices.ContainsFunc(rows, func(row []string) bool { return version.Equal(semver.MustParse(row[0])) })
}

// ChartHas reports whether a chart has a value ("instance.sync.name"), or a choice among the values that its schema
// lists ("instance.components[]=source-watcher"). Source: values.yaml and values.schema.json (data/values.tsv).
func ChartHas(chart string, version *semver.Version, value string) bool {
	_, rows := table("values.tsv")
	return slices.ContainsFunc(rows, func(row []string) bool {
		return row[0] == chart && row[1] == value && !version.LessThan(semver.MustParse(row[2]))
	})
}

// ChartDefaults are the values of a chart where nothing is said. Source: values.yaml (data/values.tsv).
func ChartDefaults(chart string, version *semver.Version) map[string]any {
	defaults := map[string]any{}
	_, rows := table("values.tsv")
	for _, row := range rows {
		if row[0] != chart || strings.Contains(row[1], "=") || version.LessThan(semver.MustParse(row[2])) {
			continue
		}
		var value any
		if err := json.Unmarshal([]byte(row[3]), &value); err != nil {
			panic(err) // embedded, as in table
		}
		at := defaults
		keys := strings.Split(row[1], ".")
		for _, key := range keys[:len(keys)-1] {
			if at[key] == nil {
				at[key] = map[string]any{}
			}
			at = at[key].(map[string]any)
		}
		at[keys[len(keys)-1]] = value
	}
	return defaults
}

// chartChoice reports whether a chart's schema takes a text for a value: any where it lists none.
func chartChoice(chart string, version *semver.Version, value, text string) bool {
	_, rows := table("values.tsv")
	listed := slices.ContainsFunc(rows, func(row []string) bool {
		return row[0] == chart &&
			strings.HasPrefix(row[1], value+"=")
	})
	return !listed || ChartHas(chart, version, value+"="+text)
}
