package report

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/printable"
)

// View is what people are told of a run.
type View struct {
	Phase  string
	Failed bool
	// Clusters are in the order of the run.
	Clusters []Cluster
	// Changes are grouped as a person thinks of them; what is the same for several clusters is there once.
	Changes []Change
	// Sections are what was found and what to do, in the order in which it is told.
	Sections []Section
	Files    []File
	// Totals is the last line of a plan.
	Totals string

	run Run
}

// Cluster is what is told of one cluster.
type Cluster struct {
	Name, Layout, Version, Target string
	// Becomes says what becomes of it, Verdict whether something is pruned.
	Becomes, Verdict string
	Errors, Warnings int
	Facts            []Fact
	Fields           []instance.Move
	Pictures         []Picture

	path, outcome string
}

// Fact is something that the install was recognised by, and where.
type Fact struct{ What, Value, Place string }

// Change is a change as a person thinks of it: + for what comes, ~ for what is edited, - for what goes.
type Change struct {
	Sign, Label, What string
	// Names are the objects that it is about, Places where they are.
	Names, Places []string
}

// String says what changes, without where.
func (c Change) String() string {
	names := together(c.Names)
	switch {
	case names == "":
		return c.What
	case c.What == "":
		return names
	}
	return c.What + " on " + names
}

// together are objects by name or kind, whichever they share.
func together(objects []string) string {
	var kinds, names []string
	for _, o := range objects {
		kind, name, _ := strings.Cut(o, "/")
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(objects) > 1 && (len(kinds) == 1 || len(names) == 1) {
		return listed(kinds) + " " + listed(names)
	}
	return listed(objects)
}

// Where is the first place, and how many there are besides.
func (c Change) Where() string { return firstOf(c.Places) }

// firstOf is the first of some names, and how many there are besides.
func firstOf(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	return fmt.Sprintf("%s and %d more", names[0], len(names)-1)
}

// Section is a part of what is told: the findings of a severity, or of a topic.
type Section struct {
	topic
	Items []Item
}

// Item is a finding, or several that differ by their clusters alone.
type Item struct {
	Severity finding.Severity
	Code     finding.Code
	// Text is what it says, without the commands to run.
	Text     string
	Commands []string
	// Place is where it stands: file and line, object and field.
	Place string
	// Clusters are those that it is about, none where it is about the whole repository.
	Clusters []string

	more int // places besides
}

// topic is a part of what is told, and how.
type topic struct {
	Severity finding.Severity
	Topic    finding.Topic
	// Title is its heading, Label the same in a plan, Intro what stands below it.
	Title, Label, Intro string
	// Brief says that a plan shows it without being asked for more, Whole that it shows commands of any length.
	Brief, Whole bool
	// Steps says that its items are things to do, one after the other.
	Steps bool
	// Box says that its items are to be ticked off.
	Box bool
	// Bare leaves out where an item stands: it is about the install as a whole.
	Bare bool
}

// topics are all parts, in the order in which they are told. Errors and Warnings are parts whatever their topic.
var topics = []topic{
	{Severity: finding.Error, Title: "Errors", Label: "Errors", Brief: true},
	{Severity: finding.Warning, Title: "Warnings", Label: "Warnings", Brief: true},
	{Topic: finding.Found, Title: "Found", Label: "Found", Brief: true},
	{Topic: finding.Prerequisite, Title: "Must exist on the cluster", Label: "Needs", Brief: true, Box: true},
	{Topic: finding.Provided, Title: "In Git, or optional", Label: "In Git"},
	{Topic: finding.Moved, Title: "Worth a look", Label: "Moved"},
	{Topic: finding.Reference, Title: "References", Label: "Note", Brief: true},
	{Topic: finding.Imposed, Title: "What Flux Operator changes by itself", Label: "Note",
		Intro: "With these releases and this " +
			"install, whoever migrates it:", Bare: true},
	{Topic: finding.Proof, Title: "Proof that nothing is pruned", Label: "Proof", Bare: true},
	{Topic: finding.Bootstrap, Title: "To rebuild the cluster", Label: "Rebuild"},
	{Topic: finding.Unsynced, Title: "Left alone", Label: "Alone"},
	{Topic: finding.NotRead, Title: "Not read", Label: "Not read"},
	{Topic: finding.Look, Title: "Look at the cluster first", Label: "Look", Brief: true, Whole: true, Steps: true},
	{Topic: finding.Wait, Title: "Wait", Label: "Wait", Brief: true, Whole: true, Steps: true},
	{Topic: finding.Verify, Title: "Check", Label: "Check", Brief: true, Steps: true},
	{Topic: finding.Rollback, Title: "Go back", Label: "Go back", Brief: true, Steps: true},
	{Topic: "", Title: "Also noted", Label: "Also"},
}

// holds reports whether a finding is told in this part.
func (t topic) holds(f finding.Finding) bool {
	if f.Severity != finding.Info || t.Severity != "" {
		return f.Severity == t.Severity
	}
	return t.Topic == f.Topic || t.Topic == "" &&
		!slices.ContainsFunc(topics, func(other topic) bool { return other.Topic == f.Topic })
}

// Of is what is told of a run.
func Of(run Run) *View {
	v := &View{Phase: run.Config.Phase, Failed: run.Failed(), Files: run.Files, run: run}
	byCluster := map[string][]finding.Finding{}
	for _, f := range run.Findings {
		byCluster[f.Cluster] = append(byCluster[f.Cluster], f)
	}
	v.Changes = v.changes()
	for i := range run.Clusters {
		v.Clusters = append(v.Clusters, v.cluster(i, byCluster[run.Clusters[i].Path]))
	}
	for _, t := range topics {
		if items := v.items(t); len(items) > 0 {
			v.Sections = append(v.Sections, Section{t, items})
		}
	}
	v.Totals = v.totals()
	return v
}

// becomes says what becomes of a cluster, or where its migration stands.
func (v *View) becomes(c migrate.Cluster) string {
	switch c.Outcome {
	case migrate.Deployed:
		return v.adds() + " beside the classic install"
	case migrate.CleanedUp:
		return "the classic install goes"
	case migrate.Refused:
		return "refused"
	}
	if stage := v.run.Stages[c.Path]; stage != "" {
		return "deploy is in the files, and " + stage
	}
	if v.deployed(c) {
		return "deployed; wait until it has taken over, then cleanup"
	}
	return "nothing to do"
}

// adds is what deploy adds: Flux Operator may be there already, and so may the FluxInstance.
func (v *View) adds() string {
	added := func(label string) bool {
		return slices.ContainsFunc(v.Changes, func(c Change) bool { return c.Sign == "+" && c.Label == label })
	}
	switch {
	case added("operator"):
		return "Flux Operator is added"
	case added("instance"):
		return "a FluxInstance is added"
	}
	return "guards are added"
}

// deployed reports whether deploy has nothing left to do for a cluster, and the classic install is still there.
func (v *View) deployed(c migrate.Cluster) bool {
	return v.Phase == config.Deploy && c.Outcome == migrate.Unchanged && c.Instance != ""
}

// waits reports whether there is nothing to do but to wait, for cleanup.
func (v *View) waits() bool {
	return v.still() && !v.Failed && slices.ContainsFunc(v.run.Clusters, v.deployed)
}

// still reports whether nothing changes.
func (v *View) still() bool {
	return len(v.Files) == 0 && !slices.ContainsFunc(v.run.Objects, func(o Object) bool { return o.Action != unchanged })
}

func (v *View) cluster(n int, findings []finding.Finding) Cluster {
	c := v.run.Clusters[n]
	made := Cluster{Name: nameOf(c.Path), Layout: c.Layout, Version: c.Version, Target: c.Target,
		Becomes: v.becomes(c), Fields: c.Fields, path: c.Path,
		outcome: c.Outcome}
	for _, f := range findings {
		switch f.Severity {
		case finding.Error:
			made.Errors++
		case finding.Warning:
			made.Warnings++
		}
	}
	made.Facts = v.facts(n)
	made.Verdict = v.verdict(c)
	if c.Outcome == migrate.Deployed || c.Outcome == migrate.CleanedUp {
		made.Pictures = v.pictures(&v.run.Clusters[n], v.run.Installs[n])
	}
	return made
}

// nameOf is a cluster as it is named to people.
func nameOf(path string) string { return "./" + printable.Line(strings.TrimPrefix(path, ".")) }

// verdict says in one line whether something is pruned.
func (v *View) verdict(c migrate.Cluster) string {
	switch {
	case c.Outcome == migrate.Refused:
		return "refused, see the errors"
	case v.Failed:
		return "nothing is changed, because there are errors"
	case c.Outcome == migrate.Unchanged:
		return "no file changes"
	}
	for _, trees := range v.run.Trees {
		if trees.Cluster == c.Path {
			return trees.String()
		}
	}
	return "it was not checked whether Flux prunes something"
}

// facts are what the install was recognised by.
func (v *View) facts(n int) []Fact {
	c, install := v.run.Clusters[n], v.run.Installs[n]
	source := "not in the input"
	if !install.Pair.SourceUnseen {
		source = v.place(install.Pair.Source.File, install.Pair.Source.Index, "")
	}
	facts := []Fact{
		{"classic install", fmt.Sprintf("%s, Flux %s, %s", c.Layout, c.Version, printable.Count(c.Patches, "patch")),
			v.place(install.Anchor.File, install.Anchor.Index, "")},
		{"components", strings.Join(c.Components, ", "), ""},
		{"source", c.Source.String(), source},
		{"root", c.Root.String(), v.place(install.Pair.Root.File, install.Pair.Root.Index, "")},
	}
	if c.Instance != "" {
		facts = append(facts, Fact{"FluxInstance", c.Target, c.Instance})
	}
	return facts
}

// place is a file with the line of a field, where it is known.
func (v *View) place(file string, index int, field string) string {
	if v.run.Line == nil || file == "" {
		return printable.Line(file)
	}
	if line := v.run.Line(file, index, field); line > 0 {
		return fmt.Sprintf("%s:%d", printable.Line(file), line)
	}
	return printable.Line(file)
}

// Where is the place of a finding: file and line, object and field, as far as they are known.
func (v *View) where(f finding.Finding) string {
	if f.Object.Kind != "" && f.File != "" {
		f.File = v.place(f.File, f.Index, f.Field)
	}
	return f.Where()
}

// items are the findings of one part. Those that differ by their clusters alone are one.
func (v *View) items(t topic) []Item {
	var items []Item
	at := map[string]int{}
	for _, f := range v.run.Findings {
		if !t.holds(f) {
			continue
		}
		item := Item{Severity: f.Severity, Code: f.Code, Text: f.Sentence(), Place: v.where(f)}
		if f.Command != "" {
			item.Commands = strings.Split(f.Command, "\n")
		}
		if t.Bare {
			item.Place = ""
		}
		general := v.general(item, f.Cluster)
		key := strings.Join(append([]string{general.Text}, general.Commands...), "\n")
		if f.Severity != finding.Info {
			key += "\n" + general.Place
		}
		n, known := at[key]
		if !known {
			at[key] = len(items)
			items = append(items, item)
			n = len(items) - 1
		} else if known := items[n]; known.Text != item.Text || !slices.Equal(known.Commands, item.Commands) {
			items[n].Text, items[n].Commands = general.Text, general.Commands
		}
		if known && items[n].Place != item.Place {
			items[n].more++
		}
		if f.Cluster != "" && !slices.Contains(items[n].Clusters, nameOf(f.Cluster)) {
			items[n].Clusters = append(items[n].Clusters, nameOf(f.Cluster))
		}
	}
	for i := range items {
		if more := items[i].more; more > 0 {
			items[i].Place += fmt.Sprintf(" and %d more", more)
		}
	}
	if first := slices.IndexFunc(items, Item.onEach); t.Steps && first >= 0 {
		items[first].Text += ", on each cluster (add --context NAME)"
	}
	if t.Topic == finding.Verify { // what comes only then is said last
		runs := func(item Item) bool { return len(item.Commands) > 0 }
		last := slices.DeleteFunc(slices.Clone(items), runs)
		items = append(slices.DeleteFunc(items, func(item Item) bool { return !runs(item) }), last...)
	}
	return items
}

// onEach reports whether an item is to be done on several clusters, by commands that do not say on which.
func (i Item) onEach() bool {
	talks := func(command string) bool {
		program, _, _ := strings.Cut(command, " ")
		return program == "kubectl" || program == "flux"
	}
	return len(i.Clusters) > 1 && slices.ContainsFunc(i.Commands, talks)
}

// anyCluster stands for the path of a cluster in what is said of several.
const anyCluster = "CLUSTER"

// general is an item with the path of its cluster left open, where there are several clusters.
func (v *View) general(item Item, cluster string) Item {
	if len(v.run.Clusters) < 2 || cluster == "" || cluster == "." {
		return item
	}
	item.Text, item.Place = withoutPath(item.Text, cluster), withoutPath(item.Place, cluster)
	item.Commands = slices.Clone(item.Commands)
	for i := range item.Commands {
		item.Commands[i] = withoutPath(item.Commands[i], cluster)
	}
	return item
}

// withoutPath leaves a path open where it stands in a text, and not the start of a longer name.
func withoutPath(text, path string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, path)
		if !found {
			out.WriteString(text)
			return out.String()
		}
		before, relative := strings.CutSuffix(before, "./")
		if last := len(before) - 1; nameByte(after, 0) || last >= 0 && !relative &&
			(before[last] == '/' || nameByte(before, last)) {
			if out.WriteString(before); relative {
				out.WriteString("./")
			}
			out.WriteString(path)
		} else {
			out.WriteString(before + anyCluster)
		}
		text = after
	}
}

// nameByte reports whether a byte of a text goes on with a name.
func nameByte(text string, at int) bool {
	return at < len(text) && (text[at] == '-' || text[at] == '_' || text[at] == '.' && at+1 < len(text) &&
		text[at+1] != ' ' ||
		'a' <= text[at]|0x20 && text[at]|0x20 <= 'z' || '0' <= text[at] && text[at] <= '9')
}

// changes groups the objects that change. One that several clusters have stands once.
func (v *View) changes() []Change {
	var all []Change
	add := func(change Change, name, place string) {
		n := slices.IndexFunc(all, func(other Change) bool {
			return other.Sign == change.Sign && other.Label == change.Label && other.What == change.What
		})
		if n < 0 {
			n, all = len(all), append(all, change)
		}
		if name != "" && !slices.Contains(all[n].Names, name) {
			all[n].Names = append(all[n].Names, name)
		}
		if place != "" && !slices.Contains(all[n].Places, place) {
			all[n].Places = append(all[n].Places, place)
		}
	}
	for _, label := range []string{"operator", "instance", "applied by"} {
		for _, o := range v.run.Objects {
			if made, place := madeAs(o); made == label {
				add(Change{Sign: "+", Label: label}, shortName(o.Object), place)
			}
		}
	}
	for _, o := range v.run.Objects {
		if o.Action == configured {
			add(edited(o), shortName(o.Object), v.place(o.File, o.index, ""))
		}
	}
	for _, left := range v.leaving() {
		add(Change{Sign: "-", Label: "classic", What: left.What + ", " + left.Fate}, "", printable.Line(left.File))
	}
	return all
}

// madeAs is what a new object is for, and the file or folder that it is in; nothing for others.
func madeAs(o Object) (label, place string) {
	if o.Action != created || o.Object.Name == "" {
		return "", ""
	}
	dir := printable.Line(path.Dir(o.File))
	if o.File == "" {
		dir = ""
	}
	switch {
	case o.Object.Kind == "Kustomization":
		return "applied by", printable.Line(o.File)
	case path.Base(dir) == "instance", o.Object.Kind == "FluxInstance", strings.HasSuffix(o.Object.Name, "-instance"):
		return "instance", dir
	}
	return "operator", dir
}

// shortName is an object without its namespace; nothing for a kustomization.yaml.
func shortName(id object.ID) string {
	if id.Name == "" {
		return ""
	}
	id.Namespace = ""
	return id.String()
}

// guards are the fields that keep Flux from deleting something.
var guards = []string{"annotation prune", "deletionPolicy", "prune", "commonMetadata", "patches: prune: disabled on "}

// edited is the change of an object that is edited.
func edited(o Object) Change {
	var edits []string
	for _, edit := range o.Edits {
		if !slices.Contains(edits, edit) { // as of several guards in one list
			edits = append(edits, edit)
		}
	}
	change := Change{Sign: "~", Label: "guard", What: strings.Join(edits, "; ")}
	for _, edit := range o.Edits {
		field := strings.TrimPrefix(strings.TrimPrefix(edit, "+ "), "- ")
		if !slices.ContainsFunc(guards, func(guard string) bool { return strings.HasPrefix(field, guard) }) {
			change.Label = "edit"
		}
	}
	if o.Object.Name == "" && change.Label == "edit" {
		change.Label = "list"
	}
	return change
}

// listed are the first of some names, and how many there are besides.
func listed(names []string) string {
	const most = 4
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// totals is what a run comes to, in one line.
func (v *View) totals() string {
	files := map[string]int{}
	for _, f := range v.Files {
		files[f.Action]++
	}
	warnings, errors := 0, 0
	for _, s := range v.Sections {
		switch s.Severity {
		case finding.Error:
			errors = len(s.Items)
		case finding.Warning:
			warnings = len(s.Items)
		}
	}
	if v.Failed {
		return fmt.Sprintf("Refused: no file changes; %s, %s.", printable.Count(errors, "error"),
			printable.Count(warnings, "warning"))
	}
	if v.waits() {
		said := "Deployed"
		if len(v.run.Stages) > 0 {
			said = "Not deployed yet"
		}
		return fmt.Sprintf("%s: no file changes; %s.", said, printable.Count(warnings, "warning"))
	}
	if v.still() {
		return fmt.Sprintf("Nothing to do: no file changes; %s.", printable.Count(warnings, "warning"))
	}
	name := map[string]string{config.Deploy: "Deploy", config.Cleanup: "Cleanup"}[v.Phase]
	return fmt.Sprintf("%s: %s created, %d edited, %d deleted; %s; %s.", name, printable.Count(files[created], "file"),
		files[configured], files[deleted],
		v.pruned(), printable.Count(warnings, "warning"))
}

// pruned counts what the proof says that Flux deletes on purpose.
func (v *View) pruned() string {
	pruned, proved := 0, len(v.run.Trees) > 0
	for _, trees := range v.run.Trees {
		pruned += trees.Pruned()
	}
	if !proved {
		return "what is pruned was not checked"
	}
	return printable.Count(pruned, "object") + " pruned"
}

// Leaving are objects that leave Git with their file, and what becomes of them on the cluster.
type Leaving struct{ File, What, Fate string }

// leaving are the objects that leave Git, by file and fate.
func (v *View) leaving() []Leaving {
	operated := map[flux.ID]bool{}
	for _, c := range v.run.Clusters {
		for _, id := range c.Operator {
			operated[id] = true
		}
	}
	type group struct{ file, fate string }
	groups := map[group][]object.ID{}
	for _, o := range v.run.Objects {
		if o.Action != deleted {
			continue
		}
		g := group{o.File, "which go"}
		if id := o.Object; operated[flux.ID{Group: id.Group(), Kind: id.Kind, Namespace: id.Namespace, Name: id.Name}] {
			g.fate = "which stay on the cluster: Flux Operator has them"
		} else if id.Name == "" {
			g.fate = "which only lists files: nothing on the cluster changes by it"
		}
		groups[g] = append(groups[g], o.Object)
	}
	var all []Leaving
	for _, g := range slices.SortedFunc(maps.Keys(groups),
		func(a, b group) int { return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.fate, b.fate)) }) {
		all = append(all, Leaving{g.file, listed(named(groups[g])), g.fate})
	}
	return all
}

// named are a few objects by their names, many as so many of each kind, the most of them first.
func named(ids []object.ID) []string {
	const few = 3
	count := map[string]int{}
	var names []string
	for _, id := range ids {
		count[id.Kind]++
		names = append(names, printable.Line(cmp.Or(shortName(id), id.Kind)))
	}
	if len(ids) <= few {
		return names
	}
	names = nil
	for _, kind := range slices.SortedFunc(maps.Keys(count),
		func(x, y string) int { return cmp.Or(count[y]-count[x], strings.Compare(x, y)) }) {
		names = append(names, printable.Count(count[kind], printable.Line(kind)))
	}
	return names
}
