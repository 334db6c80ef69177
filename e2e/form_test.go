package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/kube"
	kubefake "helm.sh/helm/v4/pkg/kube/fake"
	release "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage"
	"helm.sh/helm/v4/pkg/storage/driver"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"migrate-to-flux-operator/e2e/objects"
)

// formVersions are the versions of Flux Operator whose chart is tried where the charts are there: the first that the
// product installs, those whose chart changed, and the last that is known.
var formVersions = []string{"0.28.0", "0.30.0", "0.37.1", "0.47.0", "0.48.0", "0.49.0"}

// formCases are repositories of the product's own cases.
var formCases = []string{"deploy", "home-deploy", "bootstrap-deploy", "sync-git-every-field", "sync-root-every-field", "patch-multi-tenancy"}

// TestFormsRenderTheSameFlux holds the two forms of the FluxInstance against each other: what Helm makes of the values
// of the HelmRelease is built by the operator to the same bytes as the FluxInstance.
func TestFormsRenderTheSameFlux(t *testing.T) {
	fn := commands(t)
	for _, version := range chartVersions(t) {
		for _, name := range casesOf(t, version) {
			t.Run(version+"/"+name, func(t *testing.T) {
				plain := readOne(t, find(t, migrated(t, fn, name, version), "FluxInstance"))
				values := releaseValues(t, migrated(t, fn, name, version, "--instance-form", "HelmRelease"))
				rendered := newHelm().install(t, chartOf(t, version), values)
				if artifact, _, _ := unstructured.NestedFieldNoCopy(rendered.Object, "spec", "distribution", "artifact"); artifact != nil {
					t.Errorf("an artifact that moves: %v", artifact)
				}
				want, got := build(t, plain), build(t, rendered)
				if !bytes.Equal(want, got) {
					t.Errorf("the forms differ: %.2000s", firstDifference(want, got))
				}
			})
		}
	}
}

// TestUninstallKeepsFluxInstance shows by Helm itself that the FluxInstance outlives its release, and that the
// annotation in the values is why.
func TestUninstallKeepsFluxInstance(t *testing.T) {
	fn, version := commands(t), chartVersions(t)[len(chartVersions(t))-1]
	values := releaseValues(t, migrated(t, fn, "deploy", version, "--instance-form", "HelmRelease"))
	installed := newHelm()
	installed.install(t, chartOf(t, version), values)
	if kept := installed.uninstall(t); !strings.Contains(kept, "[FluxInstance] flux") {
		t.Errorf("Helm keeps %q, want the FluxInstance", kept)
	}
	delete(values, "commonAnnotations")
	installed = newHelm()
	installed.install(t, chartOf(t, version), values)
	if kept := installed.uninstall(t); kept != "" {
		t.Errorf("Helm keeps %q without the annotation", kept)
	}
}

// TestChartIgnoresUnknownValues is why the product refuses what the chart does not know.
func TestChartIgnoresUnknownValues(t *testing.T) {
	if charts() == "" {
		t.Skip("skipped: CHARTS names no clone of github.com/controlplaneio-fluxcd/charts")
	}
	values := map[string]any{"instance": map[string]any{"wait": false, "sync": map[string]any{"url": "u", "ref": "r", "path": "p", "postBuild": map[string]any{}}}}
	rendered := newHelm().install(t, chartOf(t, "0.49.0"), values)
	for _, path := range [][]string{{"spec", "wait"}, {"spec", "sync", "postBuild"}} {
		if _, found, _ := unstructured.NestedFieldNoCopy(rendered.Object, path...); found {
			t.Errorf("the chart renders %s", strings.Join(path, "."))
		}
	}
}

// charts is a clone of the repository of Flux Operator's charts, empty where there is none.
func charts() string { return os.Getenv("CHARTS") }

// chartVersions are the charts that can be rendered here; with the stand-in only the version that the product installs.
func chartVersions(t *testing.T) []string {
	t.Helper()
	if charts() != "" {
		return formVersions
	}
	t.Log("CHARTS names no clone of github.com/controlplaneio-fluxcd/charts: a stand-in renders the values")
	return []string{"0.59.0"}
}

// casesOf are the cases to render with a chart: all with the last, one with the others.
func casesOf(t *testing.T, version string) []string {
	t.Helper()
	if versions := chartVersions(t); version != versions[len(versions)-1] {
		return []string{"home-deploy"}
	}
	return formCases
}

// chartOf loads the chart flux-instance as the charts repository published it, or the stand-in.
func chartOf(t *testing.T, version string) *chart.Chart {
	t.Helper()
	if charts() == "" {
		loaded, err := loader.LoadDir(filepath.Join("testdata", "charts", "flux-instance"))
		if err != nil {
			t.Fatal(err)
		}
		return loaded
	}
	tags := strings.Fields(gitCharts(t, "tag", "--list", "v*", "--sort=-creatordate"))
	at := slices.IndexFunc(tags, func(tag string) bool {
		return strings.Contains(gitCharts(t, "show", tag+":charts/flux-operator/Chart.yaml"), "version: "+version+"\n")
	})
	if at < 0 {
		t.Fatalf("no tag of the charts repository has %s", version)
	}
	var files []*archive.BufferedFile
	for _, name := range strings.Fields(gitCharts(t, "ls-tree", "-r", "--name-only", tags[at]+":charts/flux-instance")) {
		files = append(files, &archive.BufferedFile{Name: name, Data: []byte(gitCharts(t, "show", tags[at]+":charts/flux-instance/"+name))})
	}
	loaded, err := loader.LoadFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func gitCharts(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("git", append([]string{"-C", charts()}, args...)...).Output()
	if err != nil {
		t.Fatalf("git %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

// migrated is the repository of one of the product's cases after the phase deploy.
func migrated(t *testing.T, fn product, name, version string, args ...string) string {
	t.Helper()
	directory := caseInput(t, name)
	if _, err := fn.run(append([]string{"apply", directory, "--operator-version", version}, args...)...); err != nil {
		t.Fatal(err)
	}
	return directory
}

// find is the file with the one object of a kind that deploy added.
func find(t *testing.T, directory, kind string) string {
	t.Helper()
	read, err := objects.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range read {
		if object.GetKind() == kind && strings.Contains(object.File, "/instance/") {
			return filepath.Join(directory, object.File)
		}
	}
	t.Fatalf("no %s in %s", kind, directory)
	return ""
}

// releaseValues are the values of the HelmRelease flux-instance.
func releaseValues(t *testing.T, directory string) map[string]any {
	t.Helper()
	values, found, err := unstructured.NestedMap(readOne(t, find(t, directory, "HelmRelease")).Object, "spec", "values")
	if err != nil || !found {
		t.Fatalf("no values: %v", err)
	}
	return values
}

// build is what the operator makes of a FluxInstance.
func build(t *testing.T, instance *objects.Object) []byte {
	t.Helper()
	built, err := theOperator(t).Build(instance)
	if err != nil {
		t.Fatal(err)
	}
	data, err := objects.Write(built)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// firstDifference is the first line that differs, with what is above it.
func firstDifference(a, b []byte) string {
	was, is := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for n := range min(len(was), len(is)) {
		if was[n] != is[n] {
			return fmt.Sprintf("line %d: %q, %q\n%s", n, was[n], is[n], strings.Join(was[max(0, n-10):n], "\n"))
		}
	}
	return fmt.Sprintf("%d and %d lines", len(was), len(is))
}

// helm is Helm with releases in memory and no cluster.
type helm struct{ config *action.Configuration }

func newHelm() helm {
	client := &kubefake.FailingKubeClient{PrintingKubeClient: kubefake.PrintingKubeClient{Out: io.Discard}, DummyResources: kube.ResourceList{}}
	capabilities := common.DefaultCapabilities.Copy()
	capabilities.KubeVersion = common.KubeVersion{Version: "v1.34.1", Major: "1", Minor: "34"}
	return helm{&action.Configuration{Releases: storage.Init(driver.NewMemory()), KubeClient: client, Capabilities: capabilities}}
}

// releaseName is that of the HelmRelease, which names no other.
const releaseName = "flux-instance"

// install makes a release and returns its one object.
func (h helm) install(t *testing.T, chart *chart.Chart, values map[string]any) *objects.Object {
	t.Helper()
	install := action.NewInstall(h.config)
	install.ReleaseName, install.Namespace = releaseName, "flux-system"
	made, err := install.Run(chart, values)
	if err != nil {
		t.Fatal(err)
	}
	read, err := objects.Read([]byte(made.(*release.Release).Manifest))
	if err != nil || len(read) != 1 {
		t.Fatalf("%d objects in the release: %v", len(read), err)
	}
	return read[0]
}

// uninstall removes the release and returns what Helm says that it keeps.
func (h helm) uninstall(t *testing.T) string {
	t.Helper()
	gone, err := action.NewUninstall(h.config).Run(releaseName)
	if err != nil {
		t.Fatal(err)
	}
	return gone.Info
}
