package command

import (
	"bytes"
	"slices"
	"testing"

	"migrate-to-flux-operator/fn/config"
)

// TestProgress holds that a step of several clusters says which one it is about, and that nothing is said to a pipe.
func TestProgress(t *testing.T) {
	var said []string
	p := progress(func(step string) { said = append(said, step) })
	result, err := job{dir: fixture(t, "two-clusters"), config: config.Default(), progress: p}.run(t.Context())
	if err != nil || result.Failed() {
		t.Fatal(err, result.Findings)
	}
	for _, want := range []string{"migrating: 2/2", "proving that Flux prunes nothing: 1/2", "proving that Flux prunes nothing: 2/2", ""} {
		if !slices.Contains(said, want) {
			t.Errorf("%q is not said: %q", want, said)
		}
	}
	var pipe bytes.Buffer
	if silent := progressOn(&pipe); silent != nil {
		silent("reading")
		silent.done()
	}
	if pipe.Len() > 0 {
		t.Errorf("a pipe gets %q", pipe.String())
	}
}
