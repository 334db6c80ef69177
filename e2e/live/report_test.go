package live

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// row is a line of the table: what one scenario ran, and what was deleted.
type row struct {
	*table
	scenario string
	steps    []string
	wanted   []string // what must be deleted, and nothing else
	disaster bool     // what is deleted is more than is named
	deleted  []string
	failed   bool
}

// ran notes a step.
func (r *row) ran(format string, values ...any) {
	r.steps = append(r.steps, fmt.Sprintf(format, values...))
}

// expects notes what the next steps delete on purpose.
func (r *row) expects(names ...string) {
	r.wanted = append(r.wanted, names...)
}

// judge fails unless what was deleted is what was expected. Helm prunes its own history, and that does not count.
func (r *replay) judge(t *testing.T) {
	t.Helper()
	r.row.deleted = slices.DeleteFunc(r.deleted.all(), isHistory)
	if r.disaster {
		for _, name := range r.wanted {
			if !slices.Contains(r.row.deleted, name) {
				t.Errorf("%s was to be deleted", name)
			}
		}
		return
	}
	if got, want := slices.Sorted(slices.Values(r.row.deleted)), slices.Sorted(slices.Values(r.wanted)); !slices.Equal(got, want) {
		t.Errorf("the API server saw deletions of %s; want: %s", list(got), list(want))
	}
}

// expected says what a row wants.
func (r *row) expected() string {
	if r.disaster {
		return "more than " + short(r.wanted)
	}
	return fmt.Sprintf("%d: %s", len(r.wanted), short(r.wanted))
}

// short is a list of objects by kind and name.
func short(names []string) string {
	var all []string
	for _, name := range names {
		kind, rest, _ := strings.Cut(name, "/")
		kind, _, _ = strings.Cut(kind, ".")
		all = append(all, kind+"/"+rest[strings.LastIndex(rest, "/")+1:])
	}
	return list(all)
}

// table is what a run prints at its end.
type table struct {
	mutex sync.Mutex
	rows  []*row
}

// row adds a line.
func (t *table) row(scenario string) *row {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	made := &row{table: t, scenario: scenario}
	t.rows = append(t.rows, made)
	return made
}

// String is the table as Markdown.
func (t *table) String() string {
	var out strings.Builder
	out.WriteString("| scenario | what was run | objects deleted | expected | |\n|---|---|---|---|---|\n")
	for _, one := range t.rows {
		out.WriteString(one.line() + "\n")
	}
	return out.String()
}

// line is a row as Markdown.
func (r *row) line() string {
	verdict := "as expected"
	if r.failed {
		verdict = "FAILED"
	}
	return fmt.Sprintf("| %s | %s | %d | %s | %s |", r.scenario, strings.Join(r.steps, "; "), len(r.deleted), r.expected(), verdict)
}
