package checkout

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFolder(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	want := map[string]entry{"below": {isDir: true}, "to-file": {}, "to-folder": {}}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(filepath.Join(outside, "secret"), nil, 0o600))
	must(os.Mkdir(filepath.Join(dir, "below"), 0o755))
	must(os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "to-file")))
	must(os.Symlink(outside, filepath.Join(dir, "to-folder")))
	for n := range 1000 { // more than one listing of the kernel
		name := fmt.Sprintf("%s%d.yaml", strings.Repeat("x", n%200), n)
		want[name] = entry{isFile: true}
		must(os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644))
	}
	f, err := openFolder(dir)
	must(err)
	defer f.close()
	list, err := f.list()
	must(err)
	for _, e := range list {
		expected, known := want[e.name]
		if expected.name = e.name; !known || e != expected && !e.unknown {
			t.Errorf("got %+v", e)
		}
		delete(want, e.name)
		if !e.isFile {
			continue
		}
		file, err := f.file(e.name)
		must(err)
		if content, err := io.ReadAll(file); err != nil || string(content) != e.name {
			t.Errorf("%s holds %q: %v", e.name, content, err)
		}
		must(file.Close())
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
	below, err := f.folder("below")
	must(err)
	below.close()
	for _, name := range []string{"to-folder", "missing", "1.yaml"} {
		if out, err := f.folder(name); err == nil {
			t.Errorf("%s was opened", name)
			out.close()
		}
	}
	for _, name := range []string{"to-file", "missing"} {
		if out, err := f.file(name); err == nil {
			t.Errorf("%s was opened", name)
			out.Close()
		}
	}
}
