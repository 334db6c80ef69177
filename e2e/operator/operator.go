// Package operator builds FluxInstances with the real Flux Operator, offline: its own CLI, run as a program,
// with the Flux manifests that its module carries, served by a registry on loopback.
package operator

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"migrate-to-flux-operator/e2e/crd"
	"migrate-to-flux-operator/e2e/objects"
)

// Operator is the operator's CLI and what it needs.
type Operator struct {
	work     string
	cli      string
	registry *registry
	kinds    crd.Set
}

// New builds the CLI, which the build cache keeps, and starts the registry. The work directory is the CLI's home.
func New(work string) (*Operator, error) {
	module, err := Pinned()
	if err != nil {
		return nil, err
	}
	cli, err := buildCLI()
	if err != nil {
		return nil, err
	}
	definition, err := objects.ReadFile(filepath.Join(module.Dir, "config/crd/bases/fluxcd.controlplane.io_fluxinstances.yaml"))
	if err != nil {
		return nil, err
	}
	kinds, err := crd.Load(definition)
	if err != nil {
		return nil, err
	}
	started, err := serve(filepath.Join(module.Dir, "config/data"))
	if err != nil {
		return nil, err
	}
	return &Operator{work: work, cli: cli, registry: started, kinds: kinds}, nil
}

// buildCLI builds the operator's CLI as a Go tool and returns where the executable is.
func buildCLI() (string, error) {
	out, err := Go("tool", "-n", modulePath+"/cmd/cli")
	return strings.TrimSpace(string(out)), err
}

// Close stops the registry.
func (o *Operator) Close() {
	o.registry.close()
}

// Admit returns the FluxInstance as a cluster would store it, or why it would be refused there.
func (o *Operator) Admit(instance *objects.Object) (*objects.Object, error) {
	return o.kinds.Admit(instance)
}

// Build returns the objects that the operator would apply for a FluxInstance.
func (o *Operator) Build(instance *objects.Object) ([]*objects.Object, error) {
	admitted, err := o.Admit(instance)
	if err != nil {
		return nil, err
	}
	if err := buildable(admitted); err != nil {
		return nil, err
	}
	data, err := objects.Write([]*objects.Object{admitted})
	if err != nil {
		return nil, err
	}
	build := exec.Command(o.cli, "build", "instance", "-f", "-", "--distribution-artifact", o.registry.artifact)
	build.Dir = o.work
	build.Env = append(os.Environ(), "DOCKER_CONFIG="+o.work)
	build.Stdin = bytes.NewReader(data)
	var stdout, stderr bytes.Buffer
	build.Stdout, build.Stderr = &stdout, &stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("flux-operator build instance: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return objects.Read(stdout.Bytes())
}

// buildable refuses the fields that the CLI ignores: what they do cannot be shown offline.
func buildable(instance *objects.Object) error {
	for _, path := range [][]string{{"spec", "sharding", "storage"}, {"spec", "distribution", "variant"}} {
		value, _, _ := unstructured.NestedString(instance.Object, path...)
		if value != "" && value != "ephemeral" {
			return errors.New("the operator's CLI ignores " + strings.Join(path, "."))
		}
	}
	return nil
}
