package command

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"migrate-to-flux-operator/fn/config"
)

// TestVersion builds the program as go build does at the top of the module: it has its name, and says what it is and
// what it knows.
func TestVersion(t *testing.T) {
	const set = "-X migrate-to-flux-operator/fn/command.version=v1.2.3 -X migrate-to-flux-operator/fn/command.revision=0123abcd"
	for name, test := range map[string]struct{ flags, says string }{
		"by the Makefile": {set, `v1\.2\.3\ncommit 0123abcd`},
		"by Go alone":     {"", `\(devel\)\ncommit unknown`},
	} {
		t.Run(name, func(t *testing.T) {
			out := versionOf(t, "-buildvcs=false", "-ldflags", test.flags)
			said := regexp.MustCompile(`^migrate-to-flux-operator version ` + test.says + `\nknows Flux up to 2\.\d+\.\d+ and Flux Operator up to (\S+)\n$`)
			if knows := said.FindStringSubmatch(out); knows == nil || knows[1] != config.Default().Operator.Version {
				t.Errorf("it installs Flux Operator %s, and says\n%s", config.Default().Operator.Version, out)
			}
		})
	}
}

// versionOf is what the program says of itself that go build makes with flags.
func versionOf(t *testing.T, flags ...string) string {
	t.Helper()
	bin := t.TempDir()
	build := exec.Command("go", append(append([]string{"build", "-o", bin + string(filepath.Separator)}, flags...), filepath.Join("..", ".."))...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(filepath.Join(bin, "migrate-to-flux-operator"), "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
