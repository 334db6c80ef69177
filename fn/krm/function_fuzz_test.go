package krm

import (
	"bytes"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/kio"
)

// FuzzFunction runs the function on any input: it never breaks, and what it writes is a ResourceList, with as many
// items as came in where it failed. The seeds install no Flux, so that a run reads and writes the list and does not
// render Flux: the cases do.
func FuzzFunction(f *testing.F) {
	seed := strings.Replace(list, "ghcr.io/fluxcd/flux-manifests", "ghcr.io/example/app", 1)
	for _, change := range [][2]string{{"", ""}, {"tag: v2.6.4", "tag: latest"}, {"cluster/all.yaml", "../all.yaml"}, {"kind: Kustomization", "kind: ${KIND}"},
		{"interval: 1h", "interval: &a {a: *a}"}, {"results:", "results: {}\nitems:"}, {"    kind: MigrateToFluxOperator", "    kind: ConfigMap\n  data: {phase: cleanup}"}} {
		f.Add([]byte(strings.Replace(seed, change[0], change[1], 1)))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		err := Run(bytes.NewReader(in), &out)
		if err != nil && strings.Contains(err.Error(), "internal error") {
			t.Fatal(err)
		}
		if out.Len() == 0 {
			if err == nil {
				t.Fatal("no output, and no error")
			}
			return
		}
		written := &kio.ByteReader{Reader: bytes.NewReader(out.Bytes()), OmitReaderAnnotations: true}
		items, readErr := written.Read()
		if readErr != nil || written.WrappingKind != kio.ResourceListKind {
			t.Fatalf("%v, %s:\n%s", readErr, written.WrappingKind, out.String())
		}
		read := &kio.ByteReader{Reader: bytes.NewReader(in), OmitReaderAnnotations: true}
		if before, readErr := read.Read(); err != nil && readErr == nil && len(before) != len(items) {
			t.Fatalf("%d items came in, %d out, with %v", len(before), len(items), err)
		}
	})
}
