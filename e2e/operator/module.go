package operator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// modulePath is the operator's Go module, pinned as a tool in cli/go.mod.
const modulePath = "github.com/controlplaneio-fluxcd/flux-operator"

// Module is what Go says of a module.
type Module struct {
	// Dir is its folder in the module cache.
	Dir     string
	Version string
	// Time is when the version was tagged.
	Time time.Time
}

// Pinned brings the operator's module into the module cache, in the version that runs.
func Pinned() (Module, error) { return Download(modulePath) }

// Releases are the versions of the operator that can be had.
func Releases() ([]string, error) {
	out, err := Go("list", "-m", "-json", "-versions", modulePath)
	if err != nil {
		return nil, err
	}
	var all struct{ Versions []string }
	err = json.Unmarshal(out, &all)
	return all.Versions, err
}

// Release brings another version of the operator's module into the module cache.
func Release(version string) (Module, error) { return Download(modulePath + "@" + version) }

// Download brings a module into the module cache: in the version that is given behind @, else in the one that is
// pinned.
func Download(module string) (Module, error) {
	downloaded, err := about("mod", "download", "-json", module)
	if err != nil {
		return Module{}, err
	}
	listed, err := about("list", "-m", "-json", module)
	listed.Dir = downloaded.Dir
	return listed, err
}

// about runs a command of Go that prints a module.
func about(args ...string) (m Module, err error) {
	out, err := Go(args...)
	if err != nil {
		return m, fmt.Errorf("%w: %s", err, out)
	}
	return m, json.Unmarshal(out, &m)
}

// Go runs go in the module that pins the operator. Its CLI may need a newer Go than the tests, which Go gets from where
// it gets modules.
func Go(args ...string) ([]byte, error) {
	here, err := exec.Command("go", "list", "-f", "{{.Dir}}", "migrate-to-flux-operator/e2e/operator").Output()
	if err != nil {
		return nil, errors.New("this runs in the module of the tests alone, where go list finds it")
	}
	command := exec.Command("go", args...)
	command.Dir = filepath.Join(strings.TrimSpace(string(here)), "cli")
	command.Env = append(os.Environ(), "GOTOOLCHAIN=auto")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return out, fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return out, nil
}
