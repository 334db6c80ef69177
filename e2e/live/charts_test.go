package live

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"migrate-to-flux-operator/e2e/objects"
)

// registryHost is where the charts and Flux's manifests come from.
const registryHost = "ghcr.io"

// The media types of what the registry holds.
const (
	chartConfig  = types.MediaType("application/vnd.cncf.helm.config.v1+json")
	chartLayer   = types.MediaType("application/vnd.cncf.helm.chart.content.v1.tar+gzip")
	contentLayer = types.MediaType("application/vnd.cncf.flux.content.v1.tar+gzip")
)

// newRegistry is a registry with the charts of Flux Operator and Flux's manifests.
func newRegistry(t *testing.T, built tools) http.Handler {
	t.Helper()
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(handler)
	defer server.Close()
	push := func(name, tag string, config, layer types.MediaType, files tree) {
		content, err := files.pack()
		if err != nil {
			t.Fatal(err)
		}
		image, err := mutate.Append(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), config),
			mutate.Addendum{Layer: static.NewLayer(content, layer), MediaType: layer})
		if err != nil {
			t.Fatal(err)
		}
		reference := strings.TrimPrefix(server.URL, "http://") + "/" + name + ":" + tag
		if err := crane.Push(image, reference, crane.Insecure); err != nil {
			t.Fatal(err)
		}
	}
	push("fluxcd/flux-manifests", fluxVersion, types.OCIConfigJSON, contentLayer, tree{"gotk-components.yaml": manifests(t, built, fluxVersion)})
	community := installs(manifests(t, built, charted)).chart("flux2", chartVersion)
	push("fluxcd-community/charts/flux2", chartVersion, chartConfig, chartLayer, community)
	for name, chart := range map[string]tree{operatorName: operatorChart(t, built), instanceName: readTree(t, "../testdata/charts/"+instanceName)} {
		push("controlplaneio-fluxcd/charts/"+name, operatorVersion, chartConfig, chartLayer, chart.chart(name, operatorVersion))
	}
	return handler
}

// chart is the tree as a chart: in a folder of its name, and of this version.
func (files tree) chart(name, version string) tree {
	chart := tree{}
	for file, content := range files {
		chart[path.Join(name, file)] = content
	}
	chart[name+"/Chart.yaml"] = "apiVersion: v2\nname: " + name + "\nversion: " + version + "\n"
	return chart
}

// installs is a chart that installs these manifests, whatever its values.
func installs(manifests string) tree {
	return tree{"templates/install.yaml": `{{ .Files.Get "install.yaml" }}`, "values.yaml": "{}\n", "install.yaml": manifests}
}

// operatorChart stands in for the chart of Flux Operator: the CRDs, which stay when the release goes, and a Deployment.
func operatorChart(t *testing.T, built tools) tree {
	t.Helper()
	definitions, err := filepath.Glob(filepath.Join(built.operatorModule, "config/crd/bases/*.yaml"))
	if err != nil || len(definitions) == 0 {
		t.Fatalf("no CRDs of the operator: %v", err)
	}
	var all []*objects.Object
	for _, file := range append(definitions, filepath.Join(built.operatorModule, "config/manager/deployment.yaml")) {
		list, err := objects.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, list...)
	}
	for _, one := range all {
		if one.GetKind() == "CustomResourceDefinition" {
			one.SetAnnotations(map[string]string{"helm.sh/resource-policy": "keep"})
		}
	}
	written, err := objects.Write(all)
	if err != nil {
		t.Fatal(err)
	}
	return installs(string(written))
}

// pack makes the tree a tar file, compressed: the same bytes for the same files.
func (files tree) pack() ([]byte, error) {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	archive := tar.NewWriter(zip)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := archive.Write([]byte(files[name])); err != nil {
			return nil, err
		}
	}
	err := errors.Join(archive.Close(), zip.Close())
	return out.Bytes(), err
}
