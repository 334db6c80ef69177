package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/e2e/operator"
)

// schema is the part of a CRD schema that fields.tsv records.
type schema struct {
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
	Enum       []string          `json:"enum"`
	Rules      []struct {
		Rule string `json:"rule"`
	} `json:"x-kubernetes-validations"`
}

// writeFields adds the FluxInstance fields, enum values and rules that the pinned operator is the first to have, and
// moves the last operator seen of those it still has.
func writeFields(pinned operator.Module, dir string) error {
	path := filepath.Join(dir, "fields.tsv")
	t, err := readTable(path, "field")
	if err != nil {
		return err
	}
	spec, err := instanceSpec(pinned)
	if err != nil {
		return err
	}
	for _, name := range spec.names("spec") {
		i := slices.IndexFunc(t.rows, func(row []string) bool { return row[0] == name })
		if i < 0 {
			t.rows = append(t.rows, []string{name, pinned.Version, pinned.Version})
			continue
		}
		t.rows[i][2] = pinned.Version
	}
	slices.SortFunc(t.rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return t.write(path)
}

// instanceSpec reads the schema of FluxInstance.spec.
func instanceSpec(pinned operator.Module) (schema, error) {
	file := filepath.Join(pinned.Dir, "config", "crd", "bases", "fluxcd.controlplane.io_fluxinstances.yaml")
	data, err := os.ReadFile(file)
	if err != nil {
		return schema{}, err
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema schema `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(data, &crd); err != nil {
		return schema{}, fmt.Errorf("%s: %w", file, err)
	}
	if len(crd.Spec.Versions) != 1 {
		return schema{}, fmt.Errorf("%s: want one version, have %d", file, len(crd.Spec.Versions))
	}
	return crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"], nil
}

// names lists everything below a schema as fields.tsv spells it: path, path=enum value, path RULE expression.
func (s schema) names(path string) []string {
	var out []string
	for _, value := range s.Enum {
		out = append(out, path+"="+value)
	}
	for _, r := range s.Rules {
		out = append(out, path+" RULE "+strings.Join(strings.Fields(r.Rule), " "))
	}
	if s.Items != nil {
		out = append(out, s.Items.names(path+"[]")...)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		child := path + "." + name
		out = append(out, child)
		out = append(out, s.Properties[name].names(child)...)
	}
	return out
}
