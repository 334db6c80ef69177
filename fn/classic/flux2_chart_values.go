package classic

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/reason"
)

// ChartValues are the values that a HelmRelease gives its chart: those of spec.valuesFrom in their order, then
// spec.values.
// Source: helm-controller v1.6, internal/chartutil.
//
// It fails on values that the input does not show, naming where they are.
func ChartValues(set *object.Set, release *object.Object) (map[string]any, error) {
	values := map[string]any{}
	refs, _ := object.Get[[]any](release.Map(), "spec", "valuesFrom")
	for n, entry := range refs {
		ref, _ := entry.(map[string]any)
		more, err := valuesOf(set, release, ref)
		if err != nil {
			return nil, fmt.Errorf("field spec.valuesFrom[%d]: %w", n, err)
		}
		values = object.Overlay(values, more)
	}
	own, _ := object.Get[map[string]any](release.Map(), "spec", "values")
	return object.Overlay(values, own), nil
}

// valuesOf reads one entry of spec.valuesFrom.
func valuesOf(set *object.Set, release *object.Object, ref map[string]any) (map[string]any, error) {
	text := func(key string) string { s, _ := ref[key].(string); return s }
	kind, name := text("kind"), text("name")
	const remedy = "put what it holds in spec.values first"
	if kind != "ConfigMap" {
		return nil, fmt.Errorf("the values in the %s %s cannot be seen: %s", kind, name, remedy)
	}
	if at := text("targetPath"); at != "" {
		return nil, fmt.Errorf("the ConfigMap %s sets the value %s by targetPath: %s", name, at, remedy)
	}
	key := cmp.Or(text("valuesKey"), "values.yaml")
	content, found := configMapData(set, release, name, key)
	if !found {
		return nil, fmt.Errorf("the key %s of the ConfigMap %s is not in the input: %s, or run on the whole "+
			"repository", key, name, remedy)
	}
	var values map[string]any
	if err := reason.Of(yaml.Unmarshal([]byte(content), &values)); err != nil {
		return nil, fmt.Errorf("the key %s of the ConfigMap %s holds no values: %w", key, name, err)
	}
	if _, encrypted := values["sops"]; encrypted || strings.Contains(content, "ENC[AES256_GCM,") {
		return nil, fmt.Errorf("the values in the ConfigMap %s are encrypted: %s", name, remedy)
	}
	return values, nil
}

// configMapData is one key of a ConfigMap of the input: one that is written there, or one that the kustomization.yaml
// beside the HelmRelease generates.
func configMapData(set *object.Set, release *object.Object, name, key string) (string, bool) {
	var named []*object.Object
	for _, o := range set.Of("", "ConfigMap") {
		if o.Name == name && (o.Namespace == "" || release.Namespace == "" || o.Namespace == release.Namespace) {
			named = append(named, o)
		}
	}
	if o := Nearest(named, release); o != nil {
		return object.Get[string](o.Map(), "data", key)
	}
	dir := path.Dir(release.File)
	k := KustomizationIn(set, dir)
	if k == nil {
		return "", false
	}
	generators, _ := object.Get[[]any](k.Map(), "configMapGenerator")
	for _, entry := range generators {
		if generator, _ := entry.(map[string]any); generator["name"] == name {
			return generatedData(set, dir, generator, key)
		}
	}
	return "", false
}

// generatedData is one key of what a configMapGenerator generates.
func generatedData(set *object.Set, dir string, generator map[string]any, key string) (string, bool) {
	for _, literal := range TextsIn(generator, "literals") {
		if name, value, _ := strings.Cut(literal, "="); name == key {
			return strings.Trim(value, `"'`), true
		}
	}
	files := TextsIn(generator, "files")
	at := slices.IndexFunc(files, func(entry string) bool {
		name, _, named := strings.Cut(entry, "=")
		return named && name == key || !named && path.Base(entry) == key
	})
	if at < 0 || set.Read == nil {
		return "", false
	}
	_, file, named := strings.Cut(files[at], "=")
	if !named {
		file = files[at]
	}
	content, found := set.Read(path.Join(dir, file))
	return string(content), found
}
