package e2e

import (
	"bytes"
	"os/exec"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/e2e/objects"
)

// functionConfig is the config of a run that changes nothing but what it must.
const functionConfig = "apiVersion: fn.kpt.dev/v1alpha1\nkind: MigrateToFluxOperator\nmetadata:\n  name: migrate\n"

// resourceList writes what kpt gives to a function.
func resourceList(t *testing.T, items []objects.Located, spec string) []byte {
	t.Helper()
	list := map[string]any{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": located(items)}
	if err := yaml.Unmarshal([]byte("functionConfig:\n  "+strings.ReplaceAll(strings.TrimSpace(functionConfig+spec), "\n", "\n  ")), &list); err != nil {
		t.Fatal(err)
	}
	encoded, err := yaml.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// callFunction runs the binary as a KRM function and returns the items that come out.
func callFunction(t *testing.T, fn product, items []objects.Located, spec string) ([]*objects.Object, error) {
	t.Helper()
	command := exec.Command(fn.binary)
	command.Stdin = bytes.NewReader(resourceList(t, items, spec))
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	failed := command.Run()
	t.Logf("%.1500s", stderr.Bytes())
	read, err := objects.Read(stdout.Bytes())
	if err != nil || len(read) != 1 {
		t.Fatalf("no ResourceList on stdout: %v: %.300s", err, stdout.Bytes())
	}
	content, _, _ := unstructured.NestedSlice(read[0].Object, "items")
	var out []*objects.Object
	for _, item := range content {
		out = append(out, &objects.Object{Object: item.(map[string]any)})
	}
	return out, failed
}

// located annotates items with their file and index, as kpt does.
func located(items []objects.Located) []any {
	next := map[string]int{}
	annotated := []any{}
	for _, item := range items {
		object := item.DeepCopy()
		annotations := object.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		index := strconv.Itoa(next[item.File])
		next[item.File]++
		for _, prefix := range []string{"config.kubernetes.io/", "internal.config.kubernetes.io/"} {
			annotations[prefix+"path"], annotations[prefix+"index"] = item.File, index
		}
		object.SetAnnotations(annotations)
		annotated = append(annotated, object.Object)
	}
	return annotated
}

// TestFirstUserFunction runs the function on the first user's repository and holds its FluxInstance against the
// install.
func TestFirstUserFunction(t *testing.T) {
	fn, repository := theProduct(t), corpus(t, firstUser)
	items, err := objects.ReadDir(repository)
	if err != nil {
		t.Fatal(err)
	}
	out, err := callFunction(t, fn, items, "phase: deploy\n")
	if err != nil {
		t.Fatal(err)
	}
	instance := objects.Find(out, "fluxcd.controlplane.io", "FluxInstance", "flux")
	if instance == nil {
		t.Fatal("no FluxInstance among the items")
	}
	found, err := hold(t, repository, firstClusterOf(t, repository), instance)
	if err != nil {
		t.Fatal(err)
	}
	report(t, found)
	built, err := theOperator(t).Build(instance)
	if err != nil {
		t.Fatal(err)
	}
	root := objects.Find(built, "kustomize.toolkit.fluxcd.io", "Kustomization", "cluster")
	if root.GetAnnotations()["fluxcd.controlplane.io/prune"] != "disabled" {
		t.Error("the operator may delete the root: its guard annotation is missing")
	}
}

// removedByCleanup is the first user's classic install, in the order of its names.
var removedByCleanup = []string{
	"GitRepository.source.toolkit.fluxcd.io/flux-system/home-kubernetes",
	"Kustomization.kustomize.toolkit.fluxcd.io/flux-system/cluster",
	"Kustomization.kustomize.toolkit.fluxcd.io/flux-system/flux",
	"OCIRepository.source.toolkit.fluxcd.io/flux-system/flux-manifests",
}

// TestFirstUserFunctionPhases shows that deploy removes nothing, that cleanup on its output removes the classic install
// and nothing else, and that cleanup too early and a wrong version are refused with the items as they were.
func TestFirstUserFunctionPhases(t *testing.T) {
	fn, repository := theProduct(t), corpus(t, firstUser)
	items, err := objects.ReadDir(repository)
	if err != nil {
		t.Fatal(err)
	}
	before := named(relocated(t, located(items)))
	for _, refused := range []string{"phase: cleanup\ntakenOver: true\n", "phase: deploy\ninstance:\n  version: 2.5.x\n", "phase: deploy\nunknown: 1\n"} {
		out, err := callFunction(t, fn, items, refused)
		if err == nil {
			t.Errorf("not refused: %s", refused)
		}
		if !reflect.DeepEqual(named(outItems(out)), before) {
			t.Errorf("a refused run changed items: %s", refused)
		}
	}
	out, err := callFunction(t, fn, items, "phase: deploy\n")
	if err != nil {
		t.Fatal(err)
	}
	deployed := outItems(out)
	if gone := missing(before, named(deployed)); len(gone) > 0 {
		t.Errorf("deploy removed %v", gone)
	}
	out, err = callFunction(t, fn, deployed, "phase: cleanup\ntakenOver: true\n")
	if err != nil {
		t.Fatal(err)
	}
	if gone := missing(named(deployed), named(outItems(out))); !slices.Equal(gone, removedByCleanup) {
		t.Errorf("cleanup removed %v, want %v", gone, removedByCleanup)
	}
}

// outItems locates the items of a function's output by their annotations, which stay.
func outItems(out []*objects.Object) []objects.Located {
	var list []objects.Located
	for _, object := range out {
		file := object.GetAnnotations()["config.kubernetes.io/path"]
		if file == "" {
			file = object.GetAnnotations()["internal.config.kubernetes.io/path"]
		}
		list = append(list, objects.Located{File: file, Object: object})
	}
	return list
}

// relocated is outItems for items that were not through a function.
func relocated(t *testing.T, items []any) []objects.Located {
	t.Helper()
	var list []*objects.Object
	for _, item := range items {
		list = append(list, &objects.Object{Object: item.(map[string]any)})
	}
	return outItems(list)
}
