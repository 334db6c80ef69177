package object

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/checkout/split"
	"migrate-to-flux-operator/fn/limit"
)

const plainText = `# yaml-language-server: $schema=x
---
# what it is
apiVersion: kustomize.toolkit.fluxcd.io/v1 # the API
kind: "Kustomization"
metadata:
  name: &app apps
  namespace: 'flux-system'
  labels:
    app.kubernetes.io/name: *app
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
      y

    z
  short: |-
    a
       
      b

  # c
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
  flow: ["a", b, 1]
  nothing: []
  object: {}
  inOneLine: { drop: ["ALL: ]#", [b, c]], num: 1.5, m: {}, e: [] , t: true } # c
  ip: 0.0.0.0:8080
  days: 30d
  float: 16.20
  asItem:
  - { name: a, value: '{' }
  collection: &all
    name: b
    list: &list # c
    - d: e
    - f
  missing: &none
  aliases:
  - *all
  - *list
  - x: *all
    w: *none
  - &item
    z: *list
  - *item
last: (x) y
`

// notPlain are documents that ReadPlain leaves to the parser.
var notPlain = []string{
	"", "# c\n", "---\n", "- a\n", "a\n", "  a: b\n", " ---\na: b\n", "a: b\n---\nc: d\n", "a: b\n...\n", "%YAML 1.2\n---\na: b\n", "a:\tb\n", "a: b\r\n", "a: b\u0085\n",
	"a: b\n  c\n", "a: b\n c: d\n", "a: b\na: c\n", "a: b: c\n", "a: b:\n", "a:\n   b: c\n  d: e\n", "a:\n  - b\n c: d\n", "a: |\n\n  b\n", "a: |\nb: c\n", "a: |2\n   b\n", "a: |+\n  b\n",
	"a: |\n  b", "a: >\n  b\n", "a: |\n  b\n c\n", "a: |\n   b\n  c\n", "a: \"\n", "a: \"b\n  c\"\n", "a: \"\\x41\"\n", "a: 'b''c'\n", "a: \"b\" c\n", "a: \"b\"# c\n", "a: !!str 1\n", "a: *b\n",
	"a: &b\n  c: *b\n", "a: &b\n  c: &b\n    d: e\n", "a: &b c\nd: &b\n  e: f\n", "a: &b\n  c: &b d\n", "a: &b\n  c\n", "a: &b\n  c: d\n<<: *b\n",
	"a: &b {}\n", "a: &b |\n  c\n", "<<: a\n", "yes: a\n", "1: a\n", "? a\n: b\n", "\"a\": b\n", "a: yes\n", "a: Null\n", "a: ~\n", "a: 01.5\n", "a: 1.\n", "a: 1.5e3\n", "a: 0d\n", "a: 1:30.5\n", "a: 010\n", "a: 1_000\n", "a: 0x1f\n", "a: 1e3\n", "a: 1:30\n", "a: 2001-01-01\n",
	"a: 1234567890123456\n", "a: -1\n", "a: .5\n", "a: =\n", "a: @b\n", "a: {b}\n", "a: {b: }\n", "a: {b:c}\n", "a: {b: c, b: d}\n", "a: {b: c\n  }\n", "a: {b: c}d\n", "a: {\"b\": c}\n", "a: {b: c d}\n", "a: {b: *c}\n", "a: [\"b\"c]\n", "a: ['b''c']\n", "a: [b]]\n", "a: {yes: b}\n",
	"a: [\"b\\x41\"]\n", "a: [b}\n", "a: [b, c\n", "a: [&b c]\n", "a: [b,c]\n", "a: [b: c]\n", "a: [b?]\n", "a: [b\n", "a: [[b]\n", "a: [b, ]\n", "- - a\n", "a:\n- - b\n", "a:\n- b\n  c\n", "{a: b}\n", "a: `b\n", "a: - b\n", "a b: c\n",
}

// likeParser checks that the parser finds what ReadPlain is sure of.
func likeParser(t *testing.T, text []byte) bool {
	t.Helper()
	read, sure := ReadPlain(text)
	if !sure {
		return false
	}
	if err := limit.Check(text); err != nil {
		t.Fatalf("%q: read, and %v", text, err)
	}
	want := map[string]any{}
	if err := yaml.Unmarshal(text, &want); err != nil || !reflect.DeepEqual(read, want) {
		t.Fatalf("%q:\nread   %v\nparser %v %v", text, read, want, err)
	}
	return true
}

func TestReadPlain(t *testing.T) {
	if !likeParser(t, []byte(plainText)) {
		t.Error("it is not sure")
	}
	for _, text := range notPlain {
		if read, sure := ReadPlain([]byte(text)); sure {
			t.Errorf("%q: sure of %v", text, read)
		}
	}
}

func TestReadPlainBounds(t *testing.T) {
	deep := ""
	for i := range maxPlainDepth + 10 {
		deep += strings.Repeat(" ", i) + "a:\n"
	}
	for name, text := range map[string]string{
		"depth":       deep,
		"aliases":     "a: &a b\nc:\n" + strings.Repeat("- *a\n", maxPlainAliases+1),
		"text":        "a: &a b\nc: *a\nd: " + strings.Repeat("x", maxAliasedText) + "\n",
		"key":         strings.Repeat("x", 2000) + ": a\n",
		"copies":      "a: &a\n" + strings.Repeat("- x\n", 200) + "b:\n" + strings.Repeat("- *a\n", 90),
		"copied text": "a: &a\n  b: " + strings.Repeat("x", 20<<10) + "\nb:\n" + strings.Repeat("- *a\n", 90),
	} {
		if _, sure := ReadPlain([]byte(text)); sure {
			t.Errorf("%s: it is sure", name)
		}
	}
}

func TestReadPlainCorpus(t *testing.T) {
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
		for _, d := range split.Split(file) {
			if d.Index < 0 || d.End-d.Body > 64<<10 {
				continue
			}
			all++
			if likeParser(t, file[d.Body:d.End]) {
				known++
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("sure of %d of %d documents", known, all)
	if known*10 < all*5 {
		t.Errorf("sure of only %d of %d documents", known, all)
	}
}

func FuzzReadPlain(f *testing.F) {
	f.Add([]byte(plainText))
	for _, text := range notPlain {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { likeParser(t, text) })
}
