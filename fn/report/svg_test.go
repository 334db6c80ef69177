package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/migrate"
)

// rectangle is a part of a drawing.
type rectangle struct{ left, top, right, bottom float64 }

func (r rectangle) holds(x, y, margin float64) bool {
	return x >= r.left+margin && x <= r.right-margin && y >= r.top+margin && y <= r.bottom-margin
}

// drawnOf are the boxes, the arrows and the size of an SVG, which has to be XML.
func drawnOf(t *testing.T, svg string) (size rectangle, boxes []rectangle, arrows [][8]float64) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(svg))
	var x, y float64
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return size, boxes, arrows
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		start, isStart := token.(xml.StartElement)
		if !isStart {
			continue
		}
		attributes := map[string]string{}
		for _, a := range start.Attr {
			attributes[a.Name.Local] = a.Value
		}
		var width, height float64
		switch start.Name.Local {
		case "svg":
			fmt.Sscanf(attributes["viewBox"], "0 0 %g %g", &size.right, &size.bottom)
		case "g":
			fmt.Sscanf(attributes["transform"], "translate(%g %g)", &x, &y)
		case "rect":
			fmt.Sscan(attributes["width"], &width)
			fmt.Sscan(attributes["height"], &height)
			boxes = append(boxes, rectangle{x, y, x + width, y + height})
		case "text":
			var left, base float64
			fmt.Sscan(attributes["x"], &left)
			fmt.Sscan(attributes["y"], &base)
			if box := boxes[len(boxes)-1]; !box.holds(x+left, y+base, 4) {
				t.Errorf("a text at %g, %g is not in its box %v", x+left, y+base, box)
			}
		case "path":
			var a [8]float64
			if attributes["class"] == "head" { // of the arrow before
				fmt.Sscanf(attributes["d"], "M%g %g", &a[0], &a[1])
				a[2], a[3], a[4], a[5], a[6], a[7] = a[0], a[1], a[0], a[1], a[0], a[1]
			} else if _, err := fmt.Sscanf(attributes["d"], "M%g %g C%g %g %g %g %g %g", &a[0], &a[1], &a[2], &a[3], &a[4], &a[5], &a[6], &a[7]); err != nil {
				t.Fatalf("%q: %v", attributes["d"], err)
			}
			arrows = append(arrows, a)
		}
	}
}

// at is a point of a curve.
func at(a [8]float64, t float64) (x, y float64) {
	u := 1 - t
	b := [4]float64{u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t}
	for n := range b {
		x, y = x+b[n]*a[2*n], y+b[n]*a[2*n+1]
	}
	return x, y
}

// pictured are the drawings that are looked at: small and large, flat and deep, with long names and hostile ones.
func pictured() map[string]*graph {
	c := &migrate.Cluster{Path: "clusters/one", Root: root}
	many := func(n int) []flux.ID {
		var all []flux.ID
		for i := range n {
			all = append(all, flux.ID{Kind: fmt.Sprintf("Kind%d", i), Name: "x"})
		}
		return append(all, flux.ID{Group: "kustomize.toolkit.fluxcd.io", Kind: root.Kind, Namespace: root.Namespace, Name: root.Name})
	}
	all := map[string]*graph{"without an inventory": draw(c, nil)}
	for name, inv := range map[string]*inventory.Inventory{"a root alone": inventoryOf(0, 0), "two": inventoryOf(2, 3), "many": inventoryOf(100, 12)} {
		all[name] = draw(c, inv)
		for _, kinds := range []int{0, 3, 30} {
			g := draw(c, inv)
			g.handOver(&migrate.Cluster{Root: root, Operator: many(kinds)})
			all[fmt.Sprintf("%s, with %d kinds of Flux Operator", name, kinds)] = g
		}
	}
	deep := inventoryOf(1, 3)
	for i := range 6 {
		parent := deep.Owners[len(deep.Owners)-1].Name
		name := inventory.Name{Namespace: "flux-system", Name: strings.Repeat("W", 20*i) + "</svg>]]>&\x1b\"'"}
		deep.Owners = append(deep.Owners, inventory.Owner{Name: name, Parent: parent, Path: strings.Repeat("./<b>", 20)})
	}
	all["deep, with hostile names"] = draw(c, deep)
	return all
}

// TestPicturesAreDrawn holds that a drawing is XML, that nothing of it is outside of it, that no box lies on another
// one, and that no arrow runs behind a box.
func TestPicturesAreDrawn(t *testing.T) {
	for name, g := range pictured() {
		t.Run(name, func(t *testing.T) {
			size, boxes, arrows := drawnOf(t, string(g.svg()))
			for n, box := range boxes {
				if !size.holds(box.left, box.top, 0) || !size.holds(box.right, box.bottom, 0) {
					t.Errorf("the box %v is outside of %v", box, size)
				}
				for _, other := range boxes[:n] {
					if box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom {
						t.Errorf("the box %v lies on %v", box, other)
					}
				}
			}
			for _, arrow := range arrows {
				for step := range 101 {
					x, y := at(arrow, float64(step)/100)
					if !size.holds(x, y, 0) {
						t.Fatalf("the arrow %v is outside of %v", arrow, size)
					}
					for _, box := range boxes {
						if box.holds(x, y, 1) {
							t.Fatalf("the arrow %v runs behind the box %v", arrow, box)
						}
					}
				}
			}
			if len(arrows) < 2*(len(boxes)-2) { // the FluxInstance may have none
				t.Errorf("%d arrows and heads between %d boxes", len(arrows), len(boxes))
			}
		})
	}
}

// TestPicturesFitTheirLetters holds that no line of a box is longer than what fits.
func TestPicturesFitTheirLetters(t *testing.T) {
	for name, g := range pictured() {
		for _, line := range strings.Split(string(g.svg()), "<text")[1:] {
			_, line, _ = strings.Cut(line, ">")
			line, _, _ = strings.Cut(line, "</text>")
			line = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&", "&#34;", `"`, "&#39;", "'").Replace(line)
			if utf8.RuneCountInString(line) > letters {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
}
