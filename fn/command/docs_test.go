package command

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// update writes what the commands in the documentation print today.
var update = flag.Bool("update", false, "write the outputs in docs anew")

// TestDocs runs the console blocks of each page, one after the other, on a checkout of the example that the page is
// about, and holds that the commands print what the page shows. A line with ... stands for lines that it leaves out.
func TestDocs(t *testing.T) {
	for _, page := range []string{"migrating.md", "ci.md", "inventory.md"} {
		t.Run(page, func(t *testing.T) {
			file := filepath.Join("..", "..", "docs", page)
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			run := consoleOf(t)
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

// consoleOf runs commands in a checkout of the example, with the program on PATH.
func consoleOf(t *testing.T) func(command string) string {
	t.Helper()
	bin, dir := programAndCheckout(t)
	last := 0
	return func(command string) string {
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

// programAndCheckout are a folder with the program, and a checkout of the example that has an upstream.
func programAndCheckout(t *testing.T) (bin, dir string) {
	t.Helper()
	bin, dir = t.TempDir(), t.TempDir()
	upstream := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(bin, "migrate-to-flux-operator"), "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	copyTree(t, filepath.Join("..", "..", "examples", "kpt-fn-eval", "input"), dir)
	git(t, upstream, "init", "--quiet", "--bare", "--initial-branch=main")
	commit(t, dir)
	git(t, dir, "branch", "--move", "main")
	git(t, dir, "remote", "add", "origin", upstream)
	git(t, dir, "push", "--quiet", "--set-upstream", "origin", "main")
	return bin, dir
}

// replay runs the commands of a block and returns the block; with -update as it is today, but where lines are left out.
func replay(t *testing.T, run func(string) string, block string) string {
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
		got := run(command)
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
