package kustomize

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// tree is a folder with a kustomization.yaml.
func tree(t *testing.T, text string) Memory {
	t.Helper()
	memory := Memory{FileSystem: filesys.MakeFsInMemory()}
	if err := memory.WriteFile("/kustomization.yaml", []byte(text)); err != nil {
		t.Fatal(err)
	}
	return memory
}

// TestOver ends a build that reads too much, and starts none after it.
func TestOver(t *testing.T) {
	defer over.Store(nil)
	small := tree(t, "namePrefix: x-\n")
	if _, err := Run(small, "/", "the build of a"); err != nil || Exceeded() != nil {
		t.Fatal(err, Exceeded())
	}
	large := tree(t, "configurations: ["+strings.Repeat("c.yaml, ", maxReads)+"c.yaml]\n")
	if err := large.WriteFile("/c.yaml", nil); err != nil {
		t.Fatal(err)
	}
	_, err := Run(large, "/", "the build of b")
	if is := (*Over)(nil); !errors.As(err, &is) || is.What != "the build of b" || is.Bound != fmt.Sprintf("%d reads of files", maxReads) {
		t.Error(err)
	}
	if _, err := Run(small, "/", "another build"); err != Exceeded() || !strings.Contains(err.Error(), "the build of b") {
		t.Errorf("another build was started: %v", err)
	}
}

// TestBytes ends a build that reads one file again and again.
func TestBytes(t *testing.T) {
	m := &meter{Tree: tree(t, "# "+strings.Repeat("x", 8<<20))}
	for range maxBytes >> 23 {
		if m.over != "" {
			t.Fatal(m.over)
		}
		_, _ = m.ReadFile("/kustomization.yaml")
	}
	if _, err := m.ReadFile("/kustomization.yaml"); err == nil || m.over != "200 MB of files" {
		t.Error(err, m.over)
	}
}

// TestNoPlugins builds what would have kustomize run a program: it does not.
func TestNoPlugins(t *testing.T) {
	for _, object := range []string{
		"{apiVersion: v1, kind: X, metadata: {name: x, annotations: {config.kubernetes.io/function: 'exec: {path: ./x.sh}'}}}",
		"{apiVersion: v1, kind: X, metadata: {name: x, annotations: {config.kubernetes.io/function: 'container: {image: x}'}}}",
		"{apiVersion: v1, kind: X, metadata: {name: x, annotations: {config.kubernetes.io/function: 'starlark: {path: x.star, name: x}'}}}",
		"{apiVersion: someteam.example.com/v1, kind: X, metadata: {name: x}}",
	} {
		if _, err := Run(tree(t, "transformers:\n- |\n  "+object+"\n"), "/", "the build of a"); err == nil {
			t.Errorf("%s is taken", object)
		}
	}
	builtin := "{apiVersion: builtin, kind: AnnotationsTransformer, metadata: {name: x}, annotations: {a: b}, fieldSpecs: [{path: metadata/annotations}]}"
	if _, err := Run(tree(t, "transformers:\n- |\n  "+builtin+"\n"), "/", "the build of a"); err != nil {
		t.Error(err)
	}
}
