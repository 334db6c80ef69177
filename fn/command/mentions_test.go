package command

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"migrate-to-flux-operator/fn/checkout"
	"migrate-to-flux-operator/fn/finding"
)

// TestMentions holds that what tools do with a removed file is warned about with its line, and nothing else is.
func TestMentions(t *testing.T) {
	dir := fixture(t, "deploy")
	write(t, dir, "scripts/early.sh", "cat cluster/flux.yaml cluster/apps.yaml\n")
	const early = "scripts/early.sh:1"
	if out := flat(must(t, 0, dir, "plan", "DIR", "--verbose").out); !strings.Contains(out, "Note names cluster/flux.yaml, which cleanup removes: what it does with it changes then ("+early) ||
		strings.Count(out, "which cleanup removes") != 1 {
		t.Errorf("deploy does not name what cleanup removes:\n%s", out)
	}
	if want, out := "Note early.sh:1: names cluster/flux.yaml, which cleanup removes", flat(must(t, 0, dir, "plan", "DIR").out); !strings.Contains(out, want) {
		t.Errorf("the short plan does not say %q:\n%s", want, out)
	}
	if err := os.RemoveAll(filepath.Join(dir, "scripts")); err != nil {
		t.Fatal(err)
	}
	must(t, 0, dir, "apply", "DIR")
	write(t, dir, ".github/workflows/update.yaml", "on: push\njobs:\n  update:\n    steps:\n      - run: yq -i . cluster/flux.yaml\n      - run: cat cluster/flux.yaml\n")
	write(t, dir, ".github/renovate.json5", "{\n  flux: {fileMatch: ['^cluster/flux\\\\.yaml$']},\n}\n")
	write(t, dir, "Taskfile.yaml", "tasks:\n  other: cat other-cluster/flux.yaml cluster/flux.yaml.bak cluster/flux-operator/ks.yaml\n")
	write(t, dir, "scripts/up.sh", "kubectl apply -f ./cluster/sync.yaml.\n")
	write(t, dir, "docs/flux.md", "See cluster/flux.yaml.\n")
	if have := placesOf(t, dir, finding.NamedByTooling); have != nil {
		t.Errorf("nothing is removed, but: %v", have)
	}
	have := placesOf(t, dir, finding.NamedByTooling, "--phase", "cleanup", "--taken-over")
	if want := []string{".github/renovate.json5:2", ".github/workflows/update.yaml:5", "scripts/up.sh:1"}; !slices.Equal(want, have) {
		t.Errorf("want %v, have %v", want, have)
	}
}

// TestHelmfileThatIsThere holds that deploy names a helmfile that installs Flux Operator already, with the flag that
// updates it, and that nothing is said where that flag is given or where another chart is installed.
func TestHelmfileThatIsThere(t *testing.T) {
	dir := fixture(t, "deploy")
	write(t, dir, "bootstrap/helmfile.yaml", "releases:\n- name: other\n  chart: oci://example.com/charts/other\n  version: 1.0.0\n")
	const said = "a helmfile installs Flux Operator 0.28.0 on a rebuilt cluster: --bootstrap helmfile updates it (bootstrap/helmfile.yaml)"
	if out := flat(must(t, 0, dir, "plan", "DIR").out); strings.Contains(out, "helmfile") {
		t.Errorf("another chart is named:\n%s", out)
	}
	write(t, dir, "bootstrap/helmfile.yaml", "releases:\n- name: flux-operator\n  namespace: flux-system\n"+
		"  chart: oci://ghcr.io/controlplaneio-fluxcd/charts/flux-operator\n  version: 0.28.0\n")
	if out := flat(must(t, 0, dir, "plan", "DIR").out); !strings.Contains(out, "Found "+said) {
		t.Errorf("%q is not in\n%s", said, out)
	}
	if out := flat(must(t, 0, dir, "plan", "DIR", "--bootstrap", "helmfile").out); strings.Contains(out, "updates it") {
		t.Errorf("what is done is said to be left:\n%s", out)
	}
}

// TestRaised holds that deploy says who raises versions from now on.
func TestRaised(t *testing.T) {
	dir := fixture(t, "deploy")
	says(t, 0, dir, []string{"Moved from now on the version of Flux Operator is here: nobody but you raises it", "(cluster/flux-operator/operator/source.yaml)"}, "plan", "DIR", "--verbose")
	write(t, dir, ".github/renovate.json", "{\"extends\": [\"config:recommended\"]}\n")
	says(t, 0, dir, []string{"Renovate raises it once the file patterns of its manager flux match this file, and Flux itself does not rise"}, "plan", "DIR", "--verbose")
	write(t, dir, ".github/renovate.json", "{\"customManagers\": []}\n")
	write(t, dir, "versions.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  # renovate: depName=a datasource=b\n  a: 1\n")
	says(t, 0, dir, []string{"and Flux itself by the comment above distribution.version"}, "plan", "DIR", "--verbose")
}

// TestTerraformBootstrap holds that Terraform which bootstraps Flux is warned about in both phases: it takes the guards
// away, and uninstalls Flux when the resource is removed.
func TestTerraformBootstrap(t *testing.T) {
	dir := fixture(t, "deploy")
	write(t, dir, "terraform/flux.tf", "# Flux\nresource \"flux_bootstrap_git\" \"this\" {\n  path = \"cluster\"\n}\n")
	write(t, dir, "docs/flux.md", "resource \"flux_bootstrap_git\" \"this\" {}\n")
	want := []string{"terraform/flux.tf:2"}
	if have := placesOf(t, dir, finding.TerraformBootstrap); !slices.Equal(want, have) {
		t.Errorf("want %v, have %v", want, have)
	}
	must(t, 0, dir, "apply", "DIR")
	if have := placesOf(t, dir, finding.TerraformBootstrap); have != nil {
		t.Errorf("nothing changes, but: %v", have)
	}
	if have := placesOf(t, dir, finding.TerraformBootstrap, "--phase", "cleanup", "--taken-over"); !slices.Equal(want, have) {
		t.Errorf("want %v, have %v", want, have)
	}
}

// TestAzureOfAnotherCluster holds that Azure's extension is warned about where the cluster has a classic install of its
// own, in each language that installs it, and that a comment is none.
func TestAzureOfAnotherCluster(t *testing.T) {
	dir := fixture(t, "deploy")
	write(t, dir, "infra/flux.tf", "# extension_type = \"microsoft.flux\"\n")
	if have := placesOf(t, dir, finding.AzureExtension); have != nil {
		t.Errorf("a comment is taken for the extension: %v", have)
	}
	write(t, dir, "infra/flux.tf", "#\nresource \"azurerm_arc_kubernetes_flux_configuration\" \"this\" {\n}\n")
	write(t, dir, "infra/flux.bicep", "extensionType: 'microsoft.flux'\n")
	write(t, dir, "infra/arm.json", "{\"type\": \"Microsoft.KubernetesConfiguration/fluxConfigurations\"}\n")
	if want, have := []string{"infra/arm.json:1", "infra/flux.bicep:1", "infra/flux.tf:2"}, placesOf(t, dir, finding.AzureExtension); !slices.Equal(want, have) {
		t.Errorf("want %v, have %v", want, have)
	}
}

// TestMentionsOfAFolder holds that a one-shot bootstrap is found by the end of its folder's path, and that what stays
// in the folder is not.
func TestMentionsOfAFolder(t *testing.T) {
	const removed = "kubernetes/bootstrap/flux/kustomization.yaml"
	tree := fstest.MapFS{removed: {}, "kubernetes/bootstrap/flux/key.sops.yaml": {}}
	gone := removedPaths([]checkout.Change{{Path: removed, Before: []byte("x")}}, tree)
	found := mentionsIn("Taskfile.yaml", []byte("- kubectl apply --kustomize {{.DIR}}/bootstrap/flux\n- sops {{.DIR}}/bootstrap/flux/key.sops.yaml\n"+
		"- cat my-bootstrap/flux bootstrap/flux2\n- cat "+removed+"\n"), gone, finding.Finding{Message: "names %s, which goes"})
	var have []string
	for _, f := range found {
		have = append(have, f.File+" "+strings.Fields(f.Message)[1])
	}
	if want := []string{"Taskfile.yaml:1 bootstrap/flux,", "Taskfile.yaml:4 " + removed + ","}; !slices.Equal(want, have) {
		t.Errorf("want %v, have %v", want, have)
	}
}
