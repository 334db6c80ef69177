package golden

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/command"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/shell"
)

// hostile is what stands around names and paths on a copy of a case: what a shell, a comment, a list or a template
// could take for its own.
type hostile struct{ before, after string }

// put is a name with it.
func (h hostile) put(name string) string { return h.before + name + h.after }

// benign is a call with benign names in the place of hostile ones.
func (h hostile) benign(call string) string {
	within := func(text string) string { return strings.Trim(fmt.Sprintf("%q", text), `"`) }
	return strings.NewReplacer(within(h.before), benign.before, within(h.after), benign.after).Replace(call)
}

var (
	benign = hostile{"q0-", "-0q"}
	// shellish is tried on every case, the others on some.
	shellish = hostile{"-x$(touch PWNED)", ";touch PWNED;'\"`touch PWNED` a,b|&<>(#~!\\"}
	others   = []hostile{
		{"$HOME", "*?[a]"}, {"~", " && touch PWNED"}, {option, "=="}, {"ü", "\u00a0{{ exec \"touch\" (list \"PWNED\") }}"}, {"${x}", "%{if}"},
		{"a\ntouch PWNED\n", "\nb"}, {"\x1b]0;x\a", "\r::set-output name=x::y"}, {"\u202e", "\u2028touch PWNED"}, {"##[add-mask]", "##vso[x]"}, {"::aa", "::zz"},
	}
)

// option starts a name that is an option where a program takes it for one.
const option = "--kubeconfig=x,"

// TestCommands runs every command that a plan of a case prints, and every script that apply writes, in a shell in which
// all programs are stubs. On a copy with hostile names of files and folders, no stub is called with anything but what
// one is called with on a benign copy, and no file says anything else: word by word, but for these names.
func TestCommands(t *testing.T) {
	s := newStubs(t)
	cases := map[string]golden{}
	meant := map[string]bool{}
	for i, name := range commandCases(t) {
		if c := load(t, filepath.Join(root, name)); !testing.Short() || i%60 == 0 || everything(c) {
			cases[name] = c
			for _, call := range s.calls(t, c.renamed(benign)) {
				meant[call] = true
			}
		}
	}
	looked, refused := 0, 0
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		all := []hostile{shellish}
		if everything(cases[name]) {
			all = append(all, others...)
		}
		for _, h := range all {
			calls := s.calls(t, cases[name].renamed(h))
			for _, call := range calls {
				if !meant[h.benign(call)] {
					t.Errorf("%s with %q: nobody meant %s", name, h, call)
				}
			}
			if looked += len(calls); len(calls) == 0 {
				refused++
			}
		}
	}
	t.Logf("%d calls were meant; %d copies say nothing to run", looked, refused)
	if looked < 300 {
		t.Error("too few calls were looked at")
	}
}

// everything tells a case that all hostile names are tried on.
func everything(c golden) bool {
	cases := []string{"rebuild-shell", "rebuild-helmfile-sync-keep", "rebuild-terraform", "deploy", "cleanup", "rebuild-shell-sync-keep", "rebuild-helmfile-new", "rebuild-helmfile-release-new"}
	if testing.Short() {
		cases = cases[:3]
	}
	return slices.Contains(cases, filepath.Base(c.dir))
}

// TestNames puts what a shell would run into every name, one after the other and into all that are the same at once:
// either nothing is said that the name is in, or the stubs get it as one word.
func TestNames(t *testing.T) {
	const evil = "a\"'$(touch PWNED);`touch PWNED`,b"
	s := newStubs(t)
	cases := []string{"rebuild-shell-release", "deploy", "rebuild-shell", "flux2-chart", "cleanup"}
	if testing.Short() {
		cases = cases[:1]
	}
	for _, name := range cases {
		c := load(t, filepath.Join(root, "testdata", name))
		if c.flags == nil && name != "cleanup" {
			c.flags = []byte("--bootstrap shell")
		}
		c.flags = bytes.ReplaceAll(c.flags, []byte(" "), []byte("\n"))
		meant := s.calls(t, c)
		for i, of := range namesOf(c.input) {
			if testing.Short() && (of.keys != "" || i%3 > 0) {
				continue
			}
			for _, call := range s.calls(t, c.withName(of, evil)) {
				if strings.Contains(call, "touch") && !slices.Contains(meant, strings.ReplaceAll(call, strings.Trim(fmt.Sprintf("%q", evil), `"`), of.value)) {
					t.Errorf("%s with another %q: nobody meant %s", name, of, call)
				}
			}
		}
	}
}

// name is a text of some objects, below these keys; below any, where there is none.
type name struct{ keys, value string }

// namesOf are the texts that could be names, in the objects of Flux and Flux Operator.
func namesOf(files tree) []name {
	all := map[name]bool{}
	files.each(func(keys string, node *kyaml.Node) {
		if regexp.MustCompile(`^[\w.-]+$`).MatchString(node.Value) && node.Tag == kyaml.NodeTagString {
			all[name{"", node.Value}], all[name{keys, node.Value}] = true, true
		}
	})
	return slices.SortedFunc(maps.Keys(all), func(a, b name) int { return cmp.Or(cmp.Compare(a.keys, b.keys), cmp.Compare(a.value, b.value)) })
}

// withName is a copy of a case in which a name is another one.
func (c golden) withName(of name, value string) golden {
	c.input = c.input.each(func(keys string, node *kyaml.Node) {
		if node.Value == of.value && (of.keys == "" || of.keys == keys) {
			node.Value, node.Style = value, kyaml.DoubleQuotedStyle
		}
	})
	return c
}

// each visits the texts of the objects of Flux and Flux Operator, each with the two keys above it, and returns the
// files as they are then.
func (files tree) each(visit func(keys string, node *kyaml.Node)) tree {
	var walk func(above, key string, node *kyaml.Node)
	walk = func(above, key string, node *kyaml.Node) {
		switch node.Kind {
		case kyaml.ScalarNode:
			visit(above+"."+key, node)
		case kyaml.MappingNode:
			for i := 0; i < len(node.Content); i += 2 {
				walk(key, node.Content[i].Value, node.Content[i+1])
			}
		default:
			for _, child := range node.Content {
				walk(above, key, child)
			}
		}
	}
	after := tree{}
	for file, content := range files {
		docs := strings.Split(content, "\n---\n")
		for i, doc := range docs {
			if node, err := kyaml.Parse(doc); err == nil && strings.Contains(node.GetApiVersion(), "fluxcd") {
				walk("", "", node.YNode())
				docs[i] = node.MustString()
			}
		}
		after[file] = strings.Join(docs, "\n---\n")
	}
	return after
}

// commandCases are the cases that are folders, by their path.
func commandCases(t *testing.T) []string {
	var all []string
	for _, parent := range []string{"testdata", "examples"} {
		for _, name := range caseNames(t, parent) {
			if name = path.Join(parent, name); !exists(filepath.Join(root, name, inputFile)) {
				all = append(all, name)
			}
		}
	}
	return all
}

// renamed is a copy of a case in which folders and files have other names, wherever something refers to them by a path.
func (c golden) renamed(h hostile) golden {
	r := renaming{put: h.put, folders: map[string]bool{}, files: c.input}
	for name := range c.input {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			r.folders[dir] = true
		}
	}
	files := tree{}
	for name, content := range c.input {
		files[r.follow("", name)] = r.text(path.Dir(name), content)
	}
	flags := strings.Fields(string(c.flags))
	for i, flag := range flags {
		flags[i] = r.path("", flag)
	}
	c.input, c.config, c.flags = files, []byte(r.text("", string(c.config))), []byte(strings.Join(flags, "\n"))
	return c
}

// renaming gives other names to the folders and files of a tree.
type renaming struct {
	put     func(string) string
	folders map[string]bool
	files   tree
}

// fixed are the names by which programs find their files.
var fixed = regexp.MustCompile(`(?i)^(\..*|kustomization(\.ya?ml)?|helmfile.*|gotk-.*|.*\.gotmpl|.*\.tf)$`)

// follow renames the parts of a path that are there.
func (r renaming) follow(dir, text string) string {
	parts := strings.Split(text, "/")
	for i, part := range parts {
		dir = path.Join(dir, part)
		_, isFile := r.files[dir]
		if !slices.Contains([]string{"", ".", ".."}, part) && path.Base(path.Dir(dir)) != "helmfile.d" && !fixed.MatchString(part) && (r.folders[dir] || isFile) {
			stem := strings.TrimSuffix(part, ".yaml")
			parts[i] = r.put(stem) + part[len(stem):]
		}
	}
	return strings.Join(parts, "/")
}

// path renames a text that is a path from a folder or from the root to something that is there.
func (r renaming) path(dir, text string) string {
	for _, from := range []string{dir, ""} {
		at := path.Join(from, text)
		if _, isFile := r.files[at]; text != "" && (isFile || r.folders[at]) {
			return r.follow(from, text)
		}
	}
	return text
}

// text renames the paths in a file, if it is YAML.
func (r renaming) text(dir, content string) string {
	docs := strings.Split(content, "\n---\n")
	for i, doc := range docs {
		node, err := kyaml.Parse(doc)
		if err != nil || strings.TrimSpace(doc) == "" {
			return content
		}
		r.scalars(dir, node.YNode())
		if docs[i], err = node.String(); err != nil {
			return content
		}
	}
	return strings.Join(docs, "---\n")
}

func (r renaming) scalars(dir string, node *kyaml.Node) {
	for i, child := range node.Content {
		switch {
		case child.Kind == kyaml.ScalarNode && (node.Kind == kyaml.SequenceNode || i%2 == 1 && (node.Content[i-1].Value == "path" || strings.Contains(child.Value, "/"))):
			if renamed := r.path(dir, child.Value); renamed != child.Value {
				child.Value, child.Style = renamed, kyaml.DoubleQuotedStyle
			}
		default:
			r.scalars(dir, child)
		}
	}
}

// calls are what the stubs are called with by the commands that a plan prints and the scripts that apply writes, and
// what stands in the other files that it writes for a rebuilt cluster.
func (s *stubs) calls(t *testing.T, c golden) []string {
	t.Helper()
	dir := t.TempDir()
	repository := filepath.Join(dir, "repository")
	c.input.write(t, repository)
	args := append([]string{repository, "--proof", "off"}, lines(string(c.flags))...)
	if len(c.config) > 0 {
		tree{"config.yaml": string(c.config)}.write(t, dir)
		args = append(args, "--config", filepath.Join(dir, "config.yaml"))
	}
	var out, errOut bytes.Buffer
	command.Execute(t.Context(), append([]string{"plan", "--output", "json"}, args...), strings.NewReader(""), &out, &errOut)
	var plan struct{ Findings []finding.Finding }
	if err := json.Unmarshal(out.Bytes(), &plan); err != nil && out.Len() > 0 { // nothing for a config that is refused
		t.Fatalf("%q: %v: %s", args, err, errOut.String())
	}
	var all []string
	for _, f := range plan.Findings {
		for _, line := range lines(f.Command) {
			all = append(all, s.run(t, strings.ReplaceAll(line, dir, "DIR"))...)
		}
		if _, text, says := strings.Cut(f.Message, "before Flux can sync: "); says && strings.Contains(text, "kubectl ") {
			all = append(all, s.run(t, text)...)
		}
	}
	if strings.Contains(string(c.flags), "--bootstrap") && command.Execute(t.Context(), append([]string{"apply"}, args...), strings.NewReader(""), &out, &errOut) == 0 {
		for name, content := range readTree(t, repository).minus(c.input) {
			all = append(all, s.written(t, repository, name, content)...)
		}
	}
	return all
}

// written are the calls of a script, or what stands in another file for a rebuilt cluster.
func (s *stubs) written(t *testing.T, repository, name, content string) []string {
	t.Helper()
	switch base := path.Base(name); {
	case base == "bootstrap.sh":
		var all []string
		for _, get := range []string{"0", "1"} {
			all = append(all, s.exec(t, repository, get, "/bin/sh", shell.Path(name))...)
		}
		return all
	case base == "helmfile.yaml":
		node, err := kyaml.Parse(content)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, content)
		}
		return scalarsOf(node.YNode())
	case path.Ext(base) == ".gotmpl" && path.Base(path.Dir(name)) == "templates":
		var read []string
		functions := template.FuncMap{"readFile": func(file string) string { read = append(read, fmt.Sprintf("%q", file)); return "" }}
		for _, name := range []string{"fromYaml", "get", "dict", "toYaml"} {
			functions[name] = func(...any) string { return "" }
		}
		if err := template.Must(template.New(name).Funcs(functions).Parse(content)).Execute(io.Discard, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return read
	case path.Ext(base) == ".tf":
		return stringsOf(t, content)
	}
	return nil
}

// scalarsOf are the texts of a file.
func scalarsOf(node *kyaml.Node) []string {
	if node.Kind == kyaml.ScalarNode {
		return []string{fmt.Sprintf("%q", file(node.Value))}
	}
	var all []string
	for _, child := range node.Content {
		all = append(all, scalarsOf(child)...)
	}
	return all
}

// stringsOf are the texts in a Terraform file, which Terraform must be able to read.
func stringsOf(t *testing.T, content string) []string {
	t.Helper()
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		t.Log("terraform is not there: whether it reads its file was not looked at")
	} else {
		format := exec.Command(terraform, "fmt", "-")
		format.Stdin = strings.NewReader(content)
		if out, err := format.CombinedOutput(); err != nil {
			t.Errorf("terraform fmt: %v: %s\n%s", err, out, content)
		}
	}
	quotes, template := regexp.MustCompile(`"(?:[^"\\]|\\.)*"`), regexp.MustCompile(`[$%]\{`)
	var all []string
	for _, line := range lines(content) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, quoted := range quotes.FindAllString(line, -1) {
			var text string
			if err := json.Unmarshal([]byte(quoted), &text); err != nil || template.MatchString(strings.TrimPrefix(quoted, `"${path.module}`)) {
				t.Errorf("a template in %s: %v", quoted, err)
			}
			all = append(all, fmt.Sprintf("%q", text))
		}
	}
	return all
}

func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}

// stubs is a folder of programs that write down what they are called with.
type stubs struct {
	dir string
	ran map[string][]string
}

// newStubs makes the folder.
func newStubs(t *testing.T) *stubs {
	t.Helper()
	s := &stubs{t.TempDir(), map[string][]string{}}
	const stub = "#!/bin/sh\nprintf '%s\\0' \"${0##*/}\" \"$@\" '' >>\"$STUB_LOG\"\n" +
		"case \" $* \" in *' get '*) exit \"$STUB_GET\" ;; esac\n"
	for _, name := range strings.Fields("kubectl flux git helm helmfile terraform sh sops yq touch exec migrate-to-flux-operator") {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(stub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if dirname, err := exec.LookPath("dirname"); err != nil {
		t.Fatal(err)
	} else if err := os.Symlink(dirname, filepath.Join(s.dir, "dirname")); err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a line in a shell and returns the calls that it makes.
func (s *stubs) run(t *testing.T, line string) []string {
	t.Helper()
	if _, known := s.ran[line]; !known {
		s.ran[line] = s.exec(t, t.TempDir(), "0", "/bin/sh", "-c", line)
	}
	return s.ran[line]
}

// exec runs a program among the stubs, in a folder in which nothing may come to be, and returns the calls that it
// makes.
func (s *stubs) exec(t *testing.T, dir, get string, args ...string) []string {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + s.dir, "STUB_LOG=" + log, "STUB_GET=" + get, "HOME=" + dir}
	said, err := cmd.CombinedOutput()
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) || strings.Contains(string(said), "yntax") {
		t.Errorf("%q: %v: %s", args, err, said)
	}
	if exists(filepath.Join(dir, "PWNED")) {
		t.Errorf("%q ran what is in a name", args)
	}
	written, err := os.ReadFile(log)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var calls, call []string
	before := ""
	for _, word := range strings.Split(strings.TrimSuffix(string(written), "\x00"), "\x00") {
		switch {
		case word == "":
			calls, call = append(calls, fmt.Sprintf("%q", call)), nil
		case before == "--filename":
			call = append(call, strings.TrimPrefix(file(before+"="+word), before+"="))
		case strings.HasPrefix(word, shellish.before), strings.HasPrefix(word, option):
			t.Errorf("%q: a path is taken for an option: %q", args, word)
		default:
			call = append(call, file(word))
		}
		before = word
	}
	return calls
}

// file is a word as its program reads it: kubectl takes the value of --filename for a line of CSV, and ./ may stand
// before a path.
func file(word string) string {
	const filename = "--filename="
	value, isFilename := strings.CutPrefix(word, filename)
	if !isFilename {
		return strings.TrimPrefix(word, "./")
	}
	if fields, err := csv.NewReader(strings.NewReader(value)).Read(); err == nil && len(fields) == 1 {
		return filename + strings.TrimPrefix(fields[0], "./")
	}
	return "not one file: " + word
}
