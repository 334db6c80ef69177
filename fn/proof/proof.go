// Package proof shows, from files alone, that a commit makes Flux prune nothing that the repository still wants: it
// builds what each Flux Kustomization applies before and after, and judges every object that leaves an inventory.
package proof

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
)

// Proof is what was found, and what each Flux Kustomization applies.
type Proof struct {
	Findings []finding.Finding
	Trees    []Trees
}

// Trees are the inventories of one cluster before and after a run, and how they compare.
type Trees struct {
	Cluster       string
	Before, After *inventory.Inventory
	Verdict       inventory.Verdict
}

// counted are the words for what becomes of objects, in the order in which the verdict says them.
var counted = []struct {
	action inventory.Action
	words  string
}{
	{inventory.New, "new"}, {inventory.Removed, "pruned on purpose"}, {inventory.Lost, "lost"},
	{inventory.Stuck, "stuck"},
	{inventory.Adopted, "taken over by Flux Operator"}, {inventory.Kept, "left on the cluster"},
	{inventory.Moved, "applied by another Flux Kustomization"}, {inventory.Replaced, "generated anew"},
	{inventory.Unjudged, "not judged"},
}

// kept counts the objects that are applied before the run, and those of them that Flux leaves on the cluster.
func (t Trees) kept() (kept, total int) {
	kept, total = t.Verdict.Unchanged, t.Verdict.Unchanged
	for _, change := range t.Verdict.Changes {
		if change.Action == inventory.New {
			continue
		}
		total++
		if change.Action != inventory.Removed && change.Severity != finding.Error {
			kept++
		}
	}
	return kept, total
}

// Pruned is how many objects Flux deletes.
func (t Trees) Pruned() int {
	kept, total := t.kept()
	return total - kept
}

// String is the verdict in one line, for a person.
func (t Trees) String() string {
	kept, total := t.kept()
	said := fmt.Sprintf("%d of %d objects kept", kept, total)
	if kept == total && t.Verdict.OK() {
		said = "nothing is pruned: " + said
	}
	for _, count := range counted {
		if n := len(t.Verdict.Of(count.action)); n > 0 {
			said += fmt.Sprintf(", %d %s", n, count.words)
		}
	}
	if opaque, all := t.Before.Share(); opaque > 0 {
		said += fmt.Sprintf("; %d of %d Flux Kustomizations are seen in part", opaque, all)
	}
	return said
}

// Prove compares the repository before and after a run, cluster by cluster. A loss is an Error, what could not be
// judged a Warning, and the count of the rest an Info. Clusters that the run leaves alone are compared as well: they
// may share files. It tells judging how many of the clusters it has got to.
func Prove(outcome migrate.Outcome, before, after fs.FS, cfg config.Config, judging func(n, of int)) Proof {
	installs := outcome.Installs
	if slices.ContainsFunc(installs, func(i *classic.Install) bool { return i.Pair.Prefix != "" }) {
		return Proof{Findings: []finding.Finding{NotWhole()}}
	}
	was, err := outcome.Files.With(before)
	if err != nil {
		return Proof{Findings: []finding.Finding{Unread(err)}}
	}
	is, err := was.With(after)
	if err != nil {
		return Proof{Findings: []finding.Finding{Unread(err)}}
	}
	s := states{before: was, after: is, files: before, added: is.Since(was), config: cfg}
	var all finding.List
	var trees []Trees
	var judged []*inventory.Inventory
	for n, install := range installs {
		judging(n+1, len(installs))
		findings := all.For(install.Cluster())
		t := s.prove(install, findings)
		if judged = append(judged, t.Before); t.After != nil {
			trees = append(trees, t)
		}
		all.Merge(findings)
	}
	s.proveOthers(installs, outcome.Others, judged, &all)
	s.proveArrival(outcome, trees, &all)
	if !slices.ContainsFunc(all.All(), func(f finding.Finding) bool { return f.Refuses("") }) {
		migrate.TellOpen(outcome.Clusters, &all)
	}
	return Proof{all.All(), trees}
}

// Unread is the finding where the files cannot be read.
func Unread(err error) finding.Finding {
	return finding.Finding{Severity: finding.Error, Code: finding.FilesUnreadable, Topic: finding.Proof,
		Message: "the files cannot be read to prove that Flux prunes nothing: " + err.Error()}
}

// states are the repository before and after a run.
type states struct {
	before, after *inventory.Files
	files         fs.FS                     // those of before
	added         map[inventory.ID][]string // what the files that the run wrote define, and these
	config        config.Config
}

// NotWhole is the finding where the files are not those of a whole repository.
func NotWhole() finding.Finding {
	return finding.Finding{Severity: finding.Warning, Code: finding.ProofLeftOut, Topic: finding.Proof,
		Message: "left out: the items are not a whole repository; run plan on the checkout to see that Flux prunes " +
			"nothing"}
}

// LeftOut is the finding where the proof is switched off.
func LeftOut() finding.Finding {
	return finding.Finding{Severity: finding.Warning, Code: finding.ProofLeftOut, Topic: finding.Proof,
		Message: "left out (proof: off): it was not checked that Flux prunes nothing"}
}

// prove judges the cluster of one install; After is nil where there is nothing to judge by.
func (s states) prove(install *classic.Install, findings *finding.List) Trees {
	root := inventory.Root{Kustomization: install.Pair.LiveRoot.Map(), Source: install.Pair.LiveSource.Map()}
	was := s.before.Build(root)
	unjudged := Trees{Cluster: install.Cluster(), Before: was}
	if broken := broken(was); broken != "" {
		findings.Error(finding.RootDoesNotBuild, install.Pair.Root, "spec.path",
			"Flux cannot build what the root applies, so no file shows what would be pruned: repair it first, and "+
				"wait until it is applied: %s", broken)
		return unjudged
	}
	if install.Reached && !shows(was, install) {
		findings.Error(finding.IgnoredBySource, install.Anchor, "", "Flux does not apply this, though the path of %s "+
			"leads to it: .sourceignore or spec.ignore of %s leaves it out, or it is a JSON file that no "+
			"kustomization.yaml lists. What runs came from elsewhere: run on the repository that has it, or remove "+
			"this if it is a copy", install.Pair.Root.ID, install.Pair.Source.ID)
		return unjudged
	}
	if missing := absent(was, install.Pair); missing != "" {
		findings.Warn(finding.RootDoesNotBuild, install.Pair.Root, "spec.path",
			"if this is all of the repository, Flux cannot build what the root applies today, and nothing of this "+
				"commit is applied before it can: %s", missing)
	}
	root = root.Substituting(was)
	is := s.after.Follow(was, root)
	verdict := inventory.Compare(was, is, Options(install, s.config))
	s.judge("this commit", verdict, install, findings)
	judged := Trees{install.Cluster(), was, is, verdict}
	findings.Info(finding.Compared, finding.Proof, install.Pair.Root, "", "%s", judged)
	if to := install.Pair.NewPath(s.config); to != "" {
		s.proveMove(root.At(to), was, is, install, findings)
	}
	return judged
}

// shows reports whether an inventory has what an install was recognised by, or the base that it lists; behind a value
// that no file shows it may have it.
func shows(was *inventory.Inventory, install *classic.Install) bool {
	anchor := install.Anchor
	listed := anchor.Name == "" // a kustomization.yaml
	unknown := slices.ContainsFunc(was.Opaque, func(o inventory.Opaque) bool {
		return o.Reason == inventory.OpaqueUnknown || listed && o.File == anchor.File
	})
	return unknown || install.Placeholder != "" || slices.ContainsFunc(was.Entries, func(e inventory.Entry) bool {
		return e.Kind == anchor.Kind && e.Name == anchor.Name
	})
}

// broken says why Flux cannot build what the root applies; empty where it can. It has kustomize inflate no charts.
// Source: kustomize-controller v1.7.3, which builds with plugins and Helm off.
func broken(was *inventory.Inventory) string {
	root := was.Owners[0]
	chart := slices.IndexFunc(was.Opaque, func(o inventory.Opaque) bool {
		return o.Reason == inventory.OpaqueHelm &&
			o.Owner == root.Name
	})
	if root.Broken == "" && chart >= 0 {
		return was.Opaque[chart].String() + " is for kustomize with --enable-helm, which Flux does not have: make it " +
			"a HelmRelease"
	}
	return root.Broken
}

// absent says which file that the root builds with is in no commit; empty where all are, and where files may come from
// elsewhere: from a submodule, from a source that this one includes, or from what makes an artifact or a bucket.
func absent(was *inventory.Inventory, pair classic.Pair) string {
	source := pair.LiveSource
	include, _ := object.Get[[]any](source.Map(), "spec", "include")
	submodules, _ := object.Get[bool](source.Map(), "spec", "recurseSubmodules")
	if source.Kind != "GitRepository" || pair.SourceUnseen || len(include) > 0 || submodules {
		return ""
	}
	missing := slices.IndexFunc(was.Opaque, func(o inventory.Opaque) bool {
		return o.Reason == inventory.OpaqueMissing && o.Owner == was.Owners[0].Name
	})
	if missing < 0 {
		return ""
	}
	return was.Opaque[missing].String()
}

// proveMove proves that the root can move to its new path: what it applies from there is what it applies from the old
// one when the phase deploy is live, and what the phase cleanup leaves is judged from the new path as well.
func (s states) proveMove(moved inventory.Root, was, is *inventory.Inventory, install *classic.Install,
	findings *finding.List) {
	from := is
	if s.config.Phase == config.Cleanup {
		from = s.before.Follow(was, moved)
	}
	verdict := inventory.Compare(from, is.From(moved), Options(install, s.config))
	s.judge("the root on its new path", verdict, install, findings)
	findings.Info(finding.Compared, finding.Proof, install.Pair.Root, "spec.path",
		"from its new path the root and what is below it apply the same %d objects; %d are new, %d are lost",
		verdict.Unchanged, len(verdict.Of(inventory.New)), len(verdict.Of(inventory.Lost)))
}

// proveOthers judges what the run does not migrate: nothing may change there, whatever guards it, for the guard may not
// be live yet. Of a cluster that was found, the roots that an inventory has are judged already, and so is what another
// one applies from the path of an install.
func (s states) proveOthers(installs []*classic.Install, given []inventory.Root, judged []*inventory.Inventory,
	findings *finding.List) {
	for _, cluster := range s.before.Discover(given...) {
		others := slices.DeleteFunc(slices.Clone(cluster.Roots), func(root inventory.Root) bool {
			return slices.ContainsFunc(judged, func(was *inventory.Inventory) bool { return was.Applies(root) }) ||
				slices.ContainsFunc(installs, func(i *classic.Install) bool { return i.Pair.Path == root.Path() })
		})
		if len(others) > 0 {
			was := cluster.Inventory.From(others...)
			s.proveUnchanged("this commit, on the cluster ./"+cluster.Path+",", was, s.after.Follow(was, others...),
				findings)
		}
	}
}

// proveUnchanged proves that a cluster goes on applying what it applies. That its Flux objects get a guard as well,
// because what may be a cluster has no list of its own for them, is told.
func (s states) proveUnchanged(what string, was, is *inventory.Inventory, findings *finding.List) {
	verdict := inventory.Compare(was, is, inventory.CompareOptions{})
	changed, guarded := inventory.Changed(was, is)
	if s.config.Phase == config.Cleanup {
		changed, guarded = append(changed, guarded...), nil
	}
	for _, change := range verdict.Changes {
		if change.Action != inventory.New && change.Severity == finding.Info {
			changed = append(changed, inventory.Entry{ID: change.ID, File: change.File})
			continue
		}
		file(what, change.Severity, change.File, change.String(), findings)
	}
	if n := len(changed); n > 0 {
		findings.Add(finding.Finding{Severity: finding.Error, Code: finding.SharedManifests, Topic: finding.Proof,
			File: changed[0].File.String(),
			Message: what + " would change what Flux applies there, and this run leaves that cluster alone: " +
				changed[0].ID.String() + andMore(n) +
				"; name that cluster as well, or give each cluster files of its own"})
	}
	if n := len(guarded); n > 0 {
		findings.Add(finding.Finding{Severity: finding.Warning, Code: finding.GuardsElsewhere, Topic: finding.Proof,
			File: guarded[0].File.String(),
			Message: what + " sets guards on what that cluster applies too: " + guarded[0].ID.String() + andMore(n) +
				"; they delete nothing, and " +
				"are all that changes there"})
	}
	applies(what, verdict.Of(inventory.New), findings)
	for _, issue := range verdict.Issues {
		if issue.Severity == finding.Error {
			breaks(what, issue, findings)
		}
	}
}

// andMore tells how many more there are than the first.
func andMore(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(" (and %d more)", n-1)
}

// Options name what Flux Operator takes over and what cleanup means to remove.
func Options(install *classic.Install, cfg config.Config) inventory.CompareOptions {
	adopted := map[inventory.ID]string{}
	for _, o := range []*object.Object{install.Pair.LiveSource, install.Pair.LiveRoot} {
		adopted[idOf(o)] = "Flux Operator generates it under the same name"
	}
	removed := map[inventory.ID]bool{}
	for _, o := range install.Objects {
		if install.Goes(o) {
			removed[idOf(o)] = true
		} else {
			adopted[idOf(o)] = "Flux Operator installs it under the same name"
		}
	}
	return inventory.CompareOptions{Release: install.Version.Release, Adopted: adopted, TakenOver: cfg.TakenOver,
		AdoptedBase: classic.IsRemoteBase, Removed: func(e inventory.Entry) string {
			if removed[e.ID] {
				return "it installed Flux the classic way"
			}
			return ""
		}}
}

func idOf(o *object.Object) inventory.ID {
	return inventory.ID{Group: o.Group(), Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
}

// judge files the Errors and Warnings of a verdict: Errors one by one, Warnings one for each Flux Kustomization. What
// the classic install's own Kustomization applies is known without building it.
func (s states) judge(what string, verdict inventory.Verdict, install *classic.Install, findings *finding.List) {
	for _, change := range verdict.Changes {
		file(what, change.Severity, change.File, change.String(), findings)
	}
	applies(what, slices.DeleteFunc(verdict.Of(inventory.New), func(change inventory.Change) bool {
		if len(s.added[change.ID]) > 0 {
			return true
		}
		_, err := fs.Stat(s.files, change.File.String())
		return err != nil // the run wrote it
	}), findings)
	warnings := map[string][]inventory.Issue{}
	var twice []inventory.Issue
	for _, issue := range verdict.Issues {
		owner := issue.Owner.String()
		switch {
		case issue.Severity == finding.Error:
			breaks(what, issue, findings)
		case strings.HasPrefix(issue.What, inventory.ProblemTwice):
			twice = append(twice, issue)
		case isBeside(issue, install):
			findings.Add(finding.Finding{Severity: finding.Warning, Code: finding.BesideInstall, Topic: finding.Proof,
				File: issue.File.String(), Message: fmt.Sprintf("%s applies %s from a remote base: Flux Operator "+
					"neither owns nor upgrades it; raise the release in its address together with the FluxInstance",
					owner, classic.ControllerOf(issue.What))})
		case issue.Severity == finding.Warning && (install.Owner == nil || issue.Owner.Name != install.Owner.Name):
			warnings[owner] = append(warnings[owner], issue)
		}
	}
	for _, group := range alike(warnings) {
		first, owner := group[0][0], group[0][0].Owner.String()
		if n := len(group); n > 1 {
			owner += fmt.Sprintf(" and %d more", n-1)
		}
		more := ""
		if n := len(group[0]); n > 1 {
			more = fmt.Sprintf(" (and %d more)", n-1)
		}
		findings.Add(finding.Finding{Severity: finding.Warning, Code: finding.Incomplete, Topic: finding.Proof,
			File:    first.File.String(),
			Message: owner + ": " + whatOf(group) + more})
	}
	twoOwners(twice, findings)
}

// isBeside reports whether an issue is about a remote base of a controller that the install does not have.
func isBeside(issue inventory.Issue, install *classic.Install) bool {
	controller := classic.ControllerOf(issue.What)
	return controller != "" && !slices.Contains(install.Options.Components, controller)
}

// readsOther begins the issue of a Flux Kustomization whose source is not this repository.
const readsOther = "not judged: " + inventory.OpaqueSource + ": reads "

// whatOf is the first issue of a group; where its Flux Kustomizations read several other sources, the names of these.
func whatOf(group [][]inventory.Issue) string {
	first := group[0][0].Beside()
	var sources []string
	for _, issues := range group {
		if source, reads := strings.CutPrefix(strings.TrimSuffix(issues[0].What, inventory.SourceAbsent),
			readsOther); reads && !slices.Contains(sources, source) {
			sources = append(sources, source)
		}
	}
	if len(sources) < 2 {
		return first
	}
	where := ""
	if strings.HasSuffix(first, inventory.SourceAbsent) {
		where = ", which are not in the repository"
	}
	const most = 3
	if n := len(sources); n > most {
		sources = append(sources[:most], fmt.Sprintf("%d more", n-most))
	}
	last := len(sources) - 1
	return "not judged: they read other sources" + where + ": " + strings.Join(sources[:last], ", ") + " and " +
		sources[last]
}

// alike puts the issues of Flux Kustomizations together that have one issue, in no file: the same one, or that they
// read other sources. The Flux Kustomizations are in the order of their names, and a group stands where its first one
// would.
func alike(byOwner map[string][]inventory.Issue) [][][]inventory.Issue {
	var groups [][][]inventory.Issue
	at := map[string]int{}
	for _, owner := range slices.Sorted(maps.Keys(byOwner)) {
		issues := byOwner[owner]
		what := issues[0].What
		if len(issues) > 1 || issues[0].File.String() != "" {
			what = owner // alone
		} else if strings.HasPrefix(what, readsOther) {
			what = fmt.Sprint(readsOther, strings.HasSuffix(what, inventory.SourceAbsent))
		}
		if _, known := at[what]; !known {
			at[what] = len(groups)
			groups = append(groups, nil)
		}
		groups[at[what]] = append(groups[at[what]], issues)
	}
	return groups
}

// twoOwners files in one Warning what had two owners before the run and has them after it. Of a name with ${variables}
// that no file resolves nobody knows whether two are the same.
func twoOwners(issues []inventory.Issue, findings *finding.List) {
	known := slices.DeleteFunc(issues, func(i inventory.Issue) bool { return strings.Contains(i.What, "${") })
	if len(known) == 0 {
		return
	}
	more := ""
	if n := len(known); n > 1 {
		more = fmt.Sprintf(" (and %d more: inventory lists them)", n-1)
	}
	first := known[0]
	findings.Add(finding.Finding{Severity: finding.Warning, Code: finding.TwoOwners, Topic: finding.Proof,
		File: first.File.String(),
		Message: "as before this commit: " + first.Owner.String() + ": " + first.What + more +
			"; nothing to do for the migration"})
}

// applies files what Flux would start to apply though the run means to add nothing there.
func applies(what string, added []inventory.Change, findings *finding.List) {
	if len(added) == 0 {
		return
	}
	more := ""
	if n := len(added); n > 1 {
		more = fmt.Sprintf(" (and %d more)", n-1)
	}
	findings.Add(finding.Finding{Severity: finding.Error, Code: finding.AppliesMore, Topic: finding.Proof,
		File:    added[0].File.String(),
		Message: what + " would make Flux apply what it does not apply today: " + added[0].ID.String() + more})
}

// breaks files what Flux could not apply any longer.
func breaks(what string, issue inventory.Issue, findings *finding.List) {
	findings.Add(finding.Finding{Severity: finding.Error, Code: finding.WouldBreak, Topic: finding.Proof,
		File:    issue.File.String(),
		Message: what + " would break what Flux applies: " + issue.Owner.String() + ": " + issue.Beside()})
}

func file(what string, severity finding.Severity, origin *inventory.Origin, message string, findings *finding.List) {
	switch severity {
	case finding.Error:
		findings.Add(finding.Finding{Severity: finding.Error, Code: finding.WouldDelete, Topic: finding.Proof,
			File: origin.String(), Message: what + " would make Flux delete or lose something: " + message})
	case finding.Warning:
		findings.Add(finding.Finding{Severity: finding.Warning, Code: finding.NotJudged, Topic: finding.Proof,
			File: origin.String(), Message: message})
	}
}
