package migrate

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/reason"
)

// repairReferences looks for everything that names what cleanup takes off the cluster: the install's own Kustomization
// and its source. The sync pair stays on the cluster, so references to it hold.
func repairReferences(set *object.Set, install *classic.Install, removed []*object.Object, findings *finding.List) {
	instead := instanceKustomization(set, install)
	named := slices.DeleteFunc(slices.Clone(install.Objects), func(o *object.Object) bool { return !install.Goes(o) })
	for _, o := range slices.SortedStableFunc(slices.Values(set.Current()), object.Compare) {
		if slices.Contains(removed, o) {
			continue
		}
		for _, gone := range named {
			if !mentions(o, gone) || classic.Nearest(set.Find(gone.ID), o) != gone {
				continue
			}
			namespace := install.Pair.NamespaceOf(set, o)
			for _, field := range referencesTo(o, gone.ID, namespace) {
				repair(set, install, o, field, dependency{gone.ID, namespace, instead}, findings)
			}
			tellQueries(o, gone, findings)
			tellTemplate(o, gone, instead, findings)
		}
		tellScan(o, install, findings)
		tellUpdatePath(set, o, removed, findings)
	}
	tellMarkers(install, findings)
}

// instanceKustomization is the name of the Flux Kustomization that applies the FluxInstance of a cluster.
func instanceKustomization(set *object.Set, install *classic.Install) string {
	if existing := ExistingInstance(set, install, config.Config{}); existing != nil {
		return existing.Kustomization(set)
	}
	return flux.InstanceChart
}

// mentions is a cheap test on the text, so that objects that cannot refer to it are not parsed. What is no object of
// Flux has to name the kind as well, or to ask for the name in a query.
func mentions(o, gone *object.Object) bool {
	text := o.Text()
	return strings.Contains(text, gone.Name) &&
		(isFlux(o) || strings.Contains(text, gone.Kind) || asksFor(text, gone.Name))
}

// isFlux tells the objects of Flux and of Flux Operator.
func isFlux(o *object.Object) bool {
	return strings.HasSuffix(o.Group(), ".toolkit.fluxcd.io") || o.Group() == classic.OperatorGroup
}

// repair changes a reference where the change is certain, and says what to do where it is not.
func repair(set *object.Set, install *classic.Install, o *object.Object, field string, gone dependency,
	findings *finding.List) {
	const refers = "refers to %s, which cleanup removes: "
	switch {
	case strings.HasPrefix(field, "spec.dependsOn[") && instance.InstallsOperator(set, install, o):
		if err := gone.drop(o); err != nil {
			findings.Error(finding.CannotBeEdited, o, field, refers+"it cannot be edited: %s", gone.on, err)
			return
		}
		findings.Info(finding.DependsOnChanged, finding.Reference, o, field,
			refers+"the entry is taken out, because Flux Operator comes "+
				"before Flux", gone.on)
	case strings.HasPrefix(field, "spec.dependsOn["):
		if err := gone.rename(o); err != nil {
			findings.Error(finding.CannotBeEdited, o, field, refers+"it cannot be edited: %s", gone.on, err)
			return
		}
		findings.Info(finding.DependsOnChanged, finding.Reference, o, field,
			refers+"it waits for %s now, which is ready when Flux is", gone.on, gone.instead)
	case strings.HasPrefix(field, "spec.patches["):
		findings.Info(finding.ReferenceLeft, finding.Reference, o, field,
			refers+"the patch selects nothing then, which is no mistake for "+
				"Flux; take it out at some time", gone.on)
	case !isFlux(o):
		findings.Warn(finding.ReferenceLeft, o, field, refers+"see whether it still does what it is for", gone.on)
	case o.Group() == classic.NotifyGroup:
		findings.Warn(finding.ReferenceLeft, o, field,
			refers+"it will see no more events of it; name FluxInstance/%s/flux or remove the "+
				"entry", gone.on, gone.on.Namespace)
	default:
		findings.Error(finding.ReferenceBreaks, o, field,
			refers+"it would stop working; remove the reference first", gone.on)
	}
}

// dependency is what an object of a namespace depends on.
type dependency struct {
	on        object.ID
	namespace string
	instead   string // the Flux Kustomization that takes its place
}

// is tells the entries of spec.dependsOn that name it. One of the same name may be in another namespace.
func (d dependency) is(entry *kyaml.Node) bool {
	content, err := kyaml.NewRNode(entry).Map()
	return err == nil && names(content, d.on, d.namespace, true)
}

// rename lets a Flux Kustomization that waited for the classic install wait for the FluxInstance.
func (d dependency) rename(o *object.Object) error {
	return editDependencies(o, func(entries *kyaml.Node) {
		for _, entry := range entries.Content {
			if d.is(entry) {
				kyaml.NewRNode(entry).Field("name").Value.YNode().Value = d.instead
			}
		}
	})
}

// drop lets a Flux Kustomization no longer wait for the classic install.
func (d dependency) drop(o *object.Object) error {
	return editDependencies(o, func(entries *kyaml.Node) {
		entries.Content = slices.DeleteFunc(entries.Content, d.is)
	})
}

// editDependencies edits spec.dependsOn, which goes when nothing is left in it.
func editDependencies(o *object.Object, edit func(entries *kyaml.Node)) error {
	return o.EditNode(func(node *kyaml.RNode) error {
		list, err := reason.With(node.Pipe(kyaml.Lookup("spec", "dependsOn")))
		if err != nil || list == nil {
			return err
		}
		if edit(list.YNode()); len(list.Content()) > 0 {
			return nil
		}
		return reason.Of(node.PipeE(kyaml.Lookup("spec"), kyaml.Clear("dependsOn")))
	})
}

// referencesTo lists the fields of an object that name another one, for the namespace that the object is in.
func referencesTo(o *object.Object, id object.ID, namespace string) []string {
	spec, _ := object.Get[map[string]any](o.Map(), "spec")
	var fields []string
	walk("spec", spec, func(path string, m map[string]any) {
		kind, namespace := holder(o, namespace, spec, path)
		if names(m, id, namespace, strings.Contains(path, "dependsOn") && kind == id.Kind) {
			fields = append(fields, path+".name")
		}
	})
	return fields
}

// resource is the part of a field that leads to one of the objects that a ResourceSet makes.
var resource = regexp.MustCompile(`^spec\.resources\[(\d+)\]`)

// holder is what a field belongs to, by kind and namespace: the object, or one that it makes as a ResourceSet does.
func holder(o *object.Object, own string, spec map[string]any, field string) (kind, namespace string) {
	found := resource.FindStringSubmatch(field)
	list, _ := spec["resources"].([]any)
	if found == nil || o.Group() != classic.OperatorGroup {
		return o.Kind, own
	}
	n, _ := strconv.Atoi(found[1])
	made, _ := list[n].(map[string]any)
	kind, _ = object.Get[string](made, "kind")
	namespace, _ = object.Get[string](made, "metadata", "namespace")
	return kind, cmp.Or(namespace, own)
}

// names reports whether a reference is one to id; a reference without kind, as in dependsOn, means the kind of the
// object.
func names(m map[string]any, id object.ID, namespace string, sameKind bool) bool {
	if m["name"] != id.Name {
		return false
	}
	kind, hasKind := m["kind"]
	if ns, set := m["namespace"].(string); set && ns != "" {
		namespace = ns
	}
	return namespace == id.Namespace && (kind == id.Kind || !hasKind && sameKind)
}

func walk(path string, value any, visit func(string, map[string]any)) {
	switch v := value.(type) {
	case map[string]any:
		visit(path, v)
		for _, key := range slices.Sorted(maps.Keys(v)) {
			walk(path+"."+key, v[key], visit)
		}
	case []any:
		for i, child := range v {
			walk(fmt.Sprintf("%s[%d]", path, i), child, visit)
		}
	}
}

// queriers are the kinds whose texts ask Prometheus for the metrics of objects by name.
var queriers = []string{"ConfigMap", "GrafanaDashboard", "PrometheusRule", "VMRule"}

// asksFor reports whether a text has a Prometheus selector, also within JSON, for this name of an object.
func asksFor(text, name string) bool {
	return regexp.MustCompile(`name=~?\\?["']` + regexp.QuoteMeta(name) + `\\?["']`).MatchString(text)
}

// tellQueries warns about dashboards and alerting rules that ask for an object that cleanup removes.
func tellQueries(o, gone *object.Object, findings *finding.List) {
	if slices.Contains(queriers, o.Kind) && asksFor(o.Text(), gone.Name) {
		findings.Warn(finding.ReferenceLeft, o, "", "asks for the metrics of %s, which cleanup removes: they end; "+
			"ask for FluxInstance/%s/flux (flux_instance_info), or remove the query", gone.ID, gone.Namespace)
	}
}

// tellTemplate warns about a ResourceSet whose template has the name of an object that cleanup removes among what
// something depends on.
func tellTemplate(o, gone *object.Object, instead string, findings *finding.List) {
	template := o.Str("spec", "resourcesTemplate")
	_, waits, _ := strings.Cut(template, "dependsOn:")
	if o.Is(classic.OperatorGroup, "ResourceSet") && gone.Is(classic.KustomizeGroup, "Kustomization") &&
		regexp.MustCompile(`name: *["']?`+regexp.QuoteMeta(gone.Name)+`["']?\s`).MatchString(waits+"\n") {
		findings.Warn(finding.ReferenceLeft, o, "spec.resourcesTemplate", "may let something wait for %s, which "+
			"cleanup removes: what waits for what is not there never reconciles again; name %s in its place",
			gone.ID, instead)
	}
}

// tellScan warns about an ImageRepository that scans the artifact of the classic install.
func tellScan(o *object.Object, install *classic.Install, findings *finding.List) {
	if !o.Is(imageGroup, "ImageRepository") {
		return
	}
	for _, gone := range install.Objects {
		if url := gone.Str("spec", "url"); url != "" && strings.TrimPrefix(url, "oci://") == o.Str("spec", "image") {
			findings.Warn(finding.ImageAutomation, o, "spec.image", "scans the artifact of %s, which cleanup "+
				"removes: it has no use any more; remove it with its ImagePolicy", gone.ID)
		}
	}
}

const imageGroup = "image.toolkit.fluxcd.io"

// tellUpdatePath warns about an ImageUpdateAutomation that writes to a folder in which cleanup leaves nothing.
func tellUpdatePath(set *object.Set, o *object.Object, removed []*object.Object, findings *finding.List) {
	at := o.Str("spec", "update", "path")
	if !o.Is(imageGroup, "ImageUpdateAutomation") || at == "" || !set.HasPaths() {
		return
	}
	dir := classic.CleanPath(at)
	holds := func(o *object.Object) bool { return object.Within(path.Dir(o.File), dir) }
	stays := func(o *object.Object) bool {
		return !slices.Contains(removed, o) && !o.Is(classic.ConfigGroup, "Kustomization")
	}
	if slices.ContainsFunc(removed, holds) && !slices.ContainsFunc(set.Below(dir), stays) {
		findings.Warn(finding.ImageAutomation, o, "spec.update.path", "updates ./%s, in which cleanup leaves "+
			"nothing: remove it, or point it at what it should update", dir)
	}
}

// marker is what image-automation-controller looks for in a file. Source: fluxcd/image-automation-controller,
// pkg/update.
var marker = regexp.MustCompile(`"\$imagepolicy": *"([^"]+)"`)

// tellMarkers warns about image policies that keep the version of the classic install up to date: Flux Operator
// installs the release that the FluxInstance names.
func tellMarkers(install *classic.Install, findings *finding.List) {
	for _, o := range install.Objects {
		for _, found := range marker.FindAllStringSubmatch(o.Text(), -1) {
			findings.Warn(finding.ImageAutomation, o, "", "the ImagePolicy %s keeps this up to date, which has no "+
				"effect once Flux Operator has taken over: it installs the release of spec.distribution.version of "+
				"the FluxInstance; remove the policy with the marker", found[1])
		}
	}
}
