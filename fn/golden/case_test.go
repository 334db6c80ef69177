package golden

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/fn/framework"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/finding"
)

// The files of a case.
const (
	configFile   = "fn-config.yaml"
	fromFile     = "FROM"
	deletedFile  = "DELETED"
	inputDir     = "input"
	expectedDir  = "expected"
	resultsFile  = "results.yaml"
	messagesFile = "messages.txt"
	inputFile    = "input.yaml"
	expectedFile = "expected.yaml"
	errorFile    = "error.txt"
	flagsFile    = "FLAGS"
)

// golden is one case.
type golden struct {
	dir    string
	config []byte
	// input and expected are whole trees; expected is what the input becomes.
	input, expected tree
	// list is the input of a case that is run on what a program writes to stdin; nil for a tree.
	list []byte
	// want is the output for such an input, and failure what goes to stderr where there is no output.
	want, failure []byte
	// results are the facts of what is said: severity, object, field, file and tags, the code among them. messages are the words, in the
	// same order.
	results, messages []byte
	// flags are those of the command line, for a case that is run by the commands alone; nil for others.
	flags []byte
}

// load reads a case from its folder.
func load(t testing.TB, dir string) golden {
	t.Helper()
	c := golden{dir: dir, config: read(t, dir, configFile), results: read(t, dir, resultsFile), messages: read(t, dir, messagesFile),
		list: read(t, dir, inputFile), failure: read(t, dir, errorFile), flags: read(t, dir, flagsFile)}
	if c.list != nil {
		c.want = read(t, dir, expectedFile)
		return c
	}
	c.input = inputOf(t, dir)
	if len(c.input) == 0 {
		t.Fatalf("the case has neither %s/ nor %s nor %s", inputDir, fromFile, inputFile)
	}
	c.expected = c.input.with(readTree(t, filepath.Join(dir, expectedDir)))
	return c
}

// inputOf is the tree that a case starts from: its own input, on top of another case's tree where FROM names one, as in
// deploy/input or deploy/expected.
func inputOf(t testing.TB, dir string) tree {
	t.Helper()
	own := readTree(t, filepath.Join(dir, inputDir))
	from := strings.TrimSpace(string(read(t, dir, fromFile)))
	if from == "" {
		return own
	}
	other, which := filepath.Join(filepath.Dir(dir), filepath.Dir(from)), filepath.Base(from)
	base := inputOf(t, other)
	switch which {
	case inputDir:
	case expectedDir:
		base = base.with(readTree(t, filepath.Join(other, expectedDir)))
	default:
		t.Fatalf("%s says %q: name <case>/%s or <case>/%s", fromFile, from, inputDir, expectedDir)
	}
	if len(base) == 0 {
		t.Fatalf("%s names %s, which has no files", fromFile, from)
	}
	return base.with(own)
}

// checkResults holds the results of a run against the expectation.
func (c golden) checkResults(t *testing.T, got outcome) {
	t.Helper()
	if c.results == nil && c.failure == nil {
		t.Fatalf("the case has neither %s nor %s: run with -update and look at what is written", resultsFile, errorFile)
	}
	for _, result := range got.results {
		checkCode(t, result)
	}
	same(t, resultsFile, string(c.results), got.facts(t))
	same(t, messagesFile, string(c.messages), got.messages())
	same(t, errorFile, string(c.failure), got.failure())
}

// checkCode holds that a result has a code, with a severity that the table has for it. What stands in the way of another
// cluster is a Warning in the place of an Error.
func checkCode(t *testing.T, r *framework.Result) {
	t.Helper()
	entry, known := finding.Code(r.Tags["code"]).Entry()
	severities := entry.Severities
	if slices.Contains(severities, finding.Error) {
		severities = append(slices.Clone(severities), finding.Warning)
	}
	if !known || !slices.Contains(severities, finding.Severity(r.Severity)) {
		t.Errorf("no %s has the code %q: %s", r.Severity, r.Tags["code"], r.Message)
	}
}

// same holds a file of a case against what it is now.
func same(t *testing.T, file, want, have string) {
	t.Helper()
	if want != have {
		t.Errorf("%s:\n%s", file, difference(want, have))
	}
}

// checkTree holds the files after a run against the expectation.
func (c golden) checkTree(t *testing.T, got tree) {
	t.Helper()
	if want := c.expected; !maps.Equal(want, got) {
		t.Errorf("the files are others than expected:\n%s", differences(want, got))
	}
}

// write makes an outcome the expectation.
func (c golden) write(t *testing.T, got outcome) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(c.dir, expectedDir)); err != nil {
		t.Fatal(err)
	}
	got.tree.minus(c.input).write(t, filepath.Join(c.dir, expectedDir))
	c.writeResults(t, got)
}

// writeResults makes the results of a run the expectation.
func (c golden) writeResults(t *testing.T, got outcome) {
	t.Helper()
	save(t, c.dir, resultsFile, []byte(got.facts(t)))
	save(t, c.dir, messagesFile, []byte(got.messages()))
	save(t, c.dir, errorFile, []byte(got.failure()))
}

// checkList holds the output for a ResourceList against the expectation.
func (c golden) checkList(t *testing.T, got outcome) {
	t.Helper()
	c.checkResults(t, got)
	if got.err == nil || got.text == "" { // else the items equal the input: proveItems says so
		same(t, expectedFile, string(c.want), got.wordless())
	}
}

// writeList makes the output for a ResourceList the expectation. A refused list comes out as it went in and needs none.
func (c golden) writeList(t *testing.T, got outcome) {
	t.Helper()
	save(t, c.dir, expectedFile, nil)
	if got.err == nil {
		save(t, c.dir, expectedFile, []byte(got.wordless()))
	}
	c.writeResults(t, got)
}

// facts are the results without their messages; empty where there was no output to hold them.
func (o outcome) facts(t testing.TB) string {
	t.Helper()
	o.results = slices.Clone(o.results)
	for i, result := range o.results {
		without := *result
		without.Message = ""
		o.results[i] = &without
	}
	return o.resultsText(t)
}

// messages are the messages of the results, in their order; what is below the first line of one is indented.
func (o outcome) messages() string {
	var text strings.Builder
	for _, result := range o.results {
		indented := strings.ReplaceAll(result.Message, "\n", "\n  ")
		text.WriteString("- " + emptyLine.ReplaceAllString(indented, "") + "\n")
	}
	return text.String()
}

// emptyLine is one that only an indentation is left of.
var emptyLine = regexp.MustCompile(`(?m)^  $`)

// aMessage is the line of a result that holds its message.
var aMessage = regexp.MustCompile(`(?m)^([ -] message:) .*$`)

// wordless is the output without the messages of its results.
func (o outcome) wordless() string {
	const results = "\nresults:\n"
	items, below, found := strings.Cut(o.text, results)
	if !found {
		return o.text
	}
	return items + results + aMessage.ReplaceAllString(below, "$1 in "+messagesFile)
}

// resultsText is the results as text; empty where there was no output to hold them.
func (o outcome) resultsText(t testing.TB) string {
	t.Helper()
	if o.text == "" {
		return ""
	}
	if o.results == nil {
		return "[]\n"
	}
	text, err := yaml.Marshal(o.results)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// failure is what goes to stderr where there is no output that could hold it as results.
func (o outcome) failure() string {
	if o.err == nil || o.text != "" {
		return ""
	}
	return o.err.Error() + "\n"
}

// read returns the content of a file, nil where there is none.
func read(t testing.TB, dir, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return content
}

// save writes a file; an empty one is deleted.
func save(t testing.TB, dir, file string, content []byte) {
	t.Helper()
	name := filepath.Join(dir, file)
	var err error
	if len(bytes.TrimSpace(content)) == 0 {
		err = os.RemoveAll(name)
	} else {
		err = os.WriteFile(name, content, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
