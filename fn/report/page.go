package report

import (
	_ "embed"
	"html/template"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/instance"
)

//go:embed page.html
var pageText string

// page is the page for a browser; the template escapes whatever is in a name.
var page = template.Must(template.New("page").Funcs(template.FuncMap{"capital": capital}).Parse(pageText))

// Page writes all that there is to tell as one page for a browser, which loads nothing: for a fleet, and for what a
// pull request does not take.
func (v *View) Page() (string, error) {
	var out strings.Builder
	err := page.Execute(&out, v)
	return out.String(), err
}

// arguments are what the template of the parts is called with.
type arguments struct {
	View     *View
	Sections []Section
}

// Arguments are what the template of the parts is called with.
func (v *View) Arguments(sections []Section) arguments { return arguments{v, sections} }

// Title is what the commit does.
func (v *View) Title() string { return titles[v.Phase] }

// Order is what to mind before it is pushed.
func (v *View) Order() string {
	_, said := v.callout()
	return said
}

// Owned says how to read the pictures.
func (v *View) Owned() string { return owned }

// Common are the parts with what is said of several clusters, of the only one, or of the whole repository.
func (v *View) Common() []Section {
	return v.with(func(item Item) bool { return len(v.Clusters) == 1 || len(item.Clusters) != 1 })
}

// Own are the parts with what is said of one cluster of several alone.
func (v *View) Own(c Cluster) []Section {
	return v.with(func(item Item) bool {
		return len(v.Clusters) > 1 && len(item.Clusters) == 1 && item.Clusters[0] == c.Name
	})
}

// with are the parts that have items of a kind, with these.
func (v *View) with(wanted func(Item) bool) []Section {
	var all []Section
	for _, s := range v.Sections {
		s.Items = slices.DeleteFunc(slices.Clone(s.Items), func(item Item) bool { return !wanted(item) })
		if len(s.Items) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// LineOf is the line of a field; empty where it is not known.
func (v *View) LineOf(move instance.Move) string { return v.line(move) }

// Of says which clusters an item is about where they are some of several.
func (v *View) Of(item Item) string {
	if n := len(item.Clusters); n > 1 && n < len(v.Clusters) {
		return strings.Join(item.Clusters, ", ")
	}
	return ""
}

// SVG is the picture as a drawing.
func (p Picture) SVG() template.HTML { return p.graph.svg() }
