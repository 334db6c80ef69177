package checkout

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"migrate-to-flux-operator/fn/regular"
)

// TestWriteOwn writes a file of this program, and nobody else's.
func TestWriteOwn(t *testing.T) {
	own := func(old []byte) bool { return bytes.HasPrefix(old, []byte("mine")) }
	for name, c := range map[string]struct {
		file string
		want error
	}{
		"a new file":                {"new.md", nil},
		"a file of its own":         {"mine.md", nil},
		"what a kill left beside":   {"killed.md", nil},
		"a file of somebody else":   {"theirs.md", errForeign},
		"a link":                    {"link.md", regular.ErrLink},
		"a link that leads nowhere": {"dangling.md", regular.ErrLink},
		"below a link":              {"out/x.md", regular.ErrLink},
		"a folder":                  {"folder", regular.ErrNotAFile},
		"git's own files":           {".GIT/hooks/x", errOutside},
		"somebody's file beside":    {"beside.md", errForeign},
	} {
		t.Run(name, func(t *testing.T) {
			dir, outside := t.TempDir(), t.TempDir()
			write(t, dir, map[string]string{"mine.md": "mine, old", "theirs.md": "theirs", "folder/x": "x", ".killed.md.new~": "mine, ha", ".beside.md.new~": "theirs"})
			write(t, outside, map[string]string{"x.md": "mine, but outside"})
			for link, to := range map[string]string{"link.md": filepath.Join(outside, "x.md"), "dangling.md": filepath.Join(outside, "y.md"), "out": outside} {
				if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
					t.Skip("no symbolic links here:", err)
				}
			}
			before, there := state(t, dir), state(t, outside)
			err := WriteOwn(dir, c.file, []byte("mine, new"), own)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if written, err := os.ReadFile(filepath.Join(dir, c.file)); c.want == nil && (err != nil || string(written) != "mine, new") {
				t.Errorf("%q, %v", written, err)
			}
			if c.want != nil && !slices.Equal(before, state(t, dir)) || !slices.Equal(there, state(t, outside)) {
				t.Error("files were changed")
			}
			if _, err := os.Lstat(filepath.Join(dir, "."+c.file+".new~")); c.want == nil && err == nil {
				t.Error("a temporary file is left")
			}
		})
	}
}
