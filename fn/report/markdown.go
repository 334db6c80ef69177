package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/instance"
)

// Budget is the most that a report has of bytes: a pull request takes 65,536 characters, and who posts one adds a line.
const Budget = 64_512

// Markdown writes the report of a run for a pull request, as GitHub and GitLab render it, with Mermaid pictures. What
// does not fit is left out, what matters least first, and that is said.
func (v *View) Markdown() string {
	m := &markdown{view: v}
	m.head()
	if len(v.Clusters) < 2 {
		m.whole()
	} else {
		m.fleet()
	}
	m.files()
	return m.fitted()
}

// structure is the rank of what opens and closes a part: it stays.
const structure = -1

// The ranks of what may be left out, what goes last first.
const (
	essential = iota
	own       // what is said of one cluster of several
	found
	picture
	notes
	fields
	dropped
)

// ranks name what was left out.
var ranks = map[int]string{essential: "entries of lists", own: "sections of single clusters",
	found: "tables of what was found", picture: "pictures",
	notes: "remarks and lists of files", fields: "tables of fields", dropped: "tables of fields without a counterpart"}

// markdown writes one report, block by block.
type markdown struct {
	view   *View
	blocks []block
}

// block is a part of a report that is there as a whole or not at all.
type block struct {
	rank int
	text string
}

func (m *markdown) add(rank int, format string, args ...any) {
	m.blocks = append(m.blocks, block{rank, fmt.Sprintf(format, args...)})
}

// paragraph is a block with an empty line after it.
func (m *markdown) paragraph(rank int, format string, args ...any) {
	m.add(rank, format+"\n\n", args...)
}

// fitted is the report within the budget.
func (m *markdown) fitted() string {
	const reserved = 512 // for what is said of what was left out
	size := 0
	for _, b := range m.blocks {
		size += len(b.text)
	}
	cut := map[int]int{}
	for rank := dropped; rank >= essential && size > Budget-reserved; rank-- {
		for n := len(m.blocks) - 1; n >= 0 && size > Budget-reserved; n-- {
			if b := &m.blocks[n]; b.rank == rank && b.text != "" {
				size -= len(b.text)
				b.text = ""
				cut[rank]++
			}
		}
	}
	var out strings.Builder
	for _, b := range m.blocks {
		out.WriteString(b.text)
	}
	text := strings.TrimRight(out.String(), "\n") + "\n"
	if len(cut) == 0 {
		return text
	}
	var said []string
	for _, rank := range slices.Backward(slices.Sorted(maps.Keys(cut))) {
		said = append(said, fmt.Sprintf("%d %s", cut[rank], ranks[rank]))
	}
	return text + fmt.Sprintf("\n> [!NOTE]\n> A pull request takes no more. Left out: %s. `plan --report "+
		"report.html` writes all of it.\n", strings.Join(said, ", "))
}

// titles name what the commit does.
var titles = map[string]string{
	config.Deploy:  "Hand Flux over to Flux Operator",
	config.Cleanup: "Remove the classic Flux install",
}

// orders say what to mind before the commit is pushed.
var orders = map[string]string{
	config.Deploy: " beside the classic install, which stays in Git. Push or merge this commit alone, not squashed with " +
		"cleanup, and remove nothing of the classic install until the checks below show that Flux Operator owns it: " +
		"both in one push delete every Flux object and what Flux applied.",
	config.Cleanup: "This commit removes the classic install from Git. Push it only when Flux Operator owns " +
		"everything below on the cluster: before that, Flux would delete what the commit removes.",
}

// callout is what to mind of a run: how it is marked, and what it says.
func (v *View) callout() (mark, text string) {
	switch {
	case v.Failed:
		return "CAUTION", "Refused: nothing is changed. The errors below say what to do first."
	case v.waits():
		return "NOTE", "Deployed: no file changes. Wait until Flux Operator owns what the checks below look at; cleanup " +
			"comes after that, in a commit of its own."
	case v.still():
		return "NOTE", "Nothing to do: no file changes."
	case v.Phase == config.Deploy:
		return "IMPORTANT", capital(v.adds()) + orders[v.Phase]
	}
	return "IMPORTANT", orders[v.Phase]
}

func (m *markdown) head() {
	v := m.view
	m.paragraph(essential, "# %s", titles[v.Phase])
	mark, said := v.callout()
	m.paragraph(essential, "> [!%s]\n> %s", mark, said)
	m.paragraph(essential, "%s", text(v.Totals))
	if len(v.Clusters) == 0 {
		return
	}
	m.add(essential, "| cluster | classic install | Flux | result | errors | warnings |\n|---|---|---|---|---|---|\n")
	for _, c := range v.Clusters {
		m.add(essential, "| %s | %s | %s | %s: %s | %d | %d |\n", code(c.Name), cell(c.Layout), cell(c.flux()),
			c.Becomes, cell(c.Verdict), c.Errors, c.Warnings)
	}
	m.add(essential, "\n")
}

// flux is the version of Flux before and after.
func (c Cluster) flux() string {
	if c.Target == "" {
		return c.Version
	}
	return c.Version + " → " + c.Target
}

// whole is the report on one cluster, or on none.
func (m *markdown) whole() {
	m.sections("##", essential, func(Item) bool { return true })
	for _, c := range m.view.Clusters {
		m.details("##", c)
	}
}

// fleet is the report on several clusters: what they have in common once, and each for itself.
func (m *markdown) fleet() {
	m.sections("##", essential, func(item Item) bool { return len(item.Clusters) != 1 })
	m.paragraph(essential, "## Each cluster")
	for _, c := range m.view.Clusters {
		m.paragraph(structure, "<details><summary>%s: %s</summary>", text(c.Name), text(c.Verdict))
		m.sections("###", own, func(item Item) bool { return len(item.Clusters) == 1 && item.Clusters[0] == c.Name })
		m.details("###", c)
		m.paragraph(structure, "</details>")
	}
}

// sections writes the parts that have items of a kind; what changes stands between what to decide and what to do.
func (m *markdown) sections(heading string, rank int, wanted func(Item) bool) {
	changes := rank == essential
	for _, s := range m.view.with(wanted) {
		if changes && s.Severity == "" {
			m.changes()
			changes = false
		}
		m.section(heading, max(rank, rankOf(s)), s)
	}
	if changes {
		m.changes()
	}
}

// rankOf is how much a part matters.
func rankOf(s Section) int {
	if s.Brief {
		return essential
	}
	return notes
}

func (m *markdown) section(heading string, rank int, s Section) {
	head := fmt.Sprintf("%s %s\n\n", heading, s.Title)
	if s.Intro != "" {
		head += s.Intro + "\n\n"
	}
	for i, item := range s.Items {
		m.add(rank, "%s%s", head, m.item(s, i, item))
		head = ""
	}
	m.add(rank, "\n")
}

// item is one item of a list, with what to run.
func (m *markdown) item(s Section, n int, item Item) string {
	bullet, said := "-", text(item.Text)
	switch {
	case s.Steps:
		bullet, said = fmt.Sprintf("%d.", n+1), text(capital(item.Text))
	case s.Box:
		bullet = "- [ ]"
	}
	if !s.Bare && !s.Steps && item.Place != "" {
		said += " (" + code(item.Place) + ")"
	}
	if n := len(item.Clusters); n > 1 && n < len(m.view.Clusters) {
		said += " (" + strings.Join(codes(item.Clusters), ", ") + ")"
	}
	if len(item.Commands) == 0 {
		return bullet + " " + said + "\n"
	}
	indent := "\n" + strings.Repeat(" ", len(bullet)+1)
	return bullet + " " + said + ":\n" + indent + "```shell" + indent + strings.Join(item.Commands, indent) + indent +
		"```\n\n"
}

func codes(names []string) []string {
	var all []string
	for _, name := range names {
		all = append(all, code(name))
	}
	return all
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// changes is the list of what changes.
func (m *markdown) changes() {
	if len(m.view.Changes) == 0 {
		return
	}
	m.add(essential, "## Changes\n\n| | | where |\n|---|---|---|\n")
	for _, c := range m.view.Changes {
		m.add(essential, "| %s %s | %s | %s |\n", code(c.Sign), cell(c.Label), cell(c.String()), cell(c.Where()))
	}
	m.add(essential, "\n")
}

// details are what was found at a cluster, its pictures and the account of its fields.
func (m *markdown) details(heading string, c Cluster) {
	m.add(found, "%s What was found\n\n| | | where |\n|---|---|---|\n%s\n", heading, facts(c))
	if len(c.Pictures) > 0 {
		m.add(picture, "%s Who owns what\n\n%s\n\n%s", heading, owned, drawn(c.Pictures))
	}
	m.fields(heading, c.Fields)
}

// facts are the rows of what was found.
func facts(c Cluster) string {
	var out strings.Builder
	for _, f := range c.Facts {
		fmt.Fprintf(&out, "| %s | %s | %s |\n", f.What, cell(f.Value), code(f.Place))
	}
	return out.String()
}

// drawn are pictures as Mermaid.
func drawn(pictures []Picture) string {
	var out strings.Builder
	for _, p := range pictures {
		fmt.Fprintf(&out, "%s:\n\n```mermaid\n%s```\n\n", p.Title, p.graph.mermaid())
	}
	return out.String()
}

// fields is the table of everything that the classic install says.
func (m *markdown) fields(heading string, moves []instance.Move) {
	if len(moves) == 0 {
		return
	}
	said, without := split(moves)
	intro := fmt.Sprintf("%d fields and patches of the classic install go into the FluxInstance, %d need no "+
		"counterpart there.", len(said), len(without))
	if m.view.run.Config.Instance.Form == config.HelmRelease {
		intro += " The fields are named as in a FluxInstance: in the HelmRelease `spec` stands as " +
			"`spec.values.instance`."
	}
	m.add(fields, "%s What becomes of each field\n\n%s\n\n%s", heading, intro, m.table(said))
	if len(without) > 0 {
		m.add(dropped, "%s# No counterpart needed\n\n%s", heading, m.table(without))
	}
}

// split tells what the FluxInstance says from what it need not say.
func split(moves []instance.Move) (said, without []instance.Move) {
	for _, move := range moves {
		if move.To == "" {
			without = append(without, move)
		} else {
			said = append(said, move)
		}
	}
	return said, without
}

// table writes the moves, those of one object below its name.
func (m *markdown) table(moves []instance.Move) string {
	head := "| field | value | goes to | |\n|---|---|---|---|\n"
	if m.view.run.Line != nil {
		head = "| line | field | value | goes to | |\n|---|---|---|---|---|\n"
	}
	var out strings.Builder
	var last instance.Move
	for i, move := range moves {
		if i == 0 || move.Object != last.Object || move.File != last.File {
			if i > 0 {
				out.WriteString("\n")
			}
			fmt.Fprintf(&out, "%s in %s:\n\n%s", code(move.Object.String()), code(cmp.Or(move.File, "the input")), head)
		}
		number := ""
		if m.view.run.Line != nil {
			number = " " + m.view.line(move) + " |"
		}
		fmt.Fprintf(&out, "|%s %s | %s | %s | %s |\n", number, code(move.Field), value(move.Value),
			destination(move.To), cell(move.Why))
		last = move
	}
	return out.String() + "\n"
}

// line is the line of a field; empty where it is not known.
func (v *View) line(move instance.Move) string {
	if v.run.Line == nil || move.File == "" {
		return ""
	}
	if line := v.run.Line(move.File, move.Index, move.Field); line > 0 {
		return fmt.Sprint(line)
	}
	return ""
}

// destination is where a field goes: each part of it as code.
func destination(to string) string {
	if to == "" {
		return ""
	}
	var parts []string
	for _, part := range strings.Split(to, ", ") {
		field, pointer, _ := strings.Cut(part, " ")
		parts = append(parts, strings.TrimSpace(code(field)+" "+code(pointer)))
	}
	return strings.Join(parts, ", ")
}

// files lists the files that change.
func (m *markdown) files() {
	if len(m.view.Files) == 0 {
		return
	}
	m.add(notes, "## Files\n\n| | |\n|---|---|\n")
	for _, f := range m.view.Files {
		m.add(notes, "| %s | %s |\n", f.Action, code(f.Path))
	}
}
