package e2e

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"migrate-to-flux-operator/e2e/classic"
	"migrate-to-flux-operator/e2e/crd"
	"migrate-to-flux-operator/e2e/objects"
)

// TestFirstUser takes the first user's repository through both phases.
func TestFirstUser(t *testing.T) {
	fn, repository := commands(t), corpus(t, firstUser)
	checkout := newCheckout(t, repository)
	before := named(checkout.objects(t))

	refuse(t, fn, checkout, "apply", checkout.directory, "--phase", "cleanup", "--taken-over")
	refuse(t, fn, checkout, "apply", checkout.directory, "--phase", "deploy", configure(t, "instance:\n  version: 2.5.x\n"))

	succeed(t, fn, "apply", checkout.directory, "--phase", "deploy")
	deployed(t, checkout, repository, firstClusterOf(t, repository))
	if removed := missing(before, named(checkout.objects(t))); len(removed) > 0 {
		t.Errorf("deploy removed %v", removed)
	}
	idempotent(t, fn, checkout, "apply", checkout.directory, "--phase", "deploy")
	after := named(checkout.objects(t))
	checkout.push(t, "deploy")

	succeed(t, fn, "apply", checkout.directory, "--phase", "cleanup", "--taken-over")
	cleaned := named(checkout.objects(t))
	if removed := missing(after, cleaned); !slices.Equal(removed, removedByCleanup) {
		t.Errorf("cleanup removed %v, want %v", removed, removedByCleanup)
	}
	for _, name := range slices.Sorted(maps.Keys(cleaned)) {
		if old := before[name]; old != nil && !reflect.DeepEqual(old.Object, cleaned[name].Object) {
			t.Errorf("%s changed", name)
		}
	}
	idempotent(t, fn, checkout, "apply", checkout.directory, "--phase", "cleanup", "--taken-over")
}

// TestFirstUserPlan runs the commands of docs/first-user.md, one after the other, and holds that each prints what the
// page says.
func TestFirstUserPlan(t *testing.T) {
	fn, repository := commands(t), corpus(t, firstUser)
	page, err := os.ReadFile(filepath.Join("..", "docs", "first-user.md"))
	if err != nil {
		t.Fatal(err)
	}
	checkout := newCheckout(t, repository)
	const most, columns = 40, 100
	planned, err := fn.run("plan", checkout.directory)
	if err != nil {
		t.Fatal(err)
	}
	if rows := rowsOf(planned, columns); rows > most {
		t.Errorf("the plan has %d rows on a terminal of %d columns, at most %d are read:\n%s", rows, columns, most, planned)
	}
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := regexp.MustCompile(`(?:[^|\\]|\\.)+`).FindAllString(strings.Trim(line, "|\n"), -1)
		if len(cells) != 3 || !strings.Contains(cells[1], "`") {
			continue
		}
		rows++
		command := strings.ReplaceAll(strings.Trim(cells[1], " `"), `\|`, "|")
		shell := exec.Command("bash", "-c", command)
		shell.Dir = checkout.directory
		shell.Env = append(os.Environ(), "PATH="+filepath.Dir(fn.binary)+":"+os.Getenv("PATH"), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
			"GIT_AUTHOR_NAME=owner", "GIT_AUTHOR_EMAIL=owner@example.com", "GIT_COMMITTER_NAME=owner", "GIT_COMMITTER_EMAIL=owner@example.com")
		printed, _ := shell.CombinedOutput() // a refusal is what some rows show
		for _, quoted := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[2], -1) {
			want := strings.ReplaceAll(quoted[1], `\|`, "|")
			if !strings.Contains(string(printed), want) {
				t.Errorf("%s:\n$ %s\ndoes not print %q but\n%s", strings.TrimSpace(cells[0]), command, want, printed)
			}
		}
	}
	if rows < 20 {
		t.Errorf("the page has %d rows", rows)
	}
}

// rowsOf is how many rows of a terminal a text takes.
func rowsOf(text string, columns int) int {
	rows := 0
	for line := range strings.Lines(text) {
		rows += max(1, (utf8.RuneCountInString(strings.TrimSuffix(line, "\n"))+columns-1)/columns)
	}
	return rows
}

// TestFirstUserBootstrap moves the bootstrap of the first user's plan to its helmfile: the releases that were prepared there
// get the version of the HelmReleases, and their values from them.
func TestFirstUserBootstrap(t *testing.T) {
	fn, repository := commands(t), corpus(t, firstUser)
	checkout := newCheckout(t, repository)
	const helmfile = "bootstrap/helmfile.d/01-apps.yaml"
	args := []string{"apply", checkout.directory, "--instance-form", "HelmRelease", "--bootstrap", "helmfile"}
	succeed(t, fn, args...)
	idempotent(t, fn, checkout, args...)

	checkout.git(t, "add", "--all", "--force")
	var lines []string
	for line := range strings.Lines(checkout.git(t, "diff", "--cached", "--unified=0", "--", helmfile)) {
		if strings.HasPrefix(line, "+  ") || strings.HasPrefix(line, "-  ") {
			lines = append(lines, strings.TrimSpace(line[1:]))
		}
	}
	want := []string{
		"version: 0.28.0", "version: 0.59.0", "- ./templates/values.yaml.gotmpl", "- ./templates/flux-operator.yaml.gotmpl",
		"version: 0.28.0", "version: 0.59.0", "- ./templates/values.yaml.gotmpl", "- ./templates/flux-instance.yaml.gotmpl",
	}
	if slices.Sort(lines); !slices.Equal(lines, slices.Sorted(slices.Values(want))) {
		t.Errorf("%s changes in %v", helmfile, lines)
	}
	t.Run("helmfile", func(t *testing.T) {
		syncsWith(t, filepath.Join(checkout.directory, helmfile), "helm upgrade --install flux-operator", "helm upgrade --install flux-instance", "values: instance:")
	})
}

// firstClusterOf returns the first cluster that has a sync pair.
func firstClusterOf(t *testing.T, repository string) classic.Cluster {
	t.Helper()
	for _, cluster := range findClusters(t, repository) {
		if cluster.Root != nil {
			return cluster
		}
	}
	t.Fatal("no cluster found")
	return classic.Cluster{}
}

// deployed holds what deploy wrote against the classic install, and asks the API servers of both sides whether they would take it.
func deployed(t *testing.T, checkout checkout, repository string, cluster classic.Cluster) {
	t.Helper()
	instances := checkout.instances(t)
	if len(instances) != 1 {
		t.Fatalf("%d FluxInstances, want one", len(instances))
	}
	found, err := hold(t, repository, cluster, instances[0].Object)
	if err != nil {
		t.Fatal(err)
	}
	report(t, found)
	if err := admitChanged(t, checkout, repository, cluster); err != nil {
		t.Error(err)
	}
}

// admitChanged admits every Flux object in the changed files: with the CRDs of the Flux that runs before the take-over.
func admitChanged(t *testing.T, checkout checkout, repository string, cluster classic.Cluster) error {
	t.Helper()
	version := cluster.Version
	if !manifests(t).Has(version) {
		version = manifests(t).Select(minor(version) + ".x")
	}
	running, err := cluster.Render(repository, manifests(t), version)
	if err != nil {
		return err
	}
	kinds, err := crd.Load(running.Install)
	if err != nil {
		return err
	}
	changed := checkout.changed(t)
	for _, object := range checkout.objects(t) {
		if !slices.Contains(changed, object.File) {
			continue
		}
		if object.GetKind() == "FluxInstance" {
			_, err = theOperator(t).Admit(object.Object)
		} else if strings.HasSuffix(objects.Group(object.Object), ".toolkit.fluxcd.io") {
			_, err = kinds.Admit(object.Object)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// named keys objects by identity.
func named(list []objects.Located) map[string]*objects.Object {
	byName := map[string]*objects.Object{}
	for _, object := range list {
		byName[objects.Name(object.Object)] = object.Object
	}
	return byName
}

// missing lists what is in the first and not in the second.
func missing(before, after map[string]*objects.Object) []string {
	var gone []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if after[name] == nil {
			gone = append(gone, name)
		}
	}
	return gone
}

// succeed runs a command that must succeed.
func succeed(t *testing.T, fn product, args ...string) {
	t.Helper()
	if _, err := fn.run(args...); err != nil {
		t.Fatal(err)
	}
}

// refuse runs a command that must fail and change nothing.
func refuse(t *testing.T, fn product, checkout checkout, args ...string) {
	t.Helper()
	if _, err := fn.run(args...); err == nil {
		t.Errorf("%s was not refused", strings.Join(args, " "))
	} else {
		t.Logf("refused: %v", err)
	}
	if changed := checkout.changed(t); len(changed) > 0 {
		t.Fatalf("a refused run changed %v", changed)
	}
}

// idempotent runs a command again: the files must stay as they are.
func idempotent(t *testing.T, fn product, checkout checkout, args ...string) {
	t.Helper()
	checkout.git(t, "add", "--all", "--force")
	before := checkout.git(t, "write-tree")
	succeed(t, fn, args...)
	checkout.git(t, "add", "--all", "--force")
	if after := checkout.git(t, "write-tree"); after != before {
		t.Errorf("%s changed files when run again", strings.Join(args, " "))
	}
}
