package edit

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"migrate-to-flux-operator/fn/checkout/split"
)

// generator writes random YAML in many styles.
type generator struct {
	*rand.Rand
	out  strings.Builder
	step int
	list int // columns that a list is indented below its key
}

// randomDocument is a random document.
func randomDocument(r *rand.Rand) string {
	g := &generator{Rand: r, step: 2 + 2*r.IntN(2), list: 2 * r.IntN(2)}
	g.out.WriteString([]string{"", "# top\n---\n", "---\n# head\n", "\xef\xbb\xbf"}[r.IntN(4)])
	g.mapping(0, 0)
	text := g.out.String()
	if r.IntN(4) == 0 {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if r.IntN(4) == 0 {
		text = strings.TrimRight(text, "\r\n")
	}
	return text
}

// scalars are ways to write a value on one line.
var scalars = []string{"1", "x", "true", "a b c", `"x"`, `'it''s'`, `"a\nb"`, "é 🚀", "~", `"yes"`, "0x10", "http://x:1/#y", "x\n%s  y", "|\n%sline 1\n%s  line 2\n\n%sline 3",
	">-\n%sfolded\n%stext", "|+\n%skept\n", "[]", "{}", "[a, 'b', {c: d}]", "{a: 1, b: [x]}", "[\n%sa,\n%sb\n%s]", ""}

// value writes a scalar or a flow collection, and the end of the line.
func (g *generator) value(indent int) {
	text := scalars[g.IntN(len(scalars))]
	if text != "" {
		g.out.WriteString(" ")
	}
	g.out.WriteString(strings.ReplaceAll(text, "%s", strings.Repeat(" ", indent+g.step)))
	if !strings.Contains(text, "\n") {
		g.out.WriteString([]string{"", "", " # line", "   "}[g.IntN(4)])
	}
	g.out.WriteString("\n")
}

// noise writes comments and blank lines.
func (g *generator) noise(indent int) {
	switch g.IntN(6) {
	case 0:
		fmt.Fprintf(&g.out, "%s# about it\n", strings.Repeat(" ", indent))
	case 1:
		g.out.WriteString("\n")
	}
}

// mapping writes a block map.
func (g *generator) mapping(indent, depth int) {
	for i := range 1 + g.IntN(4) {
		if i > 0 || depth == 0 {
			if i > 0 {
				g.noise(indent)
			}
			g.out.WriteString(strings.Repeat(" ", indent))
		}
		fmt.Fprintf(&g.out, "%s:", fmt.Sprintf([]string{"k%d", "\"q%d\"", "long-key.io/%d", "é%d"}[g.IntN(4)], i))
		switch kind := g.IntN(5); {
		case depth > 3 || kind < 3:
			g.value(indent)
		case kind == 3:
			g.out.WriteString([]string{"\n", " # below\n"}[g.IntN(2)])
			g.out.WriteString(strings.Repeat(" ", indent+g.step))
			g.mapping(indent+g.step, depth+1)
		default:
			g.out.WriteString("\n")
			g.sequence(indent+g.list, depth+1)
		}
	}
}

// sequence writes a block list.
func (g *generator) sequence(indent, depth int) {
	for range 1 + g.IntN(4) {
		g.noise(indent)
		g.out.WriteString(strings.Repeat(" ", indent) + "-")
		if g.IntN(3) == 0 && depth < 4 {
			g.out.WriteString(" ")
			g.mapping(indent+2, depth+1)
		} else {
			g.value(indent)
		}
	}
}

// mutate makes a random change to a parsed document and returns how many of its lines may go.
func mutate(r *rand.Rand, n *yaml.Node, lines map[*yaml.Node]int) int {
	for n.Kind != yaml.ScalarNode && len(n.Content) > 0 && r.IntN(3) > 0 {
		next := n.Content[r.IntN(len(n.Content))]
		if n.Kind == yaml.MappingNode {
			next = n.Content[r.IntN(len(n.Content)/2)*2+1]
		}
		n = next
	}
	switch n.Kind {
	case yaml.MappingNode:
		at := 2 * r.IntN(len(n.Content)/2+1)
		if r.IntN(2) == 0 && at < len(n.Content) && len(n.Content) > 2 {
			gone := n.Content[at+1]
			n.Content = append(n.Content[:at:at], n.Content[at+2:]...)
			return lines[gone]
		}
		key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "new"}
		n.Content = append(n.Content[:at:at], append([]*yaml.Node{key, newValue(r)}, n.Content[at:]...)...)
	case yaml.SequenceNode:
		at := r.IntN(len(n.Content) + 1)
		if r.IntN(2) == 0 && at < len(n.Content) {
			gone := n.Content[at]
			n.Content = append(n.Content[:at:at], n.Content[at+1:]...)
			return lines[gone]
		}
		n.Content = append(n.Content[:at:at], append([]*yaml.Node{newValue(r)}, n.Content[at:]...)...)
	default:
		*n = *newValue(r)
		return lines[n]
	}
	return 0
}

// newValue is a random value.
func newValue(r *rand.Rand) *yaml.Node {
	text := []string{"new", "'17'", "17", "null", "{a: {b: c}, d: [e, f]}", "a:\n  b: c # line\n", "- x\n- y: z\n", "|\n  two\n  lines\n", "🎉 x", "\"\\n\"", "[]", "yes: 'no'"}[r.IntN(12)]
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil {
		panic(err)
	}
	return n.Content[0]
}

// TestEditProperty changes random documents at random and checks that the result means what is wanted, that lines
// outside of the change are still there in order, and that a second edit changes nothing.
func TestEditProperty(t *testing.T) {
	failed, all := 0, 0
	seeds := uint64(6000)
	if testing.Short() {
		seeds = 600
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 7))
		doc := randomDocument(r)
		n, err := parse([]byte(doc))
		if err != nil {
			continue
		}
		most := 2 // an emptied parent, or a value that moves to the next line
		lines := map[*yaml.Node]int{}
		countLines(newSource([]byte(doc)), n, lines)
		for range 1 + r.IntN(3) {
			most += 2 + mutate(r, n, lines)
		}
		want, err := yaml.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parse(want); err != nil {
			continue // the encoder's own trouble with comments
		}
		all++
		got, err := Edit([]byte(doc), want)
		if err != nil {
			failed++
			if failed < 6 {
				t.Logf("seed %d: %v\n%s\nwanted\n%s", seed, err, doc, want)
			}
			continue
		}
		again, err := Edit(got, want)
		if err != nil || !bytes.Equal(again, got) {
			t.Fatalf("seed %d: a second edit: %v\n%s", seed, err, again)
		}
		if lost := lostLines(doc, string(got)); lost > most {
			t.Errorf("seed %d: %d lines were lost\n%s\nbecame\n%s", seed, lost, doc, got)
		}
	}
	t.Logf("%d of %d edits refused", failed, all)
	if failed*100 > all {
		t.Errorf("%d of %d edits refused", failed, all)
	}
}

// countLines counts the lines that each node takes, with comments above and below.
func countLines(s *source, n *yaml.Node, lines map[*yaml.Node]int) {
	if sp, err := s.span(n); err == nil {
		lines[n] = bytes.Count(s.b[sp.start:sp.end], []byte("\n")) + 3
	}
	for _, c := range n.Content {
		countLines(s, c, lines)
	}
}

// lostLines is how many lines of a text are not in another one.
func lostLines(before, after string) int {
	have := map[string]int{}
	for line := range strings.Lines(after) {
		have[strings.TrimRight(line, "\r\n")]++
	}
	lost := 0
	for line := range strings.Lines(before) {
		if line = strings.TrimRight(line, "\r\n"); have[line] == 0 {
			lost++
		}
		have[line]--
	}
	return lost
}

// TestEditCorpus adds an annotation to every object of the corpus and checks that the document is otherwise the same.
func TestEditCorpus(t *testing.T) {
	const corpus = "../../../../shared/corpus"
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("no ../shared/corpus beside the repository")
	}
	edited, refused := 0, 0
	err := filepath.WalkDir(corpus, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, "ml") {
			return err
		}
		file, err := os.ReadFile(path)
		for i, d := range split.Split(file) {
			if d.Index < 0 || (len(path)+i)%3 > 0 {
				continue
			}
			switch annotate(t, path, d.Bytes(file)) {
			case nil:
				edited++
			case errSkipped:
			default:
				refused++
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d edited, %d refused", edited, refused)
	if refused*200 > edited {
		t.Errorf("%d of %d refused", refused, edited)
	}
}

// errSkipped is a document that is no object.
var errSkipped = fmt.Errorf("skipped")

// annotate adds an annotation and checks that taking the new lines away gives the document again.
func annotate(t *testing.T, path string, doc []byte) error {
	n, err := parse(doc)
	if err != nil || n.Kind != yaml.MappingNode || bytes.Contains(doc, []byte("{{")) {
		return errSkipped // a template that happens to parse comes out of the encoder as something else
	}
	meta := child(n, "metadata")
	if meta == nil || meta.Kind != yaml.MappingNode || len(meta.Content) == 0 {
		return errSkipped
	}
	annotations := child(meta, "annotations")
	if annotations == nil {
		annotations = &yaml.Node{Kind: yaml.MappingNode}
		meta.Content = append(meta.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "annotations"}, annotations)
	}
	if annotations.Kind != yaml.MappingNode {
		return errSkipped
	}
	annotations.Content = append(annotations.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "zzz.example/prune"},
		&yaml.Node{Kind: yaml.ScalarNode, Value: "disabled"})
	want, err := yaml.Marshal(n)
	if err != nil {
		return errSkipped
	}
	if _, err := parse(want); err != nil {
		return errSkipped
	}
	got, err := Edit(doc, want)
	if err != nil {
		t.Logf("%s: %v", path, err)
		return err
	}
	if added := len(bytes.Split(got, []byte("\n"))) - len(bytes.Split(doc, []byte("\n"))); isBlock(meta) && (added < 1 || added > 2 || lostLines(string(doc), string(got)) > 0) && !bytes.Contains(doc, []byte("annotations: {}")) {
		t.Errorf("%s:\n%s", path, got)
	}
	return nil
}

// child is the value of a key.
func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// FuzzEdit edits one text into another; what comes out means what was wanted, whatever the two are.
func FuzzEdit(f *testing.F) {
	for _, c := range edits {
		f.Add([]byte(c.doc), []byte(c.want))
		f.Add([]byte(c.want), []byte(c.doc))
	}
	f.Fuzz(func(t *testing.T, doc, want []byte) {
		got, err := Edit(doc, want)
		if err != nil {
			return
		}
		n, err := parse(want)
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(got, n); err != nil {
			t.Fatalf("%q: %v", got, err)
		}
	})
}

// FuzzDocuments removes and appends documents; the others stay as they are.
func FuzzDocuments(f *testing.F) {
	for _, text := range []string{"a: 1\n---\nb: 2\n", "# c\n---\na\n---\nb", "\xef\xbb\xbfa\r\n---\r\nb\r\n", "---\n--- |\n x\n...\nb: 1\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		docs := split.Split(file)
		for _, d := range docs {
			if d.Index < 0 {
				continue
			}
			out, _, err := RemoveDocument(file, d.Index)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasSuffix(out, file[docs[len(docs)-1].End:]) || len(out) > len(file) {
				t.Fatalf("%q became %q", file, out)
			}
		}
	})
}
