package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/proof"
)

// The most that a picture shows: kinds in a box, and boxes below one box. The rest is folded into one line or one box.
const (
	mostKinds = 6
	mostBoxes = 3
)

// Picture is who owns what at some time.
type Picture struct {
	Title string
	graph *graph
}

// owned says how to read the pictures.
const owned = "Each box applies the objects that it lists. Red is the classic install, blue is Flux Operator, " +
	"green is new and prunes nothing, grey is yours and stays as it is."

// pictures draws who owns what before and after the commit has done its work.
func (v *View) pictures(c *migrate.Cluster, install *classic.Install) []Picture {
	before, after := v.graphs(c)
	if moved := install.Pair.NewPath(v.run.Config); moved != "" {
		after.root.note = "./" + moved
	}
	return []Picture{{"Before", before}, {afters[c.Outcome], after}}
}

// afters say when the second picture is true.
var afters = map[string]string{migrate.Deployed: "After, once Flux Operator has taken over", migrate.CleanedUp: "After"}

// box is an owner and what it owns.
type box struct {
	kind, name string
	// note stands below the name.
	note    string
	objects []flux.ID
	// pair are the two of the objects that are named before all others.
	pair []object.ID
	// folded are how many boxes this one stands for; 0 when it is one itself.
	folded   int
	class    string
	children []*box
	// defines says that the FluxInstance is among what it applies.
	defines bool
}

// graph is a picture: boxes below boxes, and what the FluxInstance has.
type graph struct {
	// operator is the FluxInstance, nil where there is none.
	operator *box
	root     *box
}

// The classes of boxes.
const (
	classicBox  = "classic"
	operatorBox = "operator"
	newBox      = "new"
	plainBox    = "plain"
)

// graphs are the pictures of a cluster before and after.
func (v *View) graphs(c *migrate.Cluster) (before, after *graph) {
	trees := v.trees(c)
	before, after = draw(c, trees.Before), draw(c, trees.After)
	had := map[string]bool{}
	before.each(func(b *box) { had[b.name] = true })
	after.each(func(b *box) {
		if !had[b.name] && b.class == plainBox {
			b.class = newBox
		}
	})
	if c.Outcome == migrate.CleanedUp {
		before.handOver(c)
	}
	after.handOver(c)
	return before, after
}

// trees are the inventories of a cluster, both nil where none was built.
func (v *View) trees(c *migrate.Cluster) proof.Trees {
	n := slices.IndexFunc(v.run.Trees, func(trees proof.Trees) bool { return trees.Cluster == c.Path })
	if n < 0 {
		return proof.Trees{}
	}
	return v.run.Trees[n]
}

// draw makes the boxes of an inventory; without one, only the root is known.
func draw(c *migrate.Cluster, inv *inventory.Inventory) *graph {
	g := &graph{root: &box{kind: "Kustomization", name: c.Root.Name, note: nameOf(c.Path), class: plainBox}}
	if inv == nil {
		return g
	}
	boxes := map[inventory.Name]*box{}
	for _, owner := range inv.Owners {
		b := &box{kind: "Kustomization", name: owner.Name.Name, note: ownerNote(owner), class: plainBox}
		switch parent := boxes[owner.Parent]; {
		case owner.Root || parent == nil:
			g.root = b
		default:
			parent.children = append(parent.children, b)
		}
		boxes[owner.Name] = b
	}
	for _, entry := range inv.Entries {
		if b := boxes[entry.Owner]; b != nil {
			b.objects = append(b.objects, flux.ID{Group: entry.Group, Kind: entry.Kind, Namespace: entry.Namespace,
				Name: entry.Name})
		}
	}
	installed := classicObjects(c)
	g.each(func(b *box) {
		if len(b.objects) == 0 && c.Owner.Name != "" && b.name == c.Owner.Name {
			b.objects = installed // what it applies is not in the repository
		}
		if slices.ContainsFunc(b.objects, func(id flux.ID) bool {
			return id.Kind == "Deployment" &&
				slices.Contains(installed, id)
		}) {
			b.class = classicBox
		}
	})
	return g
}

// classicObjects are what the classic install applies, without the sync pair.
func classicObjects(c *migrate.Cluster) []flux.ID {
	return slices.DeleteFunc(slices.Clone(c.Classic),
		func(id flux.ID) bool { return isObject(id, c.Source) || isObject(id, c.Root) })
}

func isObject(id flux.ID, o object.ID) bool {
	return id == flux.ID{Group: o.Group(), Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
}

// ownerNote is the path of a Flux Kustomization.
func ownerNote(owner inventory.Owner) string {
	return "./" + strings.TrimPrefix(strings.TrimPrefix(owner.Path, "./"), ".")
}

// handOver gives what Flux Operator has to the FluxInstance: every other owner skips it.
func (g *graph) handOver(c *migrate.Cluster) {
	has := map[flux.ID]bool{}
	for _, id := range c.Operator {
		has[id] = true
	}
	g.operator = &box{kind: "FluxInstance", name: "flux", objects: c.Operator, pair: []object.ID{c.Source, c.Root},
		class: operatorBox}
	g.each(func(b *box) {
		kept := slices.DeleteFunc(slices.Clone(b.objects), func(id flux.ID) bool { return has[id] })
		if n := len(b.objects) - len(kept); n > 0 && b.class == classicBox {
			b.note = "skips " + printable.Count(n, "object") + " that Flux Operator has"
		}
		b.objects = kept
		b.defines = slices.ContainsFunc(kept, isInstance)
	})
}

// isInstance tells what defines the FluxInstance: itself, or the release of its chart.
func isInstance(id flux.ID) bool {
	return id.Kind == "FluxInstance" || id.Kind == "HelmRelease" && id.Name == "flux-instance"
}

// each visits every box, parents first.
func (g *graph) each(visit func(*box)) {
	var walk func(*box)
	walk = func(b *box) {
		visit(b)
		for _, child := range b.children {
			walk(child)
		}
	}
	walk(g.root)
}

// mermaid is the picture as a flowchart.
func (g *graph) mermaid() string {
	m := &flowchart{}
	m.line("%%%%{init: {\"flowchart\": {\"wrappingWidth\": 360, \"rankSpacing\": 90, \"nodeSpacing\": 24}}}%%%%")
	m.line("flowchart LR")
	m.line("  classDef %s fill:#ffe3e0,stroke:#cf222e,color:#1f2328", classicBox)
	m.line("  classDef %s fill:#ddf4ff,stroke:#0969da,color:#1f2328", operatorBox)
	m.line("  classDef %s fill:#dafbe1,stroke:#1a7f37,color:#1f2328", newBox)
	m.line("  classDef %s fill:#f6f8fa,stroke:#8c959f,color:#1f2328", plainBox)
	if g.operator == nil {
		m.box(g.root, "")
		return m.out.String()
	}
	operator := m.box(g.operator, "")
	root := m.box(g.root, "")
	if g.generates() {
		m.line("  %s ==> %s", operator, root)
	}
	return m.out.String()
}

// generates reports whether Flux Operator has the root.
func (g *graph) generates() bool {
	return g.operator != nil && slices.ContainsFunc(g.operator.objects, func(id flux.ID) bool {
		return id.Kind == g.root.kind && id.Name == g.root.name
	})
}

// flowchart writes boxes and arrows; boxes are numbered in the order in which they are drawn.
type flowchart struct {
	out   strings.Builder
	drawn map[*box]string
}

func (m *flowchart) line(format string, args ...any) { fmt.Fprintf(&m.out, format+"\n", args...) }

// box draws a box and those below it, with an arrow from the one above.
func (m *flowchart) box(b *box, parent string) string {
	if m.drawn == nil {
		m.drawn = map[*box]string{}
	}
	id := fmt.Sprintf("b%d", len(m.drawn))
	m.drawn[b] = id
	m.line("  %s[\"%s\"]:::%s", id, b.label(), b.class)
	if parent != "" {
		m.line("  %s --> %s", parent, id)
	}
	for _, child := range b.shown() {
		m.box(child, id)
	}
	return id
}

// shown are the boxes below one: as many as fit, the rest as one box, and those that change, which come last so that no
// arrow of the others has to go round them.
func (b *box) shown() []*box {
	changing := slices.DeleteFunc(slices.Clone(b.children), func(c *box) bool { return !c.changes() })
	others := slices.DeleteFunc(slices.Clone(b.children), (*box).changes)
	if len(others) > mostBoxes {
		others = append(others[:mostBoxes-1:mostBoxes-1], fold(others[mostBoxes-1:]))
	}
	return append(others, changing...)
}

// changes reports whether a box, or one below it, is other than plain.
func (b *box) changes() bool {
	return b.class != plainBox || slices.ContainsFunc(b.children, (*box).changes)
}

// fold makes one box of several and of everything below them.
func fold(boxes []*box) *box {
	all := &box{kind: "Kustomizations", class: plainBox}
	var take func(*box)
	take = func(b *box) {
		all.folded++
		all.objects = append(all.objects, b.objects...)
		for _, child := range b.children {
			take(child)
		}
	}
	for _, b := range boxes {
		take(b)
	}
	return all
}

// title is the name of a box.
func (b *box) title() string {
	if b.folded > 0 {
		return fmt.Sprintf("%d more %s", b.folded, b.kind)
	}
	return clip(b.kind + " " + b.name)
}

// notes are what stands below the name.
func (b *box) notes() []string {
	var notes []string
	if b.note != "" {
		notes = append(notes, clip(b.note))
	}
	if b.defines {
		notes = append(notes, "defines the FluxInstance")
	}
	return notes
}

// label is what a box says in Mermaid: its name, its notes, and its objects by kind.
func (b *box) label() string {
	lines := []string{"<b>" + escape(b.title()) + "</b>"}
	for _, note := range b.notes() {
		lines = append(lines, "<i>"+escape(note)+"</i>")
	}
	for _, line := range b.kinds(mostKinds) {
		lines = append(lines, escape(line))
	}
	return strings.Join(lines, "<br/>")
}

// kinds are the objects of a box by kind, the most first, on so many lines at the most; a single one by its name.
func (b *box) kinds(most int) []string {
	count, names := map[string]int{}, map[string]string{}
	var lines []string
	for _, o := range b.pair {
		if slices.ContainsFunc(b.objects, func(id flux.ID) bool { return isObject(id, o) }) {
			lines = append(lines, clip(o.Kind+" "+o.Name))
		}
	}
	for _, id := range b.objects {
		if slices.ContainsFunc(b.pair, func(o object.ID) bool { return isObject(id, o) }) {
			continue
		}
		count[id.Kind]++
		names[id.Kind] = id.Name
	}
	sorted := slices.SortedFunc(maps.Keys(count),
		func(x, y string) int { return cmp.Or(count[y]-count[x], strings.Compare(x, y)) })
	for i, kind := range sorted {
		if i == most-1 && len(sorted) > most {
			rest := 0
			for _, k := range sorted[i:] {
				rest += count[k]
			}
			lines = append(lines, fmt.Sprintf("and %d more of %d kinds", rest, len(sorted)-i))
			break
		}
		if count[kind] == 1 && b.folded == 0 {
			lines = append(lines, clip(kind+" "+names[kind]))
		} else {
			lines = append(lines, clip(printable.Count(count[kind], kind)))
		}
	}
	return lines
}

// longestName is how much of a name a box shows.
const longestName = 48

// clip is what a box shows of a name.
func clip(s string) string {
	runes := []rune(printable.Line(s))
	if len(runes) > longestName {
		runes = append(runes[:longestName-1:longestName-1], '…')
	}
	return string(runes)
}

// escape keeps what Mermaid, Markdown or HTML could take for their own out of a label.
func escape(s string) string {
	var out strings.Builder
	for _, r := range clip(s) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" -_./:…", r) {
			out.WriteRune(r)
		} else {
			fmt.Fprintf(&out, "#%d;", r)
		}
	}
	return out.String()
}
