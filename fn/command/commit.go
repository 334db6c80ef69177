package command

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/checkout"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/shell"
)

// toCommit finds the commands for a commit of the changes and of nothing else, and warns of what HEAD does not hold
// though the changes were judged with it. Where nothing changes, they are for what deploy wrote.
func (r *repository) toCommit(result *Result) {
	git := r.tree.Repository()
	if git == nil {
		return
	}
	if len(result.changes) == 0 {
		if files := r.pathspecs(result.written()); len(files) > 0 {
			result.commit = r.commit(files, subjects[result.config.Phase])
		}
		return
	}
	var all finding.List
	files := r.pathspecs(result.changes)
	if len(files) > 0 {
		result.commit = r.commit(files, subjects[result.config.Phase])
	}
	for _, c := range result.changes {
		if c.Before == nil && r.tree.Ignored(c.Path) {
			all.Add(finding.Finding{Severity: finding.Error, Code: finding.IgnoredByGit, File: c.Path,
				Message: "Git ignores this new file, so that no commit would bring it to Flux: change the pattern " +
					"that matches it or, where that is about the folder of the new files, set the config field " +
					"outputDir to another; to see the pattern"}.
				With(shell.Run("git", "check-ignore", "-v", shell.Path(c.Path))))
			break
		}
	}
	changed, err := git.Changed(r.tree.Index())
	if err != nil {
		all.Error(finding.GitUnreadable, nil, "", "it cannot be seen what HEAD does not hold: %v", err)
	}
	mine, others := unclean(append(changed, r.untracked()...), result.changes)
	if len(mine) > 0 {
		all.Warn(finding.UncommittedChanges, nil, "", "this run edits files with changes of yours that are not "+
			"committed, and a commit of them takes both: %s; commit these first, or use git add -p", listed(mine))
	}
	if len(others) > 0 {
		warning := finding.Finding{Severity: finding.Warning, Code: finding.UncommittedChanges,
			Message: "HEAD does not hold all that was judged: " + listed(others) + "; commit or set these aside first"}
		if len(files) > 0 {
			warning.Message += ", or commit only what this run changes"
			warning = warning.With(result.commit[0])
		}
		all.Add(warning)
	}
	result.Findings = append(result.Findings, all.All()...)
}

// unclean parts the files that HEAD does not hold as they are into those that the run edits and the others.
func unclean(files []string, changes []checkout.Change) (mine, others []string) {
	slices.Sort(files)
	for _, file := range slices.Compact(files) {
		if slices.ContainsFunc(changes, func(c checkout.Change) bool { return c.Path == file }) {
			mine = append(mine, file)
		} else {
			others = append(others, file)
		}
	}
	return mine, others
}

// untracked are the files that Git neither tracks nor ignores.
func (r *repository) untracked() []string {
	var all []string
	// A folder that cannot be read has been noted when the tree was opened.
	_ = fs.WalkDir(r.tree, ".", func(file string, entry fs.DirEntry, err error) error {
		switch tracked := r.tree.Index().Has(file); {
		case err != nil:
		case entry.IsDir() && tracked:
			return fs.SkipDir // a submodule
		case !entry.IsDir() && !tracked:
			all = append(all, file)
		}
		return nil
	})
	return all
}

// spelled is how many files a message names of many.
const spelled = 3

// listed are the first of some files, and how many there are besides.
func listed(files []string) string {
	if more := len(files) - spelled; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(files[:spelled], ", "), more)
	}
	return strings.Join(files, ", ")
}

// written are the files of deploy that no commit has, as changes.
func (r *Result) written() []checkout.Change {
	slices.Sort(r.uncommitted)
	var all []checkout.Change
	for _, file := range slices.Compact(r.uncommitted) {
		all = append(all, checkout.Change{Path: file, After: []byte{}})
	}
	return all
}

// pathspecs name the files that change. One that goes and that Git does not track is left out.
func (r *repository) pathspecs(changes []checkout.Change) []string {
	var all []string
	for _, c := range changes {
		if c.After != nil || r.tree.Index().Has(c.Path) {
			all = append(all, pathspec(c.Path))
		}
	}
	return all
}

// commit are the commands that commit files, and nothing that is in Git's index besides, and push them.
func (r *repository) commit(files []string, subject string) []shell.Line {
	return []shell.Line{
		shell.Run(slices.Concat(r.git(), []string{"add", "--"}, files)...),
		shell.Run(slices.Concat(r.git(), []string{"commit", "-m", subject, "--"}, files)...),
		shell.Run(append(r.git(), "push")...),
	}
}

// git is a call of Git on the checkout.
func (r *repository) git() []string {
	if r.dir != "." {
		return []string{"git", "-C", r.dir}
	}
	return []string{"git"}
}

// subjects are what a commit is called.
var subjects = map[string]string{config.Deploy: "Deploy Flux Operator",
	config.Cleanup: "Remove the classic Flux install"}

// pathspec names one file, whatever Git would take its name for.
func pathspec(file string) string {
	if strings.ContainsAny(file, `*?[\`) || strings.HasPrefix(file, ":") {
		return ":(literal)" + file
	}
	return file
}
