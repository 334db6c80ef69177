package command

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/checkout"
	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/printable"
)

// mentions warns about workflows, task files, scripts and the configuration of tools that name what cleanup removes,
// and about Terraform that bootstraps Flux: Flux reads none of them, so nothing else finds out before they run. In the
// phase deploy it names the former already.
func (r *repository) mentions(result *Result, cfg config.Config) []finding.Finding {
	if len(result.changes) == 0 {
		return nil
	}
	gone, named := removedPaths(result.changes, r.tree), finding.Finding{Severity: finding.Warning,
		Code:    finding.NamedByTooling,
		Message: "names %s, which this commit removes: change or remove what it does with it"}
	if cfg.Phase == config.Deploy {
		gone, named = removedPaths(r.later(result.Installs, cfg), r.tree), finding.Finding{Severity: finding.Info,
			Code: finding.NamedByTooling, Topic: finding.Reference,
			Message: "names %s, which cleanup removes: what it does with it changes then"}
	}
	var all []finding.Finding
	// A folder that cannot be read has been noted when the tree was opened.
	_ = fs.WalkDir(r.tree, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !entry.Type().IsRegular() || !isTooling(file) && !classic.MayRunAzure(file) ||
			len(r.set.InFile(file)) > 0 {
			return nil
		}
		content, err := r.tree.ReadFile(file)
		if err != nil {
			all = append(all, finding.Finding{Severity: finding.Warning, Code: finding.FileNotRead, File: file,
				Message: "could not be read: look whether it names what this commit changes, or bootstraps Flux"})
			return nil
		}
		if gone != nil && isTooling(file) {
			all = append(all, mentionsIn(file, content, gone, named)...)
		}
		all = append(all, terraformIn(file, content)...)
		all = append(all, azureIn(file, content)...)
		return nil
	})
	return all
}

// later are the files that cleanup removes after deploy: those in which nothing else is.
func (r *repository) later(installs []*classic.Install, cfg config.Config) []checkout.Change {
	var goes []*object.Object
	for _, i := range installs {
		if i.KeepReason != "" {
			continue
		}
		goes = append(append(goes, i.Objects...), i.Bootstrap...)
		if cfg.Sync.Mode == config.Adopt {
			goes = append(goes, i.Pair.Source, i.Pair.Root)
		}
	}
	var files []string
	for _, o := range goes {
		stays := func(other *object.Object) bool { return !slices.Contains(goes, other) }
		if o.File != "" && !slices.ContainsFunc(r.set.InFile(o.File), stays) {
			files = append(files, o.File)
		}
	}
	slices.Sort(files)
	var all []checkout.Change
	for _, file := range slices.Compact(files) {
		all = append(all, checkout.Change{Path: file})
	}
	return all
}

// tooling are the files that tools outside of the cluster read, by their paths.
var tooling = regexp.MustCompile(`(^|/)(\.github|\.gitea|\.forgejo|\.gitlab|\.circleci|\.taskfiles?|` +
	`taskfiles?|\.?renovate|\.just|\.mise|hack|scripts?)/` +
	`|(^|/)(\.?[Tt]askfile[^/]*|[^/]*[Mm]akefile[^/]*|\.?justfile|mod\.just|\.gitlab-ci\.ya?ml|` +
	`\.?renovate[^/]*\.json5?|\.renovaterc[^/]*|` +
	`\.pre-commit-config\.ya?ml|\.sops\.ya?ml|\.?mise\.toml|\.woodpecker\.ya?ml|\.drone\.ya?ml|` +
	`azure-pipelines\.ya?ml|Jenkinsfile|bitbucket-pipelines\.ya?ml|CODEOWNERS|` +
	`\.yamllint[^/]*|[^/]+\.(sh|bash|mk|just|tf))$`)

func isTooling(file string) bool { return tooling.MatchString(file) }

// removedPaths match the paths of the files that a change deletes, of the folders that it empties, and the names that
// only Flux gives to files; nil when it deletes none.
func removedPaths(changes []checkout.Change, tree fs.FS) *regexp.Regexp {
	var deleted []string
	for _, c := range changes {
		if c.After == nil {
			deleted = append(deleted, c.Path)
		}
	}
	var names, folders []string
	for _, file := range deleted {
		names = append(names, file)
		if isKustomizationFile(file) && strings.Contains(path.Dir(file), "/") {
			folders = append(folders, tail(path.Dir(file)))
		}
		if dir := path.Dir(file); dir != "." && emptied(dir, deleted, tree) {
			names = append(names, dir)
		}
		if base := path.Base(file); strings.HasPrefix(base, "gotk-") {
			names = append(names, base)
		}
	}
	if len(names) == 0 {
		return nil
	}
	pattern := `(?:^|[^A-Za-z0-9_-])(?:(` + alternatives(names) + `)(?:$|[^A-Za-z0-9_.-]|\.(?:$|[^A-Za-z0-9]))`
	if len(folders) > 0 {
		// What tools are to build or apply is the folder, and nothing in it.
		pattern += `|(` + alternatives(folders) + `)/?(?:$|["'\s)` + "`" + `])`
	}
	return regexp.MustCompile(pattern + `)`)
}

// alternatives match any of the names, the longest first.
func alternatives(names []string) string {
	slices.Sort(names)
	slices.SortStableFunc(names, func(a, b string) int { return len(b) - len(a) })
	for i := range names {
		names[i] = regexp.QuoteMeta(names[i])
	}
	return strings.Join(slices.Compact(names), "|")
}

// tail is the end of a path that tells it from others: tools often have the rest in a variable.
func tail(dir string) string {
	parts := strings.Split(dir, "/")
	return strings.Join(parts[max(0, len(parts)-2):], "/")
}

// emptied reports whether nothing is left in a folder.
func emptied(dir string, deleted []string, tree fs.FS) bool {
	left := false
	err := fs.WalkDir(tree, dir, func(file string, entry fs.DirEntry, err error) error {
		left = left || err != nil || !entry.IsDir() && !slices.Contains(deleted, file)
		return nil
	})
	return err == nil && !left
}

// bootstrapResource is how Terraform bootstraps Flux.
var bootstrapResource = regexp.MustCompile(`resource\s+"(flux_bootstrap_git)"\s+"([\w-]+)"`)

// terraformIn warns about Terraform that keeps the files of flux bootstrap as they were, and that uninstalls Flux with
// its CRDs when the resource goes. Source: fluxcd/terraform-provider-flux v1, Update and Delete of flux_bootstrap_git.
func terraformIn(file string, content []byte) []finding.Finding {
	at := bootstrapResource.FindSubmatchIndex(content)
	if path.Ext(file) != ".tf" || at == nil {
		return nil
	}
	line := 1 + bytes.Count(content[:at[0]], []byte("\n"))
	return []finding.Finding{{Severity: finding.Warning, Code: finding.TerraformBootstrap,
		File: fmt.Sprintf("%s:%d", file, line),
		Message: printable.Line(fmt.Sprintf("Terraform would undo this: each apply writes the files of %s as they "+
			"were, without the guards, and when the resource goes Terraform uninstalls Flux, CRDs and all. Before "+
			"you push, let Terraform forget it (terraform state rm ADDRESS, with the address of %[1]s.%s in "+
			"terraform state list), and remove it from this file", content[at[2]:at[3]], content[at[4]:at[5]]))}}
}

// azureIn warns about Azure's extension that runs Flux: the files do not say on which cluster.
func azureIn(file string, content []byte) []finding.Finding {
	line := classic.AzureFlux(file, content)
	if line == 0 {
		return nil
	}
	return []finding.Finding{{Severity: finding.Warning, Code: finding.AzureExtension,
		File: fmt.Sprintf("%s:%d", file, line),
		Message: printable.Line(
			"Azure's extension microsoft.flux installs Flux from here: on this cluster it would fight Flux Operator, so " +
				"see first that it is another cluster's")}}
}

// mentionsIn are the lines of a file that name what goes; one finding for each name, made of one that says so.
func mentionsIn(file string, content []byte, gone *regexp.Regexp, said finding.Finding) []finding.Finding {
	var all []finding.Finding
	seen := map[string]bool{}
	number := 0
	for line := range bytes.Lines(content) {
		number++
		// The configuration of Renovate spells a path as a regular expression.
		plain := strings.ReplaceAll(strings.TrimRight(string(line), "\r\n"), `\`, "")
		found := gone.FindStringSubmatch(plain)
		if found == nil {
			continue
		}
		name := cmp.Or(found[1:]...)
		if seen[name] {
			continue
		}
		seen[name] = true
		one := said
		one.File, one.Message = fmt.Sprintf("%s:%d", file, number), printable.Line(fmt.Sprintf(said.Message, name))
		all = append(all, one)
	}
	return all
}
