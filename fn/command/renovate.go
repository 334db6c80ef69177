package command

import (
	"bytes"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
)

// renovateComment is the comment by which a custom manager of Renovate finds a version in the next line.
var renovateComment = regexp.MustCompile(`(?m)^[ \t]*# renovate: ` +
	`(.*\bdatasource=.*\bdepName=.*|.*\bdepName=.*\bdatasource=.*?)\r?$`)

// fluxVersion is distribution.version of a FluxInstance, of its own or in the values of the chart.
var fluxVersion = regexp.MustCompile(`(?m)^ +distribution:\n(?: +#.*\n)*( +)version: `)

// fluxRelease is what Renovate has to know of the version of Flux. The version is a range, which npm's rules know, and
// the releases have a v. Source: Renovate documentation, custom managers; its manager flux knows no FluxInstance.
var fluxRelease = map[string]string{"datasource": "github-releases", "depName": "fluxcd/flux2", "versioning": "npm",
	"extractVersion": "^v(?<version>.+)$"}

// renovate is the comment for the version of Flux as the repository writes such comments, empty where it has none, or
// nothing that reads them. The other versions need none: Renovate's managers for Flux, helmfile and Terraform know
// them.
func (r *repository) renovate() string {
	shapes := map[string]int{}
	known := map[string]bool{}
	for _, file := range r.tree.Files() {
		raw, err := r.tree.ReadFile(file)
		if err != nil || !bytes.Contains(raw, []byte("# renovate: ")) {
			continue
		}
		for _, found := range renovateComment.FindAllSubmatch(raw, -1) {
			shape := keysOf(string(found[1]))
			shapes[strings.Join(shape, " ")]++
			for _, key := range shape {
				known[key] = true
			}
		}
	}
	shape, count := commonest(shapes)
	if count == 0 || !r.readsComments() {
		return ""
	}
	keys := slices.DeleteFunc(strings.Fields(shape), func(key string) bool { return fluxRelease[key] == "" })
	for _, key := range []string{"versioning", "extractVersion"} {
		if known[key] && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for i, key := range keys {
		keys[i] = key + "=" + fluxRelease[key]
	}
	return "# renovate: " + strings.Join(keys, " ")
}

// keysOf are the keys of a comment, in their order.
func keysOf(comment string) []string {
	var keys []string
	for _, field := range strings.Fields(comment) {
		if key, _, isPair := strings.Cut(field, "="); isPair {
			keys = append(keys, key)
		}
	}
	return keys
}

// annotated puts the comment above the version of Flux.
func (s style) annotated(text string) string {
	at := fluxVersion.FindStringSubmatchIndex(text)
	if s.renovate == "" || at == nil {
		return text
	}
	return text[:at[2]] + text[at[2]:at[3]] + s.renovate + "\n" + text[at[2]:]
}

// renovateConfig are the files that configure Renovate, and those that they are often split into. Source: Renovate
// documentation, configuration options and presets.
var renovateConfig = regexp.MustCompile(`(^|/)` +
	`(renovate[^/]*\.json5?|\.renovaterc(\.json5?)?|\.?renovate/[^/]+\.json5?)$`)

// commentManager matches a custom manager that reads such comments: one of the repository, or the presets that have it.
var commentManager = regexp.MustCompile(`customManagers|regexManagers|(github|gitlab|gitea|forgejo|bitbucket|local)>`)

// readsComments reports whether a configuration of Renovate is in the repository that can read such comments: a preset
// from elsewhere may, and the comments that are there say that it does.
func (r *repository) readsComments() bool {
	return slices.ContainsFunc(r.renovateConfigs(), commentManager.Match)
}

// renovateConfigs are the configurations of Renovate in the repository.
func (r *repository) renovateConfigs() [][]byte {
	var all [][]byte
	// A folder that cannot be read has been noted when the tree was opened.
	_ = fs.WalkDir(r.tree, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !renovateConfig.MatchString(file) {
			return nil
		}
		if content, err := r.tree.ReadFile(file); err == nil {
			all = append(all, content)
		}
		return nil
	})
	return all
}

// raised says who raises the versions that deploy writes: Renovate's manager flux reads the sources and releases of
// Flux in the files that its patterns match, and by default gotk-components.yaml alone. Source: Renovate documentation,
// manager flux.
func (r *repository) raised() []finding.Finding {
	by := "nobody but you raises it, or Flux itself: no configuration of Renovate was found"
	if len(r.renovateConfigs()) > 0 {
		by = "Renovate raises it once the file patterns of its manager flux match this file, and Flux itself "
		if r.renovate() != "" {
			by += "by the comment above distribution.version"
		} else {
			by += "does not rise beyond the range in distribution.version by itself"
		}
	}
	var all finding.List
	for _, o := range r.set.Added() {
		if !o.Is(classic.HelmGroup, "HelmRelease") || !classic.Installs(r.set, o, flux.OperatorChart) {
			continue
		}
		at := o
		if source := classic.ChartSource(r.set, o); source != nil {
			at = source
		}
		all.Info(finding.VersionsRaisedBy, finding.Moved, at, "", "from now on the version of Flux Operator is here: "+
			"%s", by)
	}
	return all.All()
}
