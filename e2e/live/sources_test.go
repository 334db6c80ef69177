package live

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

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

// pack makes the tree a tar file, compressed: the same bytes for the same files.
func (files tree) pack() ([]byte, error) {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	archive := tar.NewWriter(zip)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := archive.Write([]byte(files[name])); err != nil {
			return nil, err
		}
	}
	err := errors.Join(archive.Close(), zip.Close())
	return out.Bytes(), err
}

// artifact is what a source-controller says of a source that it has packed.
type artifact struct {
	path, revision, digest string
	size                   int
}

// sources serves artifacts and knows which one each source has.
type sources struct {
	server *httptest.Server

	mutex   sync.Mutex
	content map[string][]byte
	current map[string]artifact // by the name of the source
	pushes  int
}

// serveSources starts the server of the artifacts on loopback.
func serveSources(t *testing.T) *sources {
	t.Helper()
	s := &sources{content: map[string][]byte{}, current: map[string]artifact{}}
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.server.Close)
	return s
}

// serve answers with an artifact. It is also the proxy of the controllers, and takes the events that they send to the
// notification-controller: without an answer the operator would try for a quarter of a minute.
func (s *sources) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.IsAbs() {
		return
	}
	s.mutex.Lock()
	content, found := s.content[r.URL.Path]
	s.mutex.Unlock()
	if !found {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(content)
}

// push makes a tree the newest content of a source, and returns its revision.
func (s *sources) push(t *testing.T, source string, files tree) string {
	t.Helper()
	packed, err := files.pack()
	if err != nil {
		t.Fatal(err)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.pushes++
	sum := fmt.Sprintf("%x", sha256.Sum256(packed))
	made := artifact{
		path: fmt.Sprintf("/%s/%d-%s.tar.gz", source, s.pushes, sum[:8]), digest: "sha256:" + sum, size: len(packed),
		revision: fmt.Sprintf("main@sha1:%040x", s.pushes),
	}
	s.content[made.path], s.current[source] = packed, made
	return made.revision
}

// status is the status of a source: nil where nothing was pushed to it.
func (s *sources) status(source string, generation int64) map[string]any {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	current, found := s.current[source]
	if !found {
		return nil
	}
	return ready(generation, map[string]any{"artifact": map[string]any{
		"url": s.server.URL + current.path, "path": strings.TrimPrefix(current.path, "/"), "revision": current.revision,
		"digest": current.digest, "size": int64(current.size), "lastUpdateTime": epoch,
	}})
}

// epoch is when everything happens that the test says has happened.
const epoch = "2025-01-01T00:00:00Z"

// ready is a status with the condition Ready.
func ready(generation int64, more map[string]any) map[string]any {
	status := map[string]any{"observedGeneration": generation, "conditions": []any{map[string]any{
		"type": "Ready", "status": "True", "reason": "Succeeded", "message": "stand-in", "observedGeneration": generation,
		"lastTransitionTime": epoch,
	}}}
	maps.Copy(status, more)
	return status
}

// wait is a pause between two looks at the cluster.
const wait = 250 * time.Millisecond
