package live

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"migrate-to-flux-operator/e2e/classic"
	"migrate-to-flux-operator/e2e/objects"
)

// layout is a way in which the repository of a replay installs Flux, without Flux Operator.
type layout struct {
	name, folder string                      // the folder of the repository that the root applies
	root, source string                      // the names of the sync pair
	namespace    string                      // its namespace, where that is not Flux's
	pair         string                      // the file of the sync pair
	base         string                      // the file of its source, where that is another one
	install      string                      // the Flux Kustomization that applies Flux
	manifests    string                      // the file of the manifests in the repository; empty where they come from the artifact
	manager      string                      // who applied Flux first
	removed      []string                    // what cleanup deletes, on purpose
	over         string                      // the layout whose repository this one's files come on top of; empty for none
	chart        bool                        // Flux is a HelmRelease of the community's chart
	edit         func(*testing.T, tree) tree // what is else in the repository
	prefix       string                      // of the names of Flux's own objects
	extra        string                      // what the root applies from the folder of the install beside Flux, as an inventory says it
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
	// Two clusters that sync from one repository, whose source is defined in a folder that both apply.
	sharedOne = shared("one")
	sharedTwo = shared("two")

	layouts = []layout{fluxManifests, bootstrap}
	every   = append(slices.Clone(layouts), child)
)

// shared is one of the two clusters of a repository.
func shared(cluster string) layout {
	return layout{
		name: "shared-source", folder: cluster + "/flux", root: "cluster", source: "fleet", base: "base/fleet.yaml",
		pair: cluster + "/flux/cluster.yaml", install: "flux", manager: "kubectl", removed: fluxManifests.removed,
	}
}

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
	return "Kustomization.kustomize.toolkit.fluxcd.io/" + l.pairNamespace() + "/" + l.root
}

// sourceKey is the source of the sync pair.
func (l layout) sourceKey() string {
	return "GitRepository.source.toolkit.fluxcd.io/" + l.pairNamespace() + "/" + l.source
}

// pairNamespace is the namespace of the sync pair.
func (l layout) pairNamespace() string {
	return cmp.Or(l.namespace, fluxNamespace)
}

// renamed is the layout where Flux's own objects have names that begin so.
func (l layout) renamed(prefix string) layout {
	l.prefix = prefix
	return l
}

// release is the release of Flux that the layout installs.
func (l layout) release() string {
	if l.chart {
		return charted
	}
	return fluxVersion
}

// pairOf are the objects of the sync pair.
func (l layout) pairOf(t *testing.T, files tree) []*objects.Object {
	t.Helper()
	pair := files.readObjects(t, l.pair)
	if l.base != "" {
		pair = append(files.readObjects(t, l.base), pair...)
	}
	return pair
}

// url is where the source of the layout is.
func (l layout) url(t *testing.T, files tree) string {
	t.Helper()
	source := objects.Find(l.pairOf(t, files), "source.toolkit.fluxcd.io", "GitRepository", l.source)
	url, _, _ := unstructured.NestedString(source.Object, "spec", "url")
	return url
}

// manifests renders the manifests of a release of Flux, as the artifact holds them.
func manifests(t *testing.T, built tools, release string) string {
	t.Helper()
	of := classic.Manifests{Dir: filepath.Join(built.operatorModule, "config/data/flux")}
	content, err := of.Artifact(release, "ghcr.io/fluxcd")
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
	if l.edit != nil {
		files = l.edit(t, files)
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
type checkout struct {
	product, directory string
	head               string // the last commit that was pushed
}

// newCheckout commits a repository and pushes it to a bare one in a folder.
func newCheckout(t *testing.T, product, upstream string, files tree) *checkout {
	t.Helper()
	made := &checkout{product: product, directory: filepath.Join(t.TempDir(), "repository")}
	files.write(t, made.directory)
	made.git(t, "init", "--quiet", "--initial-branch=main")
	made.git(t, "init", "--quiet", "--bare", upstream)
	made.git(t, "remote", "add", "origin", upstream)
	made.commit(t, "before")
	return made
}

// commit commits everything and pushes it.
func (c *checkout) commit(t *testing.T, message string) {
	t.Helper()
	c.git(t, "add", "--all", "--force")
	c.git(t, "commit", "--quiet", "--allow-empty", "--message", message)
	c.git(t, "push", "--quiet", "--set-upstream", "origin", "main")
	c.head = c.git(t, "rev-parse", "HEAD")
}

// git runs git in the checkout, whatever the machine's own configuration, and returns what it prints.
func (c *checkout) git(t *testing.T, args ...string) string {
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
	return strings.TrimSpace(string(out))
}

// files are the files of the checkout.
func (c *checkout) files(t *testing.T) tree {
	t.Helper()
	return readTree(t, c.directory)
}

// replace makes the checkout hold these files and no others.
func (c *checkout) replace(t *testing.T, files tree) {
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
func (c *checkout) run(command string, args ...string) (string, error) {
	out, err := c.command(command, args...).CombinedOutput()
	return string(out), err
}

// command is a command of the product on the checkout, for the Flux Operator that runs here.
func (c *checkout) command(name string, args ...string) *exec.Cmd {
	return exec.Command(c.product, append([]string{name, c.directory, "--operator-version", operatorVersion}, args...)...)
}

// migrate runs a phase, which must change files.
func (c *checkout) migrate(t *testing.T, args ...string) {
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
func (c *checkout) refuses(t *testing.T, words string, args ...string) {
	t.Helper()
	before := c.files(t)
	out, err := c.run("apply", args...)
	if err == nil || !strings.Contains(strings.Join(strings.Fields(out), " "), words) { // it breaks lines
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

// tree is the files of a repository: content by slash-separated path.
type tree map[string]string

// readTree reads the files under a directory.
func readTree(t *testing.T, directory string) tree {
	t.Helper()
	files := tree{}
	err := filepath.WalkDir(directory, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if entry.Name() == ".git" {
				return filepath.SkipDir
			}
			return nil
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(directory, name)
		files[filepath.ToSlash(relative)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// without is the tree but for the files under the given paths, each of which must hold one.
func (files tree) without(t *testing.T, paths ...string) tree {
	t.Helper()
	left := maps.Clone(files)
	for _, path := range paths {
		before := len(left)
		maps.DeleteFunc(left, func(name, _ string) bool { return name == path || strings.HasPrefix(name, path+"/") })
		if len(left) == before {
			t.Fatalf("no %s in the repository", path)
		}
	}
	return left
}

// with is the tree with one file more, or with another content.
func (files tree) with(name, content string) tree {
	more := maps.Clone(files)
	more[name] = content
	return more
}

// edited is the tree with a text replaced in a file, in which it must be.
func (files tree) edited(t *testing.T, name, old, replacement string) tree {
	t.Helper()
	if !strings.Contains(files[name], old) {
		t.Fatalf("%s has no %q:\n%s", name, old, files[name])
	}
	return files.with(name, strings.ReplaceAll(files[name], old, replacement))
}

// write puts the tree into an empty directory.
func (files tree) write(t *testing.T, directory string) {
	t.Helper()
	for name, content := range files {
		if err := writeFile(filepath.Join(directory, filepath.FromSlash(name)), content); err != nil {
			t.Fatal(err)
		}
	}
}

// ageKey is the key with which the Secrets in the repositories are encrypted.
func ageKey(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("testdata/sops/age.agekey")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
