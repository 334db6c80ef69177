//go:build linux

package hostile

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"migrate-to-flux-operator/fn/printable"
)

// update writes docs/hostile-input.md anew.
var update = flag.Bool("update", false, "write the table of hostile input anew")

// binary is the program under test.
var binary string

// TestMain builds the program as it is shipped.
func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hostile")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "migrate-to-flux-operator")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
		return 1
	}
	return m.Run()
}

// The bounds of one run, whatever the input.
const (
	maxCPU    = 20 * time.Second
	maxMemory = 1 << 30
	maxWall   = 5 * time.Minute // the machine may be busy
)

// said is what one run did.
type said struct {
	code        int
	out, errOut string
}

// all is everything that it printed.
func (s said) all() string { return s.out + s.errOut }

// start makes the command of one run, with a bound on its memory that kills it.
func start(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), maxWall)
	t.Cleanup(cancel)
	limited := fmt.Sprintf(`ulimit -v %d; exec "$0" "$@"`, 4*maxMemory>>10)
	return exec.CommandContext(ctx, "sh", append([]string{"-c", limited, binary}, args...)...)
}

// exec runs the program and holds that it stays in its bounds and does not crash.
func execute(t *testing.T, stdin string, args ...string) said {
	t.Helper()
	var out, errOut bytes.Buffer
	cmd := start(t, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errOut
	err := cmd.Run()
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	bounded(t, cmd.ProcessState)
	s := said{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
	if s.code < 0 || strings.Contains(s.errOut, "goroutine ") || strings.Contains(s.all(), "internal error") {
		t.Fatalf("%q crashed: exit code %d\n%.2000s", args, s.code, s.errOut)
	}
	return s
}

// bounded holds what a run has used.
func bounded(t *testing.T, used *os.ProcessState) {
	t.Helper()
	if cpu := used.UserTime() + used.SystemTime(); cpu > maxCPU {
		t.Errorf("it computed for %s", cpu)
	}
	if usage := used.SysUsage().(*syscall.Rusage); usage.Maxrss<<10 > maxMemory {
		t.Errorf("it used %d MB", usage.Maxrss>>10)
	}
}

// clean holds that text drives no terminal, commands no CI runner and shows no secret.
func clean(t *testing.T, what, text string) {
	t.Helper()
	commandless(t, what, text)
	if printable.Text(text) != text {
		t.Errorf("%s has control characters: %.1000q", what, text)
	}
	if strings.Contains(text, secret) || strings.Contains(text, secretBase64) {
		t.Errorf("%s shows a secret: %.3000s", what, text)
	}
}

// commandless holds that a runner of GitHub, Azure or TeamCity finds no command in what a step prints.
func commandless(t *testing.T, what, text string) {
	t.Helper()
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		for _, command := range []string{"##[", "##vso[", "##teamcity["} {
			if strings.Contains(line, command) || strings.HasPrefix(strings.TrimSpace(line), "::") {
				t.Errorf("%s commands a CI runner: %.300q", what, line)
			}
		}
	}
}

// repository copies a golden case's input, puts files and links into it, and makes it a Git checkout.
func repository(t *testing.T, files, links map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repository")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "testdata", "deploy", "input"))); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		write(t, filepath.Join(dir, name), content)
	}
	for name, to := range links {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// write writes a file and the folders above it.
func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// state is what a folder holds: the mode of each file, and its content or where it leads.
func state(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content, _ := os.Readlink(name)
		if info.Mode().IsRegular() {
			read, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			content = string(read)
		}
		relative, err := filepath.Rel(dir, name)
		all[relative] = info.Mode().String() + content
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
