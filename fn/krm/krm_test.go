package krm

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/kio"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// list is an input with paths, with what other tools hang on items.
const list = `apiVersion: config.kubernetes.io/v1
kind: ResourceList
functionConfig:
  apiVersion: fn.kpt.dev/v1alpha1
  kind: MigrateToFluxOperator
  metadata:
    name: migrate
items:
- apiVersion: source.toolkit.fluxcd.io/v1
  kind: OCIRepository
  metadata:
    name: flux-manifests
    namespace: flux-system
    annotations:
      internal.config.kubernetes.io/path: 'cluster/all.yaml'
      internal.config.kubernetes.io/index: '0'
      internal.config.kubernetes.io/seqindent: 'wide'
      internal.config.kubernetes.io/other: 'kept'
  spec:
    interval: 1h
    url: oci://ghcr.io/fluxcd/flux-manifests
    ref:
      tag: v2.6.4
- apiVersion: kustomize.toolkit.fluxcd.io/v1
  kind: Kustomization
  metadata:
    name: flux
    namespace: flux-system
    annotations:
      internal.config.kubernetes.io/path: 'cluster/all.yaml'
      internal.config.kubernetes.io/index: '1'
      internal.config.kubernetes.io/seqindent: 'wide'
      internal.config.kubernetes.io/other: 'kept'
  spec:
    interval: 1h # often enough
    path: ./
    prune: true
    sourceRef:
      kind: OCIRepository
      name: flux-manifests
- apiVersion: source.toolkit.fluxcd.io/v1
  kind: GitRepository
  metadata:
    name: fleet
    namespace: flux-system
    annotations:
      internal.config.kubernetes.io/path: 'cluster/all.yaml'
      internal.config.kubernetes.io/index: '2'
  spec:
    interval: 1h
    url: https://github.com/example/fleet
    ref:
      branch: main
- apiVersion: kustomize.toolkit.fluxcd.io/v1
  kind: Kustomization
  metadata:
    name: fleet
    namespace: flux-system
    annotations:
      internal.config.kubernetes.io/path: 'cluster/all.yaml'
      internal.config.kubernetes.io/index: '3'
  spec:
    interval: 1h
    path: ./cluster
    prune: true
    sourceRef:
      kind: GitRepository
      name: fleet
results:
- message: of an earlier function
  severity: info
`

// call runs the function and reads what it wrote.
func call(t *testing.T, in string) (items []*kyaml.RNode, out string, err error) {
	t.Helper()
	var stdout bytes.Buffer
	err = Run(strings.NewReader(in), &stdout)
	reader := &kio.ByteReader{Reader: bytes.NewReader(stdout.Bytes()), OmitReaderAnnotations: true}
	items, readErr := reader.Read()
	if readErr != nil {
		t.Fatalf("stdout is no ResourceList: %v", readErr)
	}
	if reader.WrappingKind != kio.ResourceListKind {
		t.Fatalf("stdout is a %s", reader.WrappingKind)
	}
	return items, stdout.String(), err
}

// TestInternalAnnotations proves that the annotations of the pipeline stay on what came in, edited or not, and that
// what is new says where it goes.
func TestInternalAnnotations(t *testing.T) {
	items, _, err := call(t, list)
	if err != nil {
		t.Fatal(err)
	}
	if len(items) < 8 {
		t.Fatalf("deploy adds objects, have %d items", len(items))
	}
	for i, item := range items {
		a := item.GetAnnotations()
		path, index := a["internal.config.kubernetes.io/path"], a["internal.config.kubernetes.io/index"]
		switch {
		case i < 4 && (path != "cluster/all.yaml" || index != string(rune('0'+i))):
			t.Errorf("item %d moved to %s, %s", i, path, index)
		case i < 2 && (a["internal.config.kubernetes.io/other"] != "kept" || a["internal.config.kubernetes.io/seqindent"] != "wide"):
			t.Errorf("item %d lost annotations: %v", i, a)
		case i >= 4 && (path == "" || index == ""):
			t.Errorf("%s %s does not say where it goes: %v", item.GetKind(), item.GetName(), a)
		}
	}
}

// TestWhatPassesThrough proves that comments and the function config come out as they went in.
func TestWhatPassesThrough(t *testing.T) {
	_, out, err := call(t, list)
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range []string{"interval: 1h # often enough", "functionConfig:\n  apiVersion: fn.kpt.dev/v1alpha1\n  kind: MigrateToFluxOperator\n"} {
		if !strings.Contains(out, kept) {
			t.Errorf("%q is lost", kept)
		}
	}
}

// TestError proves that an Error gives the items back, names itself in the results, and is the error.
func TestError(t *testing.T) {
	items, out, err := call(t, strings.Replace(list, "tag: v2.6.4", "tag: latest", 1))
	if err == nil || len(items) != 4 {
		t.Fatalf("have %d items and %v", len(items), err)
	}
	message := strings.SplitN(err.Error(), ": ", 4)[3]
	if !strings.HasPrefix(err.Error(), "[error] cluster/all.yaml: OCIRepository/flux-system/flux-manifests: ") {
		t.Errorf("the error does not say where: %v", err)
	}
	if !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(message), " ")) {
		t.Errorf("the results do not say %q:\n%s", message, out)
	}
}

// TestBootstrap proves that the function says that it writes no file which is no object.
func TestBootstrap(t *testing.T) {
	items, out, err := call(t, strings.Replace(list, "    name: migrate\n", "    name: migrate\n  bootstrap: shell\n", 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, plain, _ := call(t, list); len(items) == 4 || !strings.Contains(out, "code: bootstrap-by-command") || strings.Contains(plain, "bootstrap-by-command") {
		t.Errorf("have %d items and\n%s", len(items), out)
	}
}

// TestReadsNothingElse proves that the function needs neither the environment nor a writable folder: it runs as nobody
// in an empty container.
func TestReadsNothingElse(t *testing.T) {
	_, want, err := call(t, list)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "empty")
	if err := os.Mkdir(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, name := range []string{"HOME", "PATH", "TMPDIR", "KUBECONFIG"} {
		t.Setenv(name, "/nowhere")
	}
	if _, have, err := call(t, list); err != nil || have != want {
		t.Errorf("the output is another: %v", err)
	}
}
