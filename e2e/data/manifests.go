package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/e2e/operator"
)

// writeManifests copies the release manifests of every Flux release that the module carries, with CRDs cut down to what
// they serve.
func writeManifests(pinned operator.Module, dir string) error {
	target := filepath.Join(dir, "manifests")
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(pinned.Dir, "config", "data", "flux", "v*", "*.yaml"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no Flux manifests in %s", pinned.Dir)
	}
	for _, file := range files {
		version, name := filepath.Base(filepath.Dir(file)), filepath.Base(file)
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		small, err := reduce(string(data))
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		header := fmt.Sprintf("# %s of Flux %s, from its release manifests (Apache-2.0, The Flux authors); CRDs without schemas.\n",
			strings.TrimSuffix(name, ".yaml"), version)
		if err := writeFile(filepath.Join(target, version, name), []byte(header+small)); err != nil {
			return err
		}
	}
	return nil
}

// reduce keeps every document as it is, but CRDs.
func reduce(stream string) (string, error) {
	var docs []string
	for _, doc := range strings.Split(strings.TrimPrefix(stream, "---\n"), "\n---\n") {
		doc = strings.TrimSpace(doc)
		if doc == "" {
			continue
		}
		if strings.Contains(doc, "\nkind: CustomResourceDefinition\n") {
			var err error
			if doc, err = reduceCRD(doc); err != nil {
				return "", err
			}
		}
		docs = append(docs, doc)
	}
	return strings.Join(docs, "\n---\n") + "\n", nil
}

// crd is what remains of a CustomResourceDefinition.
type crd struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   map[string]any `json:"metadata"`
	Spec       struct {
		Group    string         `json:"group"`
		Names    map[string]any `json:"names"`
		Scope    string         `json:"scope"`
		Versions []struct {
			Name    string `json:"name"`
			Served  bool   `json:"served"`
			Storage bool   `json:"storage"`
		} `json:"versions"`
	} `json:"spec"`
}

// reduceCRD drops what type crd does not name: schemas, subresources and printer columns.
func reduceCRD(doc string) (string, error) {
	var c crd
	if err := yaml.Unmarshal([]byte(doc), &c); err != nil {
		return "", err
	}
	out, err := yaml.Marshal(c)
	return strings.TrimSpace(string(out)), err
}
