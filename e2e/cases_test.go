package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"migrate-to-flux-operator/e2e/classic"
	"migrate-to-flux-operator/e2e/objects"
)

// heldCases are repositories of the product's own cases whose rendering is what they are about.
var heldCases = []string{
	"bootstrap-patched-by-a-kustomization-above", "overlay-sets-the-path", "bootstrap-storage", "bootstrap-storage-of-another-claim-stays-a-patch",
	"bootstrap-storage-with-a-selector-stays-a-patch",
}

// TestCases takes the product's own cases through both phases, and holds what the operator makes of the FluxInstance against
// what the classic install renders.
func TestCases(t *testing.T) {
	fn := commands(t)
	for _, name := range heldCases {
		t.Run(name, func(t *testing.T) {
			for _, row := range runFolder(t, fn, whole(t, caseInput(t, name))) {
				if shares := strings.Contains(row.Reason, "applies these manifests too"); row.Outcome != migrates || row.differences != "0" || row.cleanup == "refused" && !shares {
					t.Errorf("%s", row)
				}
			}
		})
	}
}

// whole gives a repository of a case, whose CRDs are cut down, the manifests as `flux install` writes them.
func whole(t *testing.T, directory string) string {
	t.Helper()
	for _, cluster := range findClusters(t, directory) {
		file := filepath.Join(directory, cluster.Components)
		cut, err := objects.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		content, err := manifests(t).Install(classic.Flags(cut, cluster.Version))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

// caseInput is the repository that one of the product's cases starts from.
func caseInput(t *testing.T, name string) string {
	t.Helper()
	directory, of := filepath.Join(t.TempDir(), name), filepath.Join("..", "testdata", name)
	folders := []string{filepath.Join(of, "input")}
	if from, err := os.ReadFile(filepath.Join(of, "FROM")); err == nil {
		base, which := filepath.Split(strings.TrimSpace(string(from)))
		if which != "input" {
			t.Fatalf("%s starts from what another case ends with", name)
		}
		folders = append([]string{caseInput(t, filepath.Clean(base))}, folders...)
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if out, err := exec.Command("cp", "-R", folder+"/.", directory).CombinedOutput(); err != nil {
			t.Fatalf("copy %s: %v: %s", folder, err, out)
		}
	}
	deleted, _ := os.ReadFile(filepath.Join(of, "input", "DELETED"))
	for _, name := range append(strings.Fields(string(deleted)), "DELETED") {
		if err := os.RemoveAll(filepath.Join(directory, name)); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}
