package command

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"migrate-to-flux-operator/fn/finding"
)

// said is what a command line did.
type said struct {
	code        int
	out, errOut string
}

// execAt runs the command line; a DIR in it stands for dir.
func execAt(t testing.TB, dir string, args ...string) said {
	t.Helper()
	return execIn(t, t.Context(), dir, args...)
}

func execIn(t testing.TB, ctx context.Context, dir string, args ...string) said {
	t.Helper()
	var out, errOut bytes.Buffer
	for i, arg := range args {
		if arg == "DIR" {
			args[i] = dir
		}
	}
	code := Execute(ctx, args, strings.NewReader(""), &out, &errOut)
	return said{code, out.String(), errOut.String()}
}

// must runs the command line and wants an exit code.
func must(t testing.TB, code int, dir string, args ...string) said {
	t.Helper()
	got := execAt(t, dir, args...)
	if got.code != code {
		t.Fatalf("%q: exit code %d, want %d\n%s%s", args, got.code, code, got.out, got.errOut)
	}
	return got
}

// planOf is a plan that has no Error.
func planOf(t testing.TB, dir string, flags ...string) planJSON {
	t.Helper()
	var plan planJSON
	if err := json.Unmarshal([]byte(must(t, 0, dir, append([]string{"plan", dir, "-o", "json"}, flags...)...).out), &plan); err != nil {
		t.Fatal(err)
	}
	return plan
}

// placesOf are the files of the findings that have a code.
func placesOf(t testing.TB, dir string, code finding.Code, flags ...string) []string {
	t.Helper()
	var all []string
	for _, f := range planOf(t, dir, flags...).Findings {
		if f.Code == code {
			all = append(all, f.File)
		}
	}
	return all
}

// flat is a text of a plan without the ends of its lines.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// fixture is a copy of the input of a golden case.
func fixture(t testing.TB, name string) string {
	t.Helper()
	dir := t.TempDir()
	copyTree(t, filepath.Join("..", "..", "testdata", name, "input"), dir)
	return dir
}

func copyTree(t testing.TB, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// write puts a file into a directory.
func write(t testing.TB, dir, name, content string) {
	t.Helper()
	at := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// files are the files of a directory with their modes and contents, those of Git left out.
func filesOf(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if entry.Name() == ".git" {
				return fs.SkipDir
			}
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			all[name] = info.Mode().String()
			return nil
		}
		content, err := os.ReadFile(filepath.Join(dir, name))
		all[name] = info.Mode().String() + "\n" + string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// runGit runs git with a config of its own.
func runGit(t testing.TB, dir string, args ...string) string {
	t.Helper()
	return gitWith(t, dir, "", args...)
}

func gitWith(t testing.TB, dir, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=test", "-c", "user.email=test@example.com"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C")
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// commit makes a directory a repository, if it is none, and commits all that is in it.
func commit(t testing.TB, dir string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
		runGit(t, dir, "init", "-q", "-b", "main")
	}
	runGit(t, dir, "add", "--all", "--force", ".")
	runGit(t, dir, "commit", "-q", "--allow-empty", "-m", "commit")
}

// changed lists what differs from the last commit, one file each, sorted by path as Git does.
func changedFiles(t testing.TB, dir string) []string {
	t.Helper()
	var names []string
	for entry := range strings.SplitSeq(runGit(t, dir, "status", "--porcelain", "--ignored", "--untracked-files=all", "-z"), "\x00") {
		if len(entry) > 3 {
			names = append(names, entry[3:])
		}
	}
	return names
}
