package inventory

import (
	"reflect"
	"strings"

	//lint:ignore SA1019 the types of the plugins have no other place
	"sigs.k8s.io/kustomize/api/builtins"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/yaml"
)

// plugins are those of kustomize's plugins, by the kind that configures them, that read files.
var plugins = map[string]any{
	"ConfigMapGenerator":             builtins.ConfigMapGeneratorPlugin{},
	"HelmChartInflationGenerator":    builtins.HelmChartInflationGeneratorPlugin{},
	"PatchJson6902Transformer":       builtins.PatchJson6902TransformerPlugin{},
	"PatchStrategicMergeTransformer": builtins.PatchStrategicMergeTransformerPlugin{},
	"PatchTransformer":               builtins.PatchTransformerPlugin{},
	"ReplacementTransformer":         builtins.ReplacementTransformerPlugin{},
	"SecretGenerator":                builtins.SecretGeneratorPlugin{},
	"ValueAddTransformer":            builtins.ValueAddTransformerPlugin{},
}

// inlined are the objects that the entry of a list of plugins is, as kustomize reads it; not inline where it is a path
// to kustomize.
func inlined(entry string) (objects []*resource.Resource, inline bool) {
	defer func() {
		if recover() != nil { // it panics on some malformed objects
			objects, inline = nil, false
		}
	}()
	found, err := resmap.NewFactory(resources).NewResMapFromBytes([]byte(entry))
	if err != nil {
		return nil, false
	}
	return found.Resources(), true
}

// isPatch reports whether kustomize reads an entry of patchesStrategicMerge as a patch, and not as the path of one.
func isPatch(entry string) (is bool) {
	defer func() {
		if recover() != nil { // as above
			is = false
		}
	}()
	_, err := resources.SliceFromBytes([]byte(entry))
	return err == nil
}

// inlineConfig is keep for objects that configure plugins, given in the entry of a list.
func (c *cleaner) inlineConfig(entry reflect.Value, objects []*resource.Resource) bool {
	config := cleaner{view: c.view, file: c.file, remote: true}
	stays := config.objects(objects)
	if config.changed {
		entry.SetString(stays)
		c.changed = true
	}
	return stays != ""
}

// configs frees a file of what its objects, if they configure plugins, would have kustomize fetch.
func (v *view) configs(file string, content []byte) []byte {
	objects, sure := inlined(string(content))
	config := cleaner{view: v, file: file, remote: true}
	if stays := config.objects(objects); sure && config.changed {
		return []byte(stays)
	}
	return content
}

// objects are objects that configure plugins, without what would be fetched.
func (c *cleaner) objects(all []*resource.Resource) string {
	var stay strings.Builder
	for _, o := range all {
		if text := c.config(o); text != "" {
			stay.WriteString("---\n" + text)
		}
	}
	return stay.String()
}

// config is the object that configures a plugin without what would be fetched; nothing of one that does nothing without
// it.
func (c *cleaner) config(o *resource.Resource) string {
	written, err := o.AsYAML()
	empty, reads := plugins[o.GetKind()]
	gvk := o.GetGvk()
	if err != nil || !reads || gvk.Group != "" || gvk.Version != konfig.BuiltinPluginApiVersion {
		return string(written)
	}
	plugin := reflect.New(reflect.TypeOf(empty))
	if yaml.Unmarshal(written, plugin.Interface()) != nil {
		return string(written) // kustomize says what is wrong with it
	}
	before := c.changed
	c.changed = false
	stays := c.keep(plugin.Elem(), asText) && !useless(plugin.Interface())
	changed := c.changed || !stays
	c.changed = before || changed
	switch {
	case !changed:
		return string(written)
	case !stays:
		return ""
	}
	return encodeConfig(written, plugin.Interface())
}

// useless reports whether a plugin is left with nothing to do, which it takes for a mistake.
func useless(plugin any) bool {
	switch p := plugin.(type) {
	case *builtins.HelmChartInflationGeneratorPlugin:
		return true
	case *builtins.PatchStrategicMergeTransformerPlugin:
		return len(p.Paths) == 0 && p.Patches == ""
	}
	return false
}

// encodeConfig writes what configures a plugin in the place of what configured it.
func encodeConfig(before []byte, plugin any) string {
	var head map[string]any
	fields, _ := yaml.Marshal(plugin) // all of this was read from YAML
	changed := map[string]any{}
	_ = yaml.Unmarshal(before, &head)
	_ = yaml.Unmarshal(fields, &changed)
	for _, field := range []string{"apiVersion", "kind", "metadata"} {
		changed[field] = head[field]
	}
	text, _ := yaml.Marshal(changed)
	return string(text)
}
