// Command data writes fn/flux/data: the facts on Flux and Flux Operator releases that the product carries. Run it from
// e2e with `go run ./data` after raising the flux-operator module in operator/cli: the manifests are written anew from
// that module, the tables keep the rows of older releases (a release never changes) and gain those that the module
// adds.
//
// The charts of Flux Operator are in no Go module: with `-charts DIR`, a clone of
// github.com/controlplaneio-fluxcd/charts with its tags, the tables about them are written anew, else they stay.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"

	"migrate-to-flux-operator/e2e/operator"
)

func main() {
	log.SetFlags(0)
	charts := flag.String("charts", "", "a clone of github.com/controlplaneio-fluxcd/charts, to read the charts again")
	flag.Parse()
	dir := filepath.Join("..", "fn")
	if err := write(dir); err != nil {
		log.Fatal(err)
	}
	if *charts == "" {
		return
	}
	if err := writeCharts(*charts, filepath.Join(dir, "flux", "data")); err != nil {
		log.Fatal(err)
	}
}

// write refreshes every data file of the product, whose packages are below fn.
func write(fn string) error {
	dir := filepath.Join(fn, "flux", "data")
	// Its module carries the Flux release manifests, the image tags of each release and the FluxInstance CRD.
	pinned, err := operator.Pinned()
	if err != nil {
		return err
	}
	steps := []func(operator.Module, string) error{writeManifests, writeDistribution, writeOperators, writeFields}
	for _, step := range steps {
		if err := step(pinned, dir); err != nil {
			return err
		}
	}
	return writeAPIFields(dir, filepath.Join(fn, "fields", "census"))
}

// writeFile writes data to path and makes the folders on the way.
func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}
