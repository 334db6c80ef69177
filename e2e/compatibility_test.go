package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// kustomizes are the releases of kustomize that are tested: the newest and two minors back.
var kustomizes = []string{"v5.8.2", "v5.7.1", "v5.6.0"}

// TestKustomizeVersions builds the example with each release of kustomize that is supported.
func TestKustomizeVersions(t *testing.T) {
	for _, version := range kustomizes {
		t.Run(version, func(t *testing.T) {
			kustomize, directory := kustomizeAt(t, version), example(t, "kustomize-transformer")
			search := "PATH=" + filepath.Dir(theProduct(t).binary) + string(os.PathListSeparator) + os.Getenv("PATH")
			built := execute(t, []string{search}, kustomize, "build", "--enable-alpha-plugins", "--enable-exec", filepath.Join(directory, "input"))
			want, err := os.ReadFile(filepath.Join(directory, "expected.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(built, want) {
				t.Errorf("want\n%s\ngot\n%s", want, built)
			}
		})
	}
}

// kustomizeAt builds a release of kustomize from its module; the module and build caches keep it. It skips where the
// module cannot be had.
func kustomizeAt(t *testing.T, version string) string {
	t.Helper()
	bin := t.TempDir()
	install := exec.Command("go", "install", "sigs.k8s.io/kustomize/kustomize/v5@"+version)
	install.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=")
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("skipped: kustomize %s cannot be built: %v\n%s", version, err, out)
	}
	return filepath.Join(bin, "kustomize")
}

// TestKubectlKustomize holds what kubectl's kustomize does: it has no --enable-exec, so that it refuses to run an
// executable. A function that nobody runs must not look like one that has.
func TestKubectlKustomize(t *testing.T) {
	kubectl, directory := tool(t, "kubectl"), example(t, "kustomize-transformer")
	help, err := exec.Command(kubectl, "kustomize", "--help").CombinedOutput()
	if err != nil {
		t.Skipf("skipped: kubectl has no kustomize: %s", help)
	}
	if bytes.Contains(help, []byte("--enable-exec")) {
		t.Error("kubectl has --enable-exec now: run the example with it, and say so in docs/compatibility.md")
	}
	search := "PATH=" + filepath.Dir(theProduct(t).binary) + string(os.PathListSeparator) + os.Getenv("PATH")
	build := exec.Command(kubectl, "kustomize", "--enable-alpha-plugins", filepath.Join(directory, "input"))
	build.Env = append(os.Environ(), search)
	built, err := build.CombinedOutput()
	t.Logf("exit error: %v\n%.600s", err, built)
	if err == nil && bytes.Contains(built, []byte("kind: FluxInstance")) {
		t.Error("kubectl runs executables now: say so in docs/compatibility.md")
	}
}

// TestPlatforms cross-builds the product as it is released.
func TestPlatforms(t *testing.T) {
	for _, platform := range []string{"linux/arm64", "darwin/arm64", "darwin/amd64", "windows/amd64", "windows/arm64"} {
		goos, arch, _ := strings.Cut(platform, "/")
		binary := filepath.Join(t.TempDir(), "fn")
		execute(t, []string{"GOOS=" + goos, "GOARCH=" + arch, "CGO_ENABLED=0"}, "go", "build", "-C", "..", "-trimpath", "-o", binary, "./fn")
	}
}

// TestCompatibilityTable holds the documented versions against the tested ones.
func TestCompatibilityTable(t *testing.T) {
	table, err := os.ReadFile("../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range kustomizes {
		if !bytes.Contains(table, []byte(version)) {
			t.Errorf("kustomize %s is tested and not in docs/compatibility.md", version)
		}
	}
	module, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`(?m)^go (1\.\d+)`).FindSubmatch(module); found == nil || !bytes.Contains(table, found[1]) {
		t.Errorf("the Go version of go.mod is not in docs/compatibility.md")
	}
}
