package e2e

import (
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/yaml"
)

// speed says that the speed is to be measured: it needs a calm machine, or at least the same load for both.
var speed = flag.Bool("speed", false, "measure plan against kustomize build")

// TestSpeed holds plan, with its proof, against `kustomize build` once for the path of each Flux Kustomization, by
// processor time, which other work on the machine does not change. A repository that plan refuses before the proof is
// not measured, and a path that has no kustomization.yaml is given the one that kustomize-controller generates. The
// corpus keeps YAML and JSON alone: other files that make a ConfigMap or a Secret are made up, so that kustomize can
// build what the plan builds.
func TestSpeed(t *testing.T) {
	if !*speed {
		t.Skip("skipped: make speed measures")
	}
	fn, builder := commands(t), kustomizeBinary(t)
	entries, err := os.ReadDir(corpus(t, "."))
	if err != nil {
		t.Fatal(err)
	}
	measured, faster := 0, 0
	t.Logf("%-52s %5s %10s %10s %6s", "repository", "paths", "plan", "kustomize", "ratio")
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		directory := newCheckout(t, filepath.Join(corpus(t, "."), entry.Name())).directory
		complete(t, directory)
		took, out := spent(exec.Command(fn.binary, "plan", directory, "--output", "json"))
		if !proved(t, out) {
			t.Logf("%-52s refused before the proof", entry.Name())
			continue
		}
		paths := readablePaths(t, fn, directory)
		var other time.Duration
		for _, path := range paths {
			generate(t, directory, path)
			build, _ := spent(exec.Command(builder, "build", "--load-restrictor", "LoadRestrictionsNone", filepath.Join(directory, path)))
			other += build
		}
		ratio := took.Seconds() / other.Seconds()
		t.Logf("%-52s %5d %10s %10s %6.2f", entry.Name(), len(paths), took.Round(time.Millisecond), other.Round(time.Millisecond), ratio)
		measured++
		if ratio < 1 {
			faster++
		}
	}
	t.Logf("plan takes less than kustomize in %d of %d repositories", faster, measured)
	if measured == 0 {
		t.Error("nothing was measured")
	}
}

// complete makes the files up that generators name and that the snapshot lacks.
func complete(t *testing.T, root string) {
	t.Helper()
	type generator struct{ Files, Envs []string }
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !slices.Contains(konfig.RecognizedKustomizationFileNames(), d.Name()) {
			return err
		}
		content, err := os.ReadFile(file)
		var k struct{ ConfigMapGenerator, SecretGenerator []generator }
		if err != nil || yaml.Unmarshal(content, &k) != nil {
			return err
		}
		for _, g := range slices.Concat(k.ConfigMapGenerator, k.SecretGenerator) {
			for _, entry := range slices.Concat(g.Files, g.Envs) {
				missing := filepath.Join(filepath.Dir(file), entry[strings.Index(entry, "=")+1:])
				if _, err := os.Stat(missing); os.IsNotExist(err) {
					if err := errors.Join(os.MkdirAll(filepath.Dir(missing), 0o755), os.WriteFile(missing, nil, 0o644)); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// kustomizeBinary builds the kustomize that the product's module pins.
func kustomizeBinary(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(work, "kustomize")
	execute(t, []string{"CGO_ENABLED=0"}, "go", "build", "-C", "..", "-o", binary, "sigs.k8s.io/kustomize/kustomize/v5")
	return binary
}

// spent runs a command and returns the processor time that it took, and what it printed.
func spent(command *exec.Cmd) (time.Duration, []byte) {
	out, _ := command.Output() // what it fails on takes time as well
	return command.ProcessState.UserTime() + command.ProcessState.SystemTime(), out
}

// proved reports whether a plan got to the proof.
func proved(t *testing.T, plan []byte) bool {
	t.Helper()
	var read struct {
		Findings []struct{ Topic string }
	}
	if err := json.Unmarshal(plan, &read); err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(read.Findings, func(f struct{ Topic string }) bool { return f.Topic == "proof" })
}

// readablePaths are the paths of the Flux Kustomizations that read this repository and can be built from it alone.
func readablePaths(t *testing.T, fn product, directory string) []string {
	t.Helper()
	out, err := fn.run("inventory", directory, "--output", "json")
	if err != nil {
		t.Fatal(err)
	}
	var clusters []struct {
		Inventory struct {
			Owners []struct {
				Namespace, Name, Path, Unread, Broken string
			}
			Opaque []struct {
				Owner struct{ Namespace, Name string }
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &clusters); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, cluster := range clusters {
		for _, owner := range cluster.Inventory.Owners {
			opaque := slices.ContainsFunc(cluster.Inventory.Opaque, func(o struct {
				Owner struct{ Namespace, Name string }
			}) bool {
				return o.Owner.Namespace == owner.Namespace && o.Owner.Name == owner.Name
			})
			if owner.Unread == "" && owner.Broken == "" && !opaque {
				paths = append(paths, owner.Path)
			}
		}
	}
	return paths
}

// generate writes the kustomization.yaml that kustomize-controller would, where there is none.
func generate(t *testing.T, root, path string) {
	t.Helper()
	none := unstructured.Unstructured{Object: map[string]any{}}
	if _, err := kustomize.NewGenerator(root, none).WriteFile(filepath.Join(root, path)); err != nil {
		t.Fatal(err)
	}
}
