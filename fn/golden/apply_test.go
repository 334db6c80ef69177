package golden

import (
	"bytes"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/kio"

	"migrate-to-flux-operator/fn/command"
	"migrate-to-flux-operator/fn/object"
)

// proveApply proves that the command apply comes to the same files on a checkout as the function through kpt, refuses
// what the function refuses, and then writes nothing.
func proveApply(t *testing.T, c golden, function outcome) {
	dir, config := t.TempDir(), filepath.Join(t.TempDir(), configFile)
	c.input.write(t, dir)
	args := []string{"apply", dir}
	if c.config != nil {
		save(t, filepath.Dir(config), configFile, c.config)
		args = append(args, "--config", config)
	}
	var out, errOut bytes.Buffer
	code := command.Execute(t.Context(), args, strings.NewReader(""), &out, &errOut)
	if refused := function.err != nil; refused != (code != 0) {
		t.Errorf("the function's error is %v, the exit code of apply is %d:\n%s", function.err, code, errOut.String())
	}
	c.expected = c.reindented(t, c.expected)
	c.checkTree(t, c.reindented(t, readTree(t, dir)))
}

// reindented is a tree whose new files are indented as the project prints YAML: kpt writes lists of new files without
// indentation.
func (c golden) reindented(t *testing.T, files tree) tree {
	t.Helper()
	same := maps.Clone(files)
	for name, content := range files {
		if _, old := c.input[name]; old {
			continue
		}
		nodes, err := (&kio.ByteReader{Reader: strings.NewReader(content), OmitReaderAnnotations: true}).Read()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var documents []string
		for _, node := range nodes {
			text, err := object.Print(node.YNode())
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			documents = append(documents, text)
		}
		same[name] = strings.Join(documents, "---\n")
	}
	return same
}
