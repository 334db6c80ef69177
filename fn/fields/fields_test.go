package fields

import (
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// parse reads a YAML mapping.
func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	m := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// paths are the places of leaves.
func paths(leaves []Leaf) string {
	var all []string
	for _, leaf := range leaves {
		all = append(all, leaf.Path)
	}
	return strings.Join(all, " ")
}

func TestMove(t *testing.T) {
	for _, c := range []struct {
		name                        string
		source                      string
		rules                       []Rule
		target                      string
		restated, dropped, leftOver string
	}{
		{name: "a leaf moves", source: `{spec: {url: u}}`, rules: []Rule{{From: "spec.url", To: "sync.url"}}, target: `{sync: {url: u}}`},
		{name: "a map moves whole", source: `{spec: {ref: {branch: main}}}`, rules: []Rule{{From: "spec.ref", To: "ref"}}, target: `{ref: {branch: main}}`},
		{name: "what no rule knows is left over", source: `{spec: {url: u, new: {a: 1, b: 2}}}`, rules: []Rule{{From: "spec.url", To: "url"}},
			target: `{url: u}`, leftOver: "spec.new.a spec.new.b"},
		{name: "parents that moving emptied go", source: `{spec: {secretRef: {name: s}}}`, rules: []Rule{{From: "spec.secretRef.name", To: "secret"}}, target: `{secret: s}`},
		{name: "a parent that keeps something stays", source: `{spec: {secretRef: {name: s, key: k}}}`, rules: []Rule{{From: "spec.secretRef.name", To: "secret"}},
			target: `{secret: s}`, leftOver: "spec.secretRef.key"},
		{name: "a map that was written empty is a leaf", source: `{spec: {url: u, ref: {}}}`, rules: []Rule{{From: "spec.url", To: "url"}}, target: `{url: u}`, leftOver: "spec.ref"},
		{name: "a list that was written empty is a leaf", source: `{spec: {patches: []}}`, leftOver: "spec.patches"},
		{name: "a null is a leaf", source: `{spec: {suspend: null}}`, leftOver: "spec.suspend"},
		{name: "the rule for the parent takes what is left", source: `{spec: {secretRef: {name: s, key: k}}}`,
			rules: []Rule{{From: "spec.secretRef.name", To: "secret"}, {From: "spec.secretRef", Restate: true}}, target: `{secret: s}`, restated: "spec.secretRef"},
		{name: "the rule for the parent does not apply when nothing is left", source: `{spec: {secretRef: {name: s}}}`,
			rules: []Rule{{From: "spec.secretRef.name", To: "secret"}, {From: "spec.secretRef", Restate: true}}, target: `{secret: s}`},
		{name: "a value is dropped for a reason", source: `{status: {ready: true}}`, rules: []Rule{{From: "status", Why: "written by the controller"}}, dropped: "status"},
		{name: "what cannot be converted goes to the next rule", source: `{spec: {ref: {branch: main}}}`,
			rules: []Rule{{From: "spec.ref", To: "ref", Via: never}, {From: "spec.ref", Restate: true}}, restated: "spec.ref"},
		{name: "a converted value moves", source: `{spec: {branch: main}}`, rules: []Rule{{From: "spec.branch", To: "ref", Via: head}}, target: `{ref: refs/heads/main}`},
		{name: "a key with dots", source: `{metadata: {annotations: {example.com/a.b: x, other: z}}}`,
			rules: []Rule{{From: "metadata.annotations[example.com/a.b]", Why: "ours"}}, dropped: "metadata.annotations[example.com/a.b]", leftOver: "metadata.annotations.other"},
		{name: "a key with dots that is left over", source: `{metadata: {annotations: {example.com/a.b: x}}}`, leftOver: "metadata.annotations[example.com/a.b]"},
		{name: "the same value twice", source: `{a: x, b: x}`, rules: []Rule{{From: "a", To: "c"}, {From: "b", To: "c"}}, target: `{c: x}`},
		{name: "a path through a scalar is not found", source: `{spec: text}`, rules: []Rule{{From: "spec.url", To: "url"}}, leftOver: "spec"},
		{name: "an empty object", source: `{}`, rules: []Rule{{From: "spec", To: "spec"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			source, target := parse(t, c.source), map[string]any{}
			moved, err := Move(source, target, c.rules)
			if err != nil {
				t.Fatal(err)
			}
			if want := parse(t, c.target); !reflect.DeepEqual(target, want) {
				t.Errorf("target: want %v, have %v", want, target)
			}
			for _, list := range []struct {
				name, want string
				have       []Leaf
			}{{"restated", c.restated, moved.Restated}, {"dropped", c.dropped, moved.Dropped}, {"rest", c.leftOver, moved.Rest}} {
				if have := paths(list.have); have != list.want {
					t.Errorf("%s: want %q, have %q", list.name, list.want, have)
				}
			}
			if !reflect.DeepEqual(source, parse(t, c.source)) {
				t.Error("the source was changed")
			}
		})
	}
}

func never(any) (any, bool) { return nil, false }

func head(value any) (any, bool) {
	branch, isString := value.(string)
	return "refs/heads/" + branch, isString
}

func TestMoveRefuses(t *testing.T) {
	for _, c := range []struct {
		name, source, target string
		rule                 Rule
		want                 string
	}{
		{"another value in the target", `{a: x}`, `{c: z}`, Rule{From: "a", To: "c"}, "field c is already z"},
		{"another value on the way", `{a: x}`, `{c: z}`, Rule{From: "a", To: "c.d"}, "field c.d is already z"},
		{"a map in the target", `{a: x}`, `{c: {d: z}}`, Rule{From: "a", To: "c"}, "field c is already map[d:z]"},
		{"a drop without a reason", `{a: x}`, `{}`, Rule{From: "a"}, "rule for a says neither where it goes nor why it is dropped"},
		{"a drop without a reason of what is not there", `{}`, `{}`, Rule{From: "a"}, "rule for a says neither where it goes nor why it is dropped"},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := parse(t, c.target)
			_, err := Move(parse(t, c.source), target, []Rule{c.rule})
			if err == nil || err.Error() != c.want {
				t.Errorf("want %q, have %v", c.want, err)
			}
			if !reflect.DeepEqual(target, parse(t, c.target)) {
				t.Errorf("the target was overwritten: %v", target)
			}
		})
	}
}

// TestMoveDoesNotShare proves that changing what was moved does not change the source.
func TestMoveDoesNotShare(t *testing.T) {
	source, target := parse(t, `{a: {b: [{c: x}]}}`), map[string]any{}
	if _, err := Move(source, target, []Rule{{From: "a", To: "z"}}); err != nil {
		t.Fatal(err)
	}
	target["z"].(map[string]any)["b"].([]any)[0].(map[string]any)["c"] = "changed"
	if !reflect.DeepEqual(source, parse(t, `{a: {b: [{c: x}]}}`)) {
		t.Errorf("the source was changed: %v", source)
	}
}

func TestSplitAndJoin(t *testing.T) {
	for path, keys := range map[string][]string{
		"":                               nil,
		"spec":                           {"spec"},
		"spec.ref.branch":                {"spec", "ref", "branch"},
		"metadata.annotations[a.b/c]":    {"metadata", "annotations", "a.b/c"},
		"metadata.labels[a.b].c":         {"metadata", "labels", "a.b", "c"},
		"metadata.annotations[a.b][c.d]": {"metadata", "annotations", "a.b", "c.d"},
	} {
		if have := Split(path); !reflect.DeepEqual(have, keys) {
			t.Errorf("Split(%q): want %q, have %q", path, keys, have)
		}
		joined := ""
		for _, key := range keys {
			joined = Join(joined, key)
		}
		if joined != path {
			t.Errorf("Join: want %q, have %q", path, joined)
		}
	}
}
