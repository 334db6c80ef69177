package plainyaml

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/limit"
)

// text has all that Read is sure of.
const text = `# yaml-language-server: $schema=x
---
# what it is
apiVersion: kustomize.toolkit.fluxcd.io/v1 # the API
kind: "Kustomization"
metadata:
  name: &app apps
  namespace: 'flux-system'
  labels:
    app.kubernetes.io/name: *app
  "annotations":
    k8s:app: x
    'single': z
spec:
  path: ./kubernetes/apps/${NAME}/app
  empty:
  none: null
  prune: true
  wait: false
  port: 8080
  zero: 0
  interval: 30m
  version: 1.2.3
  url: https://example.com:443/x#y
  quoted: "a # b" # c
  script: |
    # no comment
    if x:
      y	&&

    z
  short: |-
    a
       
      b

  blank: |
    a
      
  # c
  kept: |+ # all
    a

  by: >2-
     a
    b
  folded: >
    a
    b

    c
  several: "a \"b\" \u263a
    c: d

    e" # f
  words: a b
    c #d
  single: 'it''s
    # no comment' # but this
  below:
    a: b
  list:
  - name: a
    value: x é 🚀
  -   name: b
      list:
        - c: |
            text
        - d
  -
  - |
    - e
  - --flag=true
  - ../base
  - - a
    - - b: c
  - "d": e
  - -1
  - ~
  - .5
  - "*"
  - 'a: b'
  flow: ["a", b, 1]
  nothing: []
  object: {}
  inOneLine: { drop: ["ALL: ]#", [b, c]], num: 1.5, m: {}, e: [] , t: true } # c
  tight: {a: "b\tc",b: [c d,-1]} # e
  inSeveral: [
    {a: b, c: "d ]"}, # e
    [f,
     g],
  ]
  inSeveralDeeper: {
    a: b
    }
  ip: 0.0.0.0:8080
  days: 30d
  float: 16.20
  asItem:
  - { name: a, value: '{' }
  quotedBelow: "
    a \\ \" b


    c
    " # d
  single2: 'a''
    b'
  escaped: "a\"\\\n\t\\"
  aliases:
  - x: &x 1 # c
  - *app
  - *x # c
  lines: some words
    and more - of them, "quoted"

    'and

    # more
last: |
  x`

// unsure are documents that Read leaves to the parser.
var unsure = []string{
	"", "# c\n", "---\n", "- a\n", "a\n", "  a: b\n c: d\n", " a: b\n---\n", " ---\na: b\n", "a: b\n---\nc: d\n",
	"a: b\n...\n", "%YAML 1.2\n---\na: b\n", "a:\tb\n", "a: b\r\n", "a: b\u0085\n", "a: b\x7f\n", "a: b\n c: d\n",
	"a: b\na: c\n", "a: b: c\n", "a: b:\n", "a:\n   b: c\n  d: e\n", "a:\n  - b\n c: d\n", "a: |\n  b\n c\n",
	"a: |\n   b\n  c\n", "a: \"\n", "a: \"b\n  c\"d\n", "a: \"\\q\"\n", "a: \"b\" c\n", "a: !!str 1\n",
	"a: *b\n", "a: &b\n  c: *b\n", "a: &b\n  c: &b\n    d: e\n", "a: &b c\nd: &b\n  e: f\n",
	"a: &b\n  c: &b d\n", "a: &b\n  c\n", "a: &b\n  c: d\n<<: *b\nc: d\n", "a: &b\n  c: d\nc: d\n<<: *b\n",
	"a: &b c\n<<: *b\n", "<<: *b\n", "<<: *", "<<: {a: b}\n", "<<: [*b]\n", "a: &b {}\n", "a: &b |\n  c\n",
	"<<: a\n", "yes: a\n", "1: a\n", "? a\n: b\n", "--- -:", "--- a: b\n", "? a\n", "a: ? b\n", "\"a\"b: c\n",
	"a : b\n", "a #b: c\n", "a: .nan\n", "a: yes\n", "a: [yes]\n", "a: 2001-01-01\n", "a: @b\n", "a: %b\n",
	"a: {b: c\nd: e\n", "a: {b: c}d\n", "a: {b: *c}\n", "a: [\"b\"c]\n", "a: [b]]\n", "a: {yes: b, 1: [}\n",
	"a: [b}\n", "a: [b, c\n", "a: [b\n  ]: c\n", "a: [&b c]\nd: [*b]\n", "a: [b?\n", "a: [[b]\n", "a:\n- b\nc\n",
	"{a: b}\n", "a: `b\n", "a: - b\n", "a: -\n", "a:\n  b\n", "a:\n- b: c\n  - d\n", "a:\n- - b\n - c\n",
	"a: b\n  # c\n  d\n", "a: \"b\" # c\n  d\n", "a: b #c\n  d\n",
}

// likeParsers checks that the parsers find what Read is sure of.
func likeParsers(t *testing.T, text []byte) bool {
	t.Helper()
	read, sure := Read(text)
	if !sure {
		return false
	}
	if err := limit.Check(text); err != nil {
		t.Fatalf("%q: read, and %v", text, err)
	}
	want := map[string]any{}
	if err := kyaml.Unmarshal(text, &want); err != nil || !reflect.DeepEqual(read, want) {
		t.Fatalf("%q:\nread   %v\nparser %v %v", text, read, want, err)
	}
	var newer map[string]any
	if err := yaml.Unmarshal(text, &newer); err != nil || asJSON(read) != asJSON(newer) {
		t.Fatalf("%q:\nread  %v\nnewer parser %v %v", text, read, newer, err)
	}
	return true
}

// asJSON is a value as JSON.
func asJSON(value any) string {
	text, err := json.Marshal(value)
	return fmt.Sprint(string(text), err)
}

func TestRead(t *testing.T) {
	if !likeParsers(t, []byte(text)) {
		t.Error("it is not sure")
	}
	if !likeParsers(t, []byte("\n  "+strings.ReplaceAll(text[strings.Index(text, "apiVersion"):], "\n", "\n  "))) {
		t.Error("it is not sure of an indented document")
	}
	for _, text := range unsure {
		if read, sure := Read([]byte(text)); sure {
			t.Errorf("%q: sure of %v", text, read)
		}
	}
}

func TestReadBounds(t *testing.T) {
	deep := ""
	for i := range maxDepth + 10 {
		deep += strings.Repeat(" ", i) + "a:\n"
	}
	for name, text := range map[string]string{
		"depth":       deep,
		"depth, flow": "a: " + strings.Repeat("[", 600) + strings.Repeat("]", 600) + "\n",
		"aliases":     "a: &a b\nc:\n" + strings.Repeat("- *a\n", maxAliases+1),
		"text":        "a: &a b\nc: *a\nd: " + strings.Repeat("x", maxAliasedText) + "\n",
		"key":         strings.Repeat("x", 2000) + ": a\n",
		"copies":      "a: &a\n" + strings.Repeat("- x\n", 200) + "b:\n" + strings.Repeat("- *a\n", 90),
		"copied text": "a: &a\n  b: " + strings.Repeat("x", 20<<10) + "\nb:\n" + strings.Repeat("- *a\n", 90),
		"asked":       "a:\n" + strings.Repeat("- ~\n", 100),
		"values":      "a:\n" + strings.Repeat("- b\n", limit.Values),
	} {
		if _, sure := Read([]byte(text)); sure {
			t.Errorf("%s: it is sure", name)
		}
	}
}

func TestReadCorpus(t *testing.T) {
	const corpus = "../../../shared/corpus"
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("no ../shared/corpus beside the repository")
	}
	all, known := 0, 0
	err := filepath.WalkDir(corpus, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, "ml") {
			return err
		}
		file, err := os.ReadFile(path)
		for doc := range bytes.SplitSeq(file, []byte("\n---\n")) {
			all++
			if likeParsers(t, append(doc[:len(doc):len(doc)], '\n')) {
				known++
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("sure of %d of %d documents", known, all)
	if known*100 < all*80 {
		t.Errorf("sure of only %d of %d documents", known, all)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(text))
	for _, text := range unsure {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { likeParsers(t, text) })
}
