package live

import (
	"cmp"
	"path"
	"slices"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
)

// Want is what Git says of a cluster, and what the cluster is to show before the classic install may go.
type Want struct {
	// Cluster is the sync path, as the config's clusters name it, and Namespace is where Flux runs.
	Cluster, Namespace string
	// Classic is the release of the classic install; nil where none is in Git.
	Classic *classic.Version
	// KeepReason says why cleanup cannot remove the classic install, and what its owner does instead; empty where it
	// can.
	KeepReason string
	// Instance is the FluxInstance; empty where no file defines one.
	Instance object.ID
	// Spec is what Git says of the FluxInstance.
	Spec map[string]any
	// Source and Root are the sync pair, URL and Path what it syncs; another Path is fine as long as the root has not
	// moved.
	Source, Root object.ID
	URL, Path    string
	// From is the path that the root has before the take-over; empty where that is the same.
	From string
	// Adopted tells that Flux Operator generates the pair; otherwise it stays in Git and nothing is asked of it.
	Adopted bool
	// Owner is the Flux Kustomization that applies the classic install; empty when the root does.
	Owner object.ID
	// Listed tells that Git has the controllers of the classic install among what a Flux Kustomization applies.
	Listed bool
	// Deploys are the Flux Kustomizations that apply Flux Operator and the FluxInstance, besides the root.
	Deploys []object.ID
	// Owned are the controllers and CRDs that Flux Operator generates.
	Owned []object.ID
	// Unknown says why it is not known what Flux Operator generates; nil where it is.
	Unknown error
	// Before are the pair and the controllers as the classic install has them, After as Flux Operator generates them.
	Before, After []map[string]any
	// Applied are the Flux Kustomizations that Git defines; Open tells that some of what they apply is in no file.
	Applied []map[string]any
	Open    bool
	// Guarded are the objects that Git guards against pruning.
	Guarded []object.ID
	// Needs are the Secrets and ConfigMaps that the pair refers to.
	Needs []instance.Requirement
}

// Wants are what a repository says of each of its clusters: those with a classic install, and those that only have a
// FluxInstance. What stands in the way of a run stands in the findings.
func Wants(set *object.Set, files *inventory.Files, cfg config.Config) ([]Want, []finding.Finding) {
	installs, findings := migrate.Find(set, cfg)
	var all []Want
	for _, install := range installs {
		all = append(all, wantOf(set, files, install, migrate.ExistingInstance(set, install, cfg)))
	}
	for _, existing := range instance.Existings(set) {
		if w, found := migrated(set, files, existing); found && w.chosen(cfg.Clusters) && !slices.ContainsFunc(all,
			w.is) {
			all = append(all, w)
		}
	}
	return all, findings
}

// is reports whether two are of one cluster.
func (w Want) is(other Want) bool {
	return w.Cluster == other.Cluster || w.Instance.Same(other.Instance) && slices.Contains([]string{other.Path,
		other.From}, w.Cluster)
}

// chosen reports whether the config names the cluster, or none.
func (w Want) chosen(names []string) bool {
	return len(names) == 0 || slices.ContainsFunc(names, func(name string) bool {
		return classic.CleanPath(name) == w.Cluster || name == w.Root.String()
	})
}

// wantOf is what Git says of a cluster with a classic install.
func wantOf(set *object.Set, files *inventory.Files, install *classic.Install, existing *instance.Existing) Want {
	pair := install.Pair
	w := Want{
		Cluster: install.Cluster(), Namespace: install.Namespace, Classic: &install.Version,
		KeepReason: install.KeepReason,
		Source:     pair.LiveSource.ID, Root: pair.LiveRoot.ID, URL: pair.LiveSource.Str("spec", "url"),
		Path:   pair.Path,
		Before: []map[string]any{pair.LiveSource.Map(), pair.LiveRoot.Map()},
		Needs:  instance.Requirements(set, install.Namespace, pair.LiveSource, pair.LiveRoot),
		Open:   pair.Prefix != "",
	}
	if install.Owner != nil {
		w.Owner = install.Owner.ID
	}
	if base, err := install.Base(install.Options.Version); err == nil {
		if shaped, err := instance.Shape(install, base); err == nil {
			w.Before = append(w.Before, controllersIn(shaped)...)
		}
	}
	roots := []inventory.Root{{Kustomization: pair.LiveRoot.Map(), Source: pair.LiveSource.Map()}}
	if existing != nil {
		root := w.operated(set, existing)
		if w.From = pair.Path; w.From == w.Path {
			w.From = ""
		} else if root.Kustomization != nil {
			roots = append(roots, root)
		}
	}
	for _, root := range roots {
		if pair.Prefix == "" {
			w.read(files.Build(root), existing)
		}
	}
	return w
}

// migrated is what Git says of a cluster that has no classic install any more; false where nothing tells which
// cluster it is.
func migrated(set *object.Set, files *inventory.Files, existing *instance.Existing) (Want, bool) {
	w := Want{Namespace: existing.Str("metadata", "namespace")}
	root := w.operated(set, existing)
	applied := &inventory.Inventory{}
	if root.Kustomization != nil {
		applied = files.Build(root)
	} else {
		for _, cluster := range files.Discover() {
			if defines(cluster.Inventory, existing) {
				root, applied = asApplied(cluster), cluster.Inventory
				w.Before = []map[string]any{root.Source, root.Kustomization}
			}
		}
	}
	if root.Kustomization == nil || root.Source == nil {
		return w, false
	}
	w.Root, w.Source = object.IDOf(root.Kustomization), object.IDOf(root.Source)
	w.Path, w.URL = root.Path(), cmp.Or(w.URL, str(root.Source, "spec", "url"))
	w.Cluster = w.Path
	if len(applied.Entries) == 0 {
		return w, false // it syncs another repository
	}
	w.read(applied, existing)
	w.Needs = append(w.Needs, instance.Requirements(set, w.Namespace, parsed(root.Source),
		parsed(root.Kustomization))...)
	return w, true
}

// asApplied is the root of a cluster, and its source, as the cluster itself applies them.
func asApplied(cluster inventory.Cluster) inventory.Root {
	root := inventory.Root{Kustomization: cluster.Inventory.Owners[0].Content(), Source: cluster.Roots[0].Source}
	for _, e := range cluster.Inventory.Entries {
		if content := e.Content(); root.Source != nil && object.IDOf(content).Same(object.IDOf(root.Source)) {
			root.Source = content
		}
	}
	return root
}

// operated adds what a FluxInstance says, and returns the root that Flux Operator generates for it.
func (w *Want) operated(set *object.Set, existing *instance.Existing) inventory.Root {
	w.Instance, w.Adopted = existing.ID(), existing.Adopts()
	w.Spec, _ = object.Get[map[string]any](existing.Instance, "spec")
	w.URL = cmp.Or(str(w.Spec, "sync", "url"), w.URL)
	for _, field := range []string{"imagePullSecret", "artifactPullSecret", "pullSecret"} {
		if name := existing.Str("spec", "distribution", field); name != "" {
			id := object.ID{APIVersion: "v1", Kind: "Secret", Namespace: w.Namespace, Name: name}
			w.Needs = append(w.Needs, instance.Require(set, id, existing.At,
				existing.Field("spec.distribution."+field)))
		}
	}
	if w.Unknown = existing.Err; w.Unknown != nil {
		return inventory.Root{}
	}
	generated, err := instance.Render(existing.Instance)
	if err != nil {
		w.Unknown = err
		return inventory.Root{}
	}
	for _, node := range generated {
		if kind := node.GetKind(); kind == "Deployment" || kind == "CustomResourceDefinition" {
			w.Owned = append(w.Owned, object.ID{APIVersion: node.GetApiVersion(), Kind: kind,
				Namespace: node.GetNamespace(), Name: node.GetName()})
		}
	}
	root, err := instance.RootAmong(generated)
	if w.Unknown = err; root.Kustomization == nil || root.Source == nil {
		return inventory.Root{}
	}
	w.Path = root.Path()
	w.After = append(controllersIn(generated), root.Source, root.Kustomization)
	return root
}

// controllersIn are the Deployments among some manifests.
func controllersIn(manifests []*kyaml.RNode) []map[string]any {
	var all []map[string]any
	for _, node := range manifests {
		if node.GetKind() != "Deployment" {
			continue
		}
		if content, err := node.Map(); err == nil {
			all = append(all, content)
		}
	}
	return all
}

// read adds the Flux Kustomizations of an inventory, what it guards, and which of them deploy adds.
func (w *Want) read(inv *inventory.Inventory, existing *instance.Existing) {
	w.Open = w.Open || len(inv.Opaque) > 0
	for _, owner := range inv.Owners {
		content := owner.Content()
		id := object.IDOf(content)
		if !slices.ContainsFunc(w.Applied, func(m map[string]any) bool { return object.IDOf(m).Same(id) }) {
			w.Applied = append(w.Applied, content)
		}
	}
	for _, e := range inv.Entries {
		id := object.ID{APIVersion: e.APIVersion, Kind: e.Kind, Namespace: e.Namespace, Name: e.Name}
		if e.Cluster == "" && !e.Unknown && e.Guarded() {
			w.Guarded = append(w.Guarded, id)
		}
		w.Listed = w.Listed || e.Cluster == "" && e.Kind == "Deployment" && e.Namespace == w.Namespace &&
			isComponent(e.Name)
		if existing == nil || e.Owner == ownerOf(w.Root) {
			continue
		}
		if isInstance(e, existing) {
			w.Deploys = append(w.Deploys, object.ID{APIVersion: classic.KustomizeGroup + "/v1", Kind: "Kustomization",
				Namespace: e.Owner.Namespace, Name: e.Owner.Name})
		}
	}
}

// defines reports whether an inventory has what defines a FluxInstance, from its file.
func defines(inv *inventory.Inventory, existing *instance.Existing) bool {
	return slices.ContainsFunc(inv.Entries, func(e inventory.Entry) bool { return isInstance(e, existing) })
}

// isInstance reports whether an entry is what defines a FluxInstance.
func isInstance(e inventory.Entry, existing *instance.Existing) bool {
	return e.Kind == existing.At.Kind && e.Name == existing.At.Name && (e.File == nil ||
		e.File.String() == path.Clean(existing.At.File))
}

// ownerOf is the name by which an inventory has a Flux Kustomization.
func ownerOf(id object.ID) inventory.Name {
	return inventory.Name{Namespace: id.Namespace, Name: id.Name}
}

// parsed is a decoded object as one that can be looked into.
func parsed(content map[string]any) *object.Object {
	text, err := kyaml.Marshal(content)
	if err != nil {
		return object.New(object.IDOf(content), "", "", 0)
	}
	return object.New(object.IDOf(content), string(text), "", 0)
}

// str is the text at a path of a decoded object, empty when there is none.
func str(m map[string]any, path ...string) string {
	text, _ := object.Get[string](m, path...)
	return text
}
