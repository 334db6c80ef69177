package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"migrate-to-flux-operator/e2e/objects"
)

// product is the binary under test.
type product struct{ binary string }

// buildProduct builds the binary once, as a static one.
var buildProduct = sync.OnceValues(func() (product, error) {
	built := product{filepath.Join(work, "migrate-to-flux-operator")}
	build := exec.Command("go", "build", "-C", "..", "-o", built.binary, "./fn")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // the container image holds nothing else
	out, err := build.CombinedOutput()
	if err != nil {
		return built, fmt.Errorf("building the product: %w\n%s", err, out)
	}
	return built, nil
})

// theProduct returns the binary under test.
func theProduct(t *testing.T) product {
	t.Helper()
	built, err := buildProduct()
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// commands returns the binary under test, or skips where it has no commands for a checkout.
func commands(t *testing.T) product {
	t.Helper()
	built := theProduct(t)
	if _, err := built.run("plan", "--help"); err != nil {
		t.Skip("skipped: the binary has no plan command")
	}
	return built
}

// run runs the binary and returns what it prints; an error carries its standard error.
func (p product) run(args ...string) (string, error) {
	command := exec.Command(p.binary, args...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// planned is what plan says of one cluster.
type planned struct {
	Path, Layout, Version, Outcome, Reason string
}

// migrates is the outcome that plan tells of a cluster that a run would change.
const migrates = "deployed"

// answer is what plan prints: the clusters it can follow, and what it has to say, also of installs it cannot follow.
type answer struct {
	Clusters []planned
	Findings []struct{ Severity, File, Message string }
}

// errors lists the errors that no cluster of the answer gives as its reason.
func (a answer) errors() []string {
	var unclaimed []string
	for _, finding := range a.Findings {
		claimed := slices.ContainsFunc(a.Clusters, func(p planned) bool { return strings.Contains(p.Reason, finding.Message) })
		if finding.Severity == "error" && !claimed {
			unclaimed = append(unclaimed, strings.TrimSpace(finding.File+" "+finding.Message))
		}
	}
	return unclaimed
}

// plan runs plan. A refusal is no failure: it is in the answer.
func (p product) plan(directory string, args ...string) (answer, error) {
	out, failed := p.run(append([]string{"plan", directory, "--output", "json"}, args...)...)
	var read answer
	if err := json.Unmarshal([]byte(out), &read); err != nil {
		return read, errors.Join(failed, fmt.Errorf("plan printed no JSON: %w: %.200s", err, out))
	}
	return read, nil
}

// configure writes a function config and returns the flag for it.
func configure(t *testing.T, spec string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	header := "apiVersion: fn.kpt.dev/v1alpha1\nkind: MigrateToFluxOperator\nmetadata:\n  name: migrate\n"
	if err := os.WriteFile(file, []byte(header+spec), 0o600); err != nil {
		t.Fatal(err)
	}
	return "--config=" + file
}

// checkout is a Git checkout with an upstream, as an owner has it.
type checkout struct{ directory string }

// newCheckout commits and pushes a copy of a directory.
func newCheckout(t *testing.T, source string) checkout {
	t.Helper()
	made := checkout{filepath.Join(t.TempDir(), "repository")}
	if err := os.CopyFS(made.directory, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	upstream := filepath.Join(t.TempDir(), "upstream.git")
	made.git(t, "init", "--quiet", "--initial-branch=main")
	made.git(t, "init", "--quiet", "--bare", upstream)
	made.git(t, "remote", "add", "origin", upstream)
	made.push(t, "before")
	return made
}

// push commits everything and pushes it.
func (c checkout) push(t *testing.T, message string) {
	t.Helper()
	c.git(t, "add", "--all", "--force")
	c.git(t, "commit", "--quiet", "--message", message)
	c.git(t, "push", "--quiet", "--set-upstream", "origin", "main")
}

// git runs git in the checkout, whatever the machine's own configuration.
func (c checkout) git(t *testing.T, args ...string) string {
	t.Helper()
	command := exec.Command("git", args...)
	command.Dir = c.directory
	command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=owner", "GIT_AUTHOR_EMAIL=owner@example.com",
		"GIT_COMMITTER_NAME=owner", "GIT_COMMITTER_EMAIL=owner@example.com")
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// changed lists the files that differ from the last commit.
func (c checkout) changed(t *testing.T) []string {
	t.Helper()
	c.git(t, "add", "--all", "--force")
	return strings.Fields(c.git(t, "diff", "--cached", "--name-only", "--no-renames", "HEAD"))
}

// lines counts the lines that were added to and removed from the last commit.
func (c checkout) lines(t *testing.T) string {
	t.Helper()
	c.git(t, "add", "--all", "--force")
	var added, removed int
	for line := range strings.Lines(c.git(t, "diff", "--cached", "--numstat", "--no-renames", "HEAD")) {
		var plus, minus int
		if _, err := fmt.Sscan(line, &plus, &minus); err != nil {
			t.Fatal(err)
		}
		added, removed = added+plus, removed+minus
	}
	return fmt.Sprintf("+%d-%d", added, removed)
}

// objects reads the checkout's objects, but for the kustomization.yaml files.
func (c checkout) objects(t *testing.T) []objects.Located {
	t.Helper()
	read, err := objects.ReadDir(c.directory)
	if err != nil {
		t.Fatal(err)
	}
	var kept []objects.Located
	for _, object := range read {
		if objects.Group(object.Object) != "kustomize.config.k8s.io" {
			kept = append(kept, object)
		}
	}
	return kept
}

// instances returns the FluxInstances of a checkout.
func (c checkout) instances(t *testing.T) []objects.Located {
	t.Helper()
	var found []objects.Located
	for _, object := range c.objects(t) {
		if object.GetKind() == "FluxInstance" {
			found = append(found, object)
		}
	}
	return found
}
