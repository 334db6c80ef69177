package e2e

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// buildsHelmfile makes the tests build helmfile where it is not on PATH; its first build takes minutes.
var buildsHelmfile = flag.Bool("helmfile", false, "build helmfile where it is not on PATH")

// helmfileModule is the helmfile that is built.
const helmfileModule = "github.com/helmfile/helmfile@v1.8.0"

// bootstrapped is the first example with the bootstrap of one kind, and the folder of its files.
func bootstrapped(t *testing.T, kind string, args ...string) (root, dir string) {
	t.Helper()
	root = filepath.Join(example(t, "kpt-fn-eval"), "input")
	succeed(t, commands(t), append([]string{"apply", root, "--bootstrap", kind}, args...)...)
	return root, filepath.Join(root, "kubernetes", "flux", "flux-operator", "bootstrap")
}

// stubs are programs that write down how they were called, and in CLUSTER what is there.
var stubs = map[string]string{
	"kubectl": `echo "kubectl $*" >>"$LOG"
case " $* " in
*" get deployment source-controller "*) test -e "$CLUSTER/classic" ;;
*" get fluxinstances.fluxcd.controlplane.io "*) test -e "$CLUSTER/instance" ;;
*" get secret "* | *" get configmap "*) test -e "$CLUSTER/$4-$5" ;;
*"--filename=-"*) cat >>"$LOG.stdin" ;;
*"instance.yaml"*) touch "$CLUSTER/instance" ;;
*"cluster-settings"*) touch "$CLUSTER/configmap-cluster-settings" ;;
esac`,
	"helm": `echo "helm $*" >>"$LOG"
case "$1" in
version) echo v3.19.0 ;;
pull) mkdir -p "$4/${2##*/}" && echo "{apiVersion: v2, name: ${2##*/}, version: 0.0.1}" >"$4/${2##*/}/Chart.yaml" ;;
upgrade)
  while [ $# -gt 0 ]; do
    if [ "$1" = --values ]; then sed 's/^/values: /' "$2" >>"$LOG"; fi
    shift
  done ;;
esac`,
	"sops": `echo "sops $*" >>"$LOG"
echo "decrypted: $2"`,
	"yq": `if [ -n "$YQ_FAILS" ]; then exit 1; fi
case "$*" in
*tag*) echo 0.59.0 ;;
*) echo "{replicas: 1}" ;;
esac`,
}

// stubbed runs a program with the stubs before everything else on PATH, and returns what they wrote down.
func stubbed(t *testing.T, cluster string, environment []string, name string, args ...string) (log string, err error) {
	t.Helper()
	bin := t.TempDir()
	for stub, body := range stubs {
		if err := os.WriteFile(filepath.Join(bin, stub), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	written := filepath.Join(t.TempDir(), "log")
	command := exec.Command(name, args...)
	command.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "LOG="+written, "CLUSTER="+cluster, "YQ_FAILS=", "HELM_BIN="+filepath.Join(bin, "helm"))
	command.Env = append(command.Env, environment...)
	out, err := command.CombinedOutput()
	t.Logf("%s: %v\n%s", name, err, out)
	text, _ := os.ReadFile(written)
	return string(text), err
}

// inOrder fails unless the parts come one after the other.
func inOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, part := range parts {
		_, after, found := strings.Cut(rest, part)
		if !found {
			t.Fatalf("%q does not come in its place in\n%s", part, text)
		}
		rest = after
	}
}

// touch creates files of a stubbed cluster.
func touch(t *testing.T, cluster string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(cluster, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBootstrapShell runs the script against stubs: its steps and their order, twice, and what stops it.
func TestBootstrapShell(t *testing.T) {
	_, dir := bootstrapped(t, "shell")
	script := filepath.Join(dir, "bootstrap.sh")
	if info, err := os.Stat(script); err != nil || info.Mode().Perm()&0o111 == 0 {
		t.Errorf("the script cannot be run: %v", err)
	}
	execute(t, nil, "sh", "-n", script)
	if checker, err := exec.LookPath("shellcheck"); err == nil {
		execute(t, nil, checker, script)
	} else {
		t.Log("shellcheck is not on PATH")
	}

	cluster := t.TempDir()
	if log, err := stubbed(t, cluster, nil, script); err == nil || strings.Contains(log, "helm") {
		t.Errorf("a missing Secret does not stop it: %v\n%s", err, log)
	}
	touch(t, cluster, "secret-deploy-key", "secret-sops-age", "secret-cluster-secrets")
	if log, err := stubbed(t, cluster, []string{"YQ_FAILS=1"}, script); err == nil || strings.Contains(log, "helm") {
		t.Errorf("values that cannot be read do not stop it: %v\n%s", err, log)
	}
	for range 2 {
		log, err := stubbed(t, cluster, nil, script)
		if err != nil {
			t.Fatal(err)
		}
		inOrder(t, log, "create namespace flux-system", "get secret", "helm upgrade --install flux-operator oci://ghcr.io/controlplaneio-fluxcd/charts/flux-operator",
			"--version 0.59.0 --namespace flux-system", "wait crd/fluxinstances", "apply --server-side --field-manager=kustomize-controller --filename=kubernetes/flux/flux-operator/instance/instance.yaml",
			"wait fluxinstance/flux --for=condition=Ready")
	}
	classic := t.TempDir()
	touch(t, classic, "classic", "secret-deploy-key", "secret-sops-age", "secret-cluster-secrets")
	if log, err := stubbed(t, classic, nil, script); err == nil || strings.Contains(log, "apply") {
		t.Errorf("a classic install does not stop it: %v\n%s", err, log)
	}
}

// findHelmfile finds helmfile on PATH, or builds it into the user's cache folder. Its module replaces others, so that
// it can only be built in its own folder.
func findHelmfile(t *testing.T) string {
	t.Helper()
	if found, err := exec.LookPath("helmfile"); err == nil {
		return found
	}
	if !*buildsHelmfile {
		t.Skip("skipped: no helmfile on PATH; -helmfile builds it")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("skipped: %v", err)
	}
	binary := filepath.Join(cache, "migrate-to-flux-operator-e2e", strings.ReplaceAll(helmfileModule, "/", "_"))
	if _, err := os.Stat(binary); err == nil {
		return binary
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(execute(t, nil, "go", "mod", "download", "-json", helmfileModule), &module); err != nil {
		t.Fatal(err)
	}
	execute(t, []string{"CGO_ENABLED=0", "GOFLAGS="}, "go", "build", "-C", module.Dir, "-o", binary, ".")
	return binary
}

// syncsWith runs a helmfile with the real helmfile against stubs: Flux Operator comes first, with the values of its
// HelmRelease, and the FluxInstance after it.
func syncsWith(t *testing.T, file string, steps ...string) {
	t.Helper()
	helmfile := findHelmfile(t)
	log, err := stubbed(t, t.TempDir(), []string{"HOME=" + t.TempDir()}, helmfile, "--file", file, "sync", "--hide-notes")
	if err != nil {
		t.Fatal(err)
	}
	inOrder(t, log, steps...)
}

// TestBootstrapHelmfile runs a new helmfile, in both forms of the FluxInstance.
func TestBootstrapHelmfile(t *testing.T) {
	t.Run("FluxInstance", func(t *testing.T) {
		_, dir := bootstrapped(t, "helmfile", "--operator-values", "replicas: 3")
		syncsWith(t, filepath.Join(dir, "helmfile.yaml"), "helm upgrade --install flux-operator", "values: replicas: 3",
			"kubectl apply --server-side --field-manager=kustomize-controller --filename=../instance/instance.yaml")
	})
	t.Run("HelmRelease", func(t *testing.T) {
		_, dir := bootstrapped(t, "helmfile", "--instance-form", "HelmRelease")
		syncsWith(t, filepath.Join(dir, "helmfile.yaml"), "helm upgrade --install flux-operator", "helm upgrade --install flux-instance", "values: instance:",
			"values:     version: 2.6.x")
	})
}

// moduleStub declares those inputs of the module that are used, and gives them back. The types are those of v0.8.0.
const moduleStub = `
variable "revision" { type = number }
variable "gitops_resources" {
  type = object({
    instance_yaml  = string
    prerequisites  = optional(object({ yamls = optional(list(string), []) }), {})
    operator_chart = optional(object({ version = optional(string), values_yaml = optional(string, "") }), {})
  })
}
variable "managed_resources" {
  type      = object({ secrets_yaml = optional(string, "") })
  sensitive = true
}
output "inputs" { value = var.gitops_resources }
`

// providers is what a plan without a registry cannot have.
var providers = regexp.MustCompile(`(?s)  required_providers \{.*?\n  \}\n`)

// TestBootstrapTerraform plans the module's inputs with the real Terraform, with a stub in the place of the module,
// which a registry has.
func TestBootstrapTerraform(t *testing.T) {
	terraform := tool(t, "terraform")
	_, dir := bootstrapped(t, "terraform")
	execute(t, nil, terraform, "-chdir="+dir, "fmt", "-check", "-diff")

	main := filepath.Join(dir, "main.tf")
	text, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	module := regexp.MustCompile(`  source  = "[^"]*"\n  version = "[^"]*"\n`).ReplaceAllString(string(text), "  source = \"./stub\"\n")
	module = providers.ReplaceAllString(module, "") + "\noutput \"inputs\" {\n  value = module.flux_operator_bootstrap.inputs\n}\n"
	write(t, main, module)
	write(t, filepath.Join(dir, "stub", "main.tf"), moduleStub)
	execute(t, nil, terraform, "-chdir="+dir, "init", "-backend=false", "-input=false")
	execute(t, nil, terraform, "-chdir="+dir, "validate")
	execute(t, []string{"TF_VAR_secrets_yaml="}, terraform, "-chdir="+dir, "apply", "-auto-approve", "-input=false")
	var inputs struct {
		InstanceYAML  string `json:"instance_yaml"`
		Prerequisites struct{ YAMLs []string }
		OperatorChart struct {
			Version    string
			ValuesYAML string `json:"values_yaml"`
		} `json:"operator_chart"`
	}
	if err := json.Unmarshal(execute(t, nil, terraform, "-chdir="+dir, "output", "-json", "inputs"), &inputs); err != nil {
		t.Fatal(err)
	}
	if inputs.OperatorChart.Version != "0.59.0" || !strings.Contains(inputs.InstanceYAML, "kind: FluxInstance") {
		t.Errorf("the module is told %+v", inputs)
	}
	var kinds []string
	for _, document := range inputs.Prerequisites.YAMLs {
		var object struct{ Kind string }
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Error(err)
		}
		kinds = append(kinds, object.Kind)
	}
	if !slices.Equal(kinds, []string{"Namespace", "ConfigMap"}) {
		t.Errorf("the prerequisites are %v", kinds)
	}
}

// write writes a file and its folder.
func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
