package live

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"migrate-to-flux-operator/fn/printable"
)

// width is how long a line of a sentence gets.
const width = 80

// most is how many rows of one kind are printed whatever they say; of more only those that say something.
const most = 12

// Text is a report for people. The commands are what to run next.
func (r Report) Text(commands []string) string {
	p := &page{}
	p.line("Cluster ./%s: %s", printable.Line(strings.TrimPrefix(r.Cluster, ".")), r.Phase)
	p.sentence("  ", fmt.Sprintf("%s, %s, %s", r.Snapshot, or("of the context "+r.Context, "of no context",
		r.Context), or("taken "+r.Taken.Format(time.RFC3339),
		"taken at no time", r.Taken.Format(time.RFC3339))))
	if r.Phase != Unknown {
		r.runs(p)
		r.synced(p)
		r.needed(p)
	}
	if len(r.Problems) > 0 && r.Phase != Unknown {
		p.line("  Differs from Git, or is in the way")
	}
	for _, problem := range r.Problems {
		p.sentence(map[bool]string{true: "  ! ", false: "  - "}[problem.Stops],
			fmt.Sprintf("%s [%s]", problem.Message, problem.Code))
	}
	p.sentence("  ", fmt.Sprintf("Next (%s): %s", map[bool]string{true: "safe", false: "not yet safe"}[r.Safe], r.Next))
	for _, command := range commands {
		p.line("    %s", command)
	}
	p.flush()
	return p.String()
}

// Overview is a line for each of several reports.
func Overview(reports []Report) string {
	p := &page{}
	p.line("All")
	for _, r := range reports {
		p.word("./"+strings.TrimPrefix(r.Cluster, "."), r.Phase,
			map[bool]string{true: "safe", false: "not yet safe"}[r.Safe]+": "+r.Step)
	}
	p.flush()
	return p.String()
}

// or is a text, or another one where a value is empty.
func or(text, otherwise, value string) string {
	if value == "" || value == (time.Time{}).Format(time.RFC3339) {
		return otherwise
	}
	return text
}

// runs are the release and the controllers.
func (r Report) runs(p *page) {
	f := r.Facts
	flux := "Flux " + or(f.Release, "of no one release", f.Release) + " (distribution " + or(f.Distribution,
		"unknown", f.Distribution) + ")"
	if f.Operator != "" {
		flux += ", Flux Operator " + f.Operator
	}
	p.line("  %s", printable.Line(flux))
	for _, c := range f.Controllers {
		p.row(c.Name, c.State, version(c))
	}
}

// version is the tag of a controller's image, and the name of an image that is not Flux's own.
func version(c Controller) string {
	image, _, _ := strings.Cut(c.Image, "@")
	name, tag, _ := strings.Cut(image, ":")
	if tag != "" && slices.Contains([]string{"ghcr.io/fluxcd/" + c.Name, "ghcr.io/controlplaneio-fluxcd/" + c.Name},
		name) {
		return tag
	}
	return image
}

// synced are the sources, the Flux Kustomizations and the HelmReleases that are not ready.
func (r Report) synced(p *page) {
	f := r.Facts
	p.line("  Sources")
	sources := interesting(f.Sources, func(s Source) bool { return !s.Ready || s.Suspended })
	for _, s := range sources {
		p.row(s.ID.String(), s.State, short(s.Revision))
		p.word("  "+s.URL, "", "")
	}
	p.rest(len(f.Sources) - len(sources))
	p.line("  Flux Kustomizations")
	kustomizations := interesting(f.Kustomizations, func(k Kustomization) bool { return !k.Ready || k.Suspended })
	for _, k := range kustomizations {
		size := printable.Count(k.Objects, "object")
		p.row(k.ID.Namespace+"/"+k.ID.Name, k.State, strings.TrimSuffix(size+", "+short(k.Revision), ", "))
	}
	p.rest(len(f.Kustomizations) - len(kustomizations))
	if n := len(f.HelmReleases.NotReady); n > 0 {
		p.line("  HelmReleases that are not ready: %d of %d", n, f.HelmReleases.All)
		for _, release := range f.HelmReleases.NotReady[:min(n, most)] {
			p.row(release.ID.Namespace+"/"+release.ID.Name, release.State, "")
		}
		if n > most {
			p.line("    and %d more", n-most)
		}
	} else if f.HelmReleases.All > 0 {
		p.line("  HelmReleases: %d of %[1]d ready", f.HelmReleases.All)
	}
}

// needed are the Secrets and ConfigMaps.
func (r Report) needed(p *page) {
	if len(r.Facts.Needs) > 0 {
		p.line("  Secrets and ConfigMaps that the sync needs")
	}
	for _, n := range r.Facts.Needs {
		state := State{Ready: n.Present, Reason: "missing"}
		if n.Optional && !n.Present {
			state.Reason = "missing, optional"
		}
		p.word(n.ID.String(), or("present", state.Reason, map[bool]string{true: "x"}[n.Present]), "")
	}
}

// interesting are all of a few, and of many those that say something.
func interesting[T any](all []T, says func(T) bool) []T {
	if len(all) <= most {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(one T) bool { return !says(one) })
}

// short is a revision with a short hash.
func short(revision string) string {
	at := strings.LastIndex(revision, ":")
	if at < 0 || len(revision) < at+13 {
		return revision
	}
	return revision[:at+13]
}

// page is a text that is being written.
type page struct {
	strings.Builder
	rows [][3]string // that wait for their width
}

func (p *page) line(format string, args ...any) {
	p.flush()
	fmt.Fprintf(p, format+"\n", args...)
}

// flush writes the rows that wait, as wide as the widest of them.
func (p *page) flush() {
	rows, name, state := p.rows, 0, 0
	p.rows = nil
	for _, row := range rows {
		if row[1] != "" {
			name, state = max(name, len(row[0])), max(state, len(row[1]))
		}
	}
	for _, row := range rows {
		p.line("%s", strings.TrimRight(fmt.Sprintf("    %-*s  %-*s  %s", name, row[0], state, row[1], row[2]), " "))
	}
}

// row is an object with its state.
func (p *page) row(name string, s State, more string) {
	state := "ready"
	if !s.Ready {
		state = "not ready (" + s.Reason + ")"
	}
	if s.Suspended {
		state = "suspended"
	}
	p.word(name, state, more)
}

// word is an object with a word about it.
func (p *page) word(name, state, more string) {
	p.rows = append(p.rows, [3]string{printable.Line(name), printable.Line(state), printable.Line(more)})
}

// rest says how many rows are left out.
func (p *page) rest(n int) {
	if n > 0 {
		p.line("    and %d more, which are ready", n)
	}
}

// sentence is a text in lines of a terminal's width, behind a mark.
func (p *page) sentence(mark, text string) {
	line := mark
	for n, word := range strings.Fields(printable.Line(text)) {
		if n > 0 && len(line)+1+len(word) > width {
			p.line("%s", line)
			line = strings.Repeat(" ", len(mark))
		}
		if strings.TrimSpace(line) != "" && line != mark {
			line += " "
		}
		line += word
	}
	p.line("%s", line)
}
