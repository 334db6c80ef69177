//go:build linux

package hostile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFullDisk applies on a file system without room: the files are as they were.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=128k", "none", disk).CombinedOutput(); err != nil {
		t.Skipf("skipped: cannot mount a small disk: %v %s", err, out)
	}
	defer exec.Command("umount", disk).Run()
	dir := filepath.Join(disk, "repository")
	if err := os.CopyFS(dir, os.DirFS(repository(t, nil, nil))); err != nil {
		t.Fatal(err)
	}
	filler, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(filler, strings.NewReader(strings.Repeat("x", 1<<20))); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	if err := filler.Close(); err != nil {
		t.Fatal(err)
	}
	unchanged(t, dir, "no space left on device; nothing was changed", 2, "apply", dir)
}

// unchanged holds that a run fails with these words and leaves a folder as it was.
func unchanged(t *testing.T, dir, words string, code int, args ...string) {
	t.Helper()
	before := state(t, dir)
	if got := execute(t, "", args...); got.code != code || !strings.Contains(got.errOut, words) {
		t.Errorf("exit code %d, want %d and %q\n%s", got.code, code, words, got.errOut)
	}
	if !maps.Equal(before, state(t, dir)) {
		t.Error("files were changed")
	}
}

// TestReadOnly applies where a file, or a folder, must not be written.
func TestReadOnly(t *testing.T) {
	dir := repository(t, nil, nil)
	if err := os.Chmod(filepath.Join(dir, "cluster/sync.yaml"), 0o444); err != nil {
		t.Fatal(err)
	}
	unchanged(t, dir, "cluster/sync.yaml: the file is read-only: make it writable, and run again; nothing was changed", 2, "apply", dir)
	dir = repository(t, nil, nil)
	readOnly(t, dir)
	unchanged(t, dir, "nothing was changed", 2, "apply", dir)
	if got := execute(t, "", "plan", dir); got.code != 0 {
		t.Errorf("plan needs to write: %s", got.errOut)
	}
}

// readOnly mounts a folder on itself, read-only: root may write into a folder whatever its mode says.
func readOnly(t *testing.T, dir string) {
	t.Helper()
	for _, args := range [][]string{{"--bind", dir, dir}, {"-o", "remount,ro,bind", dir}} {
		if out, err := exec.Command("mount", args...).CombinedOutput(); err != nil {
			t.Skipf("skipped: cannot mount a folder read-only: %v %s", err, out)
		}
	}
	t.Cleanup(func() { exec.Command("umount", dir).Run() })
}

// TestUnreadable reads a folder and a file that nobody may read, as nobody.
func TestUnreadable(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("skipped: only root can become nobody")
	}
	dir := repository(t, map[string]string{"apps/locked.yaml": "apiVersion: v1\n", "locked/x.yaml": "apiVersion: v1\n"}, nil)
	open := t.TempDir()
	copied := filepath.Join(open, "migrate-to-flux-operator")
	content, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{open, filepath.Dir(open), dir, filepath.Dir(dir), filepath.Dir(filepath.Dir(dir))} {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.WriteFile(copied, content, 0o755), os.Chmod(filepath.Join(dir, "apps/locked.yaml"), 0), os.Chmod(filepath.Join(dir, "locked"), 0)); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(filepath.Join(dir, "locked"), 0o755)
	cmd := exec.Command(copied, "plan", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Logf("%v", err)
	}
	if !strings.Contains(string(out), "locked") || !strings.Contains(string(out), "permission denied") {
		t.Errorf("what cannot be read is not named:\n%s", out)
	}
}

// TestFileChangedMeanwhile changes a file that is to be edited as soon as apply has started, at later and later
// moments: the change is kept, and either everything else is applied or nothing.
func TestFileChangedMeanwhile(t *testing.T) {
	const theirs = "# Somebody else's.\n"
	for delay := time.Duration(0); delay < 200*time.Millisecond; delay += 20 * time.Millisecond {
		dir := repository(t, nil, nil)
		file := filepath.Join(dir, "cluster/sync.yaml")
		cmd := start(t, "apply", dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(delay)
		// As editors do it: the new content takes the place of the old in one step.
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		write(t, file+".editor", theirs+string(content))
		if err := os.Rename(file+".editor", file); err != nil {
			t.Fatal(err)
		}
		failed := cmd.Wait() != nil
		after := state(t, dir)
		if !strings.Contains(after["cluster/sync.yaml"], theirs) && !failed {
			t.Logf("after %s: apply had the last word", delay)
		}
		if _, created := after["cluster/flux-operator/ks.yaml"]; created == failed {
			t.Errorf("after %s: failed is %t, and the new files are there: %t", delay, failed, created)
		}
		noLeftovers(t, after)
	}
}

// noLeftovers holds that no temporary file is left.
func noLeftovers(t *testing.T, files map[string]string) {
	t.Helper()
	for name := range files {
		if strings.Contains(name, "~") {
			t.Errorf("%s is left", name)
		}
	}
}

// TestSignals ends each command, and the function, at any moment: the exit code is not 0, and the files are as they
// were, or all as they are to be.
func TestSignals(t *testing.T) {
	done := repository(t, nil, nil)
	if got := execute(t, "", "apply", done); got.code != 0 {
		t.Fatal(got.errOut)
	}
	applied := state(t, done)
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for _, command := range []string{"plan", "apply"} {
			for delay := time.Duration(0); delay < 240*time.Millisecond; delay += 20 * time.Millisecond {
				dir := repository(t, nil, nil)
				before := state(t, dir)
				cmd := start(t, command, dir)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(delay)
				if err := cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
					t.Fatal(err)
				}
				failed := cmd.Wait() != nil
				switch after := state(t, dir); {
				case maps.Equal(after, before) && (failed || command == "plan"):
				case maps.Equal(after, applied) && command == "apply" && !failed:
				default:
					t.Errorf("%s, %s after %s: failed is %t, and the files are neither as they were nor as they are to be", command, signal, delay, failed)
				}
			}
		}
	}
}

// TestSignalWhileItReads ends runs that wait for input that never comes.
func TestSignalWhileItReads(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip("skipped:", err)
	}
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		cmd := start(t)
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		cmd.Stdout = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(stdin, "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil || out.Len() > 0 {
			t.Errorf("%s: %v, and it wrote %q", signal, err, out.String())
		}
	}
}

// TestClosedStdout prints into a pipe that nobody reads any more, as `diff | head -1` does: no error, and apply is done
// all the same.
func TestClosedStdout(t *testing.T) {
	for _, command := range []string{"plan", "diff", "check", "apply"} {
		dir := repository(t, nil, nil)
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		reader.Close()
		var errOut bytes.Buffer
		cmd := start(t, command, dir)
		cmd.Stdout, cmd.Stderr = writer, &errOut
		err = cmd.Run()
		writer.Close()
		want := 0
		if command == "check" {
			want = 1
		}
		if cmd.ProcessState.ExitCode() != want || errOut.Len() > 0 {
			t.Errorf("%s: %v %s", command, err, errOut.String())
		}
		if _, err := os.Stat(filepath.Join(dir, "cluster/flux-operator/ks.yaml")); (err == nil) != (command == "apply") {
			t.Errorf("%s: the new file: %v", command, err)
		}
	}
}

// TestClosedStdoutOfTheFunction holds that a list which nobody takes is an error.
func TestClosedStdoutOfTheFunction(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader.Close()
	defer writer.Close()
	cmd := start(t)
	cmd.Stdin, cmd.Stdout = strings.NewReader(resourceList(t, nil)), writer
	if err := cmd.Run(); err == nil {
		t.Error("exit code 0, and the list is lost")
	}
}

// TestHead reads one line of the diff.
func TestHead(t *testing.T) {
	cmd := start(t, "diff", repository(t, nil, nil))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReaderSize(out, 16).ReadString('\n')
	out.Close()
	if err := cmd.Wait(); err != nil || !strings.HasPrefix(line, "diff --git ") {
		t.Errorf("%v %q", err, line)
	}
}

// TestFullStdout prints to a device without room: that is an error, also where the files have been changed by then.
func TestFullStdout(t *testing.T) {
	for _, command := range []string{"", "plan", "diff", "check", "apply"} {
		dir := repository(t, nil, nil)
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip("skipped:", err)
		}
		cmd, want := start(t, command, dir), 2
		if command == "" {
			cmd, want = start(t), 1
			cmd.Stdin = strings.NewReader(resourceList(t, nil))
		}
		var errOut bytes.Buffer
		cmd.Stdout, cmd.Stderr = full, &errOut
		_ = cmd.Run()
		full.Close()
		if cmd.ProcessState.ExitCode() != want || !strings.Contains(errOut.String(), "no space left on device") {
			t.Errorf("%q: exit code %d\n%s", command, cmd.ProcessState.ExitCode(), errOut.String())
		}
		if command == "apply" && !strings.Contains(errOut.String(), "the files were changed") {
			t.Errorf("it does not say that the files were changed: %s", errOut.String())
		}
	}
}

// TestHalfAList cuts a ResourceList anywhere: no panic, and never half of the items with exit code 0.
func TestHalfAList(t *testing.T) {
	list := resourceList(t, nil)
	whole := execute(t, list)
	if whole.code != 0 {
		t.Fatal(whole.errOut)
	}
	lines := strings.SplitAfter(list, "\n")
	for n := 0; n < len(lines); n += 3 {
		cut := strings.Join(lines[:n], "")
		if n > 0 {
			cut += lines[n][:len(lines[n])/2]
		}
		got := execute(t, cut)
		if got.code == 0 && strings.Count(got.out, "\n- apiVersion") < strings.Count(cut, "\n- apiVersion") {
			t.Errorf("cut in line %d: items are lost\n%s", n, got.out)
		}
		if got.code != 0 && got.errOut == "" {
			t.Errorf("cut in line %d: exit code %d without a word", n, got.code)
		}
	}
}

// TestNoStdin runs the function without a stdin at all.
func TestNoStdin(t *testing.T) {
	limited := exec.Command("sh", "-c", `exec "$0" <&-`, binary)
	out, err := limited.CombinedOutput()
	if err == nil || len(out) == 0 {
		t.Errorf("%v: %s", err, out)
	}
}
