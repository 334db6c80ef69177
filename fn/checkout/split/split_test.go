package split

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/kio/kioutil"
)

// files are ways to write the documents of a file, with the indexes that Split gives them.
var files = []struct {
	name, file string
	want       []int
}{
	{"empty", "", nil},
	{"one", "a: 1\n", []int{0}},
	{"no final newline", "a: 1\n---\nb: 2", []int{0, 1}},
	{"leading marker", "---\na: 1\n---\nb: 2\n", []int{0, 1}},
	{"comment before the first marker", "# yaml-language-server: x\n---\na: 1\n", []int{0}},
	{"comment-only documents", "---\n# only\n---\na: 1\n---\n# end\n", []int{-1, 0, -1}},
	{"only a comment", "# nothing\n", []int{-1}},
	{"comment on the marker", "a: 1\n--- # two\nb: 2\n", []int{0, 1}},
	{"end marker", "a: 1\n...\n---\nb: 2\n...\n# tail\n", []int{0, 1}},
	{"crlf", "a: 1\r\n---\r\nb: 2\r\n", []int{0, 1}},
	{"byte order mark", "\xef\xbb\xbf---\na: 1\n---\nb: 2\n", []int{0, 1}},
	{"null documents", "---\n~\n---\nnull # no\n---\na: 1\n", []int{-1, -1, 0}},
	{"marker inside a block scalar", "a: |\n  ---\n  b\n---\nb: 2\n", []int{0, 1}},
	{"doubled markers", "---\n---\na: 1\n---\n---\nb: 2\n", []int{-1, 0, -1, 1}},
	{"json", "{\"a\": 1}\n", []int{0}},
	{"empty map", "{}\n---\na: 1\n", []int{0, 1}},
}

func TestSplitIndexes(t *testing.T) {
	for _, c := range files {
		t.Run(c.name, func(t *testing.T) {
			var got []int
			for _, d := range Split([]byte(c.file)) {
				got = append(got, d.Index)
			}
			if len(got) != len(c.want) || !equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			covers(t, []byte(c.file))
			likeKyaml(t, []byte(c.file))
		})
	}
}

func equal(a, b []int) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestSplitBody(t *testing.T) {
	for file, want := range map[string]string{
		"# c\n---\na: 1\n":   "a: 1\n",
		"--- |\n  text\n":    " |\n  text\n",
		"\xef\xbb\xbfa: 1\n": "a: 1\n",
		"%YAML 1.2\n---\na":  "a",
	} {
		d := Split([]byte(file))[0]
		if got := file[d.Body:d.End]; got != want {
			t.Errorf("%q: body %q, want %q", file, got, want)
		}
	}
}

// covers checks that the documents of a file are the file.
func covers(t *testing.T, file []byte) {
	t.Helper()
	before := string(file)
	pos := 0
	for _, d := range Split(file) {
		if d.Start != pos || d.Body < d.Start || d.End < d.Body || d.End == d.Start {
			t.Fatalf("%q: document %+v after %d", file, d, pos)
		}
		pos = d.End
	}
	if pos != len(file) || string(file) != before {
		t.Fatalf("%q: documents end at %d in %q", before, pos, file)
	}
}

// likeKyaml checks that the indexes are those of kyaml, for files that kyaml reads.
func likeKyaml(t *testing.T, file []byte) {
	t.Helper()
	nodes, err := (&kio.ByteReader{Reader: bytes.NewReader(file), DisableUnwrapping: true}).Read()
	if err != nil {
		return
	}
	var got []string
	for _, d := range Split(file) {
		if d.Index >= 0 {
			var n map[string]any
			dec := yaml.NewDecoder(bytes.NewReader(d.Bytes(file)))
			if dec.Decode(&n) != nil || dec.Decode(&n) != io.EOF {
				return
			}
			got = append(got, strconv.Itoa(d.Index))
		}
	}
	var want []string
	for _, n := range nodes {
		want = append(want, n.GetAnnotations()[kioutil.IndexAnnotation])
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Fatalf("%q: got %v, kyaml has %v", file, got, want)
	}
}

// corpus is the real repositories to test against, beside the repository.
const corpus = "../../../../shared/corpus"

// eachFile calls do with every YAML file of the corpus, or skips.
func eachFile(t testing.TB, do func(path string, file []byte)) {
	t.Helper()
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("no ../shared/corpus beside the repository")
	}
	err := filepath.WalkDir(corpus, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, "ml") {
			return err
		}
		file, err := os.ReadFile(path)
		do(path, file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSplitCorpus(t *testing.T) {
	n := 0
	eachFile(t, func(_ string, file []byte) {
		covers(t, file)
		if n++; n%7 == 0 {
			likeKyaml(t, file)
		}
	})
}

func FuzzSplit(f *testing.F) {
	for _, c := range files {
		f.Add([]byte(c.file))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		covers(t, file)
		if !bytes.Contains(file, []byte("...")) && !bytes.ContainsAny(file, "%\r&!") {
			likeKyaml(t, file)
		}
	})
}
