package command

import (
	"strings"
	"testing"
)

// TestRedact holds that a plan for others has the value of no field and no address, and still says what it is about.
func TestRedact(t *testing.T) {
	dir := fixture(t, "deploy")
	// A remote base is quoted in what the proof says.
	write(t, dir, "cluster/kustomization.yaml", "resources:\n- flux.yaml\n- sync.yaml\n- https://github.com/example/base//monitoring?ref=v1\n")
	for _, output := range []string{"json", "yaml"} {
		all := must(t, 0, dir, "plan", "DIR", "--output", output).out
		shown := must(t, 0, dir, "plan", "DIR", "--output", output, "--redact").out
		for _, private := range []string{"ssh://git@github.com/example/fleet", "{branch: main}", "example/base", "deletionPolicy: Orphan"} {
			if !strings.Contains(all, private) {
				t.Errorf("%s: there is no %s to take out", output, private)
			}
			if strings.Contains(shown, private) {
				t.Errorf("%s: %s is shown", output, private)
			}
		}
		for _, kept := range []string{"spec.url", "flux-operator/instance/instance.yaml", "not judged: remote base: (blanked)",
			"+ deletionPolicy: (blanked)"} {
			if !strings.Contains(shown, kept) {
				t.Errorf("%s: nobody can follow without %s\n%s", output, kept, shown)
			}
		}
	}
}

// TestRedactIsForMachines holds that nobody is given a text or a report in which nothing was taken out.
func TestRedactIsForMachines(t *testing.T) {
	for _, args := range [][]string{{}, {"--output", "text"}, {"--output", "json", "--report", "-"}} {
		got := must(t, ExitError, fixture(t, "deploy"), append([]string{"plan", "DIR", "--redact"}, args...)...)
		if !strings.Contains(got.errOut, "--redact: ") || got.out != "" {
			t.Errorf("%q: %s%s", args, got.out, got.errOut)
		}
	}
}
