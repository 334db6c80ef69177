package live

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"migrate-to-flux-operator/e2e/classic"
	"migrate-to-flux-operator/e2e/objects"
)

// layout is a way in which the repository of a replay installs Flux, without Flux Operator.
type layout struct {
	name, folder string   // the folder of the repository that the root applies
	root, source string   // the names of the sync pair
	pair         string   // the file of the sync pair
	install      string   // the Flux Kustomization that applies Flux
	manifests    string   // the file of the manifests in the repository; empty where they come from the artifact
	manager      string   // who applied Flux first
	removed      []string // what cleanup deletes, on purpose
	over         string   // the layout whose repository this one's files come on top of; empty for none
	extra        string   // what the root applies from the folder of the install beside Flux, as an inventory says it
}

// The layouts that are replayed.
var (
	fluxManifests = layout{
		name: "flux-manifests", folder: "kubernetes/flux", root: "cluster", source: "lighthouse",
		pair: "kubernetes/flux/config/cluster.yaml", install: "flux", manager: "kubectl",
		removed: []string{
			"Kustomization.kustomize.toolkit.fluxcd.io/flux-system/flux", "OCIRepository.source.toolkit.fluxcd.io/flux-system/flux-manifests",
		},
	}
	bootstrap = layout{
		name: "bootstrap", folder: "clusters/one", root: "flux-system", source: "flux-system",
		pair: "clusters/one/flux-system/gotk-sync.yaml", install: "flux-system", manager: "flux",
		manifests: "clusters/one/flux-system/gotk-components.yaml",
		extra:     "flux-system_chat_notification.toolkit.fluxcd.io_Provider",
	}
	shards = func() layout {
		l := bootstrap
		l.name, l.over = "shards", bootstrap.name
		return l
	}()
	child = layout{
		name: "child", folder: "clusters/one", root: "cluster", source: "fleet",
		pair: "clusters/one/cluster.yaml", install: "flux", manager: "kubectl",
		manifests: "flux/gotk-components.yaml",
		removed:   []string{"Kustomization.kustomize.toolkit.fluxcd.io/flux-system/flux"},
	}
	layouts = []layout{fluxManifests, bootstrap}
	every   = append(slices.Clone(layouts), child)
)

// keys of objects that no migration may lose.
const (
	widget          = "Widget.example.com/shop/left"
	workload        = "ConfigMap/shop/shop"
	shopNamespace   = "Namespace/shop"
	sourceCRD       = "CustomResourceDefinition.apiextensions.k8s.io/gitrepositories.source.toolkit.fluxcd.io"
	controller      = "Deployment.apps/flux-system/kustomize-controller"
	fluxNamespaceID = "Namespace/flux-system"
)

// rootKey is the root Flux Kustomization.
func (l layout) rootKey() string {
	return "Kustomization.kustomize.toolkit.fluxcd.io/flux-system/" + l.root
}

// sourceKey is the source of the sync pair.
func (l layout) sourceKey() string {
	return "GitRepository.source.toolkit.fluxcd.io/flux-system/" + l.source
}

// install renders the Flux manifests as the layout has them.
func (l layout) fluxManifests(t *testing.T, built tools) string {
	t.Helper()
	manifests := classic.Manifests{Dir: filepath.Join(built.operatorModule, "config/data/flux")}
	content, err := manifests.Artifact(fluxVersion, "ghcr.io/fluxcd")
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// repository is the content of the repository before the migration.
func (l layout) repository(t *testing.T, manifests string) tree {
	t.Helper()
	files := tree{}
	if l.over != "" {
		files = readTree(t, filepath.Join("testdata", l.over))
	}
	maps.Copy(files, readTree(t, filepath.Join("testdata", l.name)))
	maps.Copy(files, readTree(t, filepath.Join("testdata", "apps")))
	if l.manifests != "" {
		files[l.manifests] = manifests
	}
	return files
}

// theProduct returns the binary under test.
func theProduct(t *testing.T) string {
	t.Helper()
	if *binary != "" {
		return *binary
	}
	built := filepath.Join(t.TempDir(), "migrate-to-flux-operator")
	out, err := exec.Command("go", "build", "-C", "../..", "-o", built, "./fn").CombinedOutput()
	if err != nil {
		t.Fatalf("building the product: %v\n%s", err, out)
	}
	return built
}

// checkout is the owner's checkout of the repository, with an upstream, and the binary under test.
type checkout struct{ product, directory string }

// newCheckout commits and pushes a repository.
func newCheckout(t *testing.T, product string, files tree) checkout {
	t.Helper()
	made := checkout{product, filepath.Join(t.TempDir(), "repository")}
	files.write(t, made.directory)
	upstream := filepath.Join(t.TempDir(), "upstream.git")
	made.git(t, "init", "--quiet", "--initial-branch=main")
	made.git(t, "init", "--quiet", "--bare", upstream)
	made.git(t, "remote", "add", "origin", upstream)
	made.commit(t, "before")
	return made
}

// commit commits everything and pushes it.
func (c checkout) commit(t *testing.T, message string) {
	t.Helper()
	c.git(t, "add", "--all", "--force")
	c.git(t, "commit", "--quiet", "--allow-empty", "--message", message)
	c.git(t, "push", "--quiet", "--set-upstream", "origin", "main")
}

// git runs git in the checkout, whatever the machine's own configuration.
func (c checkout) git(t *testing.T, args ...string) {
	t.Helper()
	command := exec.Command("git", args...)
	command.Dir = c.directory
	command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=owner", "GIT_AUTHOR_EMAIL=owner@example.com",
		"GIT_COMMITTER_NAME=owner", "GIT_COMMITTER_EMAIL=owner@example.com")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// files are the files of the checkout.
func (c checkout) files(t *testing.T) tree {
	t.Helper()
	return readTree(t, c.directory)
}

// replace makes the checkout hold these files and no others.
func (c checkout) replace(t *testing.T, files tree) {
	t.Helper()
	entries, err := os.ReadDir(c.directory)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() != ".git" {
			err = errors.Join(err, os.RemoveAll(filepath.Join(c.directory, entry.Name())))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	files.write(t, c.directory)
}

// run runs a command of the product on the checkout and returns what it prints.
func (c checkout) run(command string, args ...string) (string, error) {
	out, err := exec.Command(c.product, append([]string{command, c.directory}, args...)...).CombinedOutput()
	return string(out), err
}

// migrate runs a phase, which must change files.
func (c checkout) migrate(t *testing.T, args ...string) {
	t.Helper()
	before := c.files(t)
	if out, err := c.run("apply", args...); err != nil {
		t.Fatalf("apply %v: %v\n%s", args, err, out)
	}
	if maps.Equal(before, c.files(t)) {
		t.Fatalf("apply %v changed nothing", args)
	}
}

// refuses says that a run must fail, with these words, and change nothing.
func (c checkout) refuses(t *testing.T, words string, args ...string) {
	t.Helper()
	before := c.files(t)
	out, err := c.run("apply", args...)
	if err == nil || !strings.Contains(out, words) {
		t.Errorf("apply %v: want a refusal with %q, got %v\n%s", args, words, err, out)
	}
	if !maps.Equal(before, c.files(t)) {
		t.Errorf("apply %v was refused and changed files", args)
	}
}

// readObjects reads the objects of one file of the tree.
func (files tree) readObjects(t *testing.T, name string) []*objects.Object {
	t.Helper()
	read, err := objects.Read([]byte(files[name]))
	if err != nil || len(read) == 0 {
		t.Fatalf("%s: %d objects, %v", name, len(read), err)
	}
	return read
}
