package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKrmignoreIsNamed holds that what a .krmignore hides is said, and where nothing is found as loudly as that.
func TestKrmignoreIsNamed(t *testing.T) {
	dir := fixture(t, "deploy")
	write(t, dir, ".krmignore", "apps/\n")
	if got := must(t, 0, dir, "plan", "DIR"); !strings.Contains(got.out, ".krmignore leaves this out, which Flux reads all the same: apps\n") {
		t.Errorf("plan does not say what is left out:\n%s", got.out)
	}
	write(t, dir, ".krmignore", "cluster\n")
	for _, command := range []string{"plan", "diff", "apply", "check"} {
		if got := must(t, ExitError, dir, command, "DIR"); !strings.Contains(got.errOut, "leaves this out, which Flux reads all the same: cluster\n") {
			t.Errorf("%s: stderr is %q", command, got.errOut)
		}
	}
}

// TestConfigThroughALink follows the links of a person, and not those of the repository.
func TestConfigThroughALink(t *testing.T) {
	dir, outside := fixture(t, "deploy"), t.TempDir()
	write(t, outside, "config.yaml", "apiVersion: fn.kpt.dev/v1alpha1\nkind: MigrateToFluxOperator\nmetadata: {name: migrate}\nphase: deploy\n")
	for _, link := range []string{filepath.Join(outside, "link.yaml"), filepath.Join(dir, "link.yaml")} {
		if err := os.Symlink(filepath.Join(outside, "config.yaml"), link); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	must(t, 0, dir, "plan", "DIR", "--config", filepath.Join(outside, "link.yaml"))
	if got := must(t, ExitError, dir, "plan", "DIR", "--config", filepath.Join(dir, "link.yaml")); !strings.Contains(got.errOut, "symbolic link") {
		t.Errorf("stderr is %q", got.errOut)
	}
	if err := os.Symlink(dir, filepath.Join(outside, "repository")); err != nil {
		t.Fatal(err)
	}
	if name, inside := nameIn(dir, filepath.Join(outside, "repository", "x.yaml")); !inside || name != "x.yaml" {
		t.Errorf("a link of a person to the repository: %q, %t", name, inside)
	}
}
