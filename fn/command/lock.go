package command

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/git"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/limit"
	"migrate-to-flux-operator/fn/live"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/shell"
)

// readLive reads what kubectl said of a cluster, from stdin for -.
func readLive(in io.Reader, dir, file string) (live.Snapshot, error) {
	read := func() ([]byte, error) { return readGiven(dir, file, limit.List) }
	if file == "-" {
		read = func() ([]byte, error) { return limit.Read(in, limit.List) }
	}
	text, err := read()
	if err != nil {
		return live.Snapshot{}, fmt.Errorf("--live: %w", err)
	}
	snapshot, err := live.Read(string(text))
	if err != nil {
		return live.Snapshot{}, fmt.Errorf("--live %s: %w", file, err)
	}
	snapshot.Name = file
	return snapshot, nil
}

// The files that plan lets kubectl write to: outside of the checkout, which they are not part of.
const (
	liveFile  = "/tmp/live.yaml"
	livesFile = "/tmp/NAME.yaml" // of one of several clusters
)

// look verifies the snapshots of a run, as verify does, before anything is edited.
func (j job) look(repo *repository) ([]live.Report, []live.Snapshot, error) {
	if j.live == nil {
		return nil, nil, nil
	}
	wants, _, err := repo.wants(j.config) // what stands in the way is found again by the run
	reports, strangers := reportsOf(j.live, wants, j.now)
	return reports, strangers, err
}

// lock holds cleanup back until deploy's commit is pushed and the cluster has taken over, as far as either can be seen.
// It says how to see the latter as long as the classic install is there.
func (j job) lock(repo *repository, result *Result, looked []live.Report, strangers []live.Snapshot) error {
	var all finding.List
	for i, install := range result.Installs {
		findings := all.For(install.Cluster())
		cluster := result.Clusters[i]
		switch {
		case cluster.Outcome != migrate.CleanedUp:
			j.explain(install, cluster, len(result.Installs), findings)
		case j.live != nil:
			j.checkLive(install, looked, findings)
		}
		if cluster.Outcome == migrate.CleanedUp {
			if err := j.checkPublished(repo, install, cluster, findings); err != nil {
				return err
			}
		}
		if j.config.Phase == config.Deploy && cluster.Outcome == migrate.Unchanged && cluster.Instance != "" {
			repo.stage(result, install, cluster)
		}
		all.Merge(findings)
	}
	j.checkSnapshots(strangers, &all)
	result.Findings = append(result.Findings, all.All()...)
	return nil
}

// explain says how to look at the cluster before cleanup: in deploy that comes last, in cleanup first.
func (j job) explain(install *classic.Install, cluster migrate.Cluster, clusters int, findings *finding.List) {
	early := j.config.Phase == config.Deploy || cluster.Instance == ""
	if cluster.Outcome == migrate.Refused && early || install.KeepReason != "" {
		return
	}
	topic := finding.Verify
	if j.config.Phase == config.Cleanup {
		topic = finding.Look
	}
	file, run, on := liveFile, shell.Run("sh"), ""
	if clusters > 1 {
		file, run, on = livesFile, shell.Run("sh", "-s", "--", "--context", "NAME"), ", on each (NAME is its context)"
	}
	look := []shell.Line{j.call.of("verify", "--script").Pipe(run.Into(file)), j.call.of("verify", "--live", file)}
	findings.Run(finding.LookAtCluster, topic, install.Pair.Root, look, "see what the cluster says, and whether "+
		"cleanup is safe%s", on)
}

// checkLive files what verify finds on the cluster: on each one of which there is a snapshot, because several may share
// what is in Git.
func (j job) checkLive(install *classic.Install, reports []live.Report, findings *finding.List) {
	seen := false
	for _, r := range reports {
		if r.Cluster != install.Cluster() {
			continue
		}
		seen = true
		words := "cleanup is not safe"
		if r.Phase != live.TakenOver {
			words = "the cluster has not taken over"
		}
		for _, stops := range r.Stopped() {
			findings.Error(finding.ClusterNotReady, install.Anchor, "", words+", says %s: %s", r.Snapshot, stops)
		}
		if !r.Safe && len(r.Stopped()) == 0 {
			findings.Error(finding.ClusterNotReady, install.Anchor, "", words+", says %s: %s", r.Snapshot, r.Next)
		}
	}
	if !seen {
		findings.Error(finding.SnapshotOfAnotherCluster, install.Anchor, "",
			"no --live file is of this cluster: in none does %s sync ./%s from the source that is in Git",
			install.Pair.LiveRoot.ID, install.Cluster())
	}
}

// checkSnapshots says when each snapshot was taken, and refuses one that is of no cluster of the run.
func (j job) checkSnapshots(strangers []live.Snapshot, findings *finding.List) {
	for _, snapshot := range j.live {
		if snapshot.Old(j.now) == "" {
			findings.Info(finding.SnapshotTaken, finding.Look, nil, "", "--live %s was taken %s", snapshot.Name,
				snapshot.Taken.Format(time.RFC3339))
		}
	}
	for _, snapshot := range strangers {
		findings.Error(finding.SnapshotOfAnotherCluster, nil, "", "--live %s is of none of the clusters of this run: "+
			"leave it out, or name its cluster with --cluster", snapshot.Name)
	}
}

// checkPublished refuses a cleanup while deploy's files are not in the branch that Flux reads, or where that is not
// known in the upstream branch: a guard that is only in the working tree holds nothing.
func (j job) checkPublished(repo *repository, install *classic.Install, cluster migrate.Cluster,
	findings *finding.List) error {
	clone := repo.tree.Repository()
	if clone == nil {
		findings.Warn(finding.PushNotChecked, install.Anchor, "", "%s is not a Git checkout: it was not checked that "+
			"deploy's commit is pushed; run on a clone, or see to it yourself", repo.dir)
		return nil
	}
	branch, published, err := repo.published(install, cluster)
	source := install.Pair.LiveSource
	_, followed, _ := strings.Cut(published.Upstream, "/")
	const early, push = "cleanup is too early: what deploy wrote is not ", "wait until the cluster has taken over, " +
		"and run cleanup then"
	refuse := func(where string, files []string, first string) {
		findings.Error(finding.CleanupUnpublished, install.Anchor, "", early+"%s: %s; %s, "+push, where,
			strings.Join(files, ", "), first)
	}
	switch {
	case err != nil:
		findings.Error(finding.GitUnreadable, install.Anchor, "", "it cannot be seen whether deploy's commit is "+
			"pushed: %v", err)
	case len(published.Uncommitted) > 0:
		refuse("committed", published.Uncommitted, "commit and push them")
	case len(published.Lacking) > 0:
		refuse("in "+published.Read+", which Flux reads", published.Lacking,
			"push or merge it (git fetch, where that is done)")
	case published.Read != "":
	case published.Upstream == "":
		findings.Warn(finding.PushNotChecked, install.Anchor, "", "%s: it was not checked that deploy's commit is "+
			"pushed", published.Why)
	case len(published.Unpushed) > 0:
		refuse("in "+published.Upstream, published.Unpushed, "push them")
	case branch != "" && branch != followed:
		findings.Warn(finding.PushNotChecked, source, "spec.ref.branch", "it was not checked that deploy's commit is "+
			"in the branch %s, which Flux reads: it is not fetched", branch)
	}
	if published.Behind != "" && !findings.Failed() {
		findings.Warn(finding.CloneBehind, install.Anchor, "", "%s: pull, and run again, so that what is judged is "+
			"what will be pushed", published.Behind)
	}
	return nil
}

// published tells how far what deploy wrote for a cluster has come, and names the branch that Flux reads; empty where
// that is not known.
func (r *repository) published(install *classic.Install, cluster migrate.Cluster) (string, git.Publication, error) {
	source := install.Pair.LiveSource
	branch := instance.Branch(source)
	files, err := r.contents(r.deployed(install, cluster.Instance))
	if err != nil {
		return branch, git.Publication{}, err
	}
	published, err := r.tree.Repository().Published(files, source.Str("spec", "url"), branch)
	return branch, published, err
}

// stage finds out of a cluster that has all of deploy in its files what is not committed of it, and whether the branch
// that Flux reads has it, or where that is not known the upstream branch.
func (r *repository) stage(result *Result, install *classic.Install, cluster migrate.Cluster) {
	if r.tree.Repository() == nil {
		return
	}
	_, published, err := r.published(install, cluster)
	switch {
	case err != nil:
		result.stages[cluster.Path] = "it cannot be seen whether it is committed"
	case len(published.Uncommitted) > 0:
		result.stages[cluster.Path] = "not committed"
		result.uncommitted = append(result.uncommitted, published.Uncommitted...)
	case len(published.Lacking) > 0:
		result.stages[cluster.Path] = "not in " + published.Read + ", which Flux reads"
	case published.Read == "" && published.Upstream != "" && len(published.Unpushed) > 0:
		result.stages[cluster.Path] = "not in " + published.Upstream
	}
}

// contents are files with what they hold.
func (r *repository) contents(files []string) (map[string][]byte, error) {
	all := map[string][]byte{}
	for _, file := range files {
		content, err := r.tree.ReadFile(file)
		if err != nil {
			return nil, err
		}
		all[file] = content
	}
	return all, nil
}

// deployed are the files that deploy wrote or edited for a cluster, sorted: those of the FluxInstance, of the Flux
// Kustomization that applies it and of what is beside it, and those that carry or list the guards.
func (r *repository) deployed(install *classic.Install, instance string) []string {
	folders := r.newFolders(install, instance)
	guarded := append([]*object.Object{install.Anchor, install.Owner, install.Pair.Source, install.Pair.Root},
		install.Objects...)
	if install.Folder != nil {
		guarded = append(guarded, install.Folder.Object)
	}
	files := []string{instance}
	for _, o := range r.set.Input() {
		lists := isKustomizationFile(o.File) && path.Dir(o.File) == install.Pair.Dir()
		inNew := slices.ContainsFunc(folders, func(dir string) bool { return object.Within(path.Dir(o.File), dir) })
		if lists || inNew || slices.Contains(guarded, o) || r.applies(o, install, instance) {
			files = append(files, o.File)
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// newFolders are the folders that only hold what deploy wrote: that of the FluxInstance, and the one around it where
// that of the Flux Kustomization is and the classic install is not.
func (r *repository) newFolders(install *classic.Install, instance string) []string {
	var folders []string
	add := func(dir string) {
		for _, old := range []*object.Object{install.Anchor, install.Pair.Root} {
			if object.Within(path.Dir(old.File), dir) {
				return
			}
		}
		folders = append(folders, dir)
	}
	add(path.Dir(instance))
	for _, o := range r.set.Input() {
		if r.applies(o, install, instance) && object.Within(path.Dir(instance), path.Dir(o.File)) {
			add(path.Dir(o.File))
		}
	}
	return folders
}

// applies reports whether an object is a Flux Kustomization for the folder of the FluxInstance, which is not the root.
func (r *repository) applies(o *object.Object, install *classic.Install, instance string) bool {
	return o.Is(classic.KustomizeGroup, "Kustomization") && o != install.Pair.Root &&
		classic.CleanPath(o.Str("spec", "path")) == path.Join(install.Pair.Prefix, path.Dir(instance))
}
