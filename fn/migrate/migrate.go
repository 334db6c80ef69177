// Package migrate is the migration: it finds the classic installs of the input, plans what replaces each, and makes the
// edits of one phase. It is pure: objects and config in, objects and findings out.
package migrate

import (
	"fmt"
	"path"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/shell"
)

// The outcomes of a run for one cluster.
const (
	Deployed  = "deployed"
	CleanedUp = "cleaned-up"
	Unchanged = "unchanged"
	Refused   = "refused"
)

// Cluster says what was found and done for one cluster.
type Cluster struct {
	// Path is the sync path, as the config's clusters name it.
	Path    string `json:"path"`
	Layout  string `json:"layout"`
	Version string `json:"version,omitempty"`
	// Target is the version that the FluxInstance asks for.
	Target     string    `json:"target,omitempty"`
	Components []string  `json:"components,omitempty"`
	Patches    int       `json:"patches"`
	Source     object.ID `json:"source,omitzero"`
	Root       object.ID `json:"root,omitzero"`
	// Owner is the Flux Kustomization that applies the classic install and nothing else.
	Owner object.ID `json:"owner,omitzero"`
	// SourceFile and RootFile are where the sync pair is defined.
	SourceFile string `json:"sourceFile,omitempty"`
	RootFile   string `json:"rootFile,omitempty"`
	// Outcome is deployed, cleaned-up, unchanged or refused.
	Outcome string `json:"outcome"`
	// Reason is the first Error of a refused cluster.
	Reason string `json:"reason,omitempty"`
	// Instance is the file of the FluxInstance.
	Instance string `json:"instance,omitempty"`
	// Fields account for what the classic install says: where deploy moves it to, or why it needs no counterpart.
	Fields []instance.Move `json:"fields,omitempty"`
	// Classic are the objects that the classic install renders, Operator those that Flux Operator applies for the
	// FluxInstance, the sync pair among both where the FluxInstance generates it.
	Classic  []flux.ID `json:"-"`
	Operator []flux.ID `json:"-"`
}

// Outcome is the account of a run.
type Outcome struct {
	Clusters []Cluster         `json:"clusters"`
	Findings []finding.Finding `json:"findings"`
	// Installs are the classic installs behind the clusters.
	Installs []*classic.Install `json:"-"`
	// Files are the files of the input, with what was built of them; nil where that has none.
	Files *inventory.Files `json:"-"`
	// Others are the roots of the clusters that the run leaves alone, as far as no file defines them.
	Others []inventory.Root `json:"-"`
}

// Failed reports whether there is an Error, in which case the input is the output.
func (o Outcome) Failed() bool {
	return slices.ContainsFunc(o.Findings, func(f finding.Finding) bool { return f.Severity == finding.Error })
}

// Migrate makes one phase of the migration in the set. With an Error in the outcome the set is not to be used. It tells
// turning how many of the clusters it has got to.
func Migrate(set *object.Set, cfg config.Config, turning func(n, of int)) Outcome {
	var all finding.List
	installs := detect(set, cfg, &all)
	var together finding.List // what is said of several clusters at once
	overlapping := checkOverlap(installs, &together)
	cfg = checkOnePath(installs, cfg, &together)
	checkNames(set, installs, cfg, &together)
	if cfg.Phase == config.Cleanup {
		checkShared(installs, &together)
	} else {
		tellShared(installs, &together)
	}
	all.Merge(&together)
	if cfg.Phase == config.Deploy && cfg.TakenOver {
		all.Warn(finding.SettingWithoutEffect, nil, "", "config field takenOver (--taken-over) has no meaning in the "+
			"phase deploy: say it in the phase cleanup, once it is true")
	}
	before, err := asCame(set, installs)
	if err != nil {
		all.Error(finding.FilesUnreadable, nil, "", "what Flux applies cannot be read: %s; make it "+
			"readable, and run again", err)
	}
	outcome := Outcome{Others: otherRoots(set, installs, cfg)}
	others := before.others(installs, outcome.Others)
	for n, install := range installs {
		turning(n+1, len(installs))
		findings := all.For(install.Cluster())
		cluster := describe(install)
		if reason, two := overlapping[install]; two {
			cluster.Outcome, cluster.Reason = Refused, reason
		} else {
			there := len(set.Added())
			cluster.run(set, install, cfg, before, others, findings)
			for _, o := range set.Added()[there:] {
				before.added[o] = install
			}
		}
		all.Merge(findings)
		outcome.Clusters = append(outcome.Clusters, cluster)
	}
	outcome.Files = before.files
	if cfg.Phase == config.Deploy && !all.Failed() {
		outcome.Files = guardAll(set, installs, cfg, before, &all).files
	}
	if !together.Failed() && err == nil {
		TellOpen(outcome.Clusters, &all)
	}
	if len(installs) == 0 && len(cfg.Clusters) == 0 && !all.Failed() {
		nothingFound(set, &all)
		outcome.Files = tellHazardsOfMigrated(set, outcome.Others, &all)
	}
	checkSigned(set, &all)
	outcome.Findings, outcome.Installs = all.All(), installs
	return outcome
}

// Find finds the installs of the clusters that the config names as Migrate does, and edits nothing.
func Find(set *object.Set, cfg config.Config) ([]*classic.Install, []finding.Finding) {
	var all finding.List
	installs := detect(set, cfg, &all)
	checkOverlap(installs, &all)
	checkNames(set, installs, cfg, &all)
	var checked []*object.Object
	for _, i := range installs {
		if e := ExistingInstance(set, i, cfg); e != nil {
			checked = append(checked, e.At)
		}
	}
	for _, e := range instance.Existings(set) {
		if !slices.Contains(checked, e.At) {
			checkNamesIn(e.At, e.Instance, e.Field, &all)
		}
	}
	return installs, all.All()
}

// TellOpen says how the clusters without an Error are migrated where others have one: a run changes all of them or
// none.
func TellOpen(clusters []Cluster, all *finding.List) {
	if !all.Failed() {
		return
	}
	var open []string
	for _, c := range clusters {
		refused := slices.ContainsFunc(all.All(), func(f finding.Finding) bool { return f.Refuses(c.Path) })
		if !refused && (c.Outcome == Deployed || c.Outcome == CleanedUp) {
			open = append(open, string(shell.Run("--cluster", Named(c.Path, c.Root))))
		}
	}
	if len(open) > 0 {
		all.Info(finding.ClustersWithoutError, finding.Found, nil, "", "the clusters without an error can go first: "+
			"name them in the config field clusters (%s)", strings.Join(open, " "))
	}
}

// Named is how the list of clusters in flags names one: by its path, or by its root where the path would be several
// entries.
func Named(path string, root object.ID) string {
	if strings.ContainsAny(path, ", ") {
		return root.String()
	}
	return "./" + strings.TrimPrefix(path, ".")
}

// checkNames refuses an install under names that no cluster has, and in paths that cannot be printed: commands for a
// shell are made of them.
func checkNames(set *object.Set, installs []*classic.Install, cfg config.Config, all *finding.List) {
	for _, i := range installs {
		if e := ExistingInstance(set, i, cfg); e != nil {
			checkNamesIn(e.At, e.Instance, e.Field, all)
		}
		for _, o := range []*object.Object{i.Anchor, i.Owner, i.Pair.Source, i.Pair.Root, i.Pair.LiveSource,
			i.Pair.LiveRoot} {
			if o != nil {
				checkNamesIn(o, o.Map(), func(field string) string { return field }, all)
			}
		}
		if !printable.Fits(i.Cluster()) {
			all.Error(finding.InvalidName, i.Pair.Root, "spec.path", "the path has control characters, or a command "+
				"to a CI runner: rename it")
		}
	}
}

// checkNamesIn refuses such names in what an object holds.
func checkNamesIn(o *object.Object, held map[string]any, field func(string) string, all *finding.List) {
	for _, bad := range object.BadNames(held) {
		all.Error(finding.InvalidName, o, field(bad.Field), "%q is not a name that Kubernetes takes", bad.Value)
	}
	if !printable.Fits(o.File) {
		all.Error(finding.InvalidName, o, "", "the path of this file has control characters, or a command to a CI "+
			"runner: rename it")
	}
}

// checkSigned refuses to edit what SOPS has encrypted: it signs the whole object, and Flux refuses one that was edited
// since.
func checkSigned(set *object.Set, all *finding.List) {
	for _, o := range set.Input() {
		if !o.Changed() || set.Removed(o) {
			continue
		}
		if _, signed := o.Map()["sops"]; signed {
			all.Error(finding.SOPSSigned, o, "sops", "SOPS has encrypted and signed this object, so that no edit is "+
				"possible: decrypt it first, and encrypt it again after the run")
		}
	}
}

// detect finds the installs of the clusters that the config names. What stands in the way of others does not stand in
// theirs, and manifests that nothing syncs, such as templates, do not stand in the way of those that something does or
// did. Beside a FluxInstance they may be what is left of an install that was migrated by hand.
func detect(set *object.Set, cfg config.Config, all *finding.List) []*classic.Install {
	var found finding.List
	installs := classic.Detect(set, cfg, &found)
	kept := selected(set, installs, cfg, all)
	managed := len(instance.Existings(set)) > 0
	synced := len(installs) > 0 || managed
	for _, f := range found.All() {
		if f.Topic == finding.Unsynced && f.Code == finding.NoSyncPair && len(installs) > 0 && unlisted(set, f.File) {
			f.Message = "no kustomization.yaml lists this file, so no cluster applies it, and it is left as it is"
		}
		if f.Topic == finding.Unsynced && managed {
			f.Message = "where nothing applies this any more, because a FluxInstance took its place, it can go; else: " +
				f.Message
		}
		others := len(cfg.Clusters) > 0 && !all.Failed() || f.Topic == finding.Unsynced && synced
		if others && f.Severity == finding.Error {
			f.Severity = finding.Warning
		}
		all.Add(f)
	}
	return kept
}

// unlisted reports whether a file lies beside a kustomization.yaml, and neither that nor another one lists it: Flux
// applies it nowhere.
func unlisted(set *object.Set, file string) bool {
	if classic.KustomizationIn(set, path.Dir(file)) == nil {
		return false
	}
	for _, o := range set.Input() {
		if classic.KustomizationIn(set, path.Dir(o.File)) != o {
			continue
		}
		folder, err := classic.ReadFolder(set, path.Dir(o.File))
		if unread := err != nil && strings.Contains(o.Text(), path.Base(file)); unread || err == nil && folder.Lists(file) {
			return false
		}
	}
	return true
}

// selected keeps the installs of the clusters that the config names; all when it names none.
func selected(set *object.Set, installs []*classic.Install, cfg config.Config, all *finding.List) []*classic.Install {
	if len(cfg.Clusters) == 0 {
		return installs
	}
	for _, name := range cfg.Clusters {
		named := func(i *classic.Install) bool { return i.Pair.Named(name) }
		switch {
		case slices.ContainsFunc(installs, named):
		case migrated(set, name):
			all.Info(finding.AlreadyMigrated, finding.Found, nil, "", "no classic install is left at %s: a "+
				"FluxInstance syncs it", name)
		default:
			all.Error(finding.ClusterNotFound, nil, "", "config field clusters: no classic install syncs %s; found: "+
				"%s", name, paths(installs))
		}
	}
	return slices.DeleteFunc(slices.Clone(installs), func(i *classic.Install) bool {
		return !slices.ContainsFunc(cfg.Clusters, i.Pair.Named)
	})
}

// migrated reports whether a FluxInstance syncs a path, or generates a root that is named as findings name it.
func migrated(set *object.Set, name string) bool {
	return slices.ContainsFunc(instance.Existings(set), func(e *instance.Existing) bool {
		at := e.Str("spec", "sync", "path")
		return at != "" && (classic.CleanPath(at) == classic.CleanPath(name) || generates(e, name))
	})
}

// generates reports whether Flux Operator makes a Flux Kustomization for a FluxInstance.
func generates(e *instance.Existing, name string) bool {
	rendered, err := instance.Render(e.Instance)
	return err == nil && slices.ContainsFunc(idsOf(rendered), func(id flux.ID) bool {
		return object.ID{APIVersion: id.Group + "/v1", Kind: id.Kind, Namespace: id.Namespace,
			Name: id.Name}.String() == name
	})
}

func paths(installs []*classic.Install) string {
	var all []string
	for _, i := range installs {
		all = append(all, "./"+strings.TrimPrefix(i.Cluster(), "."))
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

// checkOverlap refuses several installs that one root syncs: which of them runs cannot be told. It returns them, each
// with the reason: a run for one of them would take the other for a part of the repository.
func checkOverlap(installs []*classic.Install, all *finding.List) map[*classic.Install]string {
	overlapping := map[*classic.Install]string{}
	for n, install := range installs {
		for _, other := range installs[:n] {
			if install.Pair.Is(other.Pair) {
				reason := fmt.Sprintf("two classic installs on one cluster: %s and %s are both synced by %s, and "+
					"which of them runs cannot be told. Guard the one that does not, for Flux would prune itself "+
					"with it: annotate all that it applies with %s: %s, or, where a Flux Kustomization of its own "+
					"applies it, set deletionPolicy: Orphan there; push that, and wait until it is applied. Only "+
					"then remove it",
					anchorOf(other), anchorOf(install), install.Pair.Root.ID, instance.PruneKey, instance.Disabled)
				all.Error(finding.TwoInstalls, install.Anchor, "", "%s", reason)
				overlapping[install], overlapping[other] = reason, reason
			}
		}
	}
	return overlapping
}

// anchorOf names what an install was recognised by, with its file: two installs can have objects of one name.
func anchorOf(i *classic.Install) string {
	if i.Anchor.File == "" {
		return i.Anchor.ID.String()
	}
	return i.Anchor.ID.String() + " in " + i.Anchor.File
}

// checkOnePath refuses to move the roots of several clusters to one path, and returns the config without it.
func checkOnePath(installs []*classic.Install, cfg config.Config, all *finding.List) config.Config {
	if len(installs) > 1 && cfg.Sync.Path != "" {
		all.Error(finding.RootCannotMove, nil, "", "config field sync.path is one path, and there are %d clusters: "+
			"name one of them in the config field clusters: %s", len(installs), paths(installs))
		cfg.Sync.Path = ""
	}
	return cfg
}

// checkShared refuses a cleanup that takes manifests away from a cluster which is not part of it.
func checkShared(installs []*classic.Install, all *finding.List) {
	for _, install := range installs {
		if install.Remote != nil {
			all.Error(finding.RemoteCluster, install.Remote, "spec.kubeConfig",
				"it applies the manifests of Flux to another cluster, where nothing has taken over: give that "+
					"cluster manifests of its own first")
		}
		for _, other := range install.Sharing {
			if !slices.ContainsFunc(installs, func(i *classic.Install) bool { return i.Pair.Is(other) }) {
				all.Error(finding.SharedManifests, install.Anchor, "", "the cluster ./%s applies these manifests "+
					"too: migrate it as well, and run cleanup for both at once", other.Path)
			}
		}
	}
}

// tellShared says in deploy which clusters cleanup needs besides: those whose manifests are the same.
func tellShared(installs []*classic.Install, all *finding.List) {
	for _, install := range installs {
		for _, other := range install.Sharing {
			if !slices.ContainsFunc(installs, func(i *classic.Install) bool { return i.Pair.Is(other) }) {
				findings := all.For(install.Cluster())
				findings.Info(finding.SharedManifests, finding.Found, install.Anchor, "", "cleanup needs the cluster ./%s "+
					"as well, which applies the same manifests", other.Path)
				all.Merge(findings)
			}
		}
	}
}

func describe(i *classic.Install) Cluster {
	var owner object.ID
	if i.Owner != nil {
		owner = i.Owner.ID
	}
	return Cluster{
		Owner: owner,
		Path:  i.Cluster(), Layout: i.Layout, Version: i.Version.String(), Components: i.Options.Components,
		Patches: len(i.Patches),
		Source:  i.Pair.Source.ID, Root: i.Pair.Root.ID, SourceFile: i.Pair.Source.File, RootFile: i.Pair.Root.File,
	}
}

// run makes the phase for one cluster and notes how it ended.
func (c *Cluster) run(set *object.Set, install *classic.Install, cfg config.Config, before applied, others others,
	findings *finding.List) {
	existing := ExistingInstance(set, install, cfg)
	unchanged := len(set.Added()) + edits(set)
	if install.CheckSyncRelease(set, findings); findings.Failed() {
		c.Outcome, c.Reason = Refused, firstError(findings)
		return
	}
	if cfg.Phase == config.Cleanup {
		cleanup(set, install, existing, cfg, before, others, findings)
	} else if plan := deploy(set, install, existing, cfg, before, others, findings); plan != nil {
		c.Fields, c.Classic, c.Operator = plan.Moves(), idsOf(plan.Before), idsOf(plan.After)
		c.Target = plan.Version
	}
	if existing != nil {
		c.observe(install, existing)
		if install.RemoteBase && cfg.Phase == config.Cleanup && !findings.Failed() {
			c.tellLeft(install, findings)
		}
	}
	switch {
	case findings.Failed():
		c.Outcome, c.Reason = Refused, firstError(findings)
	case len(set.Added())+edits(set) == unchanged:
		c.Outcome = Unchanged
	case cfg.Phase == config.Cleanup:
		c.Outcome = CleanedUp
	default:
		c.Outcome = Deployed
	}
	if now := ExistingInstance(set, install, cfg); now != nil {
		c.Instance = now.At.File
	}
}

// observe notes what a FluxInstance that is there already has taken the place of.
func (c *Cluster) observe(install *classic.Install, existing *instance.Existing) {
	c.Target = existing.Str("spec", "distribution", "version")
	today, err := install.Base(install.Options.Version)
	if err == nil {
		today, err = instance.Shape(install, today)
	}
	if err == nil {
		c.Classic = idsOf(today)
	}
	if rendered, err := instance.Render(existing.Instance); err == nil {
		c.Operator = idsOf(rendered)
	}
}

// tellLeft says what the classic install has under names that Flux Operator does not use: the guard keeps it, and where
// it was applied by hand nothing ever pruned it.
func (c *Cluster) tellLeft(install *classic.Install, findings *finding.List) {
	var commands []shell.Line
	for _, id := range c.Classic {
		if slices.Contains(c.Operator, id) {
			continue
		}
		words := []string{"kubectl", "delete", strings.TrimSuffix(strings.ToLower(id.Kind)+"."+id.Group, ".") + "/" +
			id.Name}
		if id.Namespace != "" {
			words = append(words, "-n", id.Namespace)
		}
		commands = append(commands, shell.Run(words...))
	}
	if len(commands) > 0 {
		findings.Run(finding.DeleteByHand, finding.Verify, install.Anchor, commands,
			"what the classic install has under other names than Flux Operator stays on the cluster until it is "+
				"deleted by hand")
	}
}

// idsOf names rendered objects.
func idsOf(nodes []*kyaml.RNode) []flux.ID {
	var ids []flux.ID
	for _, node := range nodes {
		ids = append(ids, flux.IDOf(node))
	}
	return ids
}

// edits counts the objects of the input that were edited or removed.
func edits(set *object.Set) int {
	type key struct{}
	return object.Until(set, key{}, func(set *object.Set) int {
		n := 0
		for _, o := range set.Input() {
			if o.Changed() || set.Removed(o) {
				n++
			}
		}
		return n
	})
}

func firstError(findings *finding.List) string {
	for _, f := range findings.All() {
		if f.Severity == finding.Error {
			return f.String()
		}
	}
	return ""
}

// nothingFound tells an input that is already migrated from one that has no Flux.
func nothingFound(set *object.Set, all *finding.List) {
	if there := instance.Existings(set); len(there) > 0 {
		of := "this FluxInstance"
		if there[0].Form == config.HelmRelease {
			of = "the FluxInstance of this HelmRelease"
		}
		all.Info(finding.AlreadyMigrated, finding.Found, there[0].At, "", "no classic install is left: Flux is "+
			"managed by %s", of)
		return
	}
	if !classic.TellTraces(set, all) {
		all.Error(finding.NoInstall, nil, "", "no classic Flux install found in the input: expected one of the "+
			"layouts %s; run on the whole repository",
			strings.Join(classic.Layouts(), ", "))
	}
}
