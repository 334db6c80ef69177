package report

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/shell"
)

// Style is how a plan is written on a terminal, or into a file.
type Style struct {
	Color, Verbose bool
	// Width is where lines are broken; commands are not.
	Width int
}

// Text is the plan for people: the verdict, what changes, what to decide and what to do, and with Verbose all the rest.
func (v *View) Text(style Style) string {
	p := &plain{Style: style, view: v}
	p.clusters()
	p.changes()
	next, commands := v.next()
	for _, s := range v.Sections {
		early := v.Failed && s.Topic == finding.Prerequisite // an Error comes first, and stderr says it
		if s.Severity == finding.Error || (early || !s.Brief) && !style.Verbose {
			continue
		}
		if s.Steps && next != "" {
			p.labeled("Next", next)
			for _, command := range commands {
				p.out.WriteString("  " + string(command) + "\n")
			}
			next = ""
		}
		p.section(s)
	}
	if style.Verbose {
		p.rest()
	}
	p.end()
	return strings.TrimLeft(p.out.String(), "\n")
}

// Done is what stays to be told once the changes are made: Warnings, then what comes next, the commit first. All of it
// is told, for no flag tells more.
func (v *View) Done(style Style, commit []shell.Line) string {
	style.Verbose = true
	p := &plain{Style: style, view: v}
	told := func(of func(Section) bool) {
		for _, s := range v.Sections {
			if of(s) {
				p.section(s)
			}
		}
	}
	told(func(s Section) bool { return s.Severity == finding.Warning })
	if len(commit) > 0 {
		p.labeled("Next", "commit what was changed, and nothing else, and push it:")
	}
	for _, command := range commit {
		p.out.WriteString("  " + string(command) + "\n")
	}
	told(func(s Section) bool {
		return s.Topic == finding.Wait || s.Topic == finding.Verify || s.Topic == finding.Rollback
	})
	return p.out.String()
}

// plain writes a plan as text.
type plain struct {
	Style
	view *View
	out  strings.Builder

	labels int // that were written
}

// The colours of a terminal.
const (
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
)

// colors are those of signs, severities and actions.
var colors = map[string]string{"+": green, "~": yellow, "-": red, created: green, configured: yellow, deleted: red,
	string(finding.Error): red, string(finding.Warning): yellow}

// Paint colours a word on a terminal by what it stands for.
func (s Style) Paint(what, word string) string { return s.paint(colors[what], word) }

func (s Style) paint(code, word string) string {
	if !s.Color || code == "" {
		return word
	}
	return "\x1b[" + code + "m" + word + "\x1b[0m"
}

// title writes the heading of a part, after an empty line.
func (p *plain) title(text string) { p.out.WriteString("\n" + p.paint(bold, text) + "\n") }

// wrap writes a text in lines of the width, the first after its mark and the others below it.
func (p *plain) wrap(mark, text string) { p.hang(mark, utf8.RuneCountInString(mark), text) }

// hang writes a text in lines of the width, the first after its mark and the others so many columns in.
func (p *plain) hang(mark string, in int, text string) {
	indent := strings.Repeat(" ", in)
	line := p.Paint(strings.Trim(mark, " :"), mark)
	used := utf8.RuneCountInString(mark)
	empty := true
	for word := range strings.FieldsSeq(text) {
		length := utf8.RuneCountInString(word)
		if !empty && used+1+length > p.Width {
			p.out.WriteString(line + "\n")
			line, used, empty = indent, len(indent), true
		}
		if !empty {
			line, used = line+" ", used+1
		}
		line, used, empty = line+word, used+length, false
	}
	p.out.WriteString(line + "\n")
}

// clusters writes what becomes of each cluster; what they have in common comes first.
func (p *plain) clusters() {
	all := p.view.Clusters
	if len(all) == 0 {
		return
	}
	for n, group := range alike(all) {
		if len(group) == 1 {
			if title := group[0].Name + ": " + group[0].versions(); n > 0 && group[0].outcome == migrate.Refused {
				p.out.WriteString(p.paint(bold, title) + "\n")
			} else {
				p.title(title)
			}
			if said := verdict(group[0]); said != "" {
				p.wrap("  ", said)
			}
			continue
		}
		p.title(printable.Count(len(group), "cluster") + ": " + group[0].versions())
		p.each(group)
	}
}

// each writes the verdicts of clusters that are alike otherwise.
func (p *plain) each(group []Cluster) {
	longest := 0
	for _, c := range group {
		longest = max(longest, utf8.RuneCountInString(c.Name))
	}
	for _, c := range group {
		if c.outcome == migrate.Refused {
			p.out.WriteString("  " + c.Name + "\n")
			continue
		}
		said := strings.Replace(verdict(c), " Flux Kustomizations are seen", " seen", 1) // on one line
		p.wrap("  "+c.Name+strings.Repeat(" ", longest-utf8.RuneCountInString(c.Name)+2), said)
	}
}

// verdict is that of a cluster, and nothing of one that is refused, which is said already.
func verdict(c Cluster) string {
	if c.outcome == migrate.Refused {
		return ""
	}
	return c.Verdict
}

// alike puts clusters together that have one layout, version and outcome.
func alike(all []Cluster) [][]Cluster {
	var groups [][]Cluster
	for _, c := range all {
		n := slices.IndexFunc(groups, func(g []Cluster) bool { return g[0].versions() == c.versions() })
		if n < 0 {
			n, groups = len(groups), append(groups, nil)
		}
		groups[n] = append(groups[n], c)
	}
	return groups
}

// versions is the layout of a cluster, the version of Flux before and after, and what becomes of it.
func (c Cluster) versions() string {
	said := c.Layout + ", Flux " + c.Version
	if c.Target != "" {
		said += " -> Flux Operator, Flux " + c.Target
	}
	if c.outcome != migrate.Deployed { // the changes say it
		said += ": " + c.Becomes
	}
	return printable.Line(said)
}

// changes writes what changes, as a person thinks of it.
func (p *plain) changes() {
	if len(p.view.Changes) == 0 {
		return
	}
	p.title("Changes")
	for _, c := range p.view.Changes {
		text := c.String()
		if where := c.Where(); where != "" {
			text += " (" + where + ")"
		}
		p.wrap("  "+c.Sign+" "+fmt.Sprintf("%-11s", c.Label), text)
	}
}

// column is how wide the labels are.
const column = 9

// labeled writes a text behind its label.
func (p *plain) labeled(label, text string) {
	if p.labels == 0 {
		p.out.WriteString("\n")
	}
	p.labels++
	p.wrap(fmt.Sprintf("%-*s", column, label), text)
}

// section writes one part: Warnings each by the word, the others behind their label.
func (p *plain) section(s Section) {
	if s.Severity == finding.Warning {
		p.warnings(s)
		return
	}
	label := s.Label
	for i, item := range s.Items {
		if s.Topic == finding.NotRead && i == fewest {
			p.labeled("", fmt.Sprintf("and %d more, see --output json", len(s.Items)-i))
			break
		}
		if s.Topic == finding.Reference && !p.Verbose {
			if i == fewest {
				p.labeled("", fmt.Sprintf("and %d more: --verbose", len(s.Items)-i))
				break
			}
			p.labeled(label, p.short(item))
			label = ""
			continue
		}
		if s.Topic == finding.Verify && (p.hides(s, item) || p.verified(s, item)) {
			continue // cleanup tells it when its time has come, and verify does
		}
		p.labeled(label, p.said(s, item))
		p.commands(s, item)
		label = ""
	}
}

// warnings writes Warnings, each by the word. Several that say what is not judged are one, with a line each,
// unless all is asked for.
func (p *plain) warnings(s Section) {
	p.out.WriteString("\n")
	written := map[finding.Code]bool{}
	for _, item := range s.Items {
		same := []Item{item}
		if item.Code == finding.Incomplete && !p.Verbose {
			same = slices.DeleteFunc(slices.Clone(s.Items), func(other Item) bool { return other.Code != item.Code })
		}
		switch {
		case written[item.Code] && item.Code == finding.Incomplete && !p.Verbose:
		case len(same) == 1:
			p.hang("warning: ", 2, p.said(s, item))
			p.commands(s, item)
		default:
			p.hang("warning: ", 2, item.Code.Summary()+":")
			p.lines(same)
		}
		written[item.Code] = true
	}
}

// lines writes items on one line each, the first of many.
func (p *plain) lines(items []Item) {
	for i, item := range items {
		if i == fewest && len(items) > fewest+1 {
			p.out.WriteString(fmt.Sprintf("  and %d more: --verbose\n", len(items)-i))
			return
		}
		// what is above them says that they are not judged
		line := []rune("  " + strings.Replace(item.Text, ": not judged: ", ": ", 1) + p.of(Section{}, item))
		if len(line) > p.Width {
			line = append(line[:p.Width-1], '…')
		}
		p.out.WriteString(string(line) + "\n")
	}
}

// fewest is how many things a plan spells out of those that matter little.
const fewest = 3

// short is an item on one line behind its label, as far as it goes: the name of its file, and what it says.
func (p *plain) short(item Item) string {
	file, _, _ := strings.Cut(item.Place, ": ")
	line := []rune(path.Base(file) + ": " + item.Text + p.of(Section{}, item))
	if most := max(p.Width-column, 1); len(line) > most {
		line = append(line[:most-1], '…')
	}
	return string(line)
}

// said is what an item says, with its place.
func (p *plain) said(s Section, item Item) string {
	text := item.Text
	switch {
	case item.Place == "" || s.Steps || strings.HasPrefix(text, item.Place+" "):
	case item.Severity == finding.Warning:
		text = item.Place + ": " + text
	default:
		file, _, _ := strings.Cut(item.Place, ": ")
		text += " (" + file + ")"
	}
	text += p.of(s, item)
	switch {
	case len(item.Commands) == 0:
	case s.Topic == finding.Rollback && p.hides(s, item):
	case p.hides(s, item):
		text += " (--verbose)"
	default:
		text += ":"
	}
	return text
}

// hides reports whether a plan leaves the commands of an item out: one of them takes more than two lines, or it is a
// step of the way back, which is told as a whole or not at all.
func (p *plain) hides(s Section, item Item) bool {
	long := func(command string) bool { return len(command) > 2*p.Width }
	return !p.Verbose && !s.Whole && (s.Topic == finding.Rollback || slices.ContainsFunc(item.Commands, long))
}

// verified reports whether a plan leaves a check to verify, which is told as well: it looks at the same, and at more.
func (p *plain) verified(s Section, item Item) bool {
	verifies := func(other Item) bool { return other.Code == finding.LookAtCluster }
	return !p.Verbose && item.Code == finding.CheckTakeOver && slices.ContainsFunc(s.Items, verifies)
}

// commands writes what to run, each command on one line.
func (p *plain) commands(s Section, item Item) {
	if p.hides(s, item) {
		return
	}
	for _, command := range item.Commands {
		p.out.WriteString("  " + command + "\n")
	}
}

// of names the clusters of an item where they are not all.
func (p *plain) of(s Section, item Item) string {
	switch n := len(item.Clusters); {
	case n == 0 || n == len(p.view.Clusters):
		return ""
	case n <= fewest && s.Steps:
		return ", on " + strings.Join(item.Clusters, ", ")
	case n <= fewest:
		return " [" + strings.Join(item.Clusters, ", ") + "]"
	default:
		return fmt.Sprintf(" [%s and %d more clusters]", item.Clusters[0], n-1)
	}
}

// rest writes what a plan leaves out when it is not asked for more.
func (p *plain) rest() {
	for _, c := range p.view.Clusters {
		p.title("Found at " + c.Name)
		for _, fact := range c.Facts {
			place := ""
			if fact.Place != "" {
				place = " (" + fact.Place + ")"
			}
			p.wrap(fmt.Sprintf("  %-16s", fact.What), fact.Value+place)
		}
	}
	if len(p.view.Files) == 0 {
		return
	}
	p.title("Files")
	for _, f := range p.view.Files {
		p.out.WriteString("  " + p.Paint(f.Action, fmt.Sprintf("%-10s", f.Action)) + " " + printable.Line(f.Path) +
			"\n")
	}
}

// end says what the run comes to, and where the rest is.
func (p *plain) end() {
	left := ""
	if n := p.left(); n > 0 && !p.Verbose {
		left = fmt.Sprintf(" %s: --verbose.", printable.Count(n, "remark"))
	}
	if utf8.RuneCountInString(p.view.Totals+left) > p.Width {
		left = strings.Replace(left, " ", "\n", 1)
	}
	p.out.WriteString("\n" + p.paint(bold, p.view.Totals) + left + "\n")
}

// left counts what the plan leaves out.
func (p *plain) left() int {
	n := 0
	for _, s := range p.view.Sections {
		for _, item := range s.Items {
			if !s.Brief || s.Topic == finding.Verify && p.verified(s, item) {
				n++
			}
		}
	}
	return n
}

// next is what to do next, and the commands for it; nothing where there is nothing.
func (v *View) next() (said string, commands []shell.Line) {
	switch {
	case v.waits() && len(v.run.Commit) > 0:
		return "commit what deploy wrote, and nothing else, and push it:", v.run.Commit
	case v.waits() && len(v.run.Stages) > 0:
		return "push or merge the commit of deploy, wait until the cluster has taken over, and only then:",
			[]shell.Line{v.run.Cleanup}
	case v.waits():
		return "wait until the cluster has taken over, and only then:", []shell.Line{v.run.Cleanup}
	case v.Failed || len(v.Files) == 0:
		return "", nil
	}
	return "edit the files, and push that commit alone:", []shell.Line{v.run.Again}
}
