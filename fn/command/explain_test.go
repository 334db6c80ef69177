package command

import (
	"strings"
	"testing"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/instance"
)

// TestExplain holds that the last line of what an Error prints is a command that says more, on each code once.
func TestExplain(t *testing.T) {
	dir := fixture(t, "deploy")
	must(t, 0, dir, "apply", "DIR", "--proof", "off")
	write(t, dir, "cluster/sync.yaml", strings.ReplaceAll(read(t, dir, "cluster/sync.yaml"), instance.PruneKey, "unguarded"))
	errOut := must(t, ExitError, dir, "check", "DIR", "--phase", "cleanup", "--taken-over", "--proof", "off").errOut
	if strings.Count(errOut, "[error] ") < 2 {
		t.Fatalf("less than two Errors:\n%s", errOut)
	}
	_, command, found := strings.Cut(errOut, "\nmore: migrate-to-flux-operator explain ")
	if !found {
		t.Fatalf("nothing says how to look the codes up:\n%s", errOut)
	}
	codes := strings.Fields(command)
	said := must(t, 0, "", append([]string{"explain"}, codes...)...).out
	for _, code := range codes {
		if entry, _ := finding.Code(code).Entry(); strings.Count(said, entry.Do) != 1 {
			t.Errorf("%s is not explained once:\n%s", code, said)
		}
	}
	if got := must(t, ExitError, "", "explain", "nothing"); !strings.Contains(got.errOut, "docs/findings.md") {
		t.Errorf("an unknown code: %q", got.errOut)
	}
}
