package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"sigs.k8s.io/yaml"
)

// chartNames are the charts of Flux Operator that a migration installs. Each release of the charts repository publishes
// both.
var chartNames = []string{"flux-instance", "flux-operator"}

// chartHistory is what the tags of the charts repository published.
type chartHistory struct {
	clone    string
	releases table
	values   table
}

// writeCharts writes the tables about Flux Operator's charts anew from a clone of
// github.com/controlplaneio-fluxcd/charts, bare or not: the charts are not in a Go module.
func writeCharts(clone, dir string) error {
	h := chartHistory{
		clone: clone,
		releases: table{source: "# Versions of the charts flux-operator and flux-instance that controlplaneio-fluxcd/charts published, by its tags.",
			header: []string{"chart", "tag"}},
		values: table{source: "# First chart version with a value or a choice in its schema, and the default of the last one, from charts/*/values.yaml and values.schema.json at the tags of controlplaneio-fluxcd/charts.",
			header: []string{"chart", "value", "since", "default"}},
	}
	tags, err := h.tags()
	if err != nil {
		return err
	}
	for _, tag := range tags {
		if err := h.read(tag); err != nil {
			return err
		}
	}
	slices.SortFunc(h.values.rows, func(a, b []string) int { return strings.Compare(a[0]+"\t"+a[1], b[0]+"\t"+b[1]) })
	if err := h.releases.write(filepath.Join(dir, "charts.tsv")); err != nil {
		return err
	}
	return h.values.write(filepath.Join(dir, "values.tsv"))
}

// tags lists the releases of the clone, oldest first.
func (h *chartHistory) tags() ([]string, error) {
	out, err := exec.Command("git", "-C", h.clone, "tag", "--list", "v*").Output()
	if err != nil {
		return nil, fmt.Errorf("list the tags of %s: %w", h.clone, err)
	}
	tags := strings.Fields(string(out))
	for _, tag := range tags {
		if _, err := semver.NewVersion(tag); err != nil {
			return nil, fmt.Errorf("tag %s: %w", tag, err)
		}
	}
	slices.SortFunc(tags, func(a, b string) int { return semver.MustParse(a).Compare(semver.MustParse(b)) })
	return tags, nil
}

// read notes what one tag published; a chart that is not there yet is none.
func (h *chartHistory) read(tag string) error {
	for _, chart := range chartNames {
		var meta struct{ Version string }
		if !h.decode(tag, chart, "Chart.yaml", &meta) {
			continue
		}
		if chart == "flux-operator" && !h.releases.has(meta.Version) {
			h.releases.rows = append(h.releases.rows, []string{meta.Version, tag})
		}
		var values map[string]any
		if !h.decode(tag, chart, "values.yaml", &values) {
			return fmt.Errorf("%s: the chart %s has no values.yaml", tag, chart)
		}
		if err := h.note(chart, meta.Version, valueLeaves("", values)); err != nil {
			return err
		}
		var choices schema
		if h.decode(tag, chart, "values.schema.json", &choices) {
			if err := h.note(chart, meta.Version, choicesOf(choices)); err != nil {
				return err
			}
		}
	}
	return nil
}

// decode reads a file of a chart at a tag; false when it is not there.
func (h *chartHistory) decode(tag, chart, file string, into any) bool {
	out, err := exec.Command("git", "-C", h.clone, "show", tag+":charts/"+chart+"/"+file).Output()
	return err == nil && yaml.Unmarshal(out, into) == nil
}

// note adds the values that are new and moves the defaults of the others.
func (h *chartHistory) note(chart, version string, leaves map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(leaves)) {
		text, err := json.Marshal(leaves[name])
		if err != nil {
			return err
		}
		i := slices.IndexFunc(h.values.rows, func(row []string) bool { return row[0] == chart && row[1] == name })
		if i < 0 {
			h.values.rows = append(h.values.rows, []string{chart, name, version, string(text)})
			continue
		}
		h.values.rows[i][3] = string(text)
	}
	return nil
}

// valueLeaves flattens values: what is no map, or an empty one, by its dotted path.
func valueLeaves(path string, value any) map[string]any {
	m, isMap := value.(map[string]any)
	if !isMap || len(m) == 0 {
		return map[string]any{path: value}
	}
	all := map[string]any{}
	for key, child := range m {
		maps.Copy(all, valueLeaves(strings.TrimPrefix(path+"."+key, "."), child))
	}
	return all
}

// choicesOf lists the values that a schema allows where it lists them, as fields.tsv spells them.
func choicesOf(s schema) map[string]any {
	all := map[string]any{}
	for _, name := range s.names("") {
		if strings.Contains(name, "=") {
			all[strings.TrimPrefix(name, ".")] = nil
		}
	}
	return all
}
