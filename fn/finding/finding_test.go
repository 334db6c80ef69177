package finding

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/fn/framework"

	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/shell"
)

// flux is an object in a file.
var flux = object.New(object.ID{APIVersion: "kustomize.toolkit.fluxcd.io/v1", Kind: "Kustomization", Namespace: "flux-system", Name: "flux"},
	"", "cluster/flux.yaml", 1)

func TestString(t *testing.T) {
	loose := object.New(object.ID{APIVersion: "v1", Kind: "Namespace", Name: "apps"}, "", "", 0)
	for _, c := range []struct {
		name string
		say  func(*List)
		want string
	}{
		{"about a field", func(l *List) { l.Error(Incomplete, flux, "spec.path", "path %s is wrong", "./x") },
			"[error] cluster/flux.yaml: Kustomization/flux-system/flux: spec.path: path ./x is wrong"},
		{"about an object", func(l *List) { l.Warn(Incomplete, flux, "", "look") }, "[warning] cluster/flux.yaml: Kustomization/flux-system/flux: look"},
		{"about an object without a file", func(l *List) { l.Info(Incomplete, Found, loose, "", "here") }, "[info] Namespace/apps: here"},
		{"about everything", func(l *List) { l.Error(Incomplete, nil, "", "nothing found") }, "[error] nothing found"},
		{"control characters", func(l *List) { l.Error(Incomplete, nil, "", "%s", "a\x1b[31mb\x00") }, "[error] a?[31mb?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l List
			c.say(&l)
			if have := l.All()[0].String(); have != c.want {
				t.Errorf("want %q, have %q", c.want, have)
			}
		})
	}
}

func TestList(t *testing.T) {
	var all List
	if all.Failed() {
		t.Error("an empty list has failed")
	}
	all.Warn(Incomplete, nil, "", "first")
	cluster := all.For("clusters/a")
	cluster.Info(Incomplete, Wait, flux, "", "second")
	if cluster.Failed() {
		t.Error("a list without an Error has failed")
	}
	cluster.Error(Incomplete, flux, "", "third")
	cluster.Error(Incomplete, flux, "", "third")
	all.Merge(cluster)
	if !all.Failed() || !cluster.Failed() {
		t.Error("a list with an Error has not failed")
	}
	var said []string
	for _, f := range all.All() {
		said = append(said, f.Cluster+" "+f.Message)
	}
	if want := []string{" first", "clusters/a second", "clusters/a third"}; !reflect.DeepEqual(said, want) {
		t.Errorf("want %q, have %q", want, said)
	}
}

// TestResults holds the results against the KRM functions specification.
func TestResults(t *testing.T) {
	var l List
	l.Info(Incomplete, Verify, flux, "", "info")
	l.Warn(Incomplete, nil, "spec.path", "a field without an object")
	l.For("a")
	l.Error(Incomplete, flux, "spec.path", "error")
	clustered := l.For("clusters/a")
	clustered.Warn(Incomplete, flux, "", "of a cluster")
	l.Merge(clustered)
	results := Results(l.All())
	var order []string
	for _, r := range results {
		order = append(order, string(r.Severity)+" "+r.Message)
		if r.Field != nil && r.ResourceRef == nil {
			t.Errorf("a field without a resourceRef: %s", r.Message)
		}
	}
	if want := "error error,warning a field without an object,warning of a cluster,info info"; strings.Join(order, ",") != want {
		t.Errorf("the worst comes first, and the rest keeps its order: have %q", order)
	}
	worst := results[0]
	if worst.ResourceRef.APIVersion != flux.APIVersion || worst.ResourceRef.Kind != flux.Kind || worst.ResourceRef.Name != "flux" || worst.ResourceRef.Namespace != "flux-system" {
		t.Errorf("the object is not named: %+v", worst.ResourceRef)
	}
	if *worst.File != (framework.File{Path: "cluster/flux.yaml", Index: 1}) || worst.Field.Path != "spec.path" {
		t.Errorf("the place is not named: %+v %+v", worst.File, worst.Field)
	}
	if results[2].Tags["cluster"] != "clusters/a" || results[3].Tags["topic"] != "verify" || !maps.Equal(worst.Tags, map[string]string{"code": "incomplete"}) {
		t.Errorf("the tags are wrong: %v %v %v", results[2].Tags, results[3].Tags, worst.Tags)
	}
}

// TestOrder holds that what a person needs first comes first: kpt cuts a long list.
func TestOrder(t *testing.T) {
	var l List
	l.Info(ChangedByOperator, Imposed, nil, "", "imposed")
	l.Info(GoBack, Rollback, nil, "", "go back")
	l.Info(PushAndWait, Wait, nil, "", "wait")
	l.Info(Compared, Proof, nil, "", "proof")
	l.Info(RequiredObject, Prerequisite, nil, "", "must exist")
	l.Warn(Incomplete, nil, "", "not judged")
	l.Warn(Suspended, nil, "", "suspended")
	l.Error(TwoRoots, nil, "", "error")
	var have []string
	for _, r := range Results(l.All()) {
		have = append(have, r.Message)
	}
	if want := []string{"error", "suspended", "not judged", "must exist", "wait", "go back", "proof", "imposed"}; !slices.Equal(have, want) {
		t.Errorf("want %q, have %q", want, have)
	}
}

// aTopic is the line that defines a topic.
var aTopic = regexp.MustCompile(`(?m)^\t\w+ +Topic = "([a-z-]+)"`)

// TestTopics holds that each topic has its place in that order.
func TestTopics(t *testing.T) {
	source, err := os.ReadFile("finding.go")
	if err != nil {
		t.Fatal(err)
	}
	topics := aTopic.FindAllStringSubmatch(string(source), -1)
	if len(topics) < 15 {
		t.Errorf("only %d topics: the test has lost sight of them", len(topics))
	}
	for _, topic := range topics {
		if !slices.Contains(needed, Topic(topic[1])) {
			t.Errorf("the topic %q has no place among the results", topic[1])
		}
	}
}

// TestResultsOfAFileWithoutName proves that what has no name, as a kustomization.yaml, is named by its file: the
// specification wants a name in every resourceRef.
func TestResultsOfAFileWithoutName(t *testing.T) {
	var l List
	l.Error(Incomplete, object.New(object.ID{APIVersion: "kustomize.config.k8s.io/v1beta1", Kind: "Kustomization"}, "", "cluster/kustomization.yaml", 0), "resources", "wrong")
	r := Results(l.All())[0]
	if r.ResourceRef != nil || r.Field != nil {
		t.Errorf("a resourceRef has no name: %+v", r.ResourceRef)
	}
	if r.File == nil || r.File.Path != "cluster/kustomization.yaml" {
		t.Errorf("the file is not named: %+v", r.File)
	}
}

// TestWith holds that a command is said as it is, or not at all.
func TestWith(t *testing.T) {
	two := Finding{Severity: Info, Message: "run this"}.With(shell.Run("a", "b && c"), "d")
	if two.Message != "run this: a 'b && c' && d" || two.Command != "a 'b && c'\nd" || two.Sentence() != "run this" {
		t.Errorf("got %+v", two)
	}
	for _, word := range []string{"a\nb", "\x1b[31m", "a\u2028", "##[add-mask]x"} {
		if got := (Finding{Severity: Info}).With(shell.Run("a", word)); got.Severity != Error || got.Command != "" {
			t.Errorf("%q: got %+v", word, got)
		}
	}
}
