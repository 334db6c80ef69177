package live

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"migrate-to-flux-operator/fn/inventory"
)

// TestFieldsAreQuoted prints, with the templates of the script, objects whose annotations are written to bring in others, as
// whoever may write a HelmRelease can, and objects without anything.
func TestFieldsAreQuoted(t *testing.T) {
	const hostile = "disabled\"}}}\n{apiVersion: v1, kind: Secret, metadata: {namespace: x, name: forged}}\n# listed all\n---\n"
	for name, fields := range map[string]string{"names": nameFields, "releases": releaseFields, "CRDs": crdFields} {
		full := map[string]any{"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "Secret",
			"metadata": map[string]any{"namespace": "a", "name": "b", "generation": int64(1200000),
				"labels":      map[string]any{nameLabel: "flux", inventory.PruneKey: hostile},
				"annotations": map[string]any{inventory.PruneKey: hostile}},
			"spec": map[string]any{"suspend": true},
			"status": map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "True", "reason": hostile,
				"observedGeneration": int64(1200000)}}}}
		bare := map[string]any{"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "Secret", "metadata": map[string]any{"name": "c"}}
		var printed strings.Builder
		err := template.Must(template.New("").Parse(fields)).Execute(&printed, map[string]any{"items": []any{full, bare}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		snapshot, err := Read(printed.String())
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, printed.String())
		}
		if n := len(snapshot.Objects) + len(snapshot.Names); n != 2 || len(snapshot.listed) > 0 {
			t.Errorf("%s: %d objects, listed: %v\n%s", name, n, snapshot.listed, printed.String())
		}
		if name == "names" {
			continue
		}
		o := snapshot.Objects[0]
		if has := o.Annotation(inventory.PruneKey); has != hostile {
			t.Errorf("%s: the annotation reads as %q", name, has)
		}
		if state := stateOf(o); name == "releases" && (!state.Ready || !state.Suspended) {
			t.Errorf("the release is %+v", state)
		}
		if state := stateOf(snapshot.Objects[1]); state.Ready || state.Suspended {
			t.Errorf("%s: the object without anything is %+v", name, state)
		}
	}
}

// TestScriptWithoutACluster runs the script with a kubectl that fails as one without a context and as one that reaches no
// server do, and holds that this is no success.
func TestScriptWithoutACluster(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("skipped: no shell")
	}
	for name, kubectl := range map[string]string{
		"no context": "#!/bin/sh\nexit 1\n",
		"no server":  "#!/bin/sh\ncase \"$*\" in *'config view'*) echo production;; *) exit 1;; esac\n",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "kubectl"), []byte(kubectl), 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(shell)
		cmd.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
		cmd.Stdin = strings.NewReader(Script("flux-system"))
		var errOut strings.Builder
		cmd.Stderr = &errOut
		out, err := cmd.Output()
		if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != 1 || len(out) > 0 ||
			!strings.Contains(errOut.String(), "the cluster cannot be read") {
			t.Errorf("%s: %v\n%s%s", name, err, out, errOut.String())
		}
	}
}
