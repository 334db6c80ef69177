package checkout

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// secrets are documents whose values no diff may show.
var secrets = map[string]string{
	"Secret":            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: hush\nstringData:\n  key: hush\n",
	"sorted by name":    "apiVersion: v1\ndata:\n  key: hush\nkind: Secret\nmetadata:\n  name: hush\n",
	"a short Secret":    "kind: Secret\nx: hush\n",
	"with a comment":    "# A comment.\napiVersion: v1\nkind: Secret\ndata: {key: hush}\n",
	"SOPS":              "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: hush\ndata:\n  key: ENC[hush]\nsops:\n  mac: ENC[hush]\n",
	"in flow style":     "{apiVersion: v1, kind: Secret, stringData: {key: hush}}\n",
	"in JSON":           "{\"kind\": \"Secret\", \"data\": {\"key\": \"hush\"}}\n",
	"as broken as this": "kind: Secret\ndata: [hush\n",
}

// TestDiffShowsNoSecret edits and removes the documents around a Secret: no line of its values is in the diff, and git apply takes the
// diff all the same.
func TestDiffShowsNoSecret(t *testing.T) {
	const flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: x\nspec:\n  substituteFrom: [{kind: Secret}]\n  prune: true\n"
	edited := strings.Replace(flux, "prune: true", "prune: false\n  wait: true", 1)
	for name, secret := range secrets {
		all := strings.Join([]string{flux, secret, flux}, "---\n")
		for step, after := range map[string]string{
			"edit before":        strings.Join([]string{edited, secret, flux}, "---\n"),
			"edit after":         strings.Join([]string{flux, secret, edited}, "---\n"),
			"edit both":          strings.Join([]string{edited, secret, edited}, "---\n"),
			"remove before":      strings.Join([]string{secret, flux}, "---\n"),
			"remove after":       strings.Join([]string{flux, secret}, "---\n"),
			"remove both":        secret,
			"remove both, mixed": "---\n" + secret,
		} {
			t.Run(name+", "+step, func(t *testing.T) {
				shown := gitApplies(t, Change{Path: "a.yaml", Before: []byte(all), After: []byte(after)})
				if strings.Contains(shown, "hush") {
					t.Errorf("a value is shown:\n%s", shown)
				}
			})
		}
	}
}

// gitApplies returns the diff of a change, which git apply must take.
func gitApplies(t *testing.T, c Change) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, map[string]string{c.Path: string(c.Before)})
	git(t, dir, "init", "-q")
	shown := Diff([]Change{c})
	patch := filepath.Join(t.TempDir(), "patch")
	if err := os.WriteFile(patch, shown, 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"apply", "--whitespace=nowarn", patch}
	if strings.Contains(string(shown), "--unidiff-zero") {
		args = slices.Insert(args, 1, "--unidiff-zero")
	}
	git(t, dir, args...)
	if got, _ := os.ReadFile(filepath.Join(dir, c.Path)); string(got) != string(c.After) {
		t.Errorf("git apply makes\n%s\nof\n%s", got, shown)
	}
	return string(shown)
}

// TestDiffOfSecretsNeedsNoOption holds how rarely git apply needs an option: not for a Secret as people write it.
func TestDiffOfSecretsNeedsNoOption(t *testing.T) {
	for _, name := range []string{"Secret", "sorted by name", "a short Secret", "with a comment", "SOPS"} {
		before := "a: 1\n---\n" + secrets[name]
		if shown := string(Diff([]Change{{Path: "a.yaml", Before: []byte(before), After: []byte(secrets[name])}})); strings.Contains(shown, "unidiff") {
			t.Errorf("%s:\n%s", name, shown)
		}
	}
}
