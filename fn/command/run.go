package command

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/checkout"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
)

// Result is what a run on a checkout would do.
type Result struct {
	migrate.Outcome
	// Objects says what becomes of each object, in Flux's words.
	Objects []Action `json:"objects"`
	// Files are the files that change.
	Files []File `json:"files"`

	changes []checkout.Change
}

// Action is what becomes of one object: created, configured or deleted.
type Action struct {
	Action string    `json:"action"`
	Object object.ID `json:"object"`
	File   string    `json:"file"`
}

// File is a file that changes.
type File struct {
	Action string `json:"action"`
	Path   string `json:"path"`
}

// run migrates a checkout in memory.
//
// It fails when the checkout cannot be read; what stands in the way of the migration is an Error in the findings.
func run(ctx context.Context, dir string, cfg config.Config) (*Result, *repository, error) {
	repo, err := open(ctx, dir)
	if err != nil {
		return nil, nil, err
	}
	result := &Result{Outcome: migrate.Migrate(repo.set, cfg)}
	repo.report(result)
	if result.Failed() {
		return result, repo, nil
	}
	changes, err := repo.changes()
	if err != nil {
		result.Findings = append(result.Findings, finding.Finding{Severity: finding.Error, Message: object.Printable(err.Error())})
		return result, repo, nil
	}
	result.changes, result.Files, result.Objects = changes, files(changes), repo.actions()
	repo.prove(result, cfg)
	return result, repo, nil
}

// report adds what the reading of the files has to say: broken YAML matters where it could hide something of Flux.
func (r *repository) report(result *Result) {
	for _, b := range r.broken {
		f := finding.Finding{Severity: finding.Warning, File: b.file, Index: b.index,
			Message: "not YAML, so it was not looked at: " + object.Printable(firstLine(b.err))}
		if isKustomizationFile(b.file) && r.decides(b.file, result) {
			f.Severity = finding.Error
		}
		result.Findings = append(result.Findings, f)
	}
}

// decides tells whether a kustomization.yaml is above or below the sync path of a cluster, so that it decides what is applied.
func (r *repository) decides(file string, result *Result) bool {
	dir := strings.TrimSuffix(strings.TrimSuffix(file, baseOf(file)), "/")
	return slices.ContainsFunc(result.Clusters, func(c migrate.Cluster) bool { return object.Within(dir, c.Path) })
}

func baseOf(file string) string { return file[strings.LastIndex(file, "/")+1:] }

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func files(changes []checkout.Change) []File {
	var all []File
	for _, c := range changes {
		action := "configured"
		switch {
		case c.Before == nil:
			action = "created"
		case c.After == nil:
			action = "deleted"
		}
		all = append(all, File{action, c.Path})
	}
	return all
}

// actions lists what becomes of the objects, those of kustomization.yaml files left out: they are on no cluster.
func (r *repository) actions() []Action {
	var all []Action
	add := func(action string, o *object.Object) {
		if o.Name != "" {
			all = append(all, Action{action, o.ID, o.File})
		}
	}
	for _, o := range r.set.Input() {
		if r.set.Removed(o) {
			add("deleted", o)
		} else if o.Changed() {
			add("configured", o)
		}
	}
	for _, o := range r.set.Added() {
		add("created", o)
	}
	return all
}

// failure is the error of a result with Errors: every one on a line.
func (r *Result) failure() error {
	var lines []string
	for _, f := range r.Findings {
		if f.Severity == finding.Error {
			lines = append(lines, f.String())
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(lines, "\n"))
}
