// Package crd does to a custom resource what the API server does when it is created:
// it refuses unknown fields, fills the defaults, and validates schema and CEL rules.
package crd

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"migrate-to-flux-operator/e2e/objects"
)

// ErrUnknown says that no definition serves an object's kind and API version.
var ErrUnknown = errors.New("not served")

// kind is a group, version and kind with its schema.
type kind struct {
	structural *schema.Structural
	schema     *apiextensions.JSONSchemaProps
}

// Set holds the kinds that a cluster serves.
type Set map[string]kind

// Load reads the CustomResourceDefinitions among the objects.
func Load(list []*objects.Object) (Set, error) {
	set := Set{}
	for _, object := range list {
		if object.GetKind() != "CustomResourceDefinition" {
			continue
		}
		var definition apiextensionsv1.CustomResourceDefinition
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &definition); err != nil {
			return nil, err
		}
		if err := set.add(definition.Spec); err != nil {
			return nil, fmt.Errorf("%s: %w", object.GetName(), err)
		}
	}
	return set, nil
}

// add takes up every version that a definition serves.
func (s Set) add(spec apiextensionsv1.CustomResourceDefinitionSpec) error {
	for _, version := range spec.Versions {
		if !version.Served {
			continue
		}
		internal := &apiextensions.JSONSchemaProps{}
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(
			version.Schema.OpenAPIV3Schema, internal, nil); err != nil {
			return err
		}
		structural, err := schema.NewStructural(internal)
		if err != nil {
			return err
		}
		s[key(spec.Group+"/"+version.Name, spec.Names.Kind)] = kind{structural, internal}
	}
	return nil
}

// key is how a kind is looked up.
func key(apiVersion, kindName string) string {
	return apiVersion + " " + kindName
}

// Serves reports whether the set has an object's kind and API version.
func (s Set) Serves(object *objects.Object) bool {
	_, served := s[key(object.GetAPIVersion(), object.GetKind())]
	return served
}

// Default returns a copy of the object as the API server has it: without nulls that mean nothing, and with its defaults
// filled; an object that is not served is returned as it is.
func (s Set) Default(object *objects.Object) *objects.Object {
	filled := object.DeepCopy()
	if served, found := s[key(object.GetAPIVersion(), object.GetKind())]; found {
		defaulting.PruneNonNullableNullsWithoutDefaults(filled.Object, served.structural)
		defaulting.Default(filled.Object, served.structural)
	}
	return filled
}

// Admit returns the object as a cluster would store it, or why the API server would refuse it.
func (s Set) Admit(object *objects.Object) (*objects.Object, error) {
	served, found := s[key(object.GetAPIVersion(), object.GetKind())]
	if !found {
		return nil, fmt.Errorf("%s %s: %w", object.GetAPIVersion(), objects.Name(object), ErrUnknown)
	}
	if unknown := served.unknownFields(object); len(unknown) > 0 {
		return nil, fmt.Errorf("%s: unknown fields %q", objects.Name(object), unknown)
	}
	stored := s.Default(object)
	if err := served.validate(stored); err != nil {
		return nil, fmt.Errorf("%s: %w", objects.Name(object), err)
	}
	return stored, nil
}

// unknownFields lists the fields that the API server would drop, or refuse when it is strict.
func (k kind) unknownFields(object *objects.Object) []string {
	unknown := pruning.PruneWithOptions(object.DeepCopy().Object, k.structural, true,
		schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	slices.Sort(unknown)
	return unknown
}

// validate checks the schema, then the CEL rules.
func (k kind) validate(object *objects.Object) error {
	validator, _, err := validation.NewSchemaValidator(k.schema)
	if err != nil {
		return err
	}
	if invalid := validation.ValidateCustomResource(nil, object.Object, validator); len(invalid) > 0 {
		return invalid.ToAggregate()
	}
	rules := cel.NewValidator(k.structural, true, celconfig.PerCallLimit)
	broken, _ := rules.Validate(context.Background(), nil, k.structural, object.Object, nil, celconfig.RuntimeCELCostBudget)
	return broken.ToAggregate()
}
