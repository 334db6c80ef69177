package bootstrap

import (
	"encoding/json"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestMask proves that a template comes out of its mask as it was, and that the mask is YAML where the template stands
// for itself.
func TestMask(t *testing.T) {
	for _, text := range []string{
		"", "a: 1\n", "a: {{ .b }}\n", "{{ if .a }}\n- b\n{{ end }}\n", "  {{- /* over\n two lines */ -}}\nb: \"{{ c }}{{ d }}\"\n",
		"#{{ a }}\n", "x: # {{ a }}\r\n", "a: |\n  {{ b }}\n", "{{ open", "__template_7__ {{ a }}",
	} {
		hidden, mask := masked([]byte(text))
		if strings.Contains(text, "}}") == strings.Contains(string(hidden), "{{ ") && strings.Contains(text, "}}") {
			t.Errorf("%q still shows %q", text, hidden)
		}
		if back := string(mask.restored(hidden)); back != text {
			t.Errorf("%q comes back as %q", text, back)
		}
	}
}

// TestDepth proves that blocks are counted as templates nest them.
func TestDepth(t *testing.T) {
	text := "{{ if a }}1{{ else }}1{{- range b }}2{{ with c -}}3{{ end }}2{{ end }}1{{ end }}0{{ endless }}0{{ iffy }}0"
	for at := range len(text) {
		if c := text[at]; c >= '0' && c <= '9' {
			if have := depth([]byte(text), at); have != int(c-'0') {
				t.Errorf("at %d: want %c, have %d", at, c, have)
			}
		}
	}
}

// TestEnds proves which releases come last.
func TestEnds(t *testing.T) {
	h := readHelmfile("helmfile.yaml.gotmpl", []byte(`
releases:
- {name: alone, chart: a/b}
- {name: cni, namespace: kube-system, chart: a/b}
- {name: dns, namespace: kube-system, chart: a/b, needs: [kube-system/cni]}
- {name: elsewhere, namespace: n, kubeContext: c, chart: a/b}
- {name: nowhere, kubeContext: c, chart: a/b}
- {name: maybe, chart: a/b, condition: maybe.enabled, needs: [alone]}
- {name: off, chart: a/b, installed: false}
- {name: "{{ .Values.name }}", chart: a/b}
- {name: flux, chart: oci://ghcr.io/fluxcd-community/charts/flux2}
- {name: flux-operator, namespace: n, chart: oci://ghcr.io/controlplaneio-fluxcd/charts/flux-operator, needs: [kube-system/dns]}
`))
	if want, have := []string{"alone", "kube-system/dns", "c/n/elsewhere", "c//nowhere"}, h.ends(); !slices.Equal(want, have) {
		t.Errorf("want %v, have %v", want, have)
	}
}

// TestEvaluate proves that values files are read as helmfile reads them.
func TestEvaluate(t *testing.T) {
	files := fstest.MapFS{
		"apps/ns/name/helmrelease.yaml": {Data: []byte("spec:\n  values:\n    a: 1\n")},
		"apps/empty.yaml":               {Data: []byte("spec: {}\n")},
		"boot/t/named.yaml.gotmpl":      {Data: []byte(`{{ (fromYaml (readFile (printf "../../apps/%s/%s/helmrelease.yaml" .Release.Namespace .Release.Name))).spec.values | toYaml }}`)},
		"boot/t/ours.yaml.gotmpl":       {Data: []byte(valuesTemplate("../../apps/ns/name/helmrelease.yaml"))},
		"boot/t/none.yaml.gotmpl":       {Data: []byte(valuesTemplate("../../apps/empty.yaml"))},
		"boot/t/text.yaml.gotmpl":       {Data: []byte("# {{ .Release.Name }}\na: {{/* one */}}{{- printf \"%s\" \"1\" | printf }}\n")},
		"boot/t/empty.yaml.gotmpl":      {Data: []byte(`{{ define "a" }}b{{ end }}`)},
		"boot/t/env.yaml.gotmpl":        {Data: []byte(`a: {{ env "A" }}`)},
		"boot/t/if.yaml.gotmpl":         {Data: []byte(`{{ if .Release.Name }}a: 1{{ end }}`)},
		"boot/t/variable.yaml.gotmpl":   {Data: []byte(`{{ $a := "b" }}a: {{ $a }}`)},
		"boot/t/field.yaml.gotmpl":      {Data: []byte(`a: {{ .Release.Other }}`)},
		"boot/t/none-of.yaml.gotmpl":    {Data: []byte(`a: {{ (readFile "env.yaml.gotmpl").spec }}`)},
		"boot/t/arguments.yaml.gotmpl":  {Data: []byte(`a: {{ toYaml 1 2 }}`)},
		"boot/t/called.yaml.gotmpl":     {Data: []byte(`a: {{ .Release.Name "b" }}`)},
		"boot/plain.yaml":               {Data: []byte("a: 1\n")},
	}
	for name, want := range map[string]map[string]any{
		"boot/t/named.yaml.gotmpl": {"a": 1.0}, "boot/t/ours.yaml.gotmpl": {"a": 1.0}, "boot/plain.yaml": {"a": 1.0}, "boot/t/none.yaml.gotmpl": {}, "boot/t/text.yaml.gotmpl": {"a": 1.0}, "boot/t/empty.yaml.gotmpl": {},
	} {
		if have, err := evaluate(files, name, "name", "ns"); err != nil || !reflect.DeepEqual(want, have) {
			t.Errorf("%s: want %v, have %v, %v", name, want, have, err)
		}
	}
	for _, name := range []string{
		"boot/t/env.yaml.gotmpl", "boot/missing.yaml", "boot/t/if.yaml.gotmpl", "boot/t/variable.yaml.gotmpl", "boot/t/field.yaml.gotmpl",
		"boot/t/none-of.yaml.gotmpl", "boot/t/arguments.yaml.gotmpl", "boot/t/called.yaml.gotmpl",
	} {
		if have, err := evaluate(files, name, "name", "ns"); err == nil {
			t.Errorf("%s: have %v", name, have)
		}
	}
}

// TestHome proves below which folder a helmfile counts.
func TestHome(t *testing.T) {
	for name, want := range map[string]struct {
		home  string
		usual bool
	}{
		"helmfile.yaml":                           {".", true},
		"helmfile.d/01-apps.yaml":                 {".", true},
		"bootstrap/helmfile.d/01-apps.yaml":       {".", true},
		"kubernetes/main/bootstrap/helmfile.yaml": {"kubernetes/main", true},
		"talos/helmfile.yaml":                     {"talos", false},
	} {
		if home, usual := homeOf(name); home != want.home || usual != want.usual {
			t.Errorf("%s: want %v, have %s %v", name, want, home, usual)
		}
	}
}

// TestHCL holds that Terraform reads a text as it is, whatever stands in it.
func TestHCL(t *testing.T) {
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("terraform is not there")
	}
	for _, text := range []string{"a", `a\b"c`, "${file(1)}", "$${x}", "$$${x}", "%{if true}", "%%{x}", "a\r\tb\x01", "ü\u00a0", "a\nb\n", "{{ x }}", "$ {x}", `\${x}`} {
		console := exec.Command(terraform, "console")
		console.Dir, console.Stdin = t.TempDir(), strings.NewReader("jsonencode("+hcl(text)+")\n")
		out, err := console.Output()
		var inner, read string
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if err == nil {
			err = json.Unmarshal([]byte(lines[len(lines)-1]), &inner)
		}
		if err == nil {
			err = json.Unmarshal([]byte(inner), &read)
		}
		if err != nil || read != text {
			t.Errorf("%s is read as %q, %v: %s", hcl(text), read, err, out)
		}
	}
}
