// Package report tells people what a run comes to: View is computed once of a run, and the plan as text, the report for
// a pull request and the page for a browser only write it down. It is pure, and the same run is the same text.
package report

import (
	"slices"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/proof"
	"migrate-to-flux-operator/fn/shell"
)

// Run is what a report is about.
type Run struct {
	migrate.Outcome
	Config config.Config
	// Trees are what each Flux Kustomization applies, of the clusters for which the proof built it.
	Trees []proof.Trees
	// Files are the files that change, Objects what becomes of each object that the run is about.
	Files   []File
	Objects []Object
	// Line finds the line of a field of an object in its file, 0 where it cannot be told; nil where items have no
	// lines.
	Line func(file string, index int, field string) int
	// Again is the command that makes what the run would, Cleanup the one that plans the next phase.
	Again, Cleanup shell.Line
	// Stages say where deploy is not yet, of clusters that have it in their files: "not committed". Commit are the
	// commands that bring it on its way.
	Stages map[string]string
	Commit []shell.Line
}

// The words for what becomes of an object or a file, as Flux says them.
const (
	created    = "created"
	configured = "configured"
	deleted    = "deleted"
	unchanged  = "unchanged"
)

// File is what becomes of a file: created, configured or deleted.
type File struct {
	Action string `json:"action"`
	Path   string `json:"path"`
}

// Object is what becomes of an object in Git: created, configured, unchanged or deleted.
type Object struct {
	Action string    `json:"action"`
	Object object.ID `json:"object"`
	File   string    `json:"file"`
	// Line is where the object is today; 0 for a new one, and where items have no lines.
	Line int `json:"line,omitempty"`
	// Edits are the fields that change.
	Edits []string `json:"edits,omitempty"`

	index int
}

// Objects are what becomes of the objects of a set. Of those that stay as they are they list the ones that the installs
// are found by.
func Objects(set *object.Set, installs []*classic.Install,
	line func(file string, index int, field string) int) []Object {
	var all []Object
	add := func(action string, o *object.Object) {
		made := Object{Action: action, Object: o.ID, File: o.File, index: o.Index}
		if line != nil && action != created {
			made.Line = line(o.File, o.Index, "")
		}
		if action == configured {
			made.Edits = editsOf(o)
		}
		all = append(all, made)
	}
	for _, o := range slices.SortedStableFunc(slices.Values(set.Input()), object.Compare) {
		switch {
		case set.Removed(o):
			add(deleted, o)
		case o.Changed():
			add(configured, o)
		case slices.ContainsFunc(installs, func(i *classic.Install) bool {
			return o == i.Anchor || o == i.Owner || o == i.Pair.Source || o == i.Pair.Root
		}):
			add(unchanged, o)
		}
	}
	for _, o := range set.Added() {
		add(created, o)
	}
	return all
}
