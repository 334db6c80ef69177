package live

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// fluxVersion is the release of Flux that is installed, by its manifests. Its controllers run beside the cluster, as
// programs/go.mod pins them: those of v2.9.4.
const fluxVersion = "v2.9.5"

// operatorVersion is the release of Flux Operator that runs, which the module of its CLI pins.
const operatorVersion = "0.59.0"

// The modules that pin what runs: Flux Operator may need a newer Go than all else.
const (
	programsModule = "programs"
	operatorPins   = "../operator/cli"
)

// The modules whose files the replay reads, or has to complete before it can build them.
const (
	operatorModule   = "github.com/controlplaneio-fluxcd/flux-operator"
	cliModule        = "github.com/fluxcd/flux2/v2"
	kubernetesModule = "k8s.io/kubernetes"
)

// program is what a replay runs, built from the module that its pins are in.
type program struct {
	name, main, pins string
	// incomplete is the module of a program that embeds a file which the module does not carry.
	incomplete, embedded string
	// stamped is the module whose version the program tells.
	stamped string
}

// programs are the programs of a replay, the quick ones first.
var programs = []program{
	{name: "etcd", main: "go.etcd.io/etcd/server/v3", pins: programsModule},
	{name: "source-controller", main: "github.com/fluxcd/source-controller", pins: programsModule},
	{name: "kustomize-controller", main: "github.com/fluxcd/kustomize-controller", pins: programsModule},
	{name: "helm-controller", main: "github.com/fluxcd/helm-controller", pins: programsModule},
	{name: operatorName, main: operatorModule + "/cmd/operator", pins: operatorPins, incomplete: operatorModule, embedded: "web/dist/index.html"},
	{name: "flux", main: cliModule + "/cmd/flux", pins: programsModule, incomplete: cliModule, embedded: "cmd/flux/manifests/none.yaml"},
	{name: "kubectl", main: kubernetesModule + "/cmd/kubectl", pins: programsModule, stamped: kubernetesModule},
	{name: "kube-apiserver", main: kubernetesModule + "/cmd/kube-apiserver", pins: programsModule, stamped: kubernetesModule},
}

// tools are the programs of a replay, and the operator's module.
type tools struct {
	directory, operatorModule, operatorVersion string
}

// path is where a program is.
func (b tools) path(name string) string {
	return filepath.Join(b.directory, name)
}

// buildTools builds what is not in the user's cache folder yet. The folder's name covers all versions, so that other
// versions are built anew.
var buildTools = sync.OnceValues(func() (tools, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return tools{}, err
	}
	sum := sha256.New()
	for _, module := range []string{programsModule, operatorPins} {
		for _, name := range []string{"go.mod", "go.sum"} {
			content, err := os.ReadFile(filepath.Join(module, name))
			if err != nil {
				return tools{}, err
			}
			_, _ = sum.Write(content)
		}
	}
	fmt.Fprintf(sum, "%v %s", programs, runtime.Version())
	built := tools{directory: filepath.Join(cache, "migrate-to-flux-operator-e2e", fmt.Sprintf("%x", sum.Sum(nil)[:6]))}
	for _, one := range programs {
		if err := one.build(built.path(one.name)); err != nil {
			return tools{}, fmt.Errorf("building %s: %w", one.name, err)
		}
	}
	operator, err := pinned(operatorPins, operatorModule)
	built.operatorModule, built.operatorVersion = operator.Dir, operator.Version
	return built, err
})

// theTools returns the programs of a replay, or skips: not every machine can build a Kubernetes.
func theTools(t *testing.T) tools {
	t.Helper()
	built, err := buildTools()
	if err != nil {
		t.Skipf("skipped: %v", err)
	}
	if built.operatorVersion != "v"+operatorVersion {
		t.Fatalf("Flux Operator %s is pinned, and not v%s", built.operatorVersion, operatorVersion)
	}
	return built
}

// build builds a program, unless it is there.
func (p program) build(binary string) error {
	if _, err := os.Stat(binary); err == nil {
		return nil
	}
	started := time.Now()
	fmt.Fprintf(os.Stderr, "building %s, once: kept in %s\n", p.name, filepath.Dir(binary))
	work, err := os.MkdirTemp("", "build-"+p.name)
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	flags, err := p.prepare(work)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		return err
	}
	partial := fmt.Sprintf("%s.%d", binary, os.Getpid())
	if _, err := goCommand(work, "build", "-p=2", "-trimpath", "-ldflags=-s -w"+flags, "-o", partial, p.main); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "built %s in %s\n", p.name, time.Since(started).Round(time.Second))
	return os.Rename(partial, binary)
}

// prepare makes a copy of the module that pins everything, with a copy of the program's own module where that has to be
// completed, and returns the flags that stamp the version.
func (p program) prepare(work string) (string, error) {
	if err := os.CopyFS(work, os.DirFS(p.pins)); err != nil {
		return "", err
	}
	if p.incomplete != "" {
		module, err := pinned(p.pins, p.incomplete)
		if err != nil {
			return "", err
		}
		const folder = "completed"
		if err := os.CopyFS(filepath.Join(work, folder), os.DirFS(module.Dir)); err != nil {
			return "", err
		}
		if err := writeFile(filepath.Join(work, folder, p.embedded), ""); err != nil {
			return "", err
		}
		_, err = goCommand(work, "mod", "edit", "-replace="+p.incomplete+"=./"+folder)
		return "", err
	}
	if p.stamped != "" {
		module, err := pinned(p.pins, p.stamped)
		return " -X k8s.io/component-base/version.gitVersion=" + module.Version, err
	}
	return "", nil
}

// module is what go knows of a module.
type module struct{ Version, Dir string }

// pinned returns a module as another one pins it.
func pinned(pins, path string) (module, error) {
	if _, err := goCommand(pins, "mod", "download", path); err != nil {
		return module{}, err
	}
	out, err := goCommand(pins, "list", "-m", "-json", path)
	if err != nil {
		return module{}, err
	}
	var found module
	return found, json.Unmarshal(out, &found)
}

// goCommand runs go in a folder, in a module of its own.
func goCommand(directory string, args ...string) ([]byte, error) {
	command := exec.Command("go", args...)
	command.Dir = directory
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOWORK=off", "GOTOOLCHAIN=auto")
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
