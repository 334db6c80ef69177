//go:build unix

package regular

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"migrate-to-flux-operator/fn/limit"
)

// TestRead reads what is a file, and nothing else, without waiting.
func TestRead(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(at("folder"), 0o755))
	for _, file := range []string{at("a"), at("folder/b"), filepath.Join(outside, "c")} {
		must(os.WriteFile(file, []byte("text"), 0o644))
	}
	must(os.Symlink("a", at("link")))
	must(os.Symlink("folder", at("linked")))
	must(os.Symlink(filepath.Join(outside, "c"), at("out")))
	must(os.Symlink("/dev/zero", at("zero")))
	must(syscall.Mkfifo(at("pipe"), 0o644))
	must(os.WriteFile(at("large"), nil, 0o644))
	must(os.Truncate(at("large"), 4<<30))
	root, err := os.OpenRoot(dir)
	must(err)
	defer root.Close()
	for name, want := range map[string]error{
		"a": nil, "folder/b": nil, "link": ErrLink, "linked/b": ErrLink, "out": ErrLink, "zero": ErrLink, "pipe": ErrNotAFile, "folder": ErrNotAFile,
		"large": limit.ErrSize, "missing": fs.ErrNotExist, "missing/x": fs.ErrNotExist, "a/x": ErrNotAFile,
	} {
		raw, err := Read(root, name)
		if !errors.Is(err, want) || want == nil && string(raw) != "text" {
			t.Errorf("%s: %q, %v; want %v", name, raw, err, want)
		}
	}
	if _, err := Read(root, "../c"); err == nil {
		t.Error("a path led out of the directory")
	}
}

// TestReadGiven follows the links of a person, and stops at the limit.
func TestReadGiven(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, []byte("text"), 0o644), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	if raw, err := ReadGiven(link, 4); err != nil || string(raw) != "text" {
		t.Errorf("%q, %v", raw, err)
	}
	for _, name := range []string{file, "/dev/zero", dir, filepath.Join(dir, "missing")} {
		if raw, err := ReadGiven(name, 3); err == nil {
			t.Errorf("%s: %q and no error", name, raw)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString("piped"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if raw, err := ReadGiven(filepath.Join("/dev/fd", strconv.Itoa(int(r.Fd()))), 10); err != nil || string(raw) != "piped" {
		t.Errorf("a pipe: %q, %v", raw, err)
	}
}
