// Package live looks at what kubectl printed of a cluster, and tells whether Flux Operator owns Flux there.
package live

import (
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/git"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/printable"
)

// The labels that Flux Operator puts on everything that it owns. Source: Flux Operator 0.58.1.
const (
	nameLabel      = "fluxcd.controlplane.io/name"
	namespaceLabel = "fluxcd.controlplane.io/namespace"
)

// ownerLabel is the label of the Flux Kustomization that applies an object.
const ownerLabel = classic.KustomizeGroup + "/name"

// Fits reports whether a snapshot is of the cluster that an install is for: its root syncs what the one in Git does.
func (s Snapshot) Fits(want Want) bool {
	root, source := s.find(want.Root), s.find(want.Source)
	return root != nil && want.hasPath(root) && (source == nil || sameURL(source, want))
}

// stranger says why a snapshot is probably of another cluster than a repository is for, empty where it is of that one,
// or where no Flux runs that would tell.
func (s Snapshot) stranger(want Want) string {
	root, source := s.find(want.Root), s.find(want.Source)
	const words = "this is probably the snapshot of another cluster: it syncs %s, and Git says %s; look at the context%s"
	context := ""
	if s.Context != "" {
		context = " (" + s.Context + ")"
	}
	switch {
	case source != nil && !sameURL(source, want) && git.Place(source.Str("spec", "url")) != git.Place(want.URL):
		return printable.Line(fmt.Sprintf(words, addressOf(source),
			inventory.WithoutCredentials(want.URL), context))
	case root != nil && !want.hasPath(root):
		return printable.Line(fmt.Sprintf(words, "./"+classic.CleanPath(root.Str("spec", "path")), "./"+want.Path,
			context))
	}
	return ""
}

// hasPath reports whether a root has the path that it is to have, or the one before the take-over.
func (w Want) hasPath(root *object.Object) bool {
	at := classic.CleanPath(root.Str("spec", "path"))
	return at == w.Path || at == w.From && w.From != ""
}

// sameURL reports whether a source is of the address that is wanted, as far as that is known.
func sameURL(source *object.Object, want Want) bool {
	return unknown(want.URL) || source.Str("spec", "url") == want.URL
}

// unknown reports whether a text says nothing: it is not there, or stands for something else.
func unknown(text string) bool { return text == "" || strings.Contains(text, "${") }

// find is an object of the cluster, nil where it is not there.
func (s Snapshot) find(id object.ID) *object.Object {
	for _, o := range s.Objects {
		if o.ID.Same(id) {
			return o
		}
	}
	return nil
}

// check looks for what is missing on the cluster for the classic install to go. Where no file defines a FluxInstance,
// it only looks at the sync pair.
func check(snapshot Snapshot, want Want) cluster {
	c := cluster{Snapshot: snapshot, want: want}
	if want.migrates() {
		c.instance()
	}
	c.root()
	c.source()
	if want.migrates() {
		c.owner()
	}
	for _, id := range c.want.Owned {
		if o := c.find(id); o != nil {
			c.owned(o)
		}
	}
	return c
}

// all is what is missing, one sentence each; nothing when Flux Operator owns Flux.
func (c cluster) all() []Problem {
	all := slices.Clone(c.missing)
	for _, text := range together(c.unowned, "Flux Operator does not own these") {
		all = append(all, Problem{true, finding.NotOwned, text})
	}
	return all
}

// takenOver reports whether Flux Operator owns Flux, in whatever state that is: it has applied the FluxInstance, and
// nothing that is there lacks its labels. They count only beside a FluxInstance, because they stay when it goes.
func (c cluster) takenOver() bool {
	o := c.Snapshot.find(c.want.Instance)
	return c.want.migrates() && c.want.Unknown == nil && o != nil && o.Str("status", "lastAppliedRevision") != "" &&
		len(c.unowned) == 0
}

// migrates reports whether Git defines a FluxInstance.
func (w Want) migrates() bool { return w.Instance.Name != "" }

// few is how many objects are spelled out, each in a sentence of its own.
const few = 3

// together says of many objects in one sentence what is said of each of a few in its own.
func together(each []sentence, of string) []string {
	var all []string
	if len(each) <= few {
		for _, s := range each {
			all = append(all, s.text)
		}
		return all
	}
	for _, s := range each[:few] {
		all = append(all, s.id.String())
	}
	return []string{fmt.Sprintf("%s: %s and %d more", of, strings.Join(all, ", "), len(each)-few)}
}

// sentence is what is said of an object.
type sentence struct {
	id   object.ID
	text string
}

// cluster is a snapshot beside what Git says, and what check finds missing.
type cluster struct {
	Snapshot
	want    Want
	missing []Problem
	unowned []sentence
}

func (c *cluster) miss(code finding.Code, format string, args ...any) {
	c.missing = append(c.missing, Problem{true, code, printable.Line(fmt.Sprintf(format, args...))})
}

// find is an object of the cluster; that it is not there, or goes, is missing.
func (c *cluster) find(id object.ID) *object.Object {
	o := c.Snapshot.find(id)
	switch {
	case o == nil:
		c.miss(finding.NotOnCluster,
			"%s is not in the file: it is not on the cluster, or the file is of another one", id)
	case o.Str("metadata", "deletionTimestamp") != "":
		c.miss(finding.NotOnCluster,
			"%s is being deleted: wait until it is gone and is there again, and take a new file", id)
	}
	return o
}

// instance wants the FluxInstance reconciled as it is.
func (c *cluster) instance() {
	o := c.find(c.want.Instance)
	if o == nil {
		return
	}
	generation := number(o.Map(), "metadata", "generation")
	conditions, _ := object.Get[[]any](o.Map(), "status", "conditions")
	ready := slices.ContainsFunc(conditions, func(entry any) bool {
		condition, _ := entry.(map[string]any)
		return condition["type"] == "Ready" && condition["status"] == "True" &&
			number(condition, "observedGeneration") == generation
	})
	if !ready || generation == 0 {
		c.miss(finding.InstanceNotReady, "%s is not Ready at its generation %v", o.ID, generation)
	}
	if _, syncs := object.Get[map[string]any](o.Map(), "spec", "sync"); syncs != c.want.Adopted {
		c.miss(finding.ClusterDiffers,
			"%s on the cluster is not the one in Git: only one of the two has spec.sync", o.ID)
	}
	if said := o.Annotation(reconcileKey); strings.EqualFold(said, instance.Disabled) {
		c.miss(finding.InstanceNotReady,
			"%s is annotated %s: %s, so that Flux Operator does nothing for it", o.ID, reconcileKey, said)
	}
	c.sameSpec(o)
	c.version(o)
}

// reconcileKey is the annotation that stops Flux Operator.
const reconcileKey = "fluxcd.controlplane.io/reconcile"

// sameSpec wants what Git says of the FluxInstance, and no more where lists say what there is.
func (c *cluster) sameSpec(o *object.Object) {
	spec, _ := object.Get[map[string]any](o.Map(), "spec")
	other := fieldsOf(unlike(c.want.Spec, spec))
	for _, list := range []string{"components", "kustomize", "sharding", "storage", "commonMetadata"} {
		if list != "components" || c.want.Spec[list] != nil { // which the API server fills in
			other = append(other, fieldsOf(unlike(map[string]any{list: spec[list]}, c.want.Spec))...)
		}
	}
	slices.Sort(other)
	for _, field := range slices.Compact(other) {
		c.miss(finding.ClusterDiffers,
			"%s has another spec.%s on the cluster than in Git: push, and wait until it is applied", o.ID, field)
	}
}

// version wants a Flux that is applied and that Git asks for.
func (c *cluster) version(o *object.Object) {
	asked, _ := object.Get[string](c.want.Spec, "distribution", "version")
	revision, _, _ := strings.Cut(o.Str("status", "lastAppliedRevision"), "@")
	applied, err := semver.NewVersion(revision)
	if err != nil {
		c.miss(finding.InstanceNotReady, "%s has applied no version of Flux", o.ID)
		return
	}
	if allowed, err := semver.NewConstraint(asked); err == nil && !allowed.Check(applied) {
		c.miss(finding.InstanceNotReady, "%s has applied Flux %s, and Git asks for %s", o.ID, applied, asked)
	}
}

// number is a number of a decoded object, 0 where there is none.
func number(m map[string]any, path ...string) float64 {
	n, _ := object.Get[float64](m, path...)
	return n
}

func (c *cluster) root() {
	o := c.find(c.want.Root)
	if o == nil {
		return
	}
	if at := classic.CleanPath(o.Str("spec", "path")); at != c.want.Path {
		c.miss(finding.ClusterDiffers, "%s syncs ./%s on the cluster and should sync ./%s: the root has not moved", o.ID,
			at, c.want.Path)
	}
	c.adopted(o)
}

func (c *cluster) source() {
	if o := c.find(c.want.Source); o != nil {
		if !sameURL(o, c.want) {
			c.miss(finding.ClusterDiffers,
				"%s has another spec.url on the cluster than in Git: the change has not come there", o.ID)
		}
		c.adopted(o)
	}
}

// adopted wants an object of the pair owned and guarded.
func (c *cluster) adopted(o *object.Object) {
	if !c.want.Adopted {
		return
	}
	c.owned(o)
	if !inventory.EntryOf(o.Map()).Excluded() {
		c.miss(finding.GuardNotLive,
			"%s has no annotation %s: %s: deleting it would delete every workload", o.ID, instance.PruneKey,
			instance.Disabled)
	}
}

// owned wants the labels of the FluxInstance on an object.
func (c *cluster) owned(o *object.Object) {
	of := c.want.Instance
	for _, label := range []struct{ key, value string }{{nameLabel, of.Name}, {namespaceLabel, of.Namespace}} {
		if has, _ := object.Get[string](o.Map(), "metadata", "labels", label.key); has != label.value {
			c.unowned = append(c.unowned, sentence{o.ID, printable.Line(fmt.Sprintf("%s is not owned by Flux "+
				"Operator: its label %s is %q, not %q",
				o.ID, label.key, has, label.value))})
			return
		}
	}
	if by, _ := object.Get[string](o.Map(), "metadata", "labels", ownerLabel); by != "" {
		c.miss(finding.NotOwned,
			"%s has two owners: Flux Operator, and by its label %s the Flux Kustomization %s", o.ID, ownerLabel, by)
	}
}

// owner wants the guard live on the Flux Kustomization that applies the classic install. One that is gone deletes
// nothing.
func (c *cluster) owner() {
	for _, o := range c.Objects {
		if c.want.Owner.Name != "" && o.ID.Same(c.want.Owner) && inventory.OwnerOf(o.Map()).Orphans(nil) == "" {
			c.miss(finding.GuardNotLive,
				"%s has neither deletionPolicy: Orphan nor prune: false: deleting it would delete Flux", o.ID)
		}
	}
}
