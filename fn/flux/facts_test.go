package flux

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

func TestReleases(t *testing.T) {
	all := Releases()
	if all[0].Original() != "v2.0.0" || !all[len(all)-1].Equal(NewestOperator().Max) || len(all) < 39 {
		t.Errorf("have %d releases from %s to %s", len(all), all[0], all[len(all)-1])
	}
	for version, want := range map[string]bool{
		"v2.2.2": false, "v2.2.3": true, "2.6.4": true, "v2.8.3": true, "v2.8.4": false, "v2.9.5": true, "v3.0.0": false, "": false, "latest": false,
	} {
		if Has(version) != want {
			t.Errorf("Has(%q) = %t", version, !want)
		}
	}
}

func TestLatest(t *testing.T) {
	for constraint, want := range map[string]string{
		"2.x": NewestOperator().Max.Original(), "2.6.x": "v2.6.4", "2.6": "v2.6.4", "~2.6.1": "v2.6.4", ">=2.6.0 <2.7.0": "v2.6.4", "v2.6.3": "v2.6.3", "2.6.3": "v2.6.3",
		"2.2.2": "", "2.8.4": "", "latest": "", "2.8.x": "v2.8.8",
	} {
		got, err := Latest(constraint)
		if want == "" && err == nil || want != "" && (err != nil || got.Original() != want) {
			t.Errorf("Latest(%q) = %v, %v; want %q", constraint, got, err, want)
		}
	}
	old, _ := FindOperator("0.32.0")
	if got, err := old.Latest("2.x"); err != nil || got.Original() != "v2.7.2" {
		t.Errorf("operator 0.32.0 takes %v for 2.x, want v2.7.2 (%v)", got, err)
	}
}

func TestControllers(t *testing.T) {
	if got := Controllers("2.6.4"); got["source-controller"] != "v1.6.2" || got["image-automation-controller"] != "v0.41.2" || len(got) != 6 {
		t.Errorf("v2.6.4 ships %v", got)
	}
	if got := Controllers("v2.7.5")["source-watcher"]; got != "v2.0.3" {
		t.Errorf("v2.7.5 ships source-watcher %s", got)
	}
	if got := fmt.Sprint(ByController("kustomize-controller", "v1.6.0")); got != "[2.6.0 2.6.1 2.6.2 2.6.3]" {
		t.Errorf("kustomize-controller v1.6.0 is in %s", got)
	}
	if got := ByController("source-watcher", ""); got != nil {
		t.Errorf("no tag is in %v", got)
	}
}

// The manifests are those of the release: but for one image they carry the tags of the table.
func TestManifestsCarryTheTagsOfTheTable(t *testing.T) {
	for _, v := range Releases() {
		if !Has(v.Original()) {
			continue
		}
		for component, imageTag := range Controllers(v.Original()) {
			content, err := manifest(v.Original(), component)
			if err != nil {
				t.Error(err)
				continue
			}
			known := v.Original() == "v2.2.3" && component == sourceController
			if has := strings.Contains(string(content), "image: fluxcd/"+component+":"+imageTag+"\n"); has == known {
				t.Errorf("Flux %s %s %s: in the manifest %t", v.Original(), component, imageTag, has)
			}
		}
	}
}

func TestComponents(t *testing.T) {
	for _, c := range []struct {
		got  []string
		want int
	}{
		{DefaultComponents(), 4},
		{AllComponents("v2.6.4"), 6}, {AllComponents("v2.7.0"), 7},
		{ArtifactComponents("v2.9.2"), 6}, {ArtifactComponents("v2.9.3"), 7},
		{RemoteBaseComponents("v2.8.6"), 6}, {RemoteBaseComponents("v2.8.7"), 7},
	} {
		if len(c.got) != c.want {
			t.Errorf("have %v, want %d", c.got, c.want)
		}
	}
}

func TestOperators(t *testing.T) {
	o, ok := FindOperator("v0.32.0")
	if !ok || o.Min.Original() != "v2.2.3" || o.Max.Original() != "v2.7.2" {
		t.Errorf("0.32.0: %v", o)
	}
	if !o.Runs("v2.7.2") || o.Runs("v2.7.3") || o.Runs("v2.2.2") || NewestOperator().Runs("v2.8.4") {
		t.Error("the range of an operator does not hold")
	}
	if _, known := FindOperator("0.59.0"); !known {
		t.Error("0.59.0 is not known")
	}
	for _, version := range []string{"0.0.1", "1.0.0", "main"} {
		if _, ok := FindOperator(version); ok {
			t.Errorf("found operator %s, which embeds nothing or does not exist", version)
		}
	}
}

func TestSince(t *testing.T) {
	for field, want := range map[string]string{
		"spec.sync.name": "v0.11.0", "spec.cluster.size": "v0.27.0", "spec.components[]=source-watcher": "v0.30.0",
		"spec.sync.provider": "v0.16.0", "spec.storage": "v0.2.0", "spec.distribution.variant": "v0.33.0",
	} {
		if got, ok := Since(field); !ok || got.Original() != want {
			t.Errorf("%s since %v, want %s", field, got, want)
		}
	}
	if _, ok := Since("spec.sync.postBuild"); ok {
		t.Error("spec.sync.postBuild does not exist")
	}
	o, _ := FindOperator("0.26.0")
	if o.Supports("spec.cluster.size") || !o.Supports("spec.sync.name") {
		t.Error("0.26.0 supports sync.name and not cluster.size")
	}
}

func TestServed(t *testing.T) {
	for _, c := range []struct{ version, group, kind, want string }{
		{"2.5.1", "source.toolkit.fluxcd.io", "OCIRepository", "[v1beta2]"},
		{"2.6.0", "source.toolkit.fluxcd.io", "OCIRepository", "[v1 v1beta2]"},
		{"2.2.1", "helm.toolkit.fluxcd.io", "HelmRelease", "[v2beta1 v2beta2]"},
		{"2.3.0", "helm.toolkit.fluxcd.io", "HelmRelease", "[v2 v2beta1 v2beta2]"},
		{"2.1.2", "helm.toolkit.fluxcd.io", "HelmRelease", "[v2beta1]"},
		{"2.8.4", "kustomize.toolkit.fluxcd.io", "Kustomization", "[v1]"},
		{"2.6.4", "source.toolkit.fluxcd.io", "ExternalArtifact", "[]"},
		{"2.6.4", "kustomize.config.k8s.io", "Kustomization", "[]"},
		{"main", "source.toolkit.fluxcd.io", "Bucket", "[]"},
	} {
		got := Served(c.version, c.group, c.kind)
		slices.Sort(got)
		if fmt.Sprint(got) != c.want {
			t.Errorf("Flux %s serves %s %v, want %s", c.version, c.kind, got, c.want)
		}
	}
}

// Releases without manifests stand on facts: real repositories hold their CRDs.
func TestServedIsWhatRealRepositoriesHold(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: it reads the corpus")
	}
	compared := 0
	for _, file := range gotkComponents(t) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		version := header(content, "Flux Version")
		if !strings.HasPrefix(version, "v2.") {
			continue
		}
		for _, object := range parse(t, content) {
			if object.GetKind() == "CustomResourceDefinition" {
				compared++
				compareServed(t, filepath.Base(filepath.Dir(file))+" "+version, version, object)
			}
		}
	}
	if compared == 0 {
		t.Fatal("nothing compared")
	}
}

// compareServed compares one CRD with Served.
func compareServed(t *testing.T, name, version string, crd *yaml.RNode) {
	t.Helper()
	group, kind := text(t, crd, "spec.group"), text(t, crd, "spec.names.kind")
	var want []string
	versions, err := crd.Pipe(yaml.Lookup("spec", "versions"))
	if err != nil {
		t.Fatal(err)
	}
	elements, err := versions.Elements()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range elements {
		if text(t, e, "served") == "true" {
			want = append(want, text(t, e, "name"))
		}
	}
	got := Served(version, group, kind)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: %s %s served %v, the file has %v", name, group, kind, got, want)
	}
}

// text is the scalar at a path, empty when there is none.
func text(t *testing.T, node *yaml.RNode, path string) string {
	t.Helper()
	found, err := node.Pipe(yaml.Lookup(strings.Split(path, ".")...))
	if err != nil {
		t.Fatal(err)
	}
	if found == nil {
		return ""
	}
	return found.YNode().Value
}

// TestLaterOperator holds that a release after all that are known has what the newest has, and that nothing else passes
// for one.
func TestLaterOperator(t *testing.T) {
	later, ok := LaterOperator("v0.999.0")
	if !ok || later.Version.String() != "0.999.0" || !later.Max.Equal(NewestOperator().Max) || !later.Supports("spec.sync.name") {
		t.Errorf("0.999.0: %v, %t", later, ok)
	}
	for _, version := range []string{NewestOperator().Version.String(), "0.57.99", "1.0.0", "0.999.0-rc.1", "0.999", "0.999.x", "latest", ""} {
		if _, ok := LaterOperator(version); ok {
			t.Errorf("%q passes for a later release", version)
		}
	}
}
