//go:build linux

package hostile

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFilesThatAreNone reads a repository with links to endless devices, pipes and files that are too large in the
// place of what a run reads: it does not wait, stays in its bounds, and says what it has not read.
func TestFilesThatAreNone(t *testing.T) {
	const kustomization = "apps/kustomization.yaml"
	link := func(name, to string) func(dir string) error {
		return func(dir string) error { return os.Symlink(to, filepath.Join(dir, name)) }
	}
	pipe := func(name string) func(dir string) error {
		return func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, name), 0o644) }
	}
	large := func(name string) func(dir string) error {
		return func(dir string) error {
			return errors.Join(os.WriteFile(filepath.Join(dir, name), nil, 0o644), os.Truncate(filepath.Join(dir, name), 4<<30))
		}
	}
	for name, c := range map[string]struct {
		files map[string]string
		make  func(dir string) error
		want  string
	}{
		"a .gitignore that leads to a device": {nil, link(".gitignore", "/dev/zero"), ".gitignore was not read: refusing to follow a symbolic link"},
		"a .krmignore that leads to a device": {nil, link("apps/.krmignore", "/dev/zero"), "apps/.krmignore was not read: refusing to follow a symbolic link"},
		"a .gitignore that is a pipe":         {nil, pipe(".gitignore"), ".gitignore was not read: not a regular file"},
		"an exclude that leads to a device":   {nil, link(".git/info/exclude", "/dev/zero"), ""},
		"an exclude that is a pipe":           {nil, pipe(".git/info/exclude"), ""},
		"a .git that is a pipe":               {nil, pipe(".git"), ""},
		"a manifest that is a pipe":           {nil, pipe("apps/pipe.yaml"), ""},
		"a manifest that leads to a device":   {nil, link("apps/zero.yaml", "/dev/zero"), ""},
		"a manifest of 4 GB":                  {nil, large("apps/large.yaml"), "apps/large.yaml was not read: larger than"},
		"a .sourceignore of 4 GB":             {nil, large(".sourceignore"), ""},
		"a script of 4 GB":                    {nil, large("x.sh"), "could not be read: look whether"},
		"a Makefile that is a pipe":           {nil, pipe("Makefile"), ""},
		"a patch file of 4 GB":                {map[string]string{kustomization: "patches: [{path: p.txt}]\n"}, large("apps/p.txt"), ""},
		"a patch file that is a pipe":         {map[string]string{kustomization: "patches: [{path: p.txt}]\n"}, pipe("apps/p.txt"), ""},
		"a patch file that leads to a device": {map[string]string{kustomization: "patches: [{path: p.txt}]\n"}, link("apps/p.txt", "/dev/zero"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := repository(t, c.files, nil)
			if !strings.HasPrefix(name, "a .git that") {
				write(t, filepath.Join(dir, ".git/HEAD"), "ref: refs/heads/main\n")
				write(t, filepath.Join(dir, ".git/info/README"), "")
				write(t, filepath.Join(dir, ".git/objects/info/README"), "")
				write(t, filepath.Join(dir, ".git/refs/heads/README"), "")
			}
			if err := c.make(dir); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"plan", dir, "--output", "json"}, {"inventory", dir}, {"inventory", filepath.Join(dir, "apps")}} {
				got := execute(t, "", args...)
				if args[0] == "plan" && !strings.Contains(got.all(), c.want) {
					t.Errorf("%q does not say %q:\n%.300s", args, c.want, got.all())
				}
			}
		})
	}
}

// TestReportThroughALink holds that a link of the repository in the place of the report, or above it, leads nowhere.
func TestReportThroughALink(t *testing.T) {
	outside := t.TempDir()
	dir := repository(t, nil, map[string]string{"report.md": filepath.Join(outside, "victim"), "out": outside})
	write(t, filepath.Join(outside, "victim"), "precious\n")
	before, there := state(t, dir), state(t, outside)
	for _, file := range []string{"report.md", "out/victim", "out/new.md", "cluster/sync.yaml", ".git/hooks/post-commit"} {
		got := execute(t, "", "plan", dir, "--report", filepath.Join(dir, file))
		if got.code != 2 || !strings.Contains(got.errOut, "--report ") {
			t.Errorf("%s: exit code %d\n%s", file, got.code, got.errOut)
		}
	}
	if !maps.Equal(before, state(t, dir)) || !maps.Equal(there, state(t, outside)) {
		t.Error("files were changed")
	}
}
