package command

import (
	"regexp"
	"slices"
	"strings"
)

// blanked stands where something was taken out.
const blanked = "(blanked)"

// address is what a message may quote of where a repository comes from: a URL, or user@host.
var address = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"')]+|[^\s"'(]+@[^\s"')]+`)

// redacted is a result that can be shown to others: without the values of fields, and without addresses. The names of
// objects and files stay, because nobody could follow it without them.
func (r *Result) redacted() *Result {
	shown := *r
	shown.Clusters = slices.Clone(r.Clusters)
	for i := range shown.Clusters {
		cluster := &shown.Clusters[i]
		cluster.Reason = withoutAddresses(cluster.Reason)
		cluster.Fields = slices.Clone(cluster.Fields)
		for j := range cluster.Fields {
			field := &cluster.Fields[j]
			field.Why = withoutAddresses(field.Why)
			if field.Value != "" {
				field.Value = blanked
			}
		}
	}
	shown.Findings = slices.Clone(r.Findings)
	for i := range shown.Findings {
		found := &shown.Findings[i]
		found.Message, found.Command = withoutAddresses(found.Message), withoutAddresses(found.Command)
	}
	shown.Objects = slices.Clone(r.Objects)
	for i := range shown.Objects {
		object := &shown.Objects[i]
		object.Edits = slices.Clone(object.Edits)
		for j, edit := range object.Edits {
			field, _, _ := strings.Cut(edit, ": ")
			object.Edits[j] = field + ": " + blanked
		}
	}
	return &shown
}

// withoutAddresses is a text in which addresses are blanked.
func withoutAddresses(text string) string { return address.ReplaceAllLiteralString(text, blanked) }
