package report

import (
	"fmt"
	"strings"
	"testing"

	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
)

var root = object.ID{APIVersion: "kustomize.toolkit.fluxcd.io/v1", Kind: "Kustomization", Namespace: "flux-system", Name: "cluster"}

// inventoryOf is a root that applies this many Flux Kustomizations, with so many objects each.
func inventoryOf(kustomizations, objects int) *inventory.Inventory {
	top := inventory.Name{Namespace: root.Namespace, Name: root.Name}
	inv := &inventory.Inventory{Owners: []inventory.Owner{{Name: top, Parent: top, Root: true, Path: "./clusters/one"}}}
	for i := range kustomizations {
		name := inventory.Name{Namespace: "flux-system", Name: fmt.Sprintf("app-%d", i)}
		inv.Owners = append(inv.Owners, inventory.Owner{Name: name, Parent: top, Path: "./apps/" + name.Name})
		for n := range objects {
			id := inventory.ID{Kind: fmt.Sprintf("Kind%d", n%9), Namespace: "apps", Name: fmt.Sprintf("%d-%d", i, n)}
			inv.Entries = append(inv.Entries, inventory.Entry{ID: id, Owner: name})
		}
	}
	return inv
}

// TestPictureFolds holds that a picture stays small whatever it is of, and that folding loses no object.
func TestPictureFolds(t *testing.T) {
	c := &migrate.Cluster{Path: "clusters/one", Root: root}
	small, large := draw(c, inventoryOf(2, 2)).mermaid(), draw(c, inventoryOf(100, 5)).mermaid()
	if boxes := strings.Count(small, `["`); boxes != 3 {
		t.Errorf("%d boxes, want 3:\n%s", boxes, small)
	}
	if boxes := strings.Count(large, `["`); boxes != 1+mostBoxes {
		t.Errorf("%d boxes, want %d:\n%s", boxes, 1+mostBoxes, large)
	}
	for _, want := range []string{"98 more Kustomizations", "98 Kind0s<br/>", "Kind0 0-0"} {
		if !strings.Contains(large, want) {
			t.Errorf("%q is not in\n%s", want, large)
		}
	}
	many := &box{kind: "Kustomization", name: "one"}
	for i := range 20 {
		many.objects = append(many.objects, flux.ID{Kind: fmt.Sprintf("Kind%02d", i), Name: "x"}, flux.ID{Kind: fmt.Sprintf("Kind%02d", i), Name: "y"})
	}
	if lines := many.kinds(mostKinds); len(lines) != mostKinds || lines[mostKinds-1] != "and 30 more of 15 kinds" {
		t.Errorf("the kinds are %q", lines)
	}
}

// TestPictureMarksChanges holds that what changes is never folded, and which colours the boxes have.
func TestPictureMarksChanges(t *testing.T) {
	inv := inventoryOf(40, 1)
	controllers := inventory.Name{Namespace: "flux-system", Name: "app-39"}
	inv.Entries = append(inv.Entries, inventory.Entry{ID: inventory.ID{Group: "apps", Kind: "Deployment", Namespace: "flux-system", Name: "source-controller"}, Owner: controllers})
	deployment := flux.ID{Group: "apps", Kind: "Deployment", Namespace: "flux-system", Name: "source-controller"}
	c := &migrate.Cluster{Root: root, Classic: []flux.ID{deployment}, Operator: []flux.ID{deployment}}
	g := draw(c, inv)
	if drawn := g.mermaid(); !strings.Contains(drawn, `Kustomization app-39</b><br/><i>./apps/app-39</i><br/>Deployment source-controller<br/>Kind0 39-0"]:::classic`) {
		t.Errorf("the classic install is not marked:\n%s", drawn)
	}
	g.handOver(c)
	drawn := g.mermaid()
	for _, want := range []string{`FluxInstance flux</b><br/>Deployment source-controller"]:::operator`, `<i>skips 1 object that Flux Operator has</i><br/>Kind0 39-0"]:::classic`} {
		if !strings.Contains(drawn, want) {
			t.Errorf("%q is not in\n%s", want, drawn)
		}
	}
}

// TestEscape holds that a name can neither end its label nor be taken for markup, a comment or a fence.
func TestEscape(t *testing.T) {
	for name, want := range map[string]string{
		`a"]; click b`:          "a#34;#93;#59; click b",
		"%%{init: x}%%":         "#37;#37;#123;init: x#125;#37;#37;",
		"<img src=x>":           "#60;img src#61;x#62;",
		"```\n## x":             "#96;#96;#96; #35;#35; x",
		"cluster-1.apps/ä":      "cluster-1.apps/ä",
		"${variable}":           "#36;#123;variable#125;",
		"\x1b[31m&lt;":          "?#91;31m#38;lt#59;",
		strings.Repeat("x", 60): strings.Repeat("x", longestName-1) + "…",
	} {
		if got := strings.ReplaceAll(escape(name), "#63;", "?"); got != want {
			t.Errorf("%q is escaped as %q, want %q", name, got, want)
		}
	}
}

// TestText holds that prose and code show what they quote, in a table too.
func TestText(t *testing.T) {
	if got, want := text("a|b <b> `c` *d* @team [x](y) #1\nz"), `a\|b &lt;b&gt; \`+"`c\\`"+` \*d\* &#64;team \[x\](y) \#1 z`; got != want {
		t.Errorf("text is %q, want %q", got, want)
	}
	if got := value(strings.Repeat("ü", 100)); got != "`"+strings.Repeat("ü", longest-1)+"…`" {
		t.Errorf("a long value is %q", got)
	}
}
