package inventory

import (
	"fmt"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/printable"
)

// Tree prints who applies what, each Flux Kustomization below the one that
// applies it.
func (inv *Inventory) Tree() string {
	t := treePrinter{inv: inv, children: map[Name][]Owner{}, entries: map[Name][]Entry{}}
	var top []Owner
	for _, o := range inv.Owners {
		if o.Root {
			top = append(top, o)
			continue
		}
		t.children[o.Parent] = append(t.children[o.Parent], o)
	}
	for _, e := range inv.Entries {
		t.entries[e.Owner] = append(t.entries[e.Owner], e)
	}
	for _, o := range top {
		t.owner(o, "", "")
	}
	return t.out.String()
}

// treePrinter writes the tree.
type treePrinter struct {
	inv      *Inventory
	children map[Name][]Owner
	entries  map[Name][]Entry
	out      strings.Builder
}

// owner prints a Flux Kustomization, its objects and what is below it. The
// first line starts with head, the others with indent.
func (t *treePrinter) owner(o Owner, head, indent string) {
	fmt.Fprintf(&t.out, "%s%s\n", head, printable.Line(o.title()))
	children := t.children[o.Name]
	var leaves []string
	for _, e := range t.entries[o.Name] {
		if !slices.ContainsFunc(children, func(c Owner) bool { return c.id() == e.ID }) {
			leaves = append(leaves, e.leaf())
		}
	}
	for i, leaf := range leaves {
		branch, _ := branches(i+1 == len(leaves)+len(children))
		fmt.Fprintf(&t.out, "%s%s%s\n", indent, branch, printable.Line(leaf))
	}
	for i, c := range children {
		branch, below := branches(i+1 == len(children))
		t.owner(c, indent+branch, indent+below)
	}
}

// branches draws the line to an item and past it.
func branches(last bool) (string, string) {
	if last {
		return "└── ", "    "
	}
	return "├── ", "│   "
}

// title describes a Flux Kustomization in one line.
func (o Owner) title() string {
	s := fmt.Sprintf("Kustomization/%s ./%s (%s", o.Name, strings.TrimPrefix(o.Path, "."),
		printable.Count(o.Objects, "object"))
	if !o.Prune {
		s += ", does not prune"
	}
	if o.Suspend {
		s += ", suspended"
	}
	if o.DeletionPolicy != "" {
		s += ", deletionPolicy " + o.DeletionPolicy
	}
	for _, why := range []string{o.Unread, o.Broken} {
		if why != "" {
			s += ", " + why
		}
	}
	return s + ")"
}

// leaf describes an object in one line.
func (e Entry) leaf() string {
	if e.Guarded() {
		return e.String() + " (never pruned)"
	}
	return e.String()
}

// List prints one object a line: its identity, its owner and its file.
func (inv *Inventory) List() string {
	var out strings.Builder
	for _, e := range inv.Entries {
		fmt.Fprintf(&out, "%s\t%s\t%s\n", printable.Line(e.ID.String()), e.Owner, printable.Line(fmt.Sprint(e.File)))
	}
	return out.String()
}

// Text prints the verdict: errors first, then warnings, then the rest. What is
// stuck is only counted, for an error names what it is stuck on.
func (v Verdict) Text() string {
	var out strings.Builder
	for _, severity := range []finding.Severity{finding.Error, finding.Warning, finding.Info} {
		for _, c := range v.Changes {
			if c.Severity == severity && c.Action != Stuck {
				fmt.Fprintf(&out, "%-7s %s\n", severity, printable.Line(c.String()))
			}
		}
		for _, i := range v.Issues {
			if i.Severity == severity {
				fmt.Fprintf(&out, "%-7s %s %s\n", severity, i.Owner, printable.Line(i.What))
			}
		}
	}
	fmt.Fprintf(&out, "%d unchanged, %d changed, of which %d stuck and %d lost\n", v.Unchanged, len(v.Changes),
		len(v.Of(Stuck)), len(v.Of(Lost)))
	if codes := v.codes(); len(codes) > 0 {
		fmt.Fprintf(&out, "more: migrate-to-flux-operator explain %s\n", strings.Join(codes, " "))
	}
	return out.String()
}

// codes are those of the findings, each once.
func (v Verdict) codes() []string {
	var all []string
	for _, c := range v.Changes {
		all = append(all, string(c.code()))
	}
	for _, i := range v.Issues {
		all = append(all, string(i.code()))
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(code string) bool { return code == "" })
}

// Share says how much could not be looked into: the Flux Kustomizations that
// have an opaque part, and all of them.
func (inv *Inventory) Share() (opaque, all int) {
	names := map[Name]bool{}
	for _, o := range inv.Opaque {
		names[o.Owner] = true
	}
	return len(names), len(inv.Owners)
}
