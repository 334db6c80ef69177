package split

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// inFlight is an annotation that the tests want.
func inFlight(annotation string) bool { return strings.HasPrefix(annotation, "internal/") }

const plainItem = `- # yaml-language-server: $schema=x
  apiVersion: kustomize.toolkit.fluxcd.io/v1 # the API
  kind: "Kustomization"
  metadata:
    name: apps
    labels: {a: b}
    annotations:
      note: 'é 🚀'
      internal/path: 'apps/a.yaml'
      internal/index: "0"
      other: x
    namespace: flux-system
    finalizers:
    - a
  spec:
    script: |

      kind: Other
        "open
    list:
    - name: a
      value: -1
    - - x
    -
      a: b
    - >-
      name: c
    none:
    url: https://example.com:443/x
    args: [a, b]
`

func TestSniffItemSure(t *testing.T) {
	want := Head{"kustomize.toolkit.fluxcd.io/v1", "Kustomization", "apps", "flux-system"}
	notes := map[string]string{"internal/path": "apps/a.yaml", "internal/index": "0"}
	for _, indent := range []string{"", "  "} {
		item := indent + strings.ReplaceAll(strings.TrimSuffix(plainItem, "\n"), "\n", "\n"+indent) + "\n"
		if got, sure := SniffItem([]byte(item), inFlight); !sure || got.Head != want || !maps.Equal(got.Annotations, notes) {
			t.Errorf("got %+v, %v", got, sure)
		}
	}
}

// unsureItems are items that only a parser can tell to be sound, or not to be.
var unsureItems = map[string]string{
	"scalar":                       "- text\n",
	"nothing":                      "-\n",
	"flow":                         "- {kind: A}\n",
	"anchor":                       "- kind: A\n  spec: &a\n    b: c\n",
	"alias":                        "- kind: A\n  spec: *a\n",
	"merge":                        "- kind: A\n  spec:\n    <<: *a\n",
	"tag":                          "- kind: A\n  spec: !!str x\n",
	"tab":                          "- kind: A\n  spec:\tx\n",
	"carriage return":              "- kind: A\r\n",
	"control character":            "- kind: A\n  spec: \x01\n",
	"delete":                       "- kind: A\n  spec: \x7f\n",
	"not UTF-8":                    "- kind: A\n  spec: \xff\n",
	"no-break space":               "- kind: A\n  spec: \u00a0\n    a: b\n",
	"dedent to nothing":            "- kind: A\n  spec:\n      a: b\n    c: d\n",
	"too little indentation":       "- kind: A\n spec: x\n",
	"key below a value":            "- kind: A\n  spec: x\n    a: b\n",
	"sequence below a value":       "- kind: A\n  spec: x\n  - a\n",
	"sequence beside a mapping":    "- kind: A\n  spec:\n    a: b\n  - c\n",
	"sequence below a nested null": "- kind: A\n  spec:\n    a:\n  - c\n",
	"text on a line of its own":    "- kind: A\n  spec:\n    text\n",
	"two keys on a line":           "- kind: A\n  spec: a: b\n",
	"value that ends in a colon":   "- kind: A\n  spec: a:\n",
	"dash as a value":              "- kind: A\n  spec: - a\n",
	"indicator as a value":         "- kind: A\n  spec: @a\n",
	"closing bracket":              "- kind: A\n  spec: ]\n",
	"flow of mixed brackets":       "- kind: A\n  spec: [a}\n",
	"flow with a gap":              "- kind: A\n  spec: [a,, b]\n",
	"flow map in a list":           "- kind: A\n  spec: [a: b: c]\n",
	"block scalar that dedents":    "- kind: A\n  spec: |\n      a\n    b\n",
	"block scalar after a blank":   "- kind: A\n  spec: |\n          \n    b\n",
	"block scalar with its indent": "- kind: A\n  spec: |1\n    b\n",
	"block scalar with a tab":      "- kind: A\n  spec: |\n   \ta\n",
	"block scalar of two dashes":   "- kind: A\n  spec:\n  - - |\n    a\n",
	"annotation of annotations":    "- kind: A\n  metadata:\n    annotations:\n      a:\n        b: c\n",
	"annotations as a list":        "- kind: A\n  metadata:\n    annotations:\n    - a: b\n",
	"metadata as a list":           "- kind: A\n  metadata:\n   - name: a\n",
	"annotations in flow style":    "- kind: A\n  metadata:\n    annotations: {internal/path: a}\n",
	"doubled annotations":          "- kind: A\n  metadata:\n    annotations:\n      a: b\n    annotations:\n      a: c\n",
	"doubled annotation":           "- kind: A\n  metadata:\n    annotations:\n      internal/path: a\n      internal/path: b\n",
	"number as an annotation":      "- kind: A\n  metadata:\n    annotations:\n      internal/index: 1\n",
	"empty annotation":             "- kind: A\n  metadata:\n    annotations:\n      internal/index: ''\n",
	"escape in an annotation":      "- kind: A\n  metadata:\n    annotations:\n      internal/path: \"a\\x41\"\n",
	"sequence of sequences":        "- kind: A\n  spec:\n  - - a\n    - b\n",
	"document end":                 "- kind: A\n...\n",
	"deep nesting":                 "- kind: A\n  spec:\n" + deep(maxNesting+1),
}

// deep is nested mappings.
func deep(n int) string {
	var out strings.Builder
	for i := range n {
		out.WriteString(strings.Repeat(" ", 4+i) + "a:\n")
	}
	return out.String()
}

func TestSniffItemUnsure(t *testing.T) {
	for name, item := range unsureItems {
		if got, sure := SniffItem([]byte(item), inFlight); sure {
			t.Errorf("%s: sure of %+v", name, got)
		}
	}
}

// itemsAgree checks that a parser accepts an item that SniffItem is sure of, with the item after it, and finds the same.
func itemsAgree(t *testing.T, item []byte) {
	t.Helper()
	got, sure := SniffItem(item, inFlight)
	if !sure {
		return
	}
	dash := bytes.IndexByte(item, '-')
	list := string(item) + "\n" + strings.Repeat(" ", dash) + "- kind: Next\n"
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(list), &n); err != nil {
		t.Fatalf("sure of %q: %v", item, err)
	}
	items := n.Content[0].Content
	if len(items) != 2 || items[0].Kind != yaml.MappingNode || at(items[1], "kind") != "Next" {
		t.Fatalf("sure of %q, which is no item", item)
	}
	want := Head{at(items[0], "apiVersion"), at(items[0], "kind"), at(items[0], "metadata", "name"), at(items[0], "metadata", "namespace")}
	if got.Head != want {
		t.Fatalf("%q: sniffed %+v, parsed %+v", item, got.Head, want)
	}
	for _, key := range []string{"internal/path", "internal/index"} {
		if have := at(items[0], "metadata", "annotations", key); have != got.Annotations[key] {
			t.Fatalf("%q: sniffed %q, parsed %q", item, got.Annotations[key], have)
		}
	}
}

// itemOf makes an item of a document.
func itemOf(doc []byte) []byte {
	return append([]byte("- "), bytes.ReplaceAll(bytes.TrimRight(doc, "\n"), []byte("\n"), []byte("\n  "))...)
}

func TestSniffItemCorpus(t *testing.T) {
	all, known := 0, 0
	eachFile(t, func(_ string, file []byte) {
		for _, d := range Split(file) {
			if d.Index < 0 {
				continue
			}
			all++
			item := itemOf(file[d.Body:d.End])
			itemsAgree(t, item)
			if _, sure := SniffItem(item, inFlight); sure {
				known++
			}
		}
	})
	t.Logf("sure of %d of %d documents as items", known, all)
	if known*10 < all*5 {
		t.Errorf("sure of only %d of %d documents", known, all)
	}
}

func FuzzSniffItem(f *testing.F) {
	f.Add([]byte(plainItem))
	for _, item := range unsureItems {
		f.Add([]byte(item))
	}
	f.Fuzz(func(t *testing.T, item []byte) {
		text := bytes.TrimLeft(item, " ")
		if len(text) > 0 && text[0] == '-' && len(bytes.TrimLeft(text[1:], " \n")) < len(text)-1 && !otherItem(item) {
			itemsAgree(t, item)
		}
	})
}

// otherItem reports whether a line after the first starts where an item would, or before.
func otherItem(item []byte) bool {
	dash := bytes.IndexByte(item, '-')
	for i, line := range bytes.Split(item, []byte("\n")) {
		text := bytes.TrimLeft(line, " ")
		if i > 0 && len(text) > 0 && text[0] != '#' && len(line)-len(text) <= dash {
			return true
		}
	}
	return false
}
