package inventory

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/limit"
	"migrate-to-flux-operator/fn/reason"
)

// The reasons for which something could not be looked into.
const (
	OpaqueRemote  = "remote base"   // a URL in a kustomization.yaml
	OpaqueMissing = "missing file"  // Flux's own build fails here
	OpaqueHelm    = "helm chart"    // inflated by kustomize; Flux refuses it
	OpaqueSource  = "other source"  // not this repository
	OpaqueUnknown = "unknown value" // not in the repository, or encrypted
	OpaqueCluster = "other cluster" // spec.kubeConfig
	OpaqueCycle   = "applied twice" // the second definition is not followed
)

// Opaque is something that the inventory could not look into.
type Opaque struct {
	Owner  Name   `json:"owner"`
	Reason string `json:"reason"`
	File   string `json:"file,omitempty"`
	What   string `json:"what"`
}

// MarshalJSON adds the code of the finding that it is.
func (o Opaque) MarshalJSON() ([]byte, error) {
	type fields Opaque
	return json.Marshal(struct {
		fields
		Code finding.Code `json:"code"`
	}{fields(o), finding.Incomplete})
}

// String describes the opaque part for people.
func (o Opaque) String() string {
	if o.File == "" {
		return o.Reason + ": " + o.What
	}
	return o.Reason + ": " + o.What + " (" + o.File + ")"
}

// sanitize takes out of a kustomization.yaml what cannot be read here and
// notes it, so that the rest can still be built. Without such a thing the
// bytes stay as they are, and so do those that kustomize refuses as a whole.
func (v *view) sanitize(file string, data []byte) ([]byte, error) {
	if err := limit.CheckNested(data); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var k types.Kustomization
	if k.Unmarshal(data) != nil {
		return data, nil // kustomize says what is wrong with it
	}
	changed, err := v.clean(file, &k)
	if err != nil || !changed {
		return data, err
	}
	return encode(&k)
}

// clean is sanitize for what was decoded.
func (v *view) clean(file string, k *types.Kustomization) (changed bool, err error) {
	c := cleaner{view: v, file: file}
	v.schema = v.schema || k.OpenAPI != nil || k.Crds != nil
	v.configured = v.configured || len(k.Generators)+len(k.Transformers)+len(k.Validators) > 0
	v.generates = v.generates || len(k.ConfigMapGenerator)+len(k.SecretGenerator)+len(k.Generators) > 0
	c.keep(reflect.ValueOf(k).Elem(), asText)
	c.putStandIn(k)
	c.loosen(k)
	if c.entries > maxEntries {
		return false, fmt.Errorf("%s: %w", file, errEntries)
	}
	return c.changed, nil
}

// encode writes a kustomization.yaml. kustomize takes one without any field but apiVersion and kind for a mistake.
func encode(k *types.Kustomization) ([]byte, error) {
	if k.CheckEmpty() == nil {
		return yaml.Marshal(k)
	}
	return yaml.Marshal(struct {
		types.TypeMeta `json:",inline"`
		Resources      []string `json:"resources"`
	}{k.TypeMeta, []string{}})
}

// maxEntries is how many entries the lists of a kustomization.yaml may have together.
const maxEntries = 20_000

var errEntries = reason.New("its lists have more than %d entries", maxEntries)

// reading says what kustomize does with the text of a field.
type reading int

const (
	asText         reading = iota // nothing
	asFile                        // reads the file
	asFolder                      // builds the folder, or clones the repository
	asResource                    // reads the file or, where that fails, builds the folder or clones the repository
	asConfig                      // takes it as objects that configure plugins or, where it is none, as asResource
	asMerge                       // takes it as a patch or, where it is none, as asFile
	asSource                      // reads the file behind the equals sign
	asEnv                         // reads the file; a generator is one without it, too
	asReplacements                // reads the file, which has replacements
	asSchema                      // reads the file under the key path
	asChart                       // has Helm make objects of it, which Flux refuses to do
)

// readings are the fields of a kustomization.yaml, and of what configures the plugins that kustomize has, in which a
// text is more than a text. A test holds that each field of kustomize's types is here, or known to be no path.
var readings = map[string]reading{
	"types.Kustomization.Resources":                          asResource,
	"types.Kustomization.Bases":                              asResource,
	"types.Kustomization.Components":                         asFolder,
	"types.Kustomization.Crds":                               asFile,
	"types.Kustomization.Configurations":                     asFile,
	"types.Kustomization.OpenAPI":                            asSchema,
	"types.Kustomization.Generators":                         asConfig,
	"types.Kustomization.Transformers":                       asConfig,
	"types.Kustomization.Validators":                         asConfig,
	"types.Kustomization.PatchesStrategicMerge":              asMerge,
	"types.Kustomization.HelmCharts":                         asChart,
	"types.Kustomization.HelmChartInflationGenerator":        asChart,
	"types.Kustomization.HelmGlobals":                        asChart,
	"types.Patch.Path":                                       asFile,
	"types.ReplacementField.Path":                            asReplacements,
	"types.KvPairSources.FileSources":                        asSource,
	"types.KvPairSources.EnvSources":                         asFile,
	"types.KvPairSources.EnvSource":                          asEnv,
	"builtins.PatchTransformerPlugin.Path":                   asFile,
	"builtins.PatchJson6902TransformerPlugin.Path":           asFile,
	"builtins.PatchStrategicMergeTransformerPlugin.Paths":    asMerge,
	"builtins.ValueAddTransformerPlugin.TargetFilePath":      asFile,
	"builtins.HelmChartInflationGeneratorPlugin.HelmChart":   asChart,
	"builtins.HelmChartInflationGeneratorPlugin.HelmGlobals": asChart,
}

// cleaner takes what cannot be read out of one kustomization.yaml, or out of a file with objects that configure
// plugins.
type cleaner struct {
	*view
	file    string
	changed bool
	entries int
	// remote has it look for addresses only: what configures a plugin names paths from where it is used.
	remote bool
}

// keep takes what cannot be read out of a value, and reports whether the value can stay itself: an object that names
// one file does not without it, a list does.
func (c *cleaner) keep(v reflect.Value, as reading) bool {
	switch {
	case as == asChart:
		c.charts(v)
	case as == asSchema:
		c.schemaFile(v.Interface().(map[string]string))
	case v.Kind() == reflect.Pointer:
		return v.IsNil() || c.keep(v.Elem(), as)
	case v.Kind() == reflect.Slice:
		c.filter(v, as)
	case v.Kind() == reflect.Struct:
		return c.fields(v)
	case v.Kind() == reflect.String && as != asText && v.String() != "":
		return c.named(v, as)
	}
	return true
}

// fields is keep for an object.
func (c *cleaner) fields(v reflect.Value) bool {
	stays := true
	for i := range v.NumField() {
		if field := v.Type().Field(i); field.IsExported() {
			stays = c.keep(v.Field(i), readings[v.Type().String()+"."+field.Name]) && stays
		}
	}
	return stays && !c.copiesSecret(v.Interface())
}

// copiesSecret reports whether a part of a kustomization.yaml would have a value of a Secret shown, and notes it.
func (c *cleaner) copiesSecret(part any) bool {
	shows := false
	switch p := part.(type) {
	case types.Replacement:
		shows = showsSecret(p)
	case types.Var:
		shows = mayBeValue(p.ObjRef.Gvk, p.FieldRef.FieldPath)
	}
	if shows {
		c.note(OpaqueUnknown, copied)
	}
	return shows
}

// filter leaves the entries of a list that can stay.
func (c *cleaner) filter(list reflect.Value, as reading) {
	if c.entries += list.Len(); c.entries > maxEntries {
		return
	}
	kept := reflect.Zero(list.Type())
	for i := range list.Len() {
		if c.keep(list.Index(i), as) {
			kept = reflect.Append(kept, list.Index(i))
		}
	}
	if kept.Len() != list.Len() {
		list.Set(kept)
		c.changed = true
	}
}

// named is keep for a text that is a path, or may be one.
func (c *cleaner) named(v reflect.Value, as reading) bool {
	p := v.String()
	switch as {
	case asConfig:
		if objects, inline := inlined(p); inline {
			return c.inlineConfig(v, objects)
		}
	case asMerge:
		if isPatch(p) {
			return true
		}
	case asSource:
		if _, behind, named := strings.Cut(p, "="); named {
			p = behind
		}
	case asReplacements:
		if c.present(p, as) && (c.remote || showsSecretIn(c.ask(rel(path.Join(mount, path.Dir(c.file), p))).content)) {
			c.note(OpaqueUnknown, copied)
			return false
		}
	case asEnv:
		if !c.present(p, as) {
			v.SetString("")
			c.changed = true
		}
		return true
	}
	return c.present(p, as)
}

// present reports whether p, relative to the kustomization.yaml, exists and is what kustomize reads, and notes it if
// not.
func (c *cleaner) present(p string, as reading) bool {
	at := p
	if !path.IsAbs(p) {
		at = path.Join(mount, path.Dir(c.file), p)
	}
	exists := c.remote || c.has(rel(at))
	switch {
	case isRemoteFile(p) && as != asFolder, isRepository(p) && (as == asFolder || as == asResource || as == asConfig),
		!exists && isAddress(p):
		c.note(OpaqueRemote, p)
	case !exists:
		c.note(OpaqueMissing, p)
	default:
		return true
	}
	return false
}

// note remembers that something was left out.
func (c *cleaner) note(reason, what string) {
	c.opaque = append(c.opaque, Opaque{Reason: reason, File: c.file, What: what})
}

// charts takes charts out, which kustomize would fetch.
func (c *cleaner) charts(v reflect.Value) {
	if v.IsZero() {
		return
	}
	switch charts := v.Interface().(type) {
	case []types.HelmChart:
		for _, chart := range charts {
			c.note(OpaqueHelm, chart.Name)
		}
	case types.HelmChart:
		c.note(OpaqueHelm, charts.Name)
	case []types.HelmChartArgs:
		for _, chart := range charts {
			c.note(OpaqueHelm, chart.ChartName)
		}
	}
	v.SetZero()
	c.changed = true
}

// schemaFile takes the file out of the field openapi.
func (c *cleaner) schemaFile(of map[string]string) {
	if p, named := of["path"]; named && !c.present(p, asFile) {
		delete(of, "path")
		c.changed = true
	}
}
