package object

import (
	"reflect"
	"strings"
	"testing"

	"github.com/GoogleContainerTools/kpt-functions-sdk/go/fn"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"
)

const source = `# of the owner
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata:
  name: fleet
  namespace: flux-system
  annotations:
    internal.config.kubernetes.io/path: 'a.yaml'
    config.kubernetes.io/index: '0'
    team: platform # us
spec:
  interval: "5m" # often
  ref: {}
`

// parse makes an object or fails.
func parse(t *testing.T, text, file string, index int) *Object {
	t.Helper()
	o, err := Parse(text, file, index)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestID(t *testing.T) {
	for _, c := range []struct {
		id                     ID
		group, version, string string
	}{
		{ID{"source.toolkit.fluxcd.io/v1beta2", "Bucket", "flux-system", "b"}, "source.toolkit.fluxcd.io", "v1beta2", "Bucket/flux-system/b"},
		{ID{"v1", "Namespace", "", "apps"}, "", "v1", "Namespace/apps"},
		{ID{"kustomize.config.k8s.io/v1beta1", "Kustomization", "", ""}, "kustomize.config.k8s.io", "v1beta1", "Kustomization"},
		{ID{"v1", "Secret", "a", "b\x1b[2J"}, "", "v1", "Secret/a/b?[2J"},
	} {
		if c.id.Group() != c.group || c.id.Version() != c.version || c.id.String() != c.string {
			t.Errorf("want %q %q %q, have %q %q %q", c.group, c.version, c.string, c.id.Group(), c.id.Version(), c.id.String())
		}
	}
}

func TestSame(t *testing.T) {
	a := ID{"source.toolkit.fluxcd.io/v1", "Bucket", "ns", "b"}
	for _, c := range []struct {
		other ID
		want  bool
	}{
		{a, true},
		{ID{"source.toolkit.fluxcd.io/v1beta2", "Bucket", "ns", "b"}, true},
		{ID{"example.com/v1", "Bucket", "ns", "b"}, false},
		{ID{"source.toolkit.fluxcd.io/v1", "GitRepository", "ns", "b"}, false},
		{ID{"source.toolkit.fluxcd.io/v1", "Bucket", "other", "b"}, false},
		{ID{"source.toolkit.fluxcd.io/v1", "Bucket", "ns", "c"}, false},
	} {
		if a.Same(c.other) != c.want {
			t.Errorf("%v: want %v", c.other, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	o := parse(t, source, "a.yaml", 2)
	if want := (ID{"source.toolkit.fluxcd.io/v1", "GitRepository", "flux-system", "fleet"}); o.ID != want {
		t.Errorf("want %v, have %v", want, o.ID)
	}
	if o.File != "a.yaml" || o.Index != 2 || o.Text() != source || o.Changed() {
		t.Error("the object does not stand as it came")
	}
	if o.Str("spec", "interval") != "5m" || o.Str("spec", "ref") != "" || o.Str("spec", "url") != "" || o.Annotation("team") != "platform" {
		t.Error("the fields are not read")
	}
	if o.Annotation("internal.config.kubernetes.io/path") != "" || o.Annotation("config.kubernetes.io/index") != "" {
		t.Error("annotations of the pipeline are taken for the owner's")
	}
	if json := parse(t, `{"kind": "List", "apiVersion": "v1"}`, "", 0); json.Kind != "List" {
		t.Error("JSON is not read")
	}
	if only := parse(t, "kind: A\nmetadata:\n  annotations:\n    config.kubernetes.io/path: a\n", "", 0); !reflect.DeepEqual(only.Map()["metadata"], map[string]any{}) {
		t.Errorf("an empty map of annotations is left: %v", only.Map())
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"a: [", "- a\n", "text", "a: b\n c: d\n"} {
		if _, err := Parse(text, "", 0); err == nil || !strings.Contains(err.Error(), "not a YAML mapping") {
			t.Errorf("%q: have %v", text, err)
		}
	}
	lazy := New(ID{Kind: "A"}, "a: [", "", 0)
	if lazy.Check() == nil || len(lazy.Map()) != 0 {
		t.Error("a text that is not YAML is not told")
	}
}

func TestEdit(t *testing.T) {
	o := parse(t, source, "a.yaml", 0)
	if err := o.Edit(func(k *fn.KubeObject) error { return k.SetNestedString("1h", "spec", "interval") }); err != nil {
		t.Fatal(err)
	}
	if !o.Changed() || o.Str("spec", "interval") != "1h" {
		t.Error("the edit is not read back")
	}
	for _, kept := range []string{"# of the owner", "# us", "# often", "ref: {}", "internal.config.kubernetes.io/path: 'a.yaml'"} {
		if !strings.Contains(o.Text(), kept) {
			t.Errorf("%s is lost:\n%s", kept, o.Text())
		}
	}
	if err := o.EditNode(func(n *kyaml.RNode) error { return n.PipeE(kyaml.Clear("spec")) }); err != nil {
		t.Fatal(err)
	}
	if _, there := o.Map()["spec"]; there || !strings.Contains(o.Text(), "# us") {
		t.Errorf("the second edit is not read back:\n%s", o.Text())
	}
}

func TestEditWithoutChange(t *testing.T) {
	o := parse(t, strings.Replace(source, "# of the owner\n", "", 1), "a.yaml", 0)
	if err := o.Edit(func(*fn.KubeObject) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if o.Changed() {
		t.Errorf("an edit that changes nothing is a change:\n%s", o.Text())
	}
}

func TestGet(t *testing.T) {
	m := map[string]any{"a": map[string]any{"b": true, "c": nil}}
	if value, ok := Get[bool](m, "a", "b"); !value || !ok {
		t.Error("a value is not found")
	}
	if _, ok := Get[string](m, "a", "b"); ok {
		t.Error("a value of another type is found")
	}
	if _, ok := Get[bool](m, "a", "b", "c"); ok {
		t.Error("a path through a scalar is found")
	}
	if _, ok := Get[map[string]any](m, "x", "y"); ok {
		t.Error("a path that is not there is found")
	}
}

func TestIsInternal(t *testing.T) {
	for annotation, want := range map[string]bool{
		"internal.config.kubernetes.io/path": true, "config.kubernetes.io/path": true, "config.kubernetes.io/index": true,
		"kustomize.config.k8s.io/id": true, "config.k8s.io/id": true, "config.kubernetes.io/local-config": false, "kustomize.toolkit.fluxcd.io/prune": false,
	} {
		if IsInternal(annotation) != want {
			t.Errorf("%s: want %v", annotation, want)
		}
	}
}

// TestMayHold holds that no spelling of a text in YAML is missed.
func TestMayHold(t *testing.T) {
	for text, want := range map[string]bool{
		"a: flux2\n": true, "a: flux\n": false, "a: 'fl.*\\d\\.ux2'\n": false, "a: \"f\\x6cux2\"\n": true, "a: \"f\\u006cux2\"\n": true, "a: \"fl\\\n  ux2\"\n": true,
		"a: \"fl\\\r\n  ux2\"\n": true, "a: \"\\\\f\\U0000006cux2\"\n": true, "a: \"f\\\u0085lux2\"\n": true, "a: b\\": false, "a: \"b\\/c\"\n": true, "a: \"b\\nc\\t\"\n": false,
	} {
		if New(ID{}, text, "", 0).MayHold("flux2") != want {
			t.Errorf("%q: want %v", text, want)
		}
	}
}

// FuzzMayHold holds that a document whose value has the text is never said not to hold it.
func FuzzMayHold(f *testing.F) {
	f.Add("a: \"f\\x6cux2\"\n", "flux2")
	f.Add("a: \"f\\\n lux2\"\n", "flux2")
	f.Fuzz(func(t *testing.T, doc, text string) {
		for _, c := range text {
			if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/.-", c) {
				return
			}
		}
		var read map[string]string
		if yaml.Unmarshal([]byte(doc), &read) == nil && strings.Contains(read["a"], text) && !New(ID{}, doc, "", 0).MayHold(text) {
			t.Errorf("%q holds %q", doc, text)
		}
	})
}
