package command

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// update writes what the commands in the documentation print today.
var update = flag.Bool("update", false, "write the outputs in docs anew")

// TestDocs runs the console blocks of each page, one after the other, and holds that the commands print what the page
// shows: those of docs/ on a checkout of the example that the page is about, those of an example in a copy of its
// folder. A line with ... stands for lines that it leaves out.
func TestDocs(t *testing.T) {
	root := filepath.Join("..", "..")
	examples, err := filepath.Glob(filepath.Join(root, "examples", "*", "README.md"))
	if err != nil || len(examples) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, page := range []string{"migrating.md", "ci.md", "inventory.md"} {
		testPage(t, filepath.Join(root, "docs", page), programAndCheckout)
	}
	for _, page := range examples {
		testPage(t, page, func(t *testing.T) (bin, dir string) {
			bin, dir = program(t), t.TempDir()
			build(t, filepath.Join(bin, "kustomize"), "sigs.k8s.io/kustomize/kustomize/v5")
			copyTree(t, filepath.Dir(page), dir)
			return bin, dir
		})
	}
}

// testPage runs the blocks of one page, with what is in a folder on PATH and in another folder.
func testPage(t *testing.T, file string, place func(*testing.T) (bin, dir string)) {
	t.Run(filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file)), func(t *testing.T) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		run := consoleIn(place(t))
		blocks := 0
		now := console.ReplaceAllStringFunc(string(content), func(block string) string {
			blocks++
			return "```console\n" + replay(t, run, console.FindStringSubmatch(block)[1]) + "```\n"
		})
		if blocks == 0 {
			t.Fatal("the page has no console block")
		}
		if *update && now != string(content) {
			if err := os.WriteFile(file, []byte(now), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// link matches a link to another page, and to a heading in it.
var link = regexp.MustCompile(`\]\(([^)#\s]*)(?:#([^)\s]+))?\)`)

// TestLinks holds that the pages of this repository link to files and headings that are there.
func TestLinks(t *testing.T) {
	root := filepath.Join("..", "..")
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*/*.md", ".github/*.md", "testdata/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	links := 0
	for _, page := range pages {
		content := written(page)
		for _, to := range link.FindAllStringSubmatch(content, -1) {
			file, target := page, content
			if strings.Contains(to[1], ":") {
				continue // another site
			} else if to[1] != "" {
				file = filepath.Join(filepath.Dir(page), to[1])
				target = written(file)
			}
			links++
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to %s, which is not there", page, to[1])
			} else if to[2] != "" && !headings(target)[to[2]] {
				t.Errorf("%s links to %s#%s, and there is no such heading", page, to[1], to[2])
			}
		}
	}
	if links < 40 {
		t.Errorf("only %d links were looked at", links)
	}
}

// shownBy matches what a row of the limits is shown by: a case, or a package and the names of its tests.
var (
	shownByCase = regexp.MustCompile(`\]\(\.\./((?:testdata|examples)/[a-z0-9.-]+)\)`)
	shownByTest = regexp.MustCompile("`(fn/[a-z]+)`((?:,? ?Test[A-Za-z]+)+)")
	codeOf      = regexp.MustCompile(`\]\(findings\.md#([a-z0-9-]+)\)`)
)

// TestLimits holds that what a limit is shown by is there, that a case of a limit under "It refuses" is refused and one
// under "It warns" has a warning, and that the codes of a limit are those of its cases, as far as these tell them.
func TestLimits(t *testing.T) {
	root := filepath.Join("..", "..")
	content := written(filepath.Join(root, "docs", "limits.md"))
	wants := map[string]string{"It refuses": "error", "It warns": "warning"}
	heading, rows := "", 0
	for line := range strings.Lines(content) {
		if title, found := strings.CutPrefix(line, "## "); found {
			heading = strings.TrimSpace(title)
		}
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| limit") {
			continue
		}
		rows++
		cases, tests := shownByCase.FindAllStringSubmatch(line, -1), shownByTest.FindAllStringSubmatch(line, -1)
		if len(cases)+len(tests) == 0 && !strings.HasSuffix(line, "| - |\n") {
			t.Errorf("nothing shows %s", line)
		}
		all, told := "", true
		for _, one := range cases {
			folder := filepath.Join(root, filepath.FromSlash(one[1]))
			results := written(filepath.Join(folder, "results.yaml"))
			all, told = all+results, told && results != ""
			said := results + written(filepath.Join(folder, "error.txt"))
			if want := wants[heading]; said == "" || !strings.Contains(said, "severity: "+want) && !strings.HasPrefix(said, "["+want) {
				t.Errorf("%s: the case %s has no %s", heading, one[1], want)
			}
		}
		for _, code := range codeOf.FindAllStringSubmatch(line, -1) {
			if told && len(cases) > 0 && !strings.Contains(all, "code: "+code[1]+"\n") {
				t.Errorf("no case has the code %s: %s", code[1], line)
			}
		}
		for _, one := range tests {
			for name := range strings.FieldsSeq(strings.ReplaceAll(one[2], ",", " ")) {
				if !defines(t, filepath.Join(root, filepath.FromSlash(one[1])), name) {
					t.Errorf("%s has no test %s", one[1], name)
				}
			}
		}
	}
	if rows < 50 {
		t.Errorf("only %d limits were looked at", rows)
	}
}

// defines reports whether a test of a package has a name.
func defines(t *testing.T, folder, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool { return strings.Contains(written(file), "\nfunc "+test+"(t ") })
}

// headings are the anchors of a page, as GitHub makes them.
func headings(page string) map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(page) {
		if title := strings.TrimLeft(line, "#"); title != line && strings.HasPrefix(title, " ") {
			anchor := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(title), " ", "-"))
			all[regexp.MustCompile(`[^a-z0-9_-]`).ReplaceAllString(anchor, "")] = true
		}
	}
	return all
}

// console matches a block of commands and what they print.
var console = regexp.MustCompile("(?s)```console\n(.*?)```\n")

// consoleIn runs commands in a folder, with the programs of another one on PATH.
func consoleIn(bin, dir string) func(t *testing.T, command string) string {
	last := 0
	return func(t *testing.T, command string) string {
		t.Helper()
		shell := exec.Command("bash", "-c", "(exit "+string(rune('0'+last))+"); "+command)
		shell.Dir = dir
		shell.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C",
			"GIT_AUTHOR_NAME=you", "GIT_AUTHOR_EMAIL=you@example.com", "GIT_COMMITTER_NAME=you", "GIT_COMMITTER_EMAIL=you@example.com")
		out, err := shell.CombinedOutput()
		var exit *exec.ExitError
		if last = 0; errors.As(err, &exit) {
			last = exit.ExitCode()
		} else if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		return string(out)
	}
}

// program is a folder with the program.
func program(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	build(t, filepath.Join(bin, "migrate-to-flux-operator"), "..")
	return bin
}

// build builds a package.
func build(t *testing.T, file, of string) {
	t.Helper()
	if out, err := exec.Command("go", "build", "-o", file, of).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// programAndCheckout are a folder with the program, and a checkout of the example that has an upstream.
func programAndCheckout(t *testing.T) (bin, dir string) {
	t.Helper()
	bin, dir = program(t), t.TempDir()
	upstream := t.TempDir()
	copyTree(t, filepath.Join("..", "..", "examples", "kpt-fn-eval", "input"), dir)
	runGit(t, upstream, "init", "--quiet", "--bare", "--initial-branch=main")
	commit(t, dir)
	runGit(t, dir, "branch", "--move", "main")
	runGit(t, dir, "remote", "add", "origin", upstream)
	runGit(t, dir, "push", "--quiet", "--set-upstream", "origin", "main")
	return bin, dir
}

// replay runs the commands of a block and returns the block; with -update as it is today, but where lines are left out.
func replay(t *testing.T, run func(*testing.T, string) string, block string) string {
	t.Helper()
	var now strings.Builder
	for part := range strings.SplitSeq("\n"+block, "\n$ ") {
		if part == "" {
			continue
		}
		command, want, _ := strings.Cut(part, "\n")
		if want != "" && !strings.HasSuffix(want, "\n") {
			want += "\n"
		}
		got := run(t, command)
		if !shows(got, want) {
			if *update && !strings.Contains("\n"+want, "\n...\n") {
				want = got
			} else {
				t.Errorf("$ %s\nprints\n%s\nthe page shows\n%s", command, got, want)
			}
		}
		now.WriteString("$ " + command + "\n" + want)
	}
	return now.String()
}

// shows reports whether an output is what a page shows of it.
func shows(got, want string) bool {
	var pattern strings.Builder
	for line := range strings.Lines(want) {
		if line == "...\n" {
			pattern.WriteString(`(?:.*\n)*?`)
		} else {
			pattern.WriteString(regexp.QuoteMeta(line))
		}
	}
	return regexp.MustCompile(`^` + pattern.String() + `$`).MatchString(got)
}
