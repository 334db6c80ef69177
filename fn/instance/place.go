package instance

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
)

// Above is what applies the folder of the new files where the sync path does not lead to it by itself.
type Above struct {
	// Child is the Flux Kustomization below the root that applies the folder; nil where it is the root.
	Child *object.Object
	// Way are the Flux Kustomizations from below the root to the child, each with what applies it before it.
	Way []inventory.Owner
	// List is the kustomization.yaml that has to list the folder; nil where none has to: kustomize-controller takes
	// the folder for its own kustomization.yaml.
	List *object.Object
	// dir is the path of the child.
	dir string
}

// Applies reports whether the child applies what is in a file.
func (a *Above) Applies(set *object.Set, file string) bool {
	return a != nil && a.Child != nil && classic.Applies(set, a.dir, file)
}

// checkPlace finds what applies the folder for new files, and refuses a folder that nothing would apply.
func (p *Plan) checkPlace(set *object.Set, findings *finding.List) {
	pair := p.Install.Pair
	dir := pair.Dir()
	if p.Dir == "" {
		return
	}
	if p.Config.OutputDir != "" && pair.Prefix == "" {
		if above := p.above(set, findings); above != nil || findings.Failed() {
			p.Above = above
			return
		}
	}
	if !object.Within(p.Dir, dir) && classic.KustomizationIn(set, dir) == nil {
		findings.Error(finding.OutputDir, pair.Root, "spec.path", "config field outputDir: %s is outside of the sync "+
			"path ./%s, which has no kustomization.yaml to list it, and no Flux Kustomization below the root applies "+
			"it: nothing would apply the new files", p.Dir, strings.TrimPrefix(dir, "."))
	}
}

// above finds what applies the folder in the config field outputDir; nil where the root does by its own sync path, or
// nothing does.
func (p *Plan) above(set *object.Set, findings *finding.List) *Above {
	inv, err := p.Install.Pair.Inventory(set)
	if err != nil {
		findings.Error(finding.OutputDir, p.Install.Pair.Root, "", "config field outputDir: what applies %s is not "+
			"known: %s", p.Dir, err)
		return nil
	}
	list, owners := appliersOf(set, inv, p.Dir)
	root := inv.Owners[0].Name
	switch {
	case len(owners) == 0:
		return nil
	case slices.ContainsFunc(owners, func(o inventory.Owner) bool { return o.Name == root }):
		if dir := p.Install.Pair.Dir(); object.Within(p.Dir, dir) || classic.KustomizationIn(set, dir) != nil {
			return nil
		}
		return &Above{List: list}
	case len(owners) > 1:
		p.refuse(set, inv, owners[1], "", "config field outputDir: %s applies %s, and %s does too: name a folder that "+
			"one of them applies", findings, owners[1].Name, p.Dir, owners[0].Name)
		return nil
	}
	above := &Above{List: list, dir: owners[0].Path, Way: wayTo(inv, owners[0])}
	for _, o := range above.Way {
		p.checkAbove(set, inv, o, findings)
	}
	p.checkAlone(set, inv, findings)
	last := above.Way[len(above.Way)-1]
	above.Child = objectOf(set, inv, last)
	if above.Child == nil {
		findings.Error(finding.OutputDir, p.Install.Pair.Root, "", "config field outputDir: %s applies %s, and no "+
			"file defines it under this name: name a folder that the root applies", last.Name, p.Dir)
	}
	return above
}

// aboveThere is what applies a Flux Kustomization that is there; nil where the root does, or nothing.
func aboveThere(set *object.Set, install *classic.Install, name string) *Above {
	inv, err := install.Pair.Inventory(set)
	if err != nil {
		return nil
	}
	for _, e := range inv.Find(kustomizationID(inventory.Name{Namespace: install.Namespace, Name: name})) {
		if owner, found := inv.Owner(e.Owner); found && !owner.Root {
			return &Above{Way: wayTo(inv, owner)}
		}
	}
	return nil
}

func kustomizationID(n inventory.Name) inventory.ID {
	return inventory.ID{Group: classic.KustomizeGroup, Kind: "Kustomization", Namespace: n.Namespace, Name: n.Name}
}

// appliersOf are the Flux Kustomizations that would apply a new folder which has a kustomization.yaml of its own, and
// the one that lists it: the nearest above it, with all that read that. Where there is none on the way from the path of
// a Flux Kustomization, kustomize-controller finds the folder by itself.
// Source: fluxcd/pkg/kustomize v1.39.0, the walk of the generator.
func appliersOf(set *object.Set, inv *inventory.Inventory, dir string) (list *object.Object, owners []inventory.Owner) {
	source := inv.Owners[0].Source
	add := func(applies func(inventory.Owner) bool) {
		for _, o := range inv.Owners {
			if o.Source == source && applies(o) &&
				!slices.ContainsFunc(owners, func(other inventory.Owner) bool { return other.Name == o.Name }) {
				owners = append(owners, o)
			}
		}
	}
	for at := dir; ; at = path.Dir(at) {
		if k := classic.KustomizationIn(set, at); k != nil && at != dir {
			found := len(owners)
			if add(func(o inventory.Owner) bool { return o.Reads(k.File) }); len(owners) > found {
				list = k
			}
			return list, owners
		}
		add(func(o inventory.Owner) bool { return o.Path == at })
		if at == "." {
			return nil, owners
		}
	}
}

// wayTo are the Flux Kustomizations from below the root to one, itself the last.
func wayTo(inv *inventory.Inventory, o inventory.Owner) []inventory.Owner {
	var way []inventory.Owner
	for range inv.Owners {
		way = append(way, o)
		above, found := inv.Owner(o.Parent)
		if !found || above.Root || above.Name == o.Name {
			break
		}
		o = above
	}
	slices.Reverse(way)
	return way
}

// checkAbove refuses a Flux Kustomization through which the new ones would not arrive as they are, or which does not
// stay as it is.
func (p *Plan) checkAbove(set *object.Set, inv *inventory.Inventory, o inventory.Owner, findings *finding.List) {
	text := func(path ...string) string { s, _ := object.Get[string](o.Content(), path...); return s }
	_, remote := object.Get[any](o.Content(), "spec", "kubeConfig")
	install := p.Install
	own := objectOf(set, inv, o)
	namespace, root := text("spec", "targetNamespace"), install.Pair.LiveRoot.Str("spec", "serviceAccountName")
	for _, refused := range []struct {
		when       bool
		field, why string
	}{
		{o.Broken != "", "spec.path", "Flux cannot build it: " + o.Broken},
		{o.Suspend, "spec.suspend", "it is suspended, so that nothing of this reaches the cluster"},
		{remote, "spec.kubeConfig", "it applies to another cluster"},
		{namespace != "" && namespace != install.Namespace, "spec.targetNamespace", "it moves what it applies to " +
			namespace},
		{text("spec", "namePrefix") != "", "spec.namePrefix", "it renames what it applies"},
		{text("spec", "nameSuffix") != "", "spec.nameSuffix", "it renames what it applies"},
		{text("spec", "serviceAccountName") != root, "spec.serviceAccountName", "it applies as another service " +
			"account than the root, and no file shows whether that may write Flux Kustomizations in " +
			install.Namespace},
		{p.appliesInstall(own), "", "it applies the classic install, and cleanup changes it or takes it away"},
		{p.dependsOnInstall(set, inv, o), "spec.dependsOn", "it waits for what applies the classic install, and from " +
			"cleanup on for the FluxInstance instead, which on a rebuilt cluster it would have to bring first"},
	} {
		if refused.when {
			p.refuse(set, inv, o, refused.field, "config field outputDir: %s is what applies %s: %s; name a folder that "+
				"another Flux Kustomization applies, or leave outputDir out", findings, o.Name, p.Dir, refused.why)
		}
	}
}

// appliesInstall reports whether a Flux Kustomization applies the classic install.
func (p *Plan) appliesInstall(k *object.Object) bool {
	install := p.Install
	return k != nil && (k == install.Owner || k == install.Child || slices.Contains(install.Objects, k))
}

// dependsOnInstall reports whether a Flux Kustomization waits, by others or not, for one that applies the classic
// install.
func (p *Plan) dependsOnInstall(set *object.Set, inv *inventory.Inventory, o inventory.Owner) bool {
	open, seen := slices.Clone(o.DependsOn), map[inventory.Name]bool{}
	for len(open) > 0 {
		next, found := inv.Owner(open[0])
		if open = open[1:]; !found || seen[next.Name] {
			continue
		}
		if seen[next.Name] = true; p.appliesInstall(objectOf(set, inv, next)) {
			return true
		}
		open = append(open, next.DependsOn...)
	}
	return false
}

// checkAlone refuses a folder that another cluster would apply as well.
func (p *Plan) checkAlone(set *object.Set, inv *inventory.Inventory, findings *finding.List) {
	for _, other := range p.Install.Others {
		theirs, err := other.Pair.Inventory(set)
		if err != nil || other.Pair.Is(p.Install.Pair) {
			continue
		}
		if _, owners := appliersOf(set, theirs, p.Dir); len(owners) > 0 {
			p.refuse(set, inv, owners[0], "", "config field outputDir: the cluster ./%s applies %s too, by %s: name a "+
				"folder that this cluster alone applies", findings, other.Pair.Path, p.Dir, owners[0].Name)
		}
	}
}

// refuse files an Error at a Flux Kustomization, or at the root where no file of the input defines it.
func (p *Plan) refuse(set *object.Set, inv *inventory.Inventory, o inventory.Owner, field, format string,
	findings *finding.List, args ...any) {
	at := cmp.Or(objectOf(set, inv, o), p.Install.Pair.Root)
	findings.Error(finding.OutputDir, at, field, format, args...)
}

// objectOf is the object of the input that defines a Flux Kustomization; nil where none does under its name.
func objectOf(set *object.Set, inv *inventory.Inventory, o inventory.Owner) *object.Object {
	for _, e := range inv.Find(kustomizationID(o.Name)) {
		for _, k := range set.Of(classic.KustomizeGroup, "Kustomization") {
			if k.Name == o.Name.Name && e.File.Read(k.File) {
				return k
			}
		}
	}
	return nil
}
