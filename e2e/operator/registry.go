package operator

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/crane"
	ociregistry "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// contentType is the media type of a Flux artifact's layer.
const contentType = types.MediaType("application/vnd.cncf.flux.content.v1.tar+gzip")

// registry is an OCI registry on loopback with one artifact.
type registry struct {
	server   *httptest.Server
	artifact string
}

// serve starts a registry whose artifact holds the Flux manifests of a data directory.
func serve(data string) (*registry, error) {
	content, err := archive(data, "flux")
	if err != nil {
		return nil, err
	}
	image, err := mutate.Append(empty.Image, mutate.Addendum{Layer: static.NewLayer(content, contentType)})
	if err != nil {
		return nil, err
	}
	server := httptest.NewServer(ociregistry.New(ociregistry.Logger(log.New(io.Discard, "", 0))))
	started := &registry{server: server}
	return started, started.push(image)
}

// push uploads the artifact under the name that the operator's own artifact has.
func (r *registry) push(image v1.Image) error {
	name := fmt.Sprintf("%s/flux-operator-manifests:latest", r.server.Listener.Addr().(*net.TCPAddr))
	r.artifact = "oci://" + name
	return crane.Push(image, name, crane.Insecure, crane.WithTransport(http.DefaultTransport))
}

// close stops the registry.
func (r *registry) close() {
	r.server.Close()
}

// archive packs one folder of the data directory, under its own name, as tar and gzip.
func archive(data, folder string) ([]byte, error) {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	pack := tar.NewWriter(zip)
	files, err := filepath.Glob(filepath.Join(data, folder, "*", "*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no Flux manifests in %s", data)
	}
	for _, file := range files {
		if err := addFile(pack, data, file); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(pack.Close(), zip.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// addFile packs one file under its path relative to the data directory.
func addFile(pack *tar.Writer, data, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	name, err := filepath.Rel(data, file)
	if err != nil {
		return err
	}
	if err := pack.WriteHeader(&tar.Header{Name: filepath.ToSlash(name), Mode: 0o644, Size: int64(len(content))}); err != nil {
		return err
	}
	_, err = pack.Write(content)
	return err
}
