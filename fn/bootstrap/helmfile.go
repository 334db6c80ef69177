package bootstrap

import (
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/shell"
)

// helmfile edits the helmfile that bootstraps the cluster, or writes one.
func (w *writer) helmfile() {
	file := w.findHelmfile()
	if w.findings.Failed() {
		return
	}
	if file != nil {
		w.editHelmfile(file)
		return
	}
	name := path.Join(w.dir, "helmfile.yaml")
	releases := []*kyaml.Node{w.operatorEntry(w.dir, nil)}
	if w.manifest == "" {
		releases = append(releases, w.instanceEntry(w.dir))
	}
	text, err := object.Print(object.Map(object.F("releases", releases)))
	if err != nil {
		w.say(finding.CannotBeEdited, finding.Error, name, "%s", err)
		return
	}
	w.checkTemplates(name, text)
	w.put(name, w.header(sync(name), w.before(), w.cluster.needs)+text, 0)
	w.told(name, sync(name))
}

// sync brings the releases of a helmfile onto the cluster.
func sync(name string) shell.Line { return shell.Run("helmfile", "--file", shell.Path(name), "sync") }

// checkTemplates refuses a text that helmfile takes for a template, in a file or in a field: its functions run
// programs. Source: helmfile v1.8.0, release templates and hooks.
func (w *writer) checkTemplates(name, written string) {
	if strings.Contains(written, "{{") {
		w.say(finding.HelmfileNotEdited, finding.Error, name, "config field bootstrap: a name, path, version or "+
			"value has {{ in it, which helmfile takes for a template: use bootstrap shell")
	}
}

// before introduces what has to be there first.
func (w *writer) before() string {
	return "Needed before that, in the namespace " + w.namespace + ", which has to be created for them:"
}

// header is the comment at the top of a new file: what it is for, how it is run, and what has to be there first.
func (w *writer) header(command shell.Line, needed string, needs []need) string {
	lines := []string{
		"Brings Flux back onto a rebuilt cluster; Flux then takes over what this installs, and syncs. Not for a " +
			"cluster that",
		"still runs the classic install: there the guards in Git come first.",
		"",
		"  " + string(command),
	}
	if len(needs) > 0 {
		lines = append(lines, "", needed, "")
	}
	for _, n := range needs {
		lines = append(lines, fmt.Sprintf("  %s %s: %s", n.ID.Kind, n.ID.Name, n.how()))
	}
	var out strings.Builder
	for _, line := range lines {
		out.WriteString(strings.TrimRight("# "+printable.Line(line), " ") + "\n")
	}
	return out.String()
}

// operatorEntry is the release of Flux Operator in a helmfile of the folder dir, after the releases that it needs.
func (w *writer) operatorEntry(dir string, needs []string) *kyaml.Node {
	fields := w.entry(w.operator)
	// The next step uses the CRDs of the chart.
	fields = append(fields, object.F("wait", true))
	fields = append(fields, w.values(w.operator, dir)...)
	if len(needs) > 0 {
		fields = append(fields, object.F("needs", needs))
	}
	if hooks := w.hooks(dir); len(hooks) > 0 {
		fields = append(fields, object.F("hooks", hooks))
	}
	return object.Map(fields...)
}

// instanceEntry is the release of the chart flux-instance.
func (w *writer) instanceEntry(dir string) *kyaml.Node {
	fields := append(w.entry(w.instance), w.values(w.instance, dir)...)
	fields = append(fields, object.F("needs", []string{w.namespace + "/" + w.operator.releaseName()}))
	if hooks := w.pairHooks(dir); len(hooks) > 0 {
		fields = append(fields, object.F("hooks", hooks))
	}
	return object.Map(fields...)
}

func (w *writer) entry(c chart) []object.Field {
	return []object.Field{object.F("name", c.releaseName()), object.F("namespace", w.namespace),
		object.F("chart", w.charts+c.name), object.F("version", c.version)}
}

// values are those of the HelmRelease, read from its file where that can be done.
func (w *writer) values(c chart, dir string) []object.Field {
	switch {
	case c.release == nil, !c.inFile && len(c.values) == 0:
		return nil
	case !c.inFile:
		return []object.Field{object.F("values", []any{c.values})}
	}
	w.put(path.Join(dir, w.valuesFile(c)), valuesTemplate(relative(path.Join(dir, "templates"), c.release.File)), 0)
	return []object.Field{object.F("values", []string{"./" + w.valuesFile(c)})}
}

// valuesFile is the template for the values; one folder down, because helmfile takes every file of a helmfile.d.
func (w *writer) valuesFile(c chart) string { return "templates/" + c.name + ".yaml.gotmpl" }

// valuesTemplate reads the values from the file of a HelmRelease, which a template names from its own folder.
// Source: helmfile v1.8.0, template functions readFile, fromYaml, get, toYaml.
func valuesTemplate(file string) string {
	return "{{- /* The values of the HelmRelease, so that Flux has nothing to change when it takes the release over. " +
		"*/ -}}\n" +
		`{{ readFile ` + strconv.Quote(file) + ` | fromYaml | get "spec.values" dict | toYaml }}` + "\n"
}

// hooks apply the FluxInstance where no chart renders it. Flux applies the same object from Git later: with a release
// of the chart flux-instance it would have two owners, and uninstall Flux with that release. Source: MIGRATION facts 8.
func (w *writer) hooks(dir string) []*kyaml.Node {
	if w.manifest == "" {
		return nil
	}
	return append([]*kyaml.Node{hook("apply", "--server-side", "--field-manager="+fieldManager, "--filename="+
		shell.Filename(relative(dir, w.manifest)))}, w.pairHooks(dir)...)
}

// pairHooks apply the sync pair where it stays in Git, once its CRDs are there.
func (w *writer) pairHooks(dir string) []*kyaml.Node {
	if len(w.pair) == 0 {
		return nil
	}
	hooks := []*kyaml.Node{hook("--namespace="+w.namespace, "wait", "fluxinstance/"+w.name, "--for=condition=Ready",
		"--timeout=10m")}
	for _, file := range w.pair {
		hooks = append(hooks, hook("apply", "--server-side", "--field-manager="+fieldManager, "--filename="+
			shell.Filename(relative(dir, file))))
	}
	return hooks
}

// hook runs kubectl after a release was installed. Source: helmfile documentation, hooks; they run in the helmfile's
// folder.
func hook(args ...string) *kyaml.Node {
	return object.Map(
		object.F("events", []string{"postsync"}),
		object.F("command", "kubectl"),
		object.F("args", args),
		object.F("showlogs", true))
}

// relative is the path from a folder to a file, both from the root of the checkout.
func relative(dir, file string) string {
	rel, err := filepath.Rel(filepath.FromSlash(dir), filepath.FromSlash(file))
	if err != nil {
		return file // both are clean and relative
	}
	return filepath.ToSlash(rel)
}

// isOurs tells which of Flux Operator's charts an address of a chart means, empty when it means another one.
func isOurs(address string) string {
	if base := path.Base(address); (base == flux.OperatorChart || base == flux.InstanceChart) &&
		strings.Contains(address, "/") {
		return base
	}
	return ""
}
