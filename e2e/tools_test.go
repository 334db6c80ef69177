package e2e

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"migrate-to-flux-operator/e2e/objects"
)

// image is how the tests name the container image.
const image = "localhost/migrate-to-flux-operator:e2e"

// example copies an example into a temporary directory; it skips where the example is not there.
func example(t *testing.T, name string) string {
	t.Helper()
	source := filepath.Join("..", "examples", name)
	if _, err := os.Stat(source); err != nil {
		t.Skipf("skipped: no %s", source)
	}
	copied := filepath.Join(t.TempDir(), name)
	if err := os.CopyFS(copied, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	return copied
}

// tool returns where a program is, or skips.
func tool(t *testing.T, name string) string {
	t.Helper()
	found, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("skipped: no %s on PATH", name)
	}
	return found
}

// execute runs a program that must succeed, with more environment, and returns its standard output.
func execute(t *testing.T, environment []string, name string, args ...string) []byte {
	t.Helper()
	command := exec.Command(name, args...)
	command.Env = append(os.Environ(), environment...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.Bytes()
}

// sameTree fails for each file that is not as it was before, or as the example expects where it changes.
func sameTree(t *testing.T, before, changes map[string]string, got string) {
	t.Helper()
	wanted, found := maps.Clone(before), readTree(t, got)
	maps.Copy(wanted, changes)
	for name, content := range wanted {
		if found[name] != content {
			t.Errorf("%s: want\n%s\ngot\n%s", name, content, found[name])
		}
	}
	for name := range found {
		if _, expected := wanted[name]; !expected {
			t.Errorf("%s is not expected", name)
		}
	}
}

// readTree reads the files under a directory.
func readTree(t *testing.T, root string) map[string]string {
	t.Helper()
	content := map[string]string{}
	tree := os.DirFS(root)
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(tree, name)
		content[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(content) == 0 {
		t.Fatalf("%s is empty", root)
	}
	return content
}

// evaluate runs kpt fn eval on an example's input, twice, and holds the files against expected.
func evaluate(t *testing.T, environment []string, function ...string) {
	t.Helper()
	kpt, directory := tool(t, "kpt"), example(t, "kpt-fn-eval")
	input := filepath.Join(directory, "input")
	args := append([]string{"fn", "eval", input, "--fn-config", filepath.Join(directory, "fn-config.yaml"), "--truncate-output=false"}, function...)
	before, changes := readTree(t, input), readTree(t, filepath.Join(directory, "expected"))
	for range 2 {
		execute(t, environment, kpt, args...)
		sameTree(t, before, changes, input)
	}
}

func TestKptExec(t *testing.T) {
	evaluate(t, nil, "--exec", theProduct(t).binary)
}

// transform runs kustomize build on the example, with a directory first on PATH, and holds what it prints against
// expected.
func transform(t *testing.T, directory, search string, flags ...string) {
	t.Helper()
	args := append([]string{"tool", "-C", "..", "kustomize", "build", "--enable-alpha-plugins", filepath.Join(directory, "input")}, flags...)
	built := execute(t, []string{"PATH=" + search + string(os.PathListSeparator) + os.Getenv("PATH")}, "go", args...)
	want, err := os.ReadFile(filepath.Join(directory, "expected.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(built, want) {
		t.Errorf("want\n%s\ngot\n%s", want, built)
	}
}

func TestKustomizeExec(t *testing.T) {
	transform(t, example(t, "kustomize-transformer"), filepath.Dir(theProduct(t).binary), "--enable-exec")
}

// useImage makes the example's transformer a container.
func useImage(t *testing.T, directory string) {
	t.Helper()
	file := filepath.Join(directory, "input", "migrate.yaml")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const function = "exec:\n        path: migrate-to-flux-operator"
	if !bytes.Contains(content, []byte(function)) {
		t.Fatalf("%s runs no executable", file)
	}
	content = bytes.Replace(content, []byte(function), []byte("container:\n        image: "+image), 1)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// buildImage builds the container image around the binary under test, without pulling a base image; it skips where
// buildah or podman is not there.
func buildImage(t *testing.T) {
	t.Helper()
	buildah := tool(t, "buildah")
	tool(t, "podman")
	sources := t.TempDir()
	for name, source := range map[string]string{
		"Dockerfile": "../Dockerfile", ".ci/passwd": "../.ci/passwd", "bin/migrate-to-flux-operator": theProduct(t).binary,
	} {
		copyFile(t, source, filepath.Join(sources, name))
	}
	execute(t, nil, buildah, "bud", "--isolation", "chroot", "--build-arg", "BINARY=prebuilt", "--tag", image, sources)
}

// copyFile copies a file with its mode.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, info.Mode()); err != nil {
		t.Fatal(err)
	}
}

func TestContainer(t *testing.T) {
	buildImage(t)
	t.Run("specification", func(t *testing.T) { sameAsBinary(t) })
	t.Run("locked down", func(t *testing.T) {
		sameAsBinary(t, "--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL", "--env", "HOME=/nonexistent", "--pids-limit=64", "--memory=512m")
	})
	t.Run("holds nothing else", imageHolds)
	t.Run("kpt", func(t *testing.T) {
		evaluate(t, podmanRuns, "--image", image, "--image-pull-policy", "never")
	})
	t.Run("kpt, from a registry", fromRegistry)
	t.Run("kustomize", func(t *testing.T) {
		directory := example(t, "kustomize-transformer")
		useImage(t, directory)
		transform(t, directory, dockerShim(t))
	})
}

// podmanRuns has kpt run functions with podman: older and newer ones know another variable.
var podmanRuns = []string{"KPT_FN_RUNTIME=podman", "KRM_FN_RUNTIME=podman"}

// fromRegistry pushes the image to a registry on loopback, forgets it, and has kpt pull it and run the example.
func fromRegistry(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	address := server.Listener.Addr().String()
	pushed := address + "/migrate-to-flux-operator:v1"
	insecure := filepath.Join(t.TempDir(), "registries.conf")
	save(t, insecure, fmt.Sprintf("[[registry]]\nlocation = %q\ninsecure = true\n", address))
	environment := append([]string{"CONTAINERS_REGISTRIES_CONF=" + insecure}, podmanRuns...)
	execute(t, environment, "podman", "push", image, pushed)
	evaluate(t, environment, "--image", pushed, "--image-pull-policy", "always")
	execute(t, environment, "podman", "rmi", pushed)
}

// imageHolds lists the files of the image: the binary and the names of its users. It runs as nobody when no one says
// otherwise.
func imageHolds(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "image.tar")
	container := strings.TrimSpace(string(execute(t, nil, "podman", "create", "--network", "none", image)))
	defer execute(t, nil, "podman", "rm", container)
	execute(t, nil, "podman", "export", "--output", archive, container)
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var files []string
	for content := tar.NewReader(file); ; {
		header, err := content.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		// What podman itself puts there for the container to run is empty.
		if header.Typeflag == tar.TypeReg && header.Size > 0 {
			files = append(files, header.Name)
		}
	}
	slices.Sort(files)
	if want := []string{"etc/passwd", "usr/local/bin/migrate-to-flux-operator"}; !slices.Equal(files, want) {
		t.Errorf("the image holds %q, want %q", files, want)
	}
	if user := strings.TrimSpace(string(execute(t, nil, "podman", "image", "inspect", "--format", "{{.Config.User}}", image))); user != "65534:65534" {
		t.Errorf("it runs as %s", user)
	}
}

// sameAsBinary runs the image as the specification says, without network and as nobody, and with more options: it
// prints what the binary prints.
func sameAsBinary(t *testing.T, options ...string) {
	items, err := objects.ReadDir(filepath.Join(example(t, "kpt-fn-eval"), "input"))
	if err != nil {
		t.Fatal(err)
	}
	list := resourceList(t, items, "phase: deploy\n")
	args := append([]string{"run", "--rm", "--interactive", "--network", "none", "--user", "nobody", "--security-opt=no-new-privileges"}, options...)
	container := exec.Command("podman", append(args, image)...)
	var printed [2][]byte
	for i, command := range []*exec.Cmd{exec.Command(theProduct(t).binary), container} {
		command.Stdin = bytes.NewReader(list)
		if printed[i], err = command.Output(); err != nil {
			t.Fatalf("%v: %v", command, err)
		}
	}
	if !bytes.Equal(printed[0], printed[1]) {
		t.Errorf("the binary prints\n%s\nthe image\n%s", printed[0], printed[1])
	}
}

// dockerShim makes a directory in which docker is podman: kustomize calls no other program.
func dockerShim(t *testing.T) string {
	t.Helper()
	directory := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\nexec %s \"$@\"\n", tool(t, "podman"))
	if err := os.WriteFile(filepath.Join(directory, "docker"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return directory
}
