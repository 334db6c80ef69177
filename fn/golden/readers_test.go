package golden

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// The function has two readers: one cuts a list by bytes and passes most items on as they are, the other one has the
// framework parse and print every item. They are equal when for every list
//   - stderr and the results are the same texts,
//   - the items are as many, in the same order, and each has the same value,
//   - an item that has the value that it had comes out of the first reader in the bytes that it came in.
//
// Two differences are meant: the framework takes off empty annotations and leaves an empty metadata where it had to add
// one, and what YAML's printer gets wrong, such as some folded texts, only it gets wrong.

// proveReaders proves that the readers are equal for a list.
func proveReaders(t *testing.T, list []byte, got outcome) {
	t.Helper()
	parsed := run(append([]byte("---\n"), list...)) // which only the framework reads
	if want, have := failureOf(parsed), failureOf(got); want != have {
		t.Errorf("the readers do not fail alike:\n%s", difference(want, have))
	}
	if want, have := parsed.resultsText(t), got.resultsText(t); want != have {
		t.Errorf("the readers have other results:\n%s", difference(want, have))
	}
	want, have := valuesOf(t, parsed.text), valuesOf(t, got.text)
	if len(want) != len(have) {
		t.Errorf("the readers write %d and %d items", len(want), len(have))
		return
	}
	for i := range want {
		if want[i] != have[i] && !misprinted(t, list, have[i]) {
			t.Errorf("the readers write another item %d:\n%s", i, difference(want[i], have[i]))
		}
	}
}

// misprinted reports whether an item that came in with a value gets another one when it is only printed.
func misprinted(t *testing.T, list []byte, value string) bool {
	t.Helper()
	for _, item := range itemsOf(t, list) {
		if valueOf(item) == value {
			printed, err := kyaml.Parse(item.MustString())
			return err != nil || valueOf(printed) != value
		}
	}
	return false
}

// failureOf is what goes to stderr, without the number of a line, which is another one behind the line that one of the
// lists has more.
func failureOf(o outcome) string { return atLine.ReplaceAllString(fmt.Sprint(o.err), "line: ") }

var atLine = regexp.MustCompile(`\bline \d+: `)

// valuesOf are the values of the items of an output.
func valuesOf(t *testing.T, text string) []string {
	t.Helper()
	if text == "" {
		return nil
	}
	var values []string
	for _, item := range itemsOf(t, []byte(text)) {
		values = append(values, valueOf(item))
	}
	return values
}

// valueOf is the value of an item as text, without empty metadata.
func valueOf(item *kyaml.RNode) string {
	item = item.Copy()
	_ = kyaml.ClearEmptyAnnotations(item) // fails only on what is no mapping, which has none
	if item.Field(kyaml.MetadataField).IsNilOrEmpty() {
		_ = item.PipeE(kyaml.Clear(kyaml.MetadataField)) // as above
	}
	var value map[string]any
	if err := item.YNode().Decode(&value); err != nil {
		return item.MustString() // a key comes twice
	}
	return fmt.Sprint(value)
}

// proveBytes proves that what is not edited comes out in the bytes that it came in.
func proveBytes(t *testing.T, list []byte, got outcome) {
	t.Helper()
	before := map[string]bool{}
	values := map[string]bool{}
	for _, text := range bytesOf(string(list)) {
		before[text] = true
		values[valueOf(parsedItem(t, text))] = true
	}
	if len(before) == 0 {
		return
	}
	for _, text := range bytesOf(got.text) {
		if !before[text] && values[valueOf(parsedItem(t, text))] {
			t.Errorf("an item says the same in other bytes:\n%s", text)
		}
	}
}

// parsedItem is an item of a list in block style, parsed.
func parsedItem(t *testing.T, text string) *kyaml.RNode {
	t.Helper()
	items, err := kyaml.MustParse(text).Elements()
	if err != nil || len(items) != 1 {
		t.Fatalf("%q is no item: %v", text, err)
	}
	return items[0]
}

// bytesOf are the items of a list in block style, without what is right above a dash.
func bytesOf(list string) []string {
	_, below, _ := strings.Cut("\n"+list, "\nitems:\n")
	dash := below[:strings.Index(below+"- ", "- ")] + "- "
	var items []string
	for line := range strings.Lines(below) {
		switch {
		case strings.HasPrefix(line, dash):
			items = append(items, line)
		case len(items) > 0 && (line == "\n" || line[0] == ' ' || line[0] == '#'):
			items[len(items)-1] += line
		default:
			return items
		}
	}
	return items
}

// odd are items that the readers must agree about, in the middle of any list.
var odd = []string{
	"- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name:   spaced\n  data: {a: b,   c: 'd'}\n",
	"- apiVersion: v1\n  kind: ConfigMap\n\n  metadata:\n    name: \"quoted\" # why\n\n  data:\n    a: |\n\n      text\n      \tand a tab\n\n",
	"- # above\n  apiVersion: v1\n  kind: List\n  items: []\n",
	"# above the dash\n- kind: Secret\n  apiVersion: v1\n  metadata: {name: flow}\n",
	"- apiVersion: v1\n  kind: Anchored\n  a: &x\n    b: c\n  d: *x\n",
	"- apiVersion: v1\n  kind: Aliased\n  d: *x\n",
	"- apiVersion: v1\n  kind: Tagged\n  d: !!str 1\n",
	"- apiVersion: v1\n  kind: NaN\n  d: .nan\n",
	"- apiVersion: v1\n  kind: ConfigMap\n  data:\n    folded: >-\n      a\n      b\n    quoted: \"a\n      b\"\n    escaped: \"\\u263a\"\n",
	"- {apiVersion: v1, kind: ConfigMap, metadata: {name: all-flow}}\n",
	"- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: empty\n    annotations: {}\n",
	"- apiVersion: v1\n  kind: ConfigMap\n",
	"- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: one\n    annotations:\n      config.kubernetes.io/path: 'a.yaml'\n",
	"- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: two\n    annotations:\n      config.kubernetes.io/path: 'a.yaml'\n      internal.config.kubernetes.io/path: 'b.yaml'\n",
	"- apiVersion: kustomize.toolkit.fluxcd.io/v1\n  kind: Kustomization\n  metadata:\n    name: no-number\n  spec:\n    x: .inf\n",
	"- apiVersion: v1\n  kind: ConfigMap\n  kind: Twice\n",
	"- apiVersion: v1\n  kind: ConfigMap\n  data:\n      a: b\n    c: d\n",
	"- apiVersion: v1\n  kind: ConfigMap\n  data:\n    a: [b\n",
	"- text\n",
	"- []\n",
	"-\n",
	"- apiVersion: v1\n  kind: ConfigMap\n  data:\n    a: \"b\n- c\"\n",
	"- apiVersion: v1\n  kind: ConfigMap\r\n  data:\r\n    a: b\r\n",
	"  - apiVersion: v1\n    kind: ConfigMap\n",
	"---\n- apiVersion: v1\n  kind: ConfigMap\n",
	"results: []\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n",
}

// plain is a list without Flux, which costs little: its items come out as they went in.
const plain = `apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- apiVersion: v1
  kind: Namespace
  metadata:
    name: first
- apiVersion: v1
  kind: Namespace
  metadata:
    name: last
functionConfig:
  apiVersion: fn.kpt.dev/v1alpha1
  kind: MigrateToFluxOperator
  metadata:
    name: migrate
`

// TestReaders proves that the readers are equal for lists with an odd item between others, and at either end.
func TestReaders(t *testing.T) {
	places := bytesOf(plain)
	head, below, _ := strings.Cut(plain, places[0])
	_, tail, _ := strings.Cut(below, places[1])
	for _, c := range odd {
		for _, list := range []string{head + c + tail, head + places[0] + c + places[1] + tail, head + places[0] + c} {
			proveReaders(t, []byte(list), run([]byte(list)))
			if t.Failed() {
				t.Fatalf("for the list\n%s", list)
			}
		}
	}
}

// TestReadersMutated proves it for lists whose lines were dropped, doubled, swapped, indented or mixed with the
// characters that mean something in YAML.
func TestReadersMutated(t *testing.T) {
	for seed := range uint64(*mutations) {
		r := rand.New(rand.NewPCG(seed, 2))
		list := strings.Replace(plain, "items:\n", "items:\n"+odd[r.IntN(len(odd))]+odd[r.IntN(len(odd))], 1)
		lines := strings.SplitAfter(list, "\n")
		for range 1 + r.IntN(3) {
			mutate(r, lines)
		}
		list = strings.Join(lines, "")
		proveReaders(t, []byte(list), run([]byte(list)))
		if t.Failed() {
			t.Fatalf("for the list\n%s", list)
		}
	}
}

// mutations is how many lists TestReadersMutated tries.
var mutations = flag.Int("mutations", 500, "how many mutated lists both readers read")

// indicators are the characters that mean something in YAML.
const indicators = "-:#*!|>'\"{}[],?%@` \t\r\n~"

// mutate changes one line.
func mutate(r *rand.Rand, lines []string) {
	at, other := r.IntN(len(lines)), r.IntN(len(lines))
	switch r.IntN(7) {
	case 0:
		lines[at] = ""
	case 1:
		lines[at] += lines[at]
	case 2:
		lines[at], lines[other] = lines[other], lines[at]
	case 3:
		lines[at] = strings.Repeat(" ", r.IntN(4)) + lines[at]
	case 4:
		lines[at] = strings.TrimPrefix(lines[at], strings.Repeat(" ", r.IntN(4)))
	default:
		if n := len(lines[at]); n > 0 {
			cut := r.IntN(n)
			lines[at] = lines[at][:cut] + string(indicators[r.IntN(len(indicators))]) + lines[at][cut:]
		}
	}
}

// TestReadersGenerated proves it for lists that are migrated: many items, some of them odd, in any order and indentation.
func TestReadersGenerated(t *testing.T) {
	base := bytesOf(string(listOf(t, inputOf(t, filepath.Join(root, "examples", "kpt-fn-eval")), nil)))
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 1))
		items := append([]string{}, base...)
		for range 20 {
			items = append(items, odd[r.IntN(5)])
		}
		r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		body := strings.Join(items, "")
		if seed%2 == 1 {
			body = "  " + strings.TrimSuffix(strings.ReplaceAll(body, "\n", "\n  "), "  ")
		}
		list := []byte("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n" + body)
		got := run(list)
		if got.err != nil {
			t.Fatal(got.err)
		}
		proveReaders(t, list, got)
		proveBytes(t, list, got)
	}
}

// FuzzReaders looks for a list for which the readers are not equal. It starts from lists without Flux, which take little time.
func FuzzReaders(f *testing.F) {
	f.Add([]byte(plain))
	for _, c := range odd {
		f.Add([]byte(strings.Replace(plain, "items:\n", "items:\n"+c, 1)))
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		if bytes.HasPrefix(list, []byte("%")) || bytes.HasPrefix(list, []byte("---")) {
			return // a directive wants no `---` before it, and a `---` makes another document of what is before it
		}
		proveReaders(t, list, run(list))
	})
}
