// Package live looks at what kubectl printed of a cluster, and tells whether Flux Operator owns Flux there.
package live

import (
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/shell"
)

// The labels that Flux Operator puts on everything that it owns. Source: Flux Operator 0.58.1.
const (
	nameLabel      = "fluxcd.controlplane.io/name"
	namespaceLabel = "fluxcd.controlplane.io/namespace"
)

// Want is what the cluster is to show before the classic install may go.
type Want struct {
	// Instance is the FluxInstance.
	Instance object.ID
	// Spec is what Git says of the FluxInstance.
	Spec map[string]any
	// Source and Root are the sync pair, URL and Path what it syncs; another Path is fine as long as the root has not moved.
	Source, Root object.ID
	URL, Path    string
	// Adopted tells that Flux Operator generates the pair; otherwise it stays in Git and nothing is asked of it.
	Adopted bool
	// Owner is the Flux Kustomization that applies the classic install; empty when the root does.
	Owner object.ID
	// Owned are the controllers and CRDs that Flux Operator generates.
	Owned []object.ID
}

// WantOf is what the cluster of an install is to show.
//
// It fails where it is not known what Flux Operator generates.
func WantOf(install *classic.Install, existing *instance.Existing) (Want, error) {
	want := Want{
		Instance: existing.ID(), Source: install.Pair.LiveSource.ID, Root: install.Pair.LiveRoot.ID, Path: install.Pair.Path, Adopted: existing.Adopts(),
		URL: install.Pair.LiveSource.Str("spec", "url"),
	}
	want.Spec, _ = object.Get[map[string]any](existing.Instance, "spec")
	if url, set := object.Get[string](want.Spec, "sync", "url"); set {
		want.URL = url
	}
	if install.Owner != nil {
		want.Owner = install.Owner.ID
	}
	if existing.Err != nil {
		return want, existing.Err
	}
	generated, err := instance.Render(existing.Instance)
	for _, node := range generated {
		if kind := node.GetKind(); kind == "Deployment" || kind == "CustomResourceDefinition" {
			want.Owned = append(want.Owned, object.ID{APIVersion: node.GetApiVersion(), Kind: kind, Namespace: node.GetNamespace(), Name: node.GetName()})
		}
	}
	return want, err
}

// Fits reports whether a snapshot is of the cluster that an install is for: its root syncs what the one in Git does.
func (s Snapshot) Fits(want Want) bool {
	root, source := s.find(want.Root), s.find(want.Source)
	return root != nil && classic.CleanPath(root.Str("spec", "path")) == want.Path && (source == nil || sameURL(source, want))
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

// Command prints what Check reads, and when, into a file. It names types and no objects, because kubectl takes either, and no Secrets.
func Command(install *classic.Install, file string) shell.Line {
	source := map[string]string{"GitRepository": "gitrepositories", "OCIRepository": "ocirepositories", "Bucket": "buckets"}[install.Pair.Source.Kind]
	types := fmt.Sprintf("fluxinstances.%s,kustomizations.%s,%s.%s,deployments.apps", classic.OperatorGroup, classic.KustomizeGroup, source, classic.SourceGroup)
	return "(" + shell.Run("kubectl", "get", "-n", install.Namespace, types, "-o", "yaml") + "; echo ---; " +
		"kubectl get customresourcedefinitions -l app.kubernetes.io/part-of=flux -o yaml; " +
		"date -u '+" + takenMark + "%Y-%m-%dT%H:%M:%SZ') > " + shell.Run(file)
}

// Check returns what is missing on the cluster, one sentence each; nothing when Flux Operator owns Flux.
func Check(snapshot Snapshot, want Want) []string {
	c := cluster{Snapshot: snapshot, want: want}
	c.instance()
	c.root()
	c.source()
	c.owner()
	for _, id := range c.want.Owned {
		if o := c.find(id); o != nil {
			c.owned(o)
		}
	}
	return c.missing
}

// cluster is the state of one Check.
type cluster struct {
	Snapshot
	want    Want
	missing []string
}

func (c *cluster) miss(format string, args ...any) {
	c.missing = append(c.missing, printable.Line(fmt.Sprintf(format, args...)))
}

// find is an object of the cluster; that it is not there, or goes, is missing.
func (c *cluster) find(id object.ID) *object.Object {
	o := c.Snapshot.find(id)
	switch {
	case o == nil:
		c.miss("%s is not in the file: it is not on the cluster, or the file is of another one", id)
	case o.Str("metadata", "deletionTimestamp") != "":
		c.miss("%s is being deleted: wait until it is gone and is there again, and take a new file", id)
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
		return condition["type"] == "Ready" && condition["status"] == "True" && number(condition, "observedGeneration") == generation
	})
	if !ready || generation == 0 {
		c.miss("%s is not Ready at its generation %v", o.ID, generation)
	}
	if _, syncs := object.Get[map[string]any](o.Map(), "spec", "sync"); syncs != c.want.Adopted {
		c.miss("%s on the cluster is not the one in Git: only one of the two has spec.sync", o.ID)
	}
	if said, _ := object.Get[string](o.Map(), "metadata", "annotations", reconcileKey); strings.EqualFold(said, instance.Disabled) {
		c.miss("%s is annotated %s: %s, so that Flux Operator does nothing for it", o.ID, reconcileKey, said)
	}
	c.sameSpec(o)
	c.version(o)
}

// reconcileKey is the annotation that stops Flux Operator.
const reconcileKey = "fluxcd.controlplane.io/reconcile"

// compared are the fields of a FluxInstance that have to be on the cluster as they are in Git.
var compared = [][]string{
	{"distribution", "version"}, {"distribution", "registry"}, {"components"},
	{"sync", "kind"}, {"sync", "url"}, {"sync", "ref"}, {"sync", "path"}, {"sync", "name"},
}

// sameSpec wants what Git says of the FluxInstance.
func (c *cluster) sameSpec(o *object.Object) {
	for _, field := range compared {
		git, inGit := object.Get[any](c.want.Spec, field...)
		is, _ := object.Get[any](o.Map(), append([]string{"spec"}, field...)...)
		if text, isText := git.(string); !inGit || isText && unknown(text) {
			continue
		}
		if asText(git) != asText(is) {
			c.miss("%s has another spec.%s on the cluster than in Git: push, and wait until it is applied", o.ID, strings.Join(field, "."))
		}
	}
}

// asText tells values apart; the order of a list does not matter.
func asText(value any) string {
	list, isList := value.([]any)
	if !isList {
		return fmt.Sprintf("%q", fmt.Sprint(value))
	}
	words := make([]string, len(list))
	for i, entry := range list {
		words[i] = fmt.Sprint(entry)
	}
	slices.Sort(words)
	return fmt.Sprintf("%q", strings.Join(words, ", "))
}

// version wants a Flux that is applied and that Git asks for.
func (c *cluster) version(o *object.Object) {
	asked, _ := object.Get[string](c.want.Spec, "distribution", "version")
	revision, _, _ := strings.Cut(o.Str("status", "lastAppliedRevision"), "@")
	applied, err := semver.NewVersion(revision)
	if err != nil {
		c.miss("%s has applied no version of Flux", o.ID)
		return
	}
	if allowed, err := semver.NewConstraint(asked); err == nil && !allowed.Check(applied) {
		c.miss("%s has applied Flux %s, and Git asks for %s", o.ID, applied, asked)
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
		c.miss("%s syncs ./%s on the cluster and should sync ./%s: the file is of another cluster, or the root has not moved", o.ID, at, c.want.Path)
	}
	c.adopted(o)
}

func (c *cluster) source() {
	if o := c.find(c.want.Source); o != nil {
		if !sameURL(o, c.want) {
			c.miss("%s has another spec.url on the cluster than in Git: the file is of another cluster, or the change has not come there", o.ID)
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
		c.miss("%s has no annotation %s: %s: deleting it would delete every workload", o.ID, instance.PruneKey, instance.Disabled)
	}
}

// owned wants the labels of the FluxInstance on an object.
func (c *cluster) owned(o *object.Object) {
	for _, label := range []struct{ key, value string }{{nameLabel, c.want.Instance.Name}, {namespaceLabel, c.want.Instance.Namespace}} {
		if has, _ := object.Get[string](o.Map(), "metadata", "labels", label.key); has != label.value {
			c.miss("%s is not owned by Flux Operator: its label %s is %q, not %q", o.ID, label.key, has, label.value)
			return
		}
	}
}

// owner wants the guard live on the Flux Kustomization that applies the classic install. One that is gone deletes nothing.
func (c *cluster) owner() {
	for _, o := range c.Objects {
		if c.want.Owner.Name != "" && o.ID.Same(c.want.Owner) && inventory.OwnerOf(o.Map()).Orphans(nil) == "" {
			c.miss("%s has neither deletionPolicy: Orphan nor prune: false: deleting it would delete Flux", o.ID)
		}
	}
}
