package command

import (
	"bytes"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/printable"
)

// push is a call of `flux push artifact` in a workflow or script.
type push struct {
	file string
	line int
	url  string // with its tag, and with whatever variables it has
	dir  string // that is pushed
	// elsewhere tells that the file changes the folder in which commands run, so that dir may begin there.
	elsewhere bool
}

// checkArtifacts looks from which folder an artifact is pushed that a cluster syncs: the paths of Flux begin there, and
// this run took it to be the top of the checkout. One that is not is an Error, and one that no file names a Warning
// where the path says nothing either.
func (r *repository) checkArtifacts(installs []*classic.Install, findings *finding.List) {
	var pushes []push
	read := false
	for _, install := range installs {
		source := install.Pair.LiveSource
		if source.Kind == "GitRepository" || install.Pair.SourceUnseen {
			continue
		}
		if !read {
			pushes, read = r.pushes(), true
		}
		of := findings.For(install.Cluster())
		r.checkArtifact(install, pushes, of)
		findings.Merge(of)
	}
}

// checkArtifact is checkArtifacts for one cluster.
func (r *repository) checkArtifact(install *classic.Install, pushes []push, findings *finding.List) {
	source, known := install.Pair.LiveSource, false
	for _, p := range pushes {
		if source.Kind != "OCIRepository" || !p.isOf(source.Str("spec", "url")) {
			continue
		}
		vague := p.elsewhere || variables.MatchString(p.url)
		known = known || !vague
		switch {
		case p.dir == ".":
		case vague:
			findings.Warn(finding.ArtifactFolder, install.Pair.Source, "spec.url",
				"%s:%d may push this artifact from ./%s, and it was taken to be filled from ./: where it does, run "+
					"on that folder, with --subfolder", p.file, p.line, p.dir)
		default:
			findings.Error(finding.ArtifactFolder, install.Pair.Source, "spec.url",
				"%s:%d pushes this artifact from ./%s, and the paths of Flux begin there: run on that folder, with "+
					"--subfolder", p.file, p.line, p.dir)
		}
	}
	if !known && install.Pair.Path == "." {
		findings.Warn(finding.ArtifactFolder, install.Pair.Source, "", "no file says from which folder this is "+
			"filled, and it was taken to be ./: where it is another, run on that folder, with --subfolder")
	}
}

// isOf reports whether an artifact is pushed to an address, as far as it shows: a variable may stand for any part of
// it.
func (p push) isOf(url string) bool {
	var pattern strings.Builder
	at := 0
	for _, variable := range variables.FindAllStringIndex(p.url, -1) {
		pattern.WriteString(regexp.QuoteMeta(p.url[at:variable[0]]) + ".*")
		at = variable[1]
	}
	pattern.WriteString(regexp.QuoteMeta(p.url[at:]))
	same, err := regexp.MatchString("^"+pattern.String()+"$", url)
	return err == nil && same
}

// variables are those of a shell, of GitHub's workflows and of Terraform.
var variables = regexp.MustCompile(`\$\{\{.*?\}\}|\$\{[^}]*\}|\$\([^)]*\)|\$\w+`)

var (
	pushCall = regexp.MustCompile(`flux\s+push\s+artifact\s[^\n]*`)
	pushURL  = regexp.MustCompile(`["']?(oci://[^\s"'@]+?)(:[^\s"'/@]+|@\S+)?["']?(?:\s|$)`)
	moves    = regexp.MustCompile(`working-directory:|(^|[\s;&|])(cd|pushd)\s`)
	pushPath = regexp.MustCompile(`\s(?:--path|-f)(?:=|\s+)["']?([^\s"']+)`)
)

// pushes are the calls of `flux push artifact` in the workflows, task files and scripts of the checkout.
func (r *repository) pushes() []push {
	var all []push
	// A folder that cannot be read has been noted when the tree was opened.
	_ = fs.WalkDir(r.tree, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !entry.Type().IsRegular() || !isTooling(file) {
			return nil
		}
		if content, err := r.tree.ReadFile(file); err == nil {
			all = append(all, pushesIn(file, content)...)
		}
		return nil
	})
	return all
}

// pushesIn are the calls of `flux push artifact` in a file, those with an address and a folder that show.
func pushesIn(file string, content []byte) []push {
	var all []push
	joined := bytes.ReplaceAll(content, []byte("\\\n"), []byte(" \v")) // a call may go on in the next line
	for _, at := range pushCall.FindAllIndex(joined, -1) {
		call := variables.ReplaceAllStringFunc(string(joined[at[0]:at[1]]),
			func(v string) string { return strings.ReplaceAll(v, " ", "") })
		url, dir := pushURL.FindStringSubmatch(call), pushPath.FindStringSubmatch(call)
		if url == nil || dir == nil || variables.MatchString(dir[1]) {
			continue
		}
		line := 1 + bytes.Count(joined[:at[0]], []byte("\n")) + bytes.Count(joined[:at[0]], []byte("\v"))
		all = append(all, push{file: printable.Line(file), line: line, url: url[1], dir: path.Clean(dir[1]),
			elsewhere: moves.Match(content)})
	}
	return all
}
