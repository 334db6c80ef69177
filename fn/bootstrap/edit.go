package bootstrap

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"slices"

	"github.com/Masterminds/semver/v3"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/checkout"
	"migrate-to-flux-operator/fn/checkout/edit"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/reason"
)

// editHelmfile brings the releases of Flux Operator into a helmfile, or up to what Git says. Everything else in it
// stays.
func (w *writer) editHelmfile(h *helmfile) {
	before, unmasked := h.mask.restored(h.masked), bytes.Count(h.masked, []byte("{{"))
	w.checkOthers(h)
	w.bring(h, w.operator, func() *kyaml.Node { return w.operatorEntry(path.Dir(h.name), h.ends()) },
		w.hooks(path.Dir(h.name)))
	if w.manifest == "" {
		w.bring(h, w.instance, func() *kyaml.Node { return w.instanceEntry(path.Dir(h.name)) },
			w.pairHooks(path.Dir(h.name)))
	}
	if after := h.mask.restored(h.masked); !bytes.Equal(before, after) {
		w.changes = append(w.changes, checkout.Change{Path: h.name, Before: before, After: after})
	}
	if bytes.Count(h.masked, []byte("{{")) > unmasked {
		w.checkTemplates(h.name, "{{")
	}
	w.told(h.name, sync(h.name))
}

// classicChart is the community chart that installs Flux without Flux Operator.
const classicChart = "flux2"

// checkOthers refuses and warns about releases that install Flux in another way.
func (w *writer) checkOthers(h *helmfile) {
	if w.manifest != "" && len(h.of(flux.InstanceChart)) > 0 {
		w.say(finding.HelmfileRelease, finding.Error, h.name, "config field bootstrap: the release of the chart %s "+
			"would own the FluxInstance that Flux applies from %s, and uninstall Flux when it goes; take its entry "+
			"out of this file, by which helmfile uninstalls nothing (installed: false, helmfile destroy and helm "+
			"uninstall do), or deploy with instance.form HelmRelease", flux.InstanceChart, w.manifest)
	}
	for _, release := range h.releases() {
		if path.Base(text(release, "chart")) == classicChart {
			w.say(finding.HelmfileRelease, finding.Warning, h.name, "the release %s of the chart flux2 installs Flux "+
				"without Flux Operator: take its entry out of this file once cleanup is done, by which helmfile "+
				"uninstalls nothing; installed: false, helmfile destroy and helm uninstall would uninstall Flux",
				text(release, "name"))
		}
	}
}

// bring adds a release, or brings the one that is there up to what Git says.
func (w *writer) bring(h *helmfile, c chart, entry func() *kyaml.Node, hooks []*kyaml.Node) {
	if w.findings.Failed() {
		return
	}
	var err error
	switch at := h.of(c.name); len(at) {
	case 0:
		err = h.insert(entry(), w.charts+c.name)
	case 1:
		err = w.update(h, at[0], c, hooks)
	default:
		err = fmt.Errorf("the chart %s has several releases: leave one", c.name)
	}
	if err != nil {
		w.say(finding.HelmfileNotEdited, finding.Error, h.name, "config field bootstrap: %s", err)
	}
}

// errInBlock says why a template is left alone.
var errInBlock = errors.New("every release is inside of a block of the template, so a new one could be left out: " +
	"move one out of it, or use bootstrap shell")

// insert puts a release behind the last one that is not inside of a block of a template. Its text is told by a mark.
func (h *helmfile) insert(entry *kyaml.Node, mark string) error {
	var last error
	for at := len(h.releases()); at >= 0; at-- {
		out, err := h.changed(func(releases *kyaml.Node) {
			releases.Content = slices.Insert(releases.Content, at,
				entry)
		})
		if err != nil {
			last = err
			continue
		}
		if restored := h.mask.restored(out); depth(restored, bytes.LastIndex(restored, []byte(mark))) == 0 {
			h.masked = out
			h.read()
			return nil
		}
		last = errInBlock
	}
	return last
}

// changed is the file after a change of the list of releases.
func (h *helmfile) changed(change func(releases *kyaml.Node)) ([]byte, error) {
	wanted := h.node.Copy()
	change(wanted.Field("releases").Value.YNode())
	text, err := object.Print(wanted.YNode())
	if err != nil {
		return nil, err
	}
	return edit.EditDocument(h.masked, h.index, []byte(text))
}

// ends are the releases that no other one needs: after them everything is there. A release that may be left out is no
// end, because helmfile refuses a need that is not there.
func (h *helmfile) ends() []string {
	var always []*kyaml.RNode
	for _, release := range h.releases() {
		own := isOurs(text(release, "chart")) != "" || path.Base(text(release, "chart")) == classicChart
		if !own && release.Field("condition") == nil && release.Field("installed") == nil &&
			!isTemplated(idOf(release)) && !h.inBlock(release) {
			always = append(always, release)
		}
	}
	needed := map[string]bool{}
	for _, release := range always {
		for _, need := range list(release, "needs") {
			needed[need] = true
		}
	}
	var ends []string
	for _, release := range always {
		if !needed[idOf(release)] && !needed[text(release, "name")] {
			ends = append(ends, idOf(release))
		}
	}
	return ends
}

// idOf is how needs name a release. Source: helmfile v1.8.0, ReleaseToID.
func idOf(release *kyaml.RNode) string {
	id := text(release, "name")
	if text(release, "namespace") != "" || text(release, "kubeContext") != "" {
		id = text(release, "namespace") + "/" + id
	}
	if text(release, "kubeContext") != "" {
		id = text(release, "kubeContext") + "/" + id
	}
	return id
}

// inBlock reports whether a block of the template decides about a release.
func (h *helmfile) inBlock(release *kyaml.RNode) bool {
	if len(h.mask.actions) == 0 {
		return false
	}
	restored := h.mask.restored(h.masked)
	at := bytes.Index(restored, []byte("name: "+text(release, "name")))
	return at < 0 || depth(restored, at) > 0
}

// list are the texts of a list of a release.
func list(release *kyaml.RNode, field string) []string {
	var all []string
	if f := release.Field(field); f != nil {
		_ = f.Value.VisitElements(func(entry *kyaml.RNode) error { all = append(all, entry.YNode().Value); return nil })
	}
	return all
}

// update brings a release that is there up to what Git says: a lower version, values that cannot be read any more, the
// hooks.
func (w *writer) update(h *helmfile, at int, c chart, hooks []*kyaml.Node) error {
	release := h.releases()[at]
	if name, namespace := text(release, "name"), text(release, "namespace"); name != c.releaseName() ||
		namespace != w.namespace {
		return fmt.Errorf("the release of the chart %s is %s in the namespace %q, and Flux would install it again as "+
			"%s in %s: rename or move it",
			c.name, name, namespace, c.releaseName(), w.namespace)
	}
	changes := []func(*kyaml.Node){w.newVersion(h, release, c), w.newValues(h, release, c)}
	if missing := missingHooks(release, hooks); len(missing) > 0 {
		changes = append(changes, func(node *kyaml.Node) { appendTo(node, "hooks", missing) })
	}
	for _, change := range changes {
		if change == nil {
			continue
		}
		out, err := h.changed(func(releases *kyaml.Node) { change(releases.Content[at]) })
		if err != nil {
			return err
		}
		h.masked = out
		h.read()
	}
	return nil
}

// newVersion raises the version of a release to that in Git; nil where there is nothing to raise.
func (w *writer) newVersion(h *helmfile, release *kyaml.RNode, c chart) func(*kyaml.Node) {
	there := text(release, "version")
	old, err := semver.NewVersion(there)
	pinned, pinnedErr := semver.NewVersion(c.version)
	switch {
	case there == c.version || err == nil && pinnedErr == nil && old.Equal(pinned):
		return nil
	case there != "" && (err != nil || pinnedErr != nil || old.GreaterThan(pinned)):
		w.say(finding.HelmfileDiffers, finding.Warning, h.name, "the release %s has version %s, where Flux runs %s: "+
			"it stays; make the two the same", c.releaseName(), string(h.mask.restored([]byte(there))), c.version)
		return nil
	}
	w.say(finding.HelmfileDiffers, finding.Info, h.name, "the release %s goes from version %s to %s, which Flux runs",
		c.releaseName(), there, c.version)
	return func(node *kyaml.Node) { set(node, "version", object.Value(c.version)) }
}

// newValues gives a release the values of the HelmRelease where it has none or where its own cannot be read; nil
// elsewhere. Values that can be read and are others are the owner's.
func (w *writer) newValues(h *helmfile, release *kyaml.RNode, c chart) func(*kyaml.Node) {
	dir := path.Dir(h.name)
	there, err := w.valuesOf(release, dir)
	replace := release.Field("values") == nil && len(c.values) > 0
	switch {
	case errors.Is(err, fs.ErrNotExist):
		w.say(finding.HelmfileDiffers, finding.Info, h.name, "the values of the release %s came from a file that "+
			"does not exist; they come from the HelmRelease now: %s", c.releaseName(), err)
		replace = c.release != nil
	case err != nil:
		w.say(finding.HelmfileDiffers, finding.Warning, h.name, "see that the values of the release %s are those of "+
			"the HelmRelease: %s", c.releaseName(), err)
	case !replace && c.release != nil && !reflect.DeepEqual(there, orEmpty(c.values)):
		w.say(finding.HelmfileDiffers, finding.Warning, h.name, "the values of the release %s are not those of the "+
			"HelmRelease in %s, which Flux changes them to", c.releaseName(), c.release.File)
	}
	if !replace {
		return nil
	}
	fields := w.values(c, dir)
	return func(node *kyaml.Node) {
		if len(fields) == 0 {
			unset(node, "values")
			return
		}
		set(node, "values", object.Value(fields[0].Value))
	}
}

func orEmpty(values map[string]any) map[string]any {
	if values == nil {
		return map[string]any{}
	}
	return values
}

// valuesOf are the values that a release of a helmfile has.
func (w *writer) valuesOf(release *kyaml.RNode, dir string) (map[string]any, error) {
	values := map[string]any{}
	if release.Field("values") == nil {
		return values, nil
	}
	entries, err := reason.With(release.Field("values").Value.Elements())
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		more := map[string]any{}
		if name := entry.YNode().Value; entry.YNode().Kind != kyaml.ScalarNode {
			err = reason.Of(entry.YNode().Decode(&more))
		} else if isTemplated(name) {
			err = errors.New("their file is named by a template")
		} else {
			more, err = evaluate(w.files, path.Join(dir, name), text(release, "name"), text(release, "namespace"))
		}
		if err != nil {
			return nil, err
		}
		values = object.Overlay(values, more)
	}
	return maps.Clone(values), nil
}

// missingHooks are the hooks of which a release has none with the same arguments.
func missingHooks(release *kyaml.RNode, hooks []*kyaml.Node) []*kyaml.Node {
	var there []*kyaml.RNode
	if f := release.Field("hooks"); f != nil {
		there, _ = f.Value.Elements()
	}
	return slices.DeleteFunc(slices.Clone(hooks), func(h *kyaml.Node) bool {
		return slices.ContainsFunc(there, func(t *kyaml.RNode) bool {
			return slices.Equal(list(t, "args"), list(kyaml.NewRNode(h), "args"))
		})
	})
}

// set sets a field of a mapping, in its place where it is there.
func set(node *kyaml.Node, key string, value *kyaml.Node) {
	if at := keyAt(node, key); at >= 0 {
		node.Content[at+1] = value
		return
	}
	node.Content = append(node.Content, object.Value(key), value)
}

// unset removes a field of a mapping.
func unset(node *kyaml.Node, key string) {
	if at := keyAt(node, key); at >= 0 {
		node.Content = slices.Delete(node.Content, at, at+2)
	}
}

// appendTo appends to a list of a mapping.
func appendTo(node *kyaml.Node, key string, entries []*kyaml.Node) {
	if at := keyAt(node, key); at >= 0 {
		node.Content[at+1].Content = append(node.Content[at+1].Content, entries...)
		return
	}
	set(node, key, object.Value(entries))
}

func keyAt(node *kyaml.Node, key string) int {
	for i := 0; i < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return i
		}
	}
	return -1
}
