package split

import (
	"testing"

	"go.yaml.in/yaml/v3"
)

const plain = `# yaml-language-server: $schema=x
---
apiVersion: kustomize.toolkit.fluxcd.io/v1 # the API
kind: "Kustomization"
metadata:
  name: &app apps
  labels: {a: b}
  annotations:
    note: "é 🚀"
  namespace: 'flux-system'
spec:
  script: |
    kind: Other
    "open
  list:
  - name: a
    value: b
  - |
    name: c
  url: https://example.com:443/x
  text: some words
    kind of
    - more, or less

    of them # and a comment
  quoted: "several \" lines #
    kind: Other
  'and
  " # done
  single: 'it''s one'
  flow: ["a, b]", {'c}': "d\""}]
items:
- kind: Inner
  metadata:
    name: inner
`

func TestSniffSure(t *testing.T) {
	want := Head{"kustomize.toolkit.fluxcd.io/v1", "Kustomization", "apps", "flux-system"}
	if got, sure := Sniff([]byte(plain)); !sure || got != want {
		t.Errorf("got %+v, %v", got, sure)
	}
}

// sure are further documents of which Sniff is sure.
var sure = map[string]string{
	"variable":                   "kind: A\nmetadata:\n  name: ${APP}-${b}\n",
	"text below its key":         "kind: A\nspec:\n  text:\n    some words\n    'in' \"quotes\" {of} it\n    [all]\n  more: b\n",
	"block scalar below its key": "kind: A\nspec:\n  text:\n    |\n   'x\n  more: b\n",
	"flow mapping as an item":    "kind: A\nspec:\n- {a: b, c: \"d: e\"}\n- { f: [g: h] } # i\n",
}

func TestSniffMoreSure(t *testing.T) {
	for name, doc := range sure {
		if !agree(t, []byte(doc)) {
			t.Errorf("%s: not sure", name)
		}
		if yaml.Unmarshal([]byte(doc), new(yaml.Node)) != nil {
			t.Errorf("%s: it is not YAML", name)
		}
	}
}

// unsure are documents whose head only a parser can tell.
var unsure = map[string]string{
	"flow document":               "{kind: A}\n",
	"flow metadata":               "kind: A\nmetadata: {name: x}\n",
	"tab":                         "kind:\tA\n",
	"two anchors":                 "kind: &a &b A\n",
	"anchor of an alias":          "kind: &a *b\n",
	"alias":                       "metadata: *x\n",
	"merge at the top":            "<<: *x\nkind: A\n",
	"merge in metadata":           "metadata:\n  <<: *x\n",
	"doubled key":                 "kind: A\nkind: B\n",
	"doubled metadata":            "metadata:\n  name: a\nmetadata:\n  name: b\n",
	"template":                    "kind: A\n{{ if x }}\nname: b\n{{ end }}\n",
	"template value":              "metadata:\n  name: {{ x }}\n",
	"folded plain":                "kind: A\n  B\n",
	"value on the next line":      "kind:\n  A\n",
	"only an open quote":          "-: \nkind: \"\n",
	"only an open quote, no end":  "kind: \"",
	"open quote":                  "a: \"x\nkind: A\n\"\n",
	"open flow":                   "a: [x,\nkind: A]\n",
	"quoted key":                  "\"kind\": A\n",
	"complex key":                 "? kind\n: A\n",
	"key with a space":            "a:\n  b c: \"\nkind: A\n  \"\n",
	"list":                        "- kind: A\n",
	"boolean":                     "kind: true\n",
	"number":                      "metadata:\n  name: 12\n",
	"quotes over several lines":   "metadata:\n  name: \"a\n    b\"\n",
	"key behind text below a key": "a:\n  b\n  c: d\n",
	"text behind a quote":         "a: \"x\" y\n",
	"quote within flow text":      "a: [x'y, z']\n",
	"two documents":               "kind: A\n---\nkind: B\n",
	"odd line break":              "a: b\u0085kind: A\n",
	"indented document":           "  kind: A\n",
	"escape":                      "kind: \"A\\x41\"\n",
	"carriage return":             "a: b\rkind: A\n",
	"metadata as a list item":     "metadata:\n- name: x\n",
}

func TestSniffUnsure(t *testing.T) {
	for name, doc := range unsure {
		if got, sure := Sniff([]byte(doc)); sure {
			t.Errorf("%s: sure of %+v", name, got)
		}
	}
}

// agree checks that the parser finds what Sniff is sure of.
func agree(t *testing.T, doc []byte) (sure bool) {
	t.Helper()
	got, sure := Sniff(doc)
	if !sure {
		return false
	}
	var n yaml.Node
	if yaml.Unmarshal(doc, &n) != nil {
		return true
	}
	want := Head{at(&n, "apiVersion"), at(&n, "kind"), at(&n, "metadata", "name"), at(&n, "metadata", "namespace")}
	if got != want {
		t.Fatalf("%q: sniffed %+v, parsed %+v", doc, got, want)
	}
	return true
}

// at is the scalar at a path, by the first of doubled keys.
func at(n *yaml.Node, path ...string) string {
	if n.Kind == yaml.DocumentNode {
		n = n.Content[0]
	}
	for _, key := range path {
		if n.Kind != yaml.MappingNode {
			return ""
		}
		next := &yaml.Node{}
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				next = n.Content[i+1]
				break
			}
		}
		n = next
	}
	return n.Value
}

func TestSniffCorpus(t *testing.T) {
	all, known := 0, 0
	eachFile(t, func(_ string, file []byte) {
		for _, d := range Split(file) {
			if d.Index < 0 {
				continue
			}
			all++
			if agree(t, d.Bytes(file)) {
				known++
			}
		}
	})
	t.Logf("sure of %d of %d documents", known, all)
	if known*10 < all*7 {
		t.Errorf("sure of only %d of %d documents", known, all)
	}
}

func FuzzSniff(f *testing.F) {
	f.Add([]byte(plain))
	for _, doc := range unsure {
		f.Add([]byte(doc))
	}
	for _, doc := range sure {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, d := range Split(file) {
			agree(t, d.Bytes(file))
		}
	})
}
