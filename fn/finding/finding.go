// Package finding says what the migration found: a severity, the object and field it is about, the file they are in,
// and a message that names what to do.
package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/fn/framework"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/shell"
)

// Severity is a contract: with one Error the output equals the input and the exit code is not 0.
type Severity string

// The severities of the KRM functions specification (v1), the worst first.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Finding is one sentence for a person, tied to the object, field and file it is about.
type Finding struct {
	Severity Severity `json:"severity"`
	// Code names what is found, whatever the words.
	Code    Code      `json:"code"`
	Message string    `json:"message"`
	Object  object.ID `json:"object,omitzero"`
	Field   string    `json:"field,omitempty"`
	File    string    `json:"file,omitempty"`
	Index   int       `json:"index,omitempty"`
	// Cluster is the root path of the cluster the finding belongs to, empty when it concerns the whole input.
	Cluster string `json:"cluster,omitempty"`
	// Topic groups the findings of a plan: what was found, prerequisites, what to wait for, how to roll back.
	Topic Topic `json:"topic,omitempty"`
	// Command is what to run, one command a line; the message ends in it.
	Command string `json:"command,omitempty"`
}

// Topic is the part of a plan that a finding belongs to.
type Topic string

// The topics, in the order in which a plan prints them.
const (
	Found        Topic = "found"
	Unsynced     Topic = "unsynced"
	Moved        Topic = "moved"
	Imposed      Topic = "imposed"
	Reference    Topic = "reference"
	Proof        Topic = "proof"
	Prerequisite Topic = "prerequisite"
	Provided     Topic = "provided" // a prerequisite that is in Git
	Bootstrap    Topic = "bootstrap"
	Look         Topic = "look"
	Wait         Topic = "wait"
	Verify       Topic = "verify"
	Rollback     Topic = "rollback"
	NotRead      Topic = "not-read" // left alone, because it cannot be read and need not be
	Report       Topic = "report"
)

// List gathers findings; its zero value is ready to use.
type List struct {
	all     []Finding
	cluster string
}

// For returns a view that files every finding under the cluster with this root path.
func (l *List) For(cluster string) *List { return &List{cluster: cluster} }

// Merge appends the findings of other lists.
func (l *List) Merge(other *List) { l.all = append(l.all, other.all...) }

// All returns the findings in the order in which they were made.
func (l *List) All() []Finding { return l.all }

// Failed reports whether there is an Error.
func (l *List) Failed() bool {
	return slices.ContainsFunc(l.all, func(f Finding) bool { return f.Severity == Error })
}

// Add appends a finding that was made elsewhere.
func (l *List) Add(f Finding) {
	if f.Cluster == "" {
		f.Cluster = l.cluster
	}
	f.Message, f.Command = printable.Line(f.Message), printable.Text(f.Command)
	if !slices.Contains(l.all, f) {
		l.all = append(l.all, f)
	}
}

// Error adds an Error about a field of an object; o may be nil when the input as a whole is meant.
func (l *List) Error(code Code, o *object.Object, field, format string, args ...any) {
	l.Add(About(Error, code, "", o, field, format, args...))
}

// ErrorAbout adds an Error under a topic.
func (l *List) ErrorAbout(code Code, topic Topic, o *object.Object, field, format string, args ...any) {
	l.Add(About(Error, code, topic, o, field, format, args...))
}

// Warn adds a Warning about a field of an object.
func (l *List) Warn(code Code, o *object.Object, field, format string, args ...any) {
	l.Add(About(Warning, code, "", o, field, format, args...))
}

// Info adds an Info under a topic.
func (l *List) Info(code Code, topic Topic, o *object.Object, field, format string, args ...any) {
	l.Add(About(Info, code, topic, o, field, format, args...))
}

// Run adds an Info that says what to run: the commands, one after the other, are the end of its message.
func (l *List) Run(code Code, topic Topic, o *object.Object, commands []shell.Line, format string, args ...any) {
	l.Add(About(Info, code, topic, o, "", format, args...).With(commands...))
}

// With is a finding that says what to run: the commands, one after the other, are the end of its message. It is an
// Error where a command cannot be printed as it is.
func (f Finding) With(commands ...shell.Line) Finding {
	joined, lines := string(shell.And(commands...)), make([]string, len(commands))
	if !printable.Fits(joined) {
		f.Severity, f.Code = Error, InvalidName
		f.Message = fmt.Sprintf("a command for this has a name or path with control characters, or with a command to "+
			"a CI runner: %s", joined)
		return f
	}
	for i, command := range commands {
		lines[i] = string(command)
	}
	f.Message, f.Command = f.Message+": "+joined, strings.Join(lines, "\n")
	return f
}

// About is a finding about a field of an object; o may be nil when the input as a whole is meant.
func About(s Severity, c Code, t Topic, o *object.Object, field, format string, args ...any) Finding {
	f := Finding{Severity: s, Code: c, Topic: t, Field: field, Message: fmt.Sprintf(format, args...)}
	if o != nil {
		f.Object, f.File, f.Index = o.ID, o.File, o.Index
	}
	return f
}

// steps are the topics that say what to do once the output is committed.
var steps = []Topic{Bootstrap, Wait, Verify, Rollback}

// Standing are the findings that stand at the end: with an Error nothing is written, and so there is nothing to push or
// to wait for.
func Standing(findings []Finding) []Finding {
	if !slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == Error }) {
		return findings
	}
	return slices.DeleteFunc(slices.Clone(findings),
		func(f Finding) bool { return f.Severity == Info && slices.Contains(steps, f.Topic) })
}

// Sentence is the message without the command that it ends in.
func (f Finding) Sentence() string {
	commands := strings.ReplaceAll(f.Command, "\n", " && ")
	return strings.TrimSuffix(strings.TrimSuffix(f.Message, commands), ": ")
}

// Refuses reports whether it is an Error about a cluster; that without a path is none in particular.
func (f Finding) Refuses(cluster string) bool { return f.Severity == Error && f.Cluster == cluster }

// Where names the place of a finding: file, object and field, as far as they are known.
func (f Finding) Where() string {
	var parts []string
	if f.File != "" {
		parts = append(parts, printable.Line(f.File))
	}
	if f.Object.Kind != "" {
		parts = append(parts, f.Object.String())
	}
	if f.Field != "" {
		parts = append(parts, printable.Line(f.Field))
	}
	return strings.Join(parts, ": ")
}

// String is the finding on one line, as it goes to stderr.
func (f Finding) String() string {
	if where := f.Where(); where != "" {
		return fmt.Sprintf("[%s] %s: %s", f.Severity, where, f.Message)
	}
	return fmt.Sprintf("[%s] %s", f.Severity, f.Message)
}

// Results are the findings as the KRM functions specification wants them: every result has a message and a severity,
// a field only comes with a resourceRef, a file has a relative path with slashes. What a person needs first comes
// first, because kpt cuts a long list.
func Results(findings []Finding) framework.Results {
	sorted := slices.SortedStableFunc(slices.Values(findings), func(a, b Finding) int {
		return cmp.Or(cmp.Compare(rank(a.Severity), rank(b.Severity)), cmp.Compare(a.urgency(), b.urgency()))
	})
	results := make(framework.Results, 0, len(sorted))
	for _, f := range sorted {
		results = append(results, f.result())
	}
	return results
}

// noted are the Warnings that only say what was not looked at, or has no effect: they want no decision.
var noted = []Code{PatchWithoutEffect, SettingWithoutEffect, GuardsElsewhere, TwoOwners, Incomplete, NotJudged,
	FileNotRead}

// needed are the topics of Infos in the order in which a person needs them: the steps, and then what to know.
var needed = []Topic{Prerequisite, Look, Wait, Verify, Rollback, Found, Proof, Bootstrap, Moved, Reference, Imposed,
	Provided, Unsynced, NotRead, "", Report}

// urgency is how soon a person needs a finding, among those of its severity; 0 is first.
func (f Finding) urgency() int {
	switch f.Severity {
	case Warning:
		return slices.Index(noted, f.Code)
	case Info:
		if i := slices.Index(needed, f.Topic); i >= 0 {
			return i
		}
		return len(needed)
	}
	return 0
}

func (f Finding) result() *framework.Result {
	r := &framework.Result{Message: f.Message, Severity: framework.Severity(f.Severity),
		Tags: map[string]string{"code": string(f.Code)}}
	// The specification wants a name in every resourceRef; a kustomization.yaml has none and is named by its file.
	if f.Object.Kind != "" && f.Object.Name != "" {
		r.ResourceRef = &yaml.ResourceIdentifier{
			TypeMeta: yaml.TypeMeta{APIVersion: f.Object.APIVersion, Kind: f.Object.Kind},
			NameMeta: yaml.NameMeta{Name: f.Object.Name, Namespace: f.Object.Namespace},
		}
		if f.Field != "" {
			r.Field = &framework.Field{Path: f.Field}
		}
	}
	if f.File != "" {
		r.File = &framework.File{Path: f.File, Index: f.Index}
	}
	for key, value := range map[string]string{"topic": string(f.Topic), "cluster": f.Cluster} {
		if value != "" {
			r.Tags[key] = value
		}
	}
	return r
}

func rank(s Severity) int { return slices.Index([]Severity{Error, Warning, Info}, s) }
