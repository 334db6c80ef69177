package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/e2e/operator"
)

// table is a tab separated file: a `#` line that names its source, a header, rows.
type table struct {
	source string
	header []string
	rows   [][]string
}

// readTable reads what an earlier run wrote; header must be the first column name that is expected.
func readTable(path, header string) (table, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return table{}, err
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if len(lines) < 2 || !strings.HasPrefix(lines[0], "# ") || !strings.HasPrefix(lines[1], header+"\t") {
		return table{}, fmt.Errorf("%s: want a source line and a header that starts with %q", path, header)
	}
	t := table{source: lines[0], header: strings.Split(lines[1], "\t")}
	for _, line := range lines[2:] {
		t.rows = append(t.rows, strings.Split(line, "\t"))
	}
	return t, nil
}

// has reports whether a row starts with key.
func (t *table) has(key string) bool {
	return slices.ContainsFunc(t.rows, func(row []string) bool { return row[0] == key })
}

// write stores the table.
func (t *table) write(path string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n%s\n", t.source, strings.Join(t.header, "\t"))
	for _, row := range t.rows {
		fmt.Fprintln(&b, strings.Join(row, "\t"))
	}
	return writeFile(path, b.Bytes())
}

// writeDistribution adds the releases whose image tags the module lists.
func writeDistribution(pinned operator.Module, dir string) error {
	path := filepath.Join(dir, "distribution.tsv")
	t, err := readTable(path, "flux")
	if err != nil {
		return err
	}
	releases, err := versions(filepath.Join(pinned.Dir, "config", "data", "flux-images"))
	if err != nil {
		return err
	}
	for _, release := range releases {
		if t.has(release) {
			continue
		}
		tags, err := imageTags(filepath.Join(pinned.Dir, "config", "data", "flux-images", release, "upstream-alpine.yaml"))
		if err != nil {
			return err
		}
		row := []string{release}
		for _, column := range t.header[1:] {
			row = append(row, orDash(tags[column]))
		}
		t.rows = append(t.rows, row)
	}
	return t.write(path)
}

// imageTags reads the tags of one release by short controller name (source, kustomize, ..., source-watcher).
func imageTags(file string) (map[string]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list struct {
		Images []struct{ Name, NewTag string } `json:"images"`
	}
	if err := yaml.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	tags := map[string]string{}
	for _, image := range list.Images {
		tags[strings.TrimSuffix(filepath.Base(image.Name), "-controller")] = image.NewTag
	}
	return tags, nil
}

// orDash is how the tables say that a release does not ship a controller.
func orDash(tag string) string {
	if tag == "" {
		return "-"
	}
	return tag
}

// writeOperators adds the pinned operator, and the releases between it and the newest that is known, each with the
// range of Flux releases that it embeds.
func writeOperators(pinned operator.Module, dir string) error {
	path := filepath.Join(dir, "operators.tsv")
	t, err := readTable(path, "operator")
	if err != nil {
		return err
	}
	if t.has(pinned.Version) {
		return t.write(path)
	}
	releases, err := between(t.rows[len(t.rows)-1][0], pinned)
	if err != nil {
		return err
	}
	for _, release := range releases {
		row, err := operatorRow(release)
		if err != nil {
			return err
		}
		t.rows = append(t.rows, row)
	}
	slices.SortStableFunc(t.rows, func(a, b []string) int { return semver.MustParse(a[0]).Compare(semver.MustParse(b[0])) })
	return t.write(path)
}

// between are the operator releases after the newest one that is known, up to the pinned one, oldest first. One that
// cannot be had is left out, and said: the product then refuses it by name.
func between(known string, pinned operator.Module) ([]operator.Module, error) {
	all, err := operator.Releases()
	if err != nil {
		return nil, err
	}
	newest, until := semver.MustParse(known), semver.MustParse(pinned.Version)
	var releases []operator.Module
	for _, name := range all {
		v, err := semver.NewVersion(name)
		if err != nil || v.Prerelease() != "" || !v.GreaterThan(newest) || !v.LessThan(until) {
			continue
		}
		release, err := operator.Release(name)
		if err != nil {
			log.Printf("%s is left out: %v", name, err)
			continue
		}
		releases = append(releases, release)
	}
	return append(releases, pinned), nil
}

// kustomizeAPI finds the kustomize library in a go.mod.
var kustomizeAPI = regexp.MustCompile(`sigs\.k8s\.io/(kustomize/api v\S+)`)

// operatorRow is an operator's line of operators.tsv.
func operatorRow(release operator.Module) ([]string, error) {
	embedded, err := versions(filepath.Join(release.Dir, "config", "data", "flux"))
	if err != nil {
		return nil, err
	}
	gomod, err := os.ReadFile(filepath.Join(release.Dir, "go.mod"))
	if err != nil {
		return nil, err
	}
	span := embedded[0] + ".." + embedded[len(embedded)-1]
	api := kustomizeAPI.FindSubmatch(gomod)
	if api == nil {
		return nil, fmt.Errorf("%s requires no kustomize/api", release.Version)
	}
	return []string{release.Version, release.Time.UTC().Format(time.DateOnly), span, string(api[1]), "embedded-guard=2"}, nil
}

// versions lists the folders named for a release, oldest first.
func versions(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "v*"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no releases in %s", dir)
	}
	var found semver.Collection
	for _, path := range paths {
		v, err := semver.NewVersion(filepath.Base(path))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		found = append(found, v)
	}
	slices.SortFunc(found, (*semver.Version).Compare)
	names := make([]string, len(found))
	for i, v := range found {
		names[i] = v.Original()
	}
	return names, nil
}
