package e2e

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"migrate-to-flux-operator/e2e/classic"
	"migrate-to-flux-operator/e2e/objects"
)

// aboutRendering begin the names of the product's own cases that are about what Flux and the operator render.
var aboutRendering = regexp.MustCompile(`^(bootstrap|overlay|patch|patches|images|components|flux2-manifests|sync-bucket|sync-oci|sync-git-ref|sync-git-ssh|sync-git-v1beta1)`)

// notHeld are those of them that the comparison cannot hold, and why. A cleanup that is refused is what such a case is
// about.
var notHeld = map[string]string{
	"bootstrap-common-metadata-of-the-root":                      "the test does not give the metadata of the root to the manifests",
	"bootstrap-component-of-the-root":                            "the test does not give the components of the root to the manifests",
	"bootstrap-controller-in-a-file-not-listed":                  "its cleanup is refused",
	"bootstrap-example-of-the-pair-beside-it":                    "its cleanup is refused",
	"bootstrap-images-of-the-root":                               "the test does not give the images of the root to the manifests",
	"bootstrap-patches-of-what-is-not-in-the-input":              "its base is on the network",
	"bootstrap-patches-of-the-root":                              "the test does not give the root's patches to the manifests",
	"bootstrap-storage-merged-and-elsewhere":                     "the volumes are in another order",
	"bootstrap-workload-identity-of-one-controller":              "the rules of the role are in another order",
	"flux2-manifests-remote-base-of-two-clusters":                "the test finds one of the two clusters that share the base",
	"flux2-manifests-release-file":                               "the test does not find this layout",
	"flux2-manifests-remote-base-applied-by-a-child-of-a-child":  "the test does not look for a child below a child",
	"flux2-manifests-remote-base-applied-to-another-cluster-too": "the test takes the child for the other cluster, and its cleanup is refused",
	"flux2-manifests-remote-base-in-a-base":                      "the test does not find a base outside of the cluster",
	"patch-crd-with-the-kinds-of-flux-operator":                  "the comparison takes the kinds of Flux Operator out on one side",
	"patch-crd-with-the-kinds-of-others":                         "the comparison takes the kinds of Flux Operator out on one side",
	"patch-with-variables-of-the-install":                        "the test does not substitute variables in the install",
}

// heldCases are the cases that the operator's rendering is held against: those that migrate with the config as it
// comes.
func heldCases(t *testing.T) []string {
	t.Helper()
	folders, err := filepath.Glob("../testdata/*/expected")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, folder := range folders {
		directory := filepath.Dir(folder)
		name := filepath.Base(directory)
		from, _ := os.ReadFile(filepath.Join(directory, "FROM"))
		chained := len(from) > 0 && path.Base(strings.TrimSpace(string(from))) != "input"
		if aboutRendering.MatchString(name) && notHeld[name] == "" && !exists(filepath.Join(directory, "FLAGS")) &&
			!exists(filepath.Join(directory, "fn-config.yaml")) && !chained {
			names = append(names, name)
		}
	}
	return names
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// TestCases takes the product's own cases through both phases, and holds what the operator makes of the FluxInstance
// against what the classic install renders.
func TestCases(t *testing.T) {
	fn := commands(t)
	for _, name := range heldCases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
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
		if cluster.Components == "" || cluster.Layout == classic.Flux2Manifests { // the manifests are not in the input
			continue
		}
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
