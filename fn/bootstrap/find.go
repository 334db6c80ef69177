package bootstrap

import (
	"bytes"
	"cmp"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/checkout/split"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
)

// helmfile is a file that helmfile reads.
type helmfile struct {
	name string
	// masked is the content as YAML; mask holds the template in it.
	masked []byte
	mask   mask
	// index is the document with the releases, and node its content; nil where the file has none that can be read.
	index int
	node  *kyaml.RNode
	// home is the folder that the file bootstraps what is below of.
	home string
	// ours tells that it has a release of one of Flux Operator's charts.
	ours bool
	// usual tells that it lies where a bootstrap is expected.
	usual bool
}

// helmfileName are the names under which helmfile finds its files. Source: helmfile documentation.
var helmfileName = regexp.MustCompile(`(^|/)(helmfile\.ya?ml|helmfile\.d/[^/]+\.ya?ml)(\.gotmpl)?$`)

// findHelmfile finds the helmfile that bootstraps the cluster: one that has Flux Operator, or one in a usual place, the
// nearest; of a folder the last, because helmfile takes them by name. It is nil where there is none, or where it could
// be another cluster's.
func (w *writer) findHelmfile() *helmfile {
	var found []*helmfile
	for _, name := range helmfileNames(w.files) {
		raw, err := fs.ReadFile(w.files, name)
		if err != nil {
			continue
		}
		if h := readHelmfile(name, raw); w.suits(h) {
			found = append(found, h)
		}
	}
	slices.SortStableFunc(found, func(a, b *helmfile) int {
		return cmp.Or(compareBools(a.ours, b.ours), cmp.Compare(len(b.home), len(a.home)),
			compareBools(a.node != nil, b.node != nil),
			cmp.Compare(path.Dir(a.name), path.Dir(b.name)), cmp.Compare(b.name, a.name))
	})
	if len(found) == 0 {
		return nil
	}
	if best := found[0]; best.node == nil {
		w.say(finding.HelmfileNotEdited, finding.Error, best.name, "config field bootstrap: the releases of this "+
			"helmfile cannot be read, because templates make the YAML; add a release of the chart %s%s, version %s, "+
			"by hand and set bootstrap to none, or use bootstrap shell", w.charts, w.operator.name, w.operator.version)
		return nil
	}
	return found[0]
}

// compareBools puts true first.
func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// helmfileNames lists the files of the checkout that helmfile would read, by name.
func helmfileNames(files fs.FS) []string {
	var names []string
	// What cannot be listed holds no helmfile.
	_ = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && helmfileName.MatchString(name) {
			names = append(names, name)
		}
		return nil
	})
	return names
}

// suits reports whether a helmfile can be that of the cluster and of no other.
func (w *writer) suits(h *helmfile) bool {
	if slices.ContainsFunc(w.others, func(dir string) bool { return object.Within(dir, h.home) }) {
		return false
	}
	mine := object.Within(w.dir, h.home)
	return mine && h.usual || h.ours && (mine || len(w.others) == 0)
}

// readHelmfile looks for the releases in a file.
func readHelmfile(name string, raw []byte) *helmfile {
	h := &helmfile{name: name, ours: strings.Contains(string(raw), "charts/flux-operator"), index: -1}
	h.home, h.usual = homeOf(name)
	h.masked, h.mask = masked(raw)
	if bytes.Equal(h.mask.restored(h.masked), raw) {
		h.read()
	}
	if h.node == nil && !strings.Contains(string(raw), "releases:") {
		h.usual = false
	}
	return h
}

// homeOf is the folder above that of the bootstrap, and tells whether there is one by name: the root, or one in
// `bootstrap`.
func homeOf(name string) (string, bool) {
	dirs := strings.Split(path.Dir(name), "/")
	at := slices.IndexFunc(dirs, func(dir string) bool { return dir == "bootstrap" || dir == "helmfile.d" })
	home := path.Dir(name)
	if at >= 0 {
		home = path.Join(append([]string{"."}, dirs[:at]...)...)
	}
	return home, slices.Contains(dirs, "bootstrap") || home == "."
}

// read finds the document with the releases.
func (h *helmfile) read() {
	h.node = nil
	for _, d := range split.Split(h.masked) {
		if d.Index < 0 {
			continue
		}
		node, err := kyaml.Parse(string(d.Bytes(h.masked)))
		if err != nil {
			continue
		}
		if list := node.Field("releases"); list != nil && list.Value.YNode().Kind == kyaml.SequenceNode {
			h.index, h.node = d.Index, node
			h.ours = h.ours || len(h.of("flux-operator")) > 0
		}
	}
}

// releases are the entries of the list.
func (h *helmfile) releases() []*kyaml.RNode {
	list, _ := h.node.Field("releases").Value.Elements()
	return list
}

// of are the positions of the releases of one of Flux Operator's charts.
func (h *helmfile) of(chart string) []int {
	var at []int
	for i, release := range h.releases() {
		if isOurs(text(release, "chart")) == chart {
			at = append(at, i)
		}
	}
	return at
}

// text is a scalar of a release, empty when it has none.
func text(node *kyaml.RNode, field string) string {
	if f := node.Field(field); f != nil && f.Value.YNode().Kind == kyaml.ScalarNode {
		return f.Value.YNode().Value
	}
	return ""
}
