package golden

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"migrate-to-flux-operator/fn/command"
)

// runCheckout holds what the commands make of a checkout against the expectation, byte by byte. Its files may be such
// as kpt would rewrite, or stop at.
func runCheckout(t *testing.T, c golden) {
	dir := t.TempDir()
	c.input.write(t, dir)
	diff := ""
	if !testing.Short() {
		diff = c.proveBefore(t, dir)
	}
	applied := c.command(t, dir, "apply")
	after := readTree(t, dir)
	if *update {
		c.writeCheckout(t, after, applied.errOut)
		c = load(t, c.dir)
	}
	if string(c.failure) != applied.errOut || (applied.code != 0) != (c.failure != nil) {
		t.Errorf("apply exits with %d; %s:\n%s", applied.code, errorFile, difference(string(c.failure), applied.errOut))
	}
	c.checkTree(t, after)
	if applied.code == 0 && !testing.Short() {
		c.proveDiff(t, diff)
		c.proveSecond(t, dir)
	}
}

// proveBefore proves that diff and check agree and change nothing, and returns the diff.
func (c golden) proveBefore(t *testing.T, dir string) string {
	t.Helper()
	diff := c.command(t, dir, "diff")
	if check := c.command(t, dir, "check"); check.code != min(diff.code+1, command.ExitError) || check.out != diff.out {
		t.Errorf("before: check exits with %d after:\n%s%s", check.code, check.out, check.errOut)
	}
	if files := readTree(t, dir); !maps.Equal(files, c.input) {
		t.Fatalf("diff and check have changed files:\n%s", differences(c.input, files))
	}
	return diff.out
}

// proveDiff proves that Git makes of the diff what apply makes.
func (c golden) proveDiff(t *testing.T, diff string) {
	t.Helper()
	dir := t.TempDir()
	c.input.write(t, dir)
	git := exec.Command("git", "apply", "--whitespace=nowarn", "-")
	git.Dir, git.Stdin = dir, strings.NewReader(diff)
	git.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	if said, err := git.CombinedOutput(); err != nil {
		t.Errorf("git apply: %v\n%s\n%s", err, said, diff)
		return
	}
	if files := readTree(t, dir); !maps.Equal(files, c.expected) {
		t.Errorf("git apply makes something else of the diff:\n%s", differences(c.expected, files))
	}
}

// proveSecond proves that a second run has nothing to do.
func (c golden) proveSecond(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"check", "apply"} {
		if again := c.command(t, dir, name); again.code != 0 {
			t.Errorf("after: %s exits with %d:\n%s%s", name, again.code, again.out, again.errOut)
		}
	}
	if files := readTree(t, dir); !maps.Equal(files, c.expected) {
		t.Errorf("the second run changes files:\n%s", differences(c.expected, files))
	}
}

// said is what a command came to.
type said struct {
	code        int
	out, errOut string
}

// command runs a command of the command line on a checkout, with the flags of the case.
func (c golden) command(t *testing.T, dir, name string) said {
	t.Helper()
	var out, errOut bytes.Buffer
	args := append([]string{name, dir}, strings.Fields(string(c.flags))...)
	code := command.Execute(t.Context(), args, strings.NewReader(""), &out, &errOut)
	return said{code, out.String(), errOut.String()}
}

// writeCheckout makes an outcome the expectation.
func (c golden) writeCheckout(t *testing.T, after tree, failure string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(c.dir, expectedDir)); err != nil {
		t.Fatal(err)
	}
	after.minus(c.input).write(t, filepath.Join(c.dir, expectedDir))
	save(t, c.dir, errorFile, []byte(failure))
}
