package e2e

import (
	"cmp"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	release "helm.sh/helm/v4/pkg/release/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"migrate-to-flux-operator/e2e/compare"
	"migrate-to-flux-operator/e2e/objects"
)

// TestFlux2Chart holds the controllers that the community's chart flux2 installs against those that the operator makes
// of the FluxInstance. The chart is read from a clone of github.com/fluxcd-community/helm-charts that FLUX2_CHARTS
// names.
func TestFlux2Chart(t *testing.T) {
	clone := os.Getenv("FLUX2_CHARTS")
	if clone == "" {
		t.Skip("skipped: FLUX2_CHARTS names no clone of github.com/fluxcd-community/helm-charts")
	}
	fn := commands(t)
	for _, name := range []string{"flux2-chart", "flux2-chart-every-value"} {
		t.Run(name, func(t *testing.T) {
			directory := migrated(t, fn, name, "0.59.0")
			before := controllers(renderFlux2(t, clone, directory))
			built, err := theOperator(t).Build(readOne(t, find(t, directory, "FluxInstance")))
			if err != nil {
				t.Fatal(err)
			}
			found, err := compare.Objects(before, controllers(built))
			if err != nil {
				t.Fatal(err)
			}
			report(t, slices.DeleteFunc(found, ofTheTemplates))
		})
	}
}

// ofTheTemplates tells what the chart has by default and flux install has not, or the other way round, and what
// helm-controller adds and Helm does not: spec.commonMetadata.
func ofTheTemplates(d compare.Difference) bool {
	return slices.Contains([]string{
		"/spec/template/spec/containers/0/ports/0/protocol absent \"TCP\"",
		"/spec/template/spec/containers/0/resources/limits {} absent",
		"/spec/template/spec/priorityClassName absent \"system-cluster-critical\"",
		"/spec/template/spec/securityContext absent {\"fsGroup\":1337}",
		"/spec/template/spec/nodeSelector/kubernetes.io~1os absent \"linux\"",
		"/metadata/labels/team absent \"platform\"",
	}, strings.NewReplacer("(", "", ")", "").Replace(d.Path+" "+d.Classic+" "+d.Operator))
}

// controllers are the Deployments among objects, in the namespace that Helm applies them to, without what the templates
// of the chart do differently from flux install, whatever the values. Flags count as a set: the chart has an order of
// its own.
func controllers(list []*objects.Object) []*objects.Object {
	list = slices.DeleteFunc(list, func(o *objects.Object) bool { return o.GetKind() != "Deployment" })
	for _, o := range list {
		o.SetNamespace("flux-system")
		labels := o.GetLabels()
		maps.DeleteFunc(labels, func(key, _ string) bool {
			return key == "helm.sh/chart" || strings.HasPrefix(key, "app.kubernetes.io/")
		})
		o.SetLabels(labels)
		pod, _, _ := unstructured.NestedMap(o.Object, "spec", "template", "spec")
		delete(pod, "automountServiceAccountToken")
		all, _ := pod["containers"].([]any)
		container := all[0].(map[string]any)
		container["args"], container["env"] = flags(container["args"]), variables(container["env"])
		_ = unstructured.SetNestedMap(o.Object, pod, "spec", "template", "spec")
	}
	return list
}

// flags are arguments in the order of their names; the chart leaves out the slash behind an address.
func flags(args any) []any {
	var sorted []any
	for _, arg := range args.([]any) {
		sorted = append(sorted, strings.TrimSuffix(arg.(string), "/"))
	}
	slices.SortFunc(sorted, func(a, b any) int { return cmp.Compare(a.(string), b.(string)) })
	return sorted
}

// variables are those of the environment in the order of their names, without those that the chart does not have.
func variables(env any) []any {
	list, _ := env.([]any)
	name := func(entry any) string { text, _ := entry.(map[string]any)["name"].(string); return text }
	list = slices.DeleteFunc(list, func(entry any) bool {
		from, _ := entry.(map[string]any)["valueFrom"].(map[string]any)
		return from["resourceFieldRef"] != nil || name(entry) == "TUF_ROOT"
	})
	slices.SortFunc(list, func(a, b any) int { return cmp.Compare(name(a), name(b)) })
	return list
}

// renderFlux2 is what Helm makes of the HelmRelease of the chart flux2 in a repository.
func renderFlux2(t *testing.T, clone, directory string) []*objects.Object {
	t.Helper()
	all, err := objects.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range all {
		version, _, _ := unstructured.NestedString(object.Object.Object, "spec", "chart", "spec", "version")
		if object.GetKind() != "HelmRelease" || object.GetName() != "flux" {
			continue
		}
		values, _, _ := unstructured.NestedMap(object.Object.Object, "spec", "values")
		install := action.NewInstall(newHelm().config)
		install.ReleaseName, install.Namespace = "flux", "flux-system"
		made, err := install.Run(loadFlux2(t, clone, version), values)
		if err != nil {
			t.Fatal(err)
		}
		read, err := objects.Read([]byte(made.(*release.Release).Manifest))
		if err != nil {
			t.Fatal(err)
		}
		return read
	}
	t.Fatal("no HelmRelease of flux2")
	return nil
}

// loadFlux2 loads a version of the chart flux2 from the commit that published it.
func loadFlux2(t *testing.T, clone, version string) *chart.Chart {
	t.Helper()
	git := func(args ...string) string {
		out, err := exec.Command("git", append([]string{"-C", clone}, args...)...).Output()
		if err != nil {
			t.Fatalf("git %s: %v", strings.Join(args, " "), err)
		}
		return string(out)
	}
	commits := strings.Fields(git("log", "--format=%H", "--", "charts/flux2/Chart.yaml"))
	at := slices.IndexFunc(commits, func(commit string) bool {
		return strings.Contains(git("show", commit+":charts/flux2/Chart.yaml"), "version: "+version+"\n")
	})
	if at < 0 {
		t.Fatalf("the clone has no version %s of flux2", version)
	}
	var files []*archive.BufferedFile
	for _, name := range strings.Fields(git("ls-tree", "-r", "--name-only", commits[at]+":charts/flux2")) {
		files = append(files, &archive.BufferedFile{Name: name, Data: []byte(git("show", commits[at]+":charts/flux2/"+name))})
	}
	loaded, err := loader.LoadFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}
