// Package live looks at what kubectl printed of a cluster, and tells whether Flux Operator owns Flux there.
package live

import (
	"fmt"
	"slices"
	"strings"

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
	// Source and Root are the sync pair, Path the path that it syncs.
	Source, Root object.ID
	Path         string
	// Adopted tells that Flux Operator generates the pair; otherwise it stays in Git and nothing is asked of it.
	Adopted bool
	// Owner is the Flux Kustomization that applies the classic install; empty when the root does.
	Owner object.ID
	// Components are the controllers that the classic install runs.
	Components []string
}

// WantOf is what the cluster of an install is to show.
func WantOf(install *classic.Install, flux *instance.Existing) Want {
	want := Want{
		Instance: flux.ID(), Source: install.Pair.LiveSource.ID, Root: install.Pair.LiveRoot.ID, Path: install.Pair.Path, Adopted: flux.Adopts(),
		Components: install.Options.Components,
	}
	if install.Owner != nil {
		want.Owner = install.Owner.ID
	}
	return want
}

// Command prints what Check reads, into a file. It names types and no objects, because kubectl takes either, and no Secrets.
func Command(install *classic.Install, file string) shell.Line {
	source := map[string]string{"GitRepository": "gitrepositories", "OCIRepository": "ocirepositories", "Bucket": "buckets"}[install.Pair.Source.Kind]
	types := fmt.Sprintf("fluxinstances.%s,kustomizations.%s,%s.%s,deployments.apps", classic.OperatorGroup, classic.KustomizeGroup, source, classic.SourceGroup)
	return "(" + shell.Run("kubectl", "get", "-n", install.Namespace, types, "-o", "yaml") + "; echo ---; " +
		"kubectl get customresourcedefinitions -l app.kubernetes.io/part-of=flux -o yaml) > " + shell.Run(file)
}

// Check returns what is missing on the cluster, one sentence each; nothing when Flux Operator owns Flux.
func Check(objects []*object.Object, want Want) []string {
	c := cluster{objects: objects, want: want}
	c.instance()
	c.root()
	c.source()
	c.owner()
	c.controllers()
	c.definitions()
	return c.missing
}

// cluster is the state of one Check.
type cluster struct {
	objects []*object.Object
	want    Want
	missing []string
}

func (c *cluster) miss(format string, args ...any) {
	c.missing = append(c.missing, printable.Line(fmt.Sprintf(format, args...)))
}

// find is an object of the cluster; that it is not there is missing.
func (c *cluster) find(id object.ID) *object.Object {
	for _, o := range c.objects {
		if o.ID.Same(id) {
			return o
		}
	}
	c.miss("%s is not in the file: it is not on the cluster, or the file is of another one", id)
	return nil
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
	for _, o := range c.objects {
		if c.want.Owner.Name != "" && o.ID.Same(c.want.Owner) && inventory.OwnerOf(o.Map()).Orphans(nil) == "" {
			c.miss("%s has neither deletionPolicy: Orphan nor prune: false: deleting it would delete Flux", o.ID)
		}
	}
}

// controllers wants every controller of Flux owned.
func (c *cluster) controllers() {
	seen := 0
	for _, o := range c.objects {
		if o.Is("apps", "Deployment") && o.Namespace == c.want.Instance.Namespace && slices.Contains(c.want.Components, o.Name) {
			seen++
			c.owned(o)
		}
	}
	if seen == 0 {
		c.miss("the file holds no Deployment of Flux in %s", c.want.Instance.Namespace)
	}
}

// definitions wants every CRD of Flux owned.
func (c *cluster) definitions() {
	seen := 0
	for _, o := range c.objects {
		if o.Is("apiextensions.k8s.io", "CustomResourceDefinition") && strings.HasSuffix(o.Name, ".toolkit.fluxcd.io") {
			seen++
			c.owned(o)
		}
	}
	if seen == 0 {
		c.miss("the file holds no CRD of Flux")
	}
}
