package checkout

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hushed are documents whose values no diff may show.
var hushed = map[string]string{
	"Secret":               "apiVersion: v1\nkind: Secret\nmetadata:\n  name: hush\nstringData:\n  key: hush\n",
	"sorted by name":       "apiVersion: v1\ndata:\n  key: hush\nkind: Secret\nmetadata:\n  name: hush\n",
	"a short Secret":       "kind: Secret\nx: hush\n",
	"with a comment":       "# A comment.\napiVersion: v1\nkind: Secret\ndata: {key: hush}\n",
	"SOPS":                 "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: hush\ndata:\n  key: ENC[hush]\nsops:\n  mac: ENC[hush]\n",
	"in flow style":        "{apiVersion: v1, kind: Secret, stringData: {key: hush}}\n",
	"in JSON":              "{\"kind\": \"Secret\", \"data\": {\"key\": \"hush\"}}\n",
	"as broken as this":    "kind: Secret\ndata: [hush\n",
	"a list":               "apiVersion: v1\nkind: List\nitems:\n- kind: ConfigMap\n  data: {a: b}\n- kind: Secret\n  data:\n    a: hush\n- kind: ConfigMap\n",
	"a list of Secrets":    "apiVersion: v1\nkind: SecretList\nitems:\n- data:\n    a: hush\n",
	"escaped":              "\"\\x6bind\": \"\\x53ecret\"\ndata: {key: hush}\n",
	"tagged":               "kind: !!binary U2VjcmV0\ndata: {key: hush}\n",
	"behind an anchor":     "a: &hidden\n  key: hush\nb: &kind Secret\nc:\n  kind: *kind\n  data: *hidden\n",
	"merged":               "a: &a\n  kind: Secret\nb:\n  <<: *a\n  data: {key: hush}\n",
	"doubled":              "kind: Secret\ndata: {key: hush}\nkind: ConfigMap\n",
	"a generator":          "resources:\n- a.yaml\nsecretGenerator:\n- name: a\n  literals:\n  - a=hush\nconfigMapGenerator: [{name: b, literals: [a=hush]}]\nimages: []\n",
	"a plugin":             "generators:\n- |\n  kind: SecretGenerator\n  literals:\n  - a=hush\n",
	"a patch":              "patches:\n- patch: |\n    kind: Secret\n    data:\n      a: hush\n- path: a.yaml\n",
	"operations":           "patches:\n- patch: |\n    - op: add\n      path: /data/a\n      value: hush\n  target:\n    name: a\n- path: a.yaml\n",
	"operations in a line": "patches:\n- patch: '- {op: add, path: \"\", value: {kind: Secret, stringData: {a: hush}}}'\n  target: {kind: ConfigMap}\n",
	"operations in JSON":   "patches:\n- patch: '[{\"op\": \"add\", \"path\": \"/stringData\", \"value\": {\"a\": \"hush\"}}]'\n  target: {kind: .*}\n",
	"a broken patch":       "patches:\n- patch: |\n    kind: Secret\n    data: [hush\n",
	"a manifest in a text": "kind: ConfigMap\ndata:\n  a: |\n    apiVersion: v1\n    kind: Secret\n    data:\n      a: hush\n  b: c\n",
	"lines of its own":     "kind: ConfigMap\ndata: {a: \"x\u2028\", b: c}\n---\nx: \"\u2028\u2028\"\nsecretGenerator:\n- hush\n",
}

// TestDiffShowsNoSecret edits and removes the documents around a Secret: no line of its values is in the diff, and git
// apply takes the diff all the same.
func TestDiffShowsNoSecret(t *testing.T) {
	const flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: x\nspec:\n  substituteFrom: [{kind: Secret}]\n  prune: true\n"
	edited := strings.Replace(flux, "prune: true", "prune: false\n  wait: true", 1)
	for name, secret := range hushed {
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
	runGit(t, dir, "init", "-q")
	shown := Diff([]Change{c})
	patch := filepath.Join(t.TempDir(), "patch")
	if err := os.WriteFile(patch, shown, 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"apply", "--whitespace=nowarn", patch}
	if strings.Contains(string(shown), "--unidiff-zero") {
		args = slices.Insert(args, 1, "--unidiff-zero")
	}
	runGit(t, dir, args...)
	if got, _ := os.ReadFile(filepath.Join(dir, c.Path)); string(got) != string(c.After) {
		t.Errorf("git apply makes\n%s\nof\n%s", got, shown)
	}
	return string(shown)
}

// TestDiffOfChangedSecrets shows nothing of a file in which a Secret changes, and git apply does not take the rest for
// all.
func TestDiffOfChangedSecrets(t *testing.T) {
	for name, hidden := range hushed {
		all := "a: 1\n---\n" + hidden
		for step, c := range map[string]Change{
			"added":   {Path: "a.yaml", After: []byte(all)},
			"removed": {Path: "a.yaml", Before: []byte(all)},
			"edited":  {Path: "a.yaml", Before: []byte(all), After: []byte(strings.ReplaceAll(all, "hush", "hushed"))},
		} {
			if name == "as broken as this" || name == "a broken patch" {
				continue // which no run changes
			}
			shown := Diff([]Change{c, {Path: "b.yaml", After: []byte("b: 1\n")}})
			if strings.Contains(string(shown), "hush") || !strings.Contains(string(shown), "a.yaml: values of a Secret") {
				t.Errorf("%s %s:\n%s", name, step, shown)
			}
			dir := t.TempDir()
			runGit(t, dir, "init", "-q")
			apply := exec.Command("git", "-C", dir, "apply")
			apply.Stdin = bytes.NewReader(shown)
			failed := apply.Run()
			if _, err := os.Stat(filepath.Join(dir, "b.yaml")); failed == nil || err == nil {
				t.Errorf("%s %s: git apply takes\n%s", name, step, shown)
			}
		}
	}
}

// TestDiffOfOthers shows as context what is no Secret.
func TestDiffOfOthers(t *testing.T) {
	for _, line := range []string{
		"kind: SealedSecret\nspec: {encryptedData: {a: b}}", "kind: ExternalSecret", "spec: {secretRef: {name: x}}", "patches:\n- target: {kind: Deployment}\n  patch: |\n    - op: add\n      path: /data/a",
		"patches:\n- target: {kind: .*}\n  patch: |\n    kind: all\n    metadata: {name: all, annotations: {a: b}}", "kind: Kustomization\npatches:\n- path: secret.yaml",
		"kind: CustomResourceDefinition\nproperties:\n  kind:\n    description: a Secret, or \\\n    type: string\n  data: {type: string}",
	} {
		before := line + "\nz: 1\n"
		if shown := string(Diff([]Change{{Path: "a.yaml", Before: []byte(before), After: []byte(line + "\nz: 2\n")}})); !strings.Contains(shown, "\n "+line[strings.LastIndex(line, "\n")+1:]+"\n") {
			t.Errorf("%s:\n%s", line, shown)
		}
	}
}

// TestDiffOfSecretsNeedsNoOption holds how rarely git apply needs an option: not for a Secret as people write it.
func TestDiffOfSecretsNeedsNoOption(t *testing.T) {
	for _, name := range []string{"Secret", "sorted by name", "a short Secret", "SOPS"} {
		before := "a: 1\n---\n" + hushed[name]
		if shown := string(Diff([]Change{{Path: "a.yaml", Before: []byte(before), After: []byte(hushed[name])}})); strings.Contains(shown, "unidiff") {
			t.Errorf("%s:\n%s", name, shown)
		}
	}
}
