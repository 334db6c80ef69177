package command

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"migrate-to-flux-operator/fn/bootstrap"
	"migrate-to-flux-operator/fn/checkout"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/live"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/proof"
	"migrate-to-flux-operator/fn/report"
	"migrate-to-flux-operator/fn/shell"
)

// Result is what a run on a checkout would do.
type Result struct {
	migrate.Outcome
	// Objects says what becomes of each object, in Flux's words.
	Objects []report.Object `json:"objects"`
	// Files are the files that change.
	Files []report.File `json:"files"`

	changes []checkout.Change
	places  *places
	trees   []proof.Trees
	config  config.Config
	dir     string // the checkout
	call    call
	commit  []shell.Line // the commands that commit the changes, and push them
	// stages say of clusters that have deploy in their files where it is not yet; uncommitted are these files.
	stages      map[string]string
	uncommitted []string
}

// job is one run on a checkout.
type job struct {
	dir       string
	subfolder bool // it is only a part of a checkout, and meant to be
	config    config.Config
	live      []live.Snapshot // what kubectl said of the clusters; nil when it was not asked
	now       time.Time
	progress  progress
	call      call
}

// run migrates a checkout in memory.
//
// It fails when the checkout cannot be read; what stands in the way of the migration is an Error in the findings.
func (j job) run(ctx context.Context) (*Result, error) {
	defer j.progress.done()
	j.progress("reading " + printable.Line(j.dir))
	repo, err := open(ctx, j.dir, j.subfolder)
	if err != nil {
		return nil, err
	}
	defer repo.tree.Close()
	looked, strangers, err := j.look(repo)
	if err != nil {
		return nil, err
	}
	var gone finding.List
	repo.checkGone(j.config, &gone)
	j.progress("migrating")
	j.config.TakenOver = j.config.TakenOver || j.live != nil
	result := &Result{Outcome: migrate.Migrate(repo.set, j.config, j.progress.counted("migrating")),
		places: newPlaces(repo.read), config: j.config, dir: whole(j.dir), call: j.call, stages: map[string]string{}}
	repo.report(result)
	if result.Findings = append(result.Findings, gone.All()...); gone.Failed() {
		result.Findings = slices.DeleteFunc(result.Findings,
			func(f finding.Finding) bool { return f.Code == finding.AlreadyMigrated })
	}
	var pushed finding.List
	if !j.subfolder { // which may be the very folder
		repo.checkArtifacts(result.Installs, &pushed)
	}
	result.Findings = append(result.Findings, pushed.All()...)
	if err := j.lock(repo, result, looked, strangers); err != nil {
		return nil, err
	}
	j.make(repo, result)
	result.refuse()
	result.Findings = finding.Standing(result.Findings)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return result, nil
}

// interruptible runs what works in memory only, and does not wait for it once the context is cancelled. A mistake of
// this program becomes an error.
func interruptible[T any](ctx context.Context, work func(context.Context) (T, error)) (T, error) {
	type answer struct {
		result T
		err    error
	}
	done := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if broken := recover(); broken != nil {
				a = answer{err: internal(broken)}
			}
			done <- a
		}()
		a.result, a.err = work(ctx)
	}()
	select {
	case a := <-done:
		return a.result, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// make turns the migrated objects into changes of files and proves them. With an Error there are none.
func (j job) make(repo *repository, result *Result) {
	if result.Failed() {
		return
	}
	changes, err := repo.changes()
	if err != nil {
		result.Findings = append(result.Findings,
			finding.Finding{Severity: finding.Error, Code: finding.CannotBeEdited,
				Message: printable.Line(err.Error())})
		return
	}
	more, findings := bootstrap.Files(repo.tree.With(changes), repo.set, result.Installs, j.config)
	changes, result.Findings = append(changes, more...), append(result.Findings, findings...)
	if result.Failed() {
		return
	}
	result.changes, result.Files, result.Objects = changes, files(changes),
		report.Objects(repo.set, result.Installs, result.places.line)
	result.Findings = append(append(result.Findings, repo.mentions(result, j.config)...), repo.raised()...)
	repo.prove(result, j.config, j.progress)
	repo.toCommit(result)
	if result.Failed() {
		result.changes, result.Files, result.Objects = nil, nil, nil
	}
}

// refuse notes the clusters that an Error refuses, each with its first: its own, or one that is about no cluster and so
// about all.
func (r *Result) refuse() {
	for i := range r.Clusters {
		cluster := &r.Clusters[i]
		at := slices.IndexFunc(r.Findings, func(f finding.Finding) bool {
			return f.Severity == finding.Error && (f.Cluster == cluster.Path || f.Cluster == "")
		})
		if at >= 0 && cluster.Outcome != migrate.Refused {
			cluster.Outcome, cluster.Reason = migrate.Refused, r.Findings[at].String()
		}
	}
}

// report adds what the reading of the files has to say: broken YAML matters where it could hide something of Flux.
func (r *repository) report(result *Result) {
	for _, b := range r.broken {
		f := finding.Finding{Severity: finding.Info, Code: finding.FileNotRead, Topic: finding.NotRead, File: b.file,
			Index: b.index, Message: b.message()}
		switch {
		case isKustomizationFile(b.file) && r.decides(b.file, result):
			f.Severity = finding.Error
		case b.flux:
			f.Severity = finding.Warning
		}
		result.Findings = append(result.Findings, f)
	}
	result.Findings = append(result.Findings, leftover(r.tree)...)
	severity := finding.Info
	if len(result.Installs) == 0 {
		severity = finding.Warning // it may be the very thing that was looked for
	}
	if names := r.tree.LeftOut(); len(names) > 0 {
		if severity == finding.Warning && result.Failed() {
			severity = finding.Error
		}
		ignored := severity
		if ignored == finding.Info {
			ignored = finding.Warning // Flux reads it
		}
		result.Findings = append(result.Findings, finding.Finding{Severity: ignored, Code: finding.IgnoredByKrmignore,
			Topic:   finding.NotRead,
			Message: printable.Line(".krmignore leaves this out, which Flux reads all the same: " + someOf(names))})
	}
	for _, n := range r.tree.Notes() {
		result.Findings = append(result.Findings,
			finding.Finding{Severity: severity, Code: finding.FileNotRead, Topic: finding.NotRead, File: n.Path,
				Message: printable.Line(n.Path + " was not read: " + n.Message)})
	}
}

// someOf lists the first of many names.
func someOf(names []string) string {
	const some = 10
	if len(names) > some {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:some], ", "), len(names)-some)
	}
	return strings.Join(names, ", ")
}

// decides reports whether a kustomization.yaml is above or below the sync path of a cluster, so that it decides what is
// applied.
func (r *repository) decides(file string, result *Result) bool {
	return slices.ContainsFunc(result.Clusters,
		func(c migrate.Cluster) bool { return object.Within(path.Dir(file), c.Path) })
}

func files(changes []checkout.Change) []report.File {
	var all []report.File
	for _, c := range changes {
		action := "configured"
		switch {
		case c.Before == nil:
			action = "created"
		case c.After == nil:
			action = "deleted"
		}
		all = append(all, report.File{Action: action, Path: c.Path})
	}
	return all
}

// whole is how a checkout is named where a message is about all of it: a dot would tell nobody where they are.
func whole(dir string) string {
	if at, err := filepath.Abs(dir); err == nil && path.Clean(dir) == "." {
		return at
	}
	return dir
}

// failure is the error of a result with Errors: every one on a line, and then how to look their codes up.
func (r *Result) failure() error {
	var lines, codes []string
	above := ""
	for _, f := range r.Findings {
		if f.Severity != finding.Error {
			continue
		}
		located := r.places.located(f)
		if located.Where() == "" { // it is about the whole checkout
			located.File = r.dir
		}
		said := located.String()
		if f.Command != "" { // each on a line of its own
			located.Message = f.Sentence() + ":"
			said = located.String() + "\n  " + strings.ReplaceAll(f.Command, "\n", "\n  ")
		}
		if at := strings.Index(said, ", says "); at >= 0 && f.Code == finding.ClusterNotReady { // each begins alike
			file, what, _ := strings.Cut(said[at:], ": ")
			if head := said[:at] + file + ":"; head != above {
				lines, above = append(lines, head), head
			}
			said = "  - " + what
		}
		lines = append(lines, said)
		if code := string(f.Code); !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("%s\nmore: %s", strings.Join(lines, "\n"),
		shell.Run(append([]string{"migrate-to-flux-operator", "explain"}, codes...)...))
}
