package live

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// modulePin is a Go module at a version.
type modulePin struct{ path, version string }

// spec is a program that is built from a Go module.
type spec struct {
	name     string
	module   modulePin
	main     string            // the import path of its main package
	replace  map[string]string // for versions that the module pins and that do not resolve
	staging  bool              // the replace lines of the module itself, to folders of its repository, point at released modules
	embedded string            // a file that the program embeds and its module does not carry: the program is built in a copy
}

// The versions that are replayed: kustomize-controller v1.7.3 is the one of Flux 2.7.5.
const (
	fluxVersion     = "v2.7.5"
	operatorVersion = "v0.58.1"
	stagingVersion  = "v0.34.1"
)

// specs are the programs of a replay, the quick ones first.
var specs = []spec{
	{name: "etcd", module: modulePin{"go.etcd.io/etcd/server/v3", "v3.5.21"}, main: "go.etcd.io/etcd/server/v3"},
	{
		name: "kustomize-controller", module: modulePin{"github.com/fluxcd/kustomize-controller", "v1.7.3"},
		main: "github.com/fluxcd/kustomize-controller",
		replace: map[string]string{
			"github.com/opencontainers/go-digest": "github.com/opencontainers/go-digest@v1.0.1-0.20220411205349-bde1400a84be",
		},
	},
	{
		name: "flux-operator", module: modulePin{"github.com/controlplaneio-fluxcd/flux-operator", operatorVersion},
		main: "github.com/controlplaneio-fluxcd/flux-operator/cmd/operator", embedded: "web/dist/index.html",
		replace: map[string]string{
			"github.com/google/go-containerregistry/pkg/authn/kubernetes": "github.com/google/go-containerregistry/pkg/authn/kubernetes@v0.0.0-20250613215107-59a4b8593039",
		},
	},
	{
		name: "kube-apiserver", module: modulePin{"k8s.io/kubernetes", "v1.34.1"},
		main: "k8s.io/kubernetes/cmd/kube-apiserver", staging: true,
	},
	{name: "kubectl", module: modulePin{"k8s.io/kubernetes", "v1.34.1"}, main: "k8s.io/kubernetes/cmd/kubectl", staging: true},
}

// tools are the programs of a replay, and the folder of the operator's module.
type tools struct {
	directory, operatorModule string
}

// path is where a program is.
func (b tools) path(name string) string {
	return filepath.Join(b.directory, name)
}

// buildTools builds what is not in the user's cache folder yet. The folder's name covers the versions, so that other
// versions are built anew.
var buildTools = sync.OnceValues(func() (tools, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return tools{}, err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%v %s %s", specs, stagingVersion, runtime.Version()))
	built := tools{directory: filepath.Join(cache, "migrate-to-flux-operator-e2e", fmt.Sprintf("%x", sum[:6]))}
	for _, one := range specs {
		if err := one.build(built.path(one.name)); err != nil {
			return tools{}, fmt.Errorf("building %s: %w", one.name, err)
		}
	}
	built.operatorModule, err = download(modulePin{"github.com/controlplaneio-fluxcd/flux-operator", operatorVersion})
	return built, err
})

// theTools returns the programs of a replay, or skips: not every machine can build a Kubernetes.
func theTools(t *testing.T) tools {
	t.Helper()
	built, err := buildTools()
	if err != nil {
		t.Skipf("skipped: %v", err)
	}
	return built
}

// build builds a program, unless it is there.
func (s spec) build(binary string) error {
	if _, err := os.Stat(binary); err == nil {
		return nil
	}
	started := time.Now()
	fmt.Fprintf(os.Stderr, "building %s from %s@%s, once: kept in %s\n", s.name, s.module.path, s.module.version, filepath.Dir(binary))
	work, err := os.MkdirTemp("", "build-"+s.name)
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := s.prepare(work); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		return err
	}
	partial := fmt.Sprintf("%s.%d", binary, os.Getpid())
	if _, err := goCommand(work, "build", "-p=2", "-ldflags=-s -w", "-o", partial, s.main); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "built %s in %s\n", s.name, time.Since(started).Round(time.Second))
	return os.Rename(partial, binary)
}

// prepare makes the module in which a program is built: an empty one that requires it, or a copy of its own.
func (s spec) prepare(work string) error {
	folder, err := download(s.module)
	if err != nil {
		return err
	}
	if s.embedded != "" {
		if err := os.CopyFS(work, os.DirFS(folder)); err != nil {
			return err
		}
		err = writeFile(filepath.Join(work, s.embedded), "")
	} else {
		err = writeFile(filepath.Join(work, "go.mod"), fmt.Sprintf("module build\n\ngo 1.25.0\n\nrequire %s %s\n", s.module.path, s.module.version))
	}
	if err != nil {
		return err
	}
	for from, to := range s.replacements(folder) {
		if _, err := goCommand(work, "mod", "edit", "-replace="+from+"="+to); err != nil {
			return err
		}
	}
	return nil
}

// stagingLine is a replace line of k8s.io/kubernetes.
var stagingLine = regexp.MustCompile(`(?m)^\s*(k8s\.io/\S+) => \./staging/`)

// replacements are the replace lines a program needs: those of a required module do not count for the module that requires it.
func (s spec) replacements(folder string) map[string]string {
	all := map[string]string{}
	for from, to := range s.replace {
		all[from] = to
	}
	if !s.staging {
		return all
	}
	content, _ := os.ReadFile(filepath.Join(folder, "go.mod"))
	for _, line := range stagingLine.FindAllSubmatch(content, -1) {
		name := string(line[1])
		all[name] = name + "@" + stagingVersion
	}
	return all
}

// download returns the folder of a module in the module cache.
func download(module modulePin) (string, error) {
	out, err := goCommand(os.TempDir(), "mod", "download", "-json", module.path+"@"+module.version)
	if err != nil {
		return "", err
	}
	var answer struct{ Dir string }
	return answer.Dir, json.Unmarshal(out, &answer)
}

// goCommand runs go in a folder, in a module of its own.
func goCommand(directory string, args ...string) ([]byte, error) {
	command := exec.Command("go", args...)
	command.Dir = directory
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod -buildvcs=false", "GOWORK=off")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, tail(stderr.String(), 20))
	}
	return out, nil
}

// tail is the last lines of a text, without the ends of long ones.
func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	all = all[max(0, len(all)-lines):]
	for i, line := range all {
		all[i] = line[:min(len(line), 600)]
	}
	return strings.Join(all, "\n")
}

// writeFile writes a file and the folders above it.
func writeFile(name, content string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(content), 0o644)
}
