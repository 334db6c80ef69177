package command

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"sync"

	"migrate-to-flux-operator/fn/checkout"
	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/shell"
)

// errNotFetched is the error of a branch that the clone does not have.
var errNotFetched = errors.New("it is not fetched")

// checkGone refuses files without the classic install of a cluster while the branch that Flux reads has it, and not the
// FluxInstance that is to own it: merged at once, both phases delete all that Flux applied. It looks at the files as
// they came.
func (r *repository) checkGone(cfg config.Config, findings *finding.List) {
	if r.tree.Repository() == nil {
		return
	}
	cfg.Clusters = nil
	installs := func(set *object.Set) []*classic.Install {
		found, _ := migrate.Find(set, cfg) // what stands in the way is found again by the run
		return found
	}
	here := sync.OnceValue(func() []*classic.Install { return installs(r.set) })
	remains := func(e *instance.Existing) bool {
		return slices.ContainsFunc(here(), func(i *classic.Install) bool {
			its := migrate.ExistingInstance(r.set, i, cfg)
			return its != nil && its.At == e.At
		})
	}
	for _, e := range instance.Existings(r.set) {
		branch, there, err := r.readWithout(e)
		switch {
		case branch == "" || err == nil && there == nil || remains(e):
		case err != nil:
			findings.Warn(finding.PushNotChecked, e.At, "", "it was not checked that the branch %s, which Flux reads, "+
				"has this FluxInstance: %v", branch, err)
		case slices.ContainsFunc(installs(there), func(i *classic.Install) bool {
			its := migrate.ExistingInstance(r.set, i, cfg)
			return its != nil && its.At == e.At && migrate.ExistingInstance(there, i, cfg) == nil
		}):
			findings.Add(finding.About(finding.Error, finding.CleanupUnpublished, "", e.At, "", "no classic install is "+
				"left here, and %s, which Flux reads, lacks this FluxInstance: merged like this, Flux deletes itself "+
				"and what it applied; go back to the commit of deploy, and merge that one first (git fetch, where "+
				"that is done); what would be deleted", branch).
				With(shell.Run("migrate-to-flux-operator", "inventory", r.dir, "--against", branch)))
		}
	}
}

// readWithout are the objects in the branch that Flux reads, as it was last fetched, where that does not have a
// FluxInstance as it is here; nil where it does. The branch is named as it is called here, and has no name where it is
// not known.
func (r *repository) readWithout(e *instance.Existing) (branch string, there *object.Set, err error) {
	source := e.Source(r.set)
	if source == nil {
		return "", nil, nil
	}
	branch = instance.Branch(source)
	if branch == "" {
		return "", nil, nil
	}
	read, err := r.tree.Repository().Fetched(source.Str("spec", "url"), branch)
	if err != nil {
		return branch, nil, err
	}
	if read == nil {
		return branch, nil, errNotFetched
	}
	files, err := r.contents([]string{e.At.File})
	if err != nil {
		return read.Name, nil, err
	}
	if differs, err := read.Differing(files); err != nil || len(differs) == 0 {
		return read.Name, nil, err
	}
	tree, err := read.Files()
	if err == nil {
		there, err = setIn(tree)
	}
	return read.Name, there, err
}

// setIn are the objects of a tree of files.
func setIn(tree fs.FS) (*object.Set, error) {
	contents := map[string][]byte{}
	err := fs.WalkDir(tree, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !checkout.IsCandidate(path.Base(file)) {
			return err
		}
		content, err := fs.ReadFile(tree, file)
		if mayHoldObjects(file, content) {
			contents[file] = content
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	set, _ := setOf(slices.Sorted(maps.Keys(contents)), func(file string) []byte { return contents[file] })
	readFrom(set, tree)
	set.Tree = func() (fs.FS, error) { return tree, nil } // what becomes of the edits is not asked
	return set, nil
}
