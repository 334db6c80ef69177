package finding

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// update writes docs/findings.md anew.
var update = flag.Bool("update", false, "write docs/findings.md anew")

// TestDocs holds docs/findings.md against the table, and its examples against the golden cases.
func TestDocs(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "findings.md")
	want := page(t)
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Error("docs/findings.md is not what the table and the golden cases say: run " +
			"go test ./fn/finding -run TestDocs -update")
	}
}

const intro = `# Findings

Everything that is found has a code: with ` + "`--output json`" + ` of ` + "`plan`, `verify` and `inventory`" + ` it is the field ` + "`code`" + `,
in the results of the function the tag ` + "`code`" + `. A program that decides something by a finding reads its code, because the words of
messages change. This page says of each code what it means; ` + "`migrate-to-flux-operator explain CODE`" + ` prints the same.

An **error** means that nothing is written, or with ` + "`verify`" + ` that the next step is not safe, and the exit code is not 0. A **warning**
wants to be read before the commit is pushed. An **info** says what was found, or what to do next. An error about a cluster that the config
field ` + "`clusters`" + ` leaves out is a warning, and so is one about manifests that nothing syncs, beside those that something does. Commands are
in the message, because they are made of the names in the repository. What each remedy can delete is in [remedies.md](remedies.md).

The examples are messages of the cases in [testdata](../testdata), and of the answers of ` + "`verify`" + ` that its test holds.
`

// page is docs/findings.md.
func page(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	text.WriteString(intro)
	for _, group := range Table {
		fmt.Fprintf(&text, "\n- %s:", group.Title)
		for n, e := range group.Entries {
			separator := ","
			if n == 0 {
				separator = ""
			}
			fmt.Fprintf(&text, "%s [%s](#%s)", separator, e.Code, e.Code)
		}
	}
	text.WriteString("\n")
	examples := examplesOf(t)
	for _, group := range Table {
		fmt.Fprintf(&text, "\n## %s\n", group.Title)
		for _, e := range group.Entries {
			fmt.Fprintf(&text, "\n### %s\n\n%s", e.Code, e)
			if example := examples[e.Code]; example != "" {
				fmt.Fprintf(&text, "\n> %s\n", example)
			}
		}
	}
	return text.String()
}

// long is a message that is long for an example.
const long = 300

// examplesOf are the first messages of the golden cases that are not long, by code.
func examplesOf(t *testing.T) map[Code]string {
	t.Helper()
	examples := map[Code]string{}
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "*", "results.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden cases: %v", err)
	}
	slices.Sort(files)
	for _, file := range files {
		var results []struct {
			Tags map[string]string `json:"tags"`
		}
		text, err := os.ReadFile(file)
		if err == nil {
			err = yaml.Unmarshal(text, &results)
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		said, err := os.ReadFile(filepath.Join(filepath.Dir(file), "messages.txt"))
		if err != nil && len(results) > 0 {
			t.Fatal(err)
		}
		messages := strings.Split(strings.TrimPrefix(strings.TrimSpace(string(said)), "- "), "\n- ")
		for n, result := range results {
			code, message := Code(result.Tags["code"]), messages[n]
			known := examples[code]
			if !strings.Contains(message, "\n") && (known == "" || len(known) > long && len(message) < len(known)) {
				examples[code] = message
			}
		}
	}
	addErrors(t, examples)
	addAnswers(t, examples)
	return examples
}

// aProblem is what an answer of verify says of a cluster, in lines of a terminal's width, with its code.
var aProblem = regexp.MustCompile(`(?m)^  [!-] ((?:.|\n    )*?) *\n? *\[([a-z-]+)\]$`)

// addAnswers adds what verify says of the snapshots of its test.
func addAnswers(t *testing.T, examples map[Code]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "command", "testdata", "verify", "answers", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no answer of verify: %v", err)
	}
	slices.Sort(files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range aProblem.FindAllStringSubmatch(string(text), -1) {
			if code := Code(found[2]); examples[code] == "" {
				examples[code] = strings.Join(strings.Fields(found[1]), " ")
			}
		}
	}
}

// anError is what stderr has of a case that the commands alone run: one Error, and how to look its code up.
var anError = regexp.MustCompile(`^\[error\] (.*)\nmore: migrate-to-flux-operator explain ([a-z0-9-]+)\n$`)

// addErrors adds what the commands say where no result of the function has the code.
func addErrors(t *testing.T, examples map[Code]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "*", "error.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden case fails: %v", err)
	}
	slices.Sort(files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if found := anError.FindStringSubmatch(string(text)); found != nil && examples[Code(found[2])] == "" {
			examples[Code(found[2])] = found[1]
		}
	}
}
