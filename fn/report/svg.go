package report

import (
	"fmt"
	"html"
	"html/template"
	"strings"
	"unicode/utf8"
)

// The measures of a drawing, in pixels.
const (
	boxWidth, boxGap, columnGap = 300, 14, 60
	lineHeight, boxPadding      = 17, 9
	letters                     = 40 // that fit in a line
)

// svg is the picture for a page: what owns something at the left of what it owns, no arrow behind a box.
func (g *graph) svg() template.HTML {
	d := &drawing{}
	left := 0
	if g.operator != nil {
		left = boxWidth + columnGap
	}
	top, height := d.tree(g.root, left, 0)
	if g.operator != nil {
		size := g.operator.size()
		at := max(0, top-size/2+g.root.size()/2)
		d.box(g.operator, 0, at)
		if height = max(height, at+size); g.generates() {
			d.arrow(boxWidth, at+size/2, left, top+g.root.size()/2, "owner")
		}
	}
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img">%s</svg>`,
		d.width+2, height+2, d.out.String()))
}

// drawing writes an SVG.
type drawing struct {
	out   strings.Builder
	width int
}

// tree draws a box and those below it, and returns where the box is and how far down all of them reach.
func (d *drawing) tree(b *box, x, y int) (top, bottom int) {
	var tops, sizes []int
	bottom = y
	for _, child := range b.shown() {
		var at int
		at, bottom = d.tree(child, x+boxWidth+columnGap, bottom)
		tops, sizes = append(tops, at), append(sizes, child.size())
		bottom += boxGap
	}
	top = y
	if n := len(tops); n > 0 {
		bottom -= boxGap
		top = max(y, (tops[0]+tops[n-1]+sizes[n-1]-b.size())/2)
	}
	d.box(b, x, top)
	for i := range tops {
		d.arrow(x+boxWidth, top+b.size()/2, x+boxWidth+columnGap, tops[i]+sizes[i]/2, "")
	}
	return top, max(bottom, top+b.size())
}

// size is how high a box is.
func (b *box) size() int { return 2*boxPadding + lineHeight*(1+len(b.notes())+len(b.kinds(mostKinds))) }

func (d *drawing) box(b *box, x, y int) {
	d.width = max(d.width, x+boxWidth)
	fmt.Fprintf(&d.out, `<g class="box %s" transform="translate(%d %d)"><rect width="%d" height="%d" rx="6"/>`, b.class,
		x+1, y+1, boxWidth, b.size())
	line := 0
	write := func(class, text string) {
		line++
		if utf8.RuneCountInString(text) > letters {
			text = string([]rune(text)[:letters-1]) + "…"
		}
		fmt.Fprintf(&d.out, `<text class="%s" x="10" y="%d">%s</text>`, class, boxPadding+line*lineHeight-4,
			html.EscapeString(text))
	}
	write("name", b.title())
	for _, note := range b.notes() {
		write("note", note)
	}
	for _, kind := range b.kinds(mostKinds) {
		write("", kind)
	}
	d.out.WriteString("</g>")
}

func (d *drawing) arrow(x1, y1, x2, y2 int, class string) {
	middle := (x1 + x2) / 2
	fmt.Fprintf(&d.out, `<path class="arrow %s" d="M%d %d C%d %d %d %d %d %d"/>`+
		`<path class="head" d="M%d %d l-8 -4 v8 z"/>`, class, x1+1, y1+1, middle, y1+1, middle, y2+1, x2-6, y2+1, x2+1, y2+1)
}
