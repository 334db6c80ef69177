package e2e

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// maxBinary is how large the binary may be.
const maxBinary = 30 << 20

// TestReproducible builds what is shipped in two folders, the second time without anything that was built before: the
// same bytes.
func TestReproducible(t *testing.T) {
	one, other := sources(t, "one"), sources(t, "another/deeper")
	makeBinary(t, one)
	makeBinary(t, other, "GOCACHE="+t.TempDir(), "TMPDIR="+t.TempDir(), "TZ=Asia/Tokyo", "LC_ALL=C")
	sums := [2]string{digest(t, one), digest(t, other)}
	t.Logf("sha256 %s", sums[0])
	if sums[0] != sums[1] {
		t.Errorf("two builds differ: %s", sums)
	}
	t.Run("binary", func(t *testing.T) { shipped(t, filepath.Join(one, "bin/migrate-to-flux-operator")) })
	t.Run("image", func(t *testing.T) { sameImage(t, one, other) })
}

// TestArchives makes what is released in two folders, on machines that are set up in another way: the same bytes.
func TestArchives(t *testing.T) {
	tool(t, "zip")
	one, other := sources(t, "one"), sources(t, "another/deeper")
	archives(t, one, "umask 022")
	archives(t, other, "umask 077; export TZ=Asia/Tokyo LC_ALL=C")
	sums, err := os.ReadFile(filepath.Join(one, "dist/checksums.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(filepath.Join(other, "dist/checksums.txt")); err != nil || !bytes.Equal(sums, again) {
		t.Errorf("two runs differ: %v\n%s\n%s", err, sums, again)
	}
	const name = "migrate-to-flux-operator_v0.0.0-test_"
	listed := string(execute(t, nil, "tar", "-tvzf", filepath.Join(one, "dist", name+"linux_amd64.tar.gz")))
	for _, want := range []string{"-rwxr-xr-x 0/0", " migrate-to-flux-operator\n", " LICENSE\n", " README.md\n"} {
		if !strings.Contains(listed, want) {
			t.Errorf("the archive has no %q:\n%s", want, listed)
		}
	}
	for _, file := range []string{name + "linux_amd64.sbom.json", name + "windows_amd64.zip", name + "windows_amd64.sbom.json", "metadata.yaml"} {
		if !bytes.Contains(sums, []byte("  "+file+"\n")) {
			t.Errorf("there is no checksum of %s:\n%s", file, sums)
		}
	}
	metadata, err := os.ReadFile(filepath.Join(one, "dist/metadata.yaml"))
	if err != nil || !bytes.Contains(metadata, []byte("image: ghcr.io/owner/name\n")) ||
		!bytes.Contains(metadata, []byte("  - https://example.com/tree/v1/examples/bootstrap\n")) {
		t.Errorf("metadata.yaml does not say where it is from: %v\n%s", err, metadata)
	}
}

// archives makes the archives of two platforms, after a line of shell.
func archives(t *testing.T, dir, before string) {
	t.Helper()
	const set = "VERSION=v0.0.0-test COMMIT=0123abcd EPOCH=1700000000 REGISTRY=ghcr.io/owner/name SOURCE=https://example.com/tree/v1/"
	execute(t, nil, "bash", "-c", before+"; make -C '"+dir+"' dist PLATFORMS='linux/amd64 windows/amd64' "+set)
}

// sources copies what the archives, the image and the binary are made of.
func sources(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	for _, from := range []string{
		"main.go", "fn", "go.mod", "go.sum", "Makefile", "Dockerfile", ".dockerignore", ".ci/passwd",
		"LICENSE", "README.md", "metadata.yaml", "tools",
	} {
		copyAll(t, filepath.Join("..", from), filepath.Join(dir, from))
	}
	return dir
}

// copyAll copies a file or a folder.
func copyAll(t *testing.T, from, to string) {
	t.Helper()
	if info, err := os.Stat(from); err == nil && info.IsDir() {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
		return
	}
	copyFile(t, from, to)
}

// makeBinary makes the binary as the Makefile says, outside of any Git checkout.
func makeBinary(t *testing.T, dir string, environment ...string) {
	t.Helper()
	execute(t, environment, tool(t, "make"), "-C", dir, "build", "VERSION=v0.0.0-test")
}

// digest is the SHA-256 of the binary that was built in a folder.
func digest(t *testing.T, dir string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "bin/migrate-to-flux-operator"))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(content))
}

// shipped holds that a binary is static, stripped, not too large, and says its version.
func shipped(t *testing.T, binary string) {
	info, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.1f MB", float64(info.Size())/(1<<20))
	if info.Size() > maxBinary {
		t.Errorf("%d bytes", info.Size())
	}
	if said := execute(t, nil, binary, "--version"); !bytes.Contains(said, []byte("v0.0.0-test")) {
		t.Errorf("--version says %s", said)
	}
	if runtime.GOOS != "linux" {
		t.Skip("skipped: not an ELF file")
	}
	file, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, program := range file.Progs {
		if program.Type == elf.PT_INTERP || program.Type == elf.PT_DYNAMIC {
			t.Errorf("not static: %v", program.Type)
		}
	}
	for _, section := range file.Sections {
		if section.Type == elf.SHT_SYMTAB || strings.HasPrefix(section.Name, ".debug") {
			t.Errorf("not stripped: %s", section.Name)
		}
	}
}

// sameImage builds the image from both folders: the same layers, and the same image.
func sameImage(t *testing.T, dirs ...string) {
	buildah := tool(t, "buildah")
	var images []string
	for i, dir := range dirs {
		name := fmt.Sprintf("localhost/migrate-to-flux-operator:reproducible-%d", i)
		execute(t, nil, buildah, "bud", "--isolation", "chroot", "--timestamp", "0", "--build-arg", "BINARY=prebuilt", "--build-arg", "VERSION=v0.0.0-test", "--tag", name, dir)
		t.Cleanup(func() { exec.Command(buildah, "rmi", name).Run() })
		images = append(images, string(execute(t, nil, buildah, "inspect", "--type", "image", "--format", "{{.FromImageID}} {{.OCIv1.RootFS.DiffIDs}}", name)))
	}
	t.Logf("%s", images[0])
	if images[0] != images[1] || len(images[0]) < 64 {
		t.Errorf("two images differ: %s", images)
	}
}
