package inventory

import (
	"fmt"
	"path"
	"strings"

	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/limit"
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

// String describes the opaque part for people.
func (o Opaque) String() string {
	if o.File == "" {
		return o.Reason + ": " + o.What
	}
	return o.Reason + ": " + o.What + " (" + o.File + ")"
}

// sanitize takes out of a kustomization.yaml what cannot be read here and
// notes it, so that the rest can still be built. Without such a thing the
// bytes stay as they are.
func (v *view) sanitize(file string, data []byte) ([]byte, error) {
	if err := limit.CheckNested(data); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var k map[string]any
	if err := yaml.Unmarshal(data, &k); err != nil || !isKustomization(k) {
		return data, nil // kustomize says what is wrong with it
	}
	c := cleaner{view: v, file: file}
	for _, field := range pathLists {
		c.filter(k, field, c.readable)
	}
	for _, field := range patchLists {
		c.filter(k, field, c.readablePatch)
	}
	for _, field := range []string{"configMapGenerator", "secretGenerator"} {
		c.generators(k, field)
		v.generates = v.generates || k[field] != nil
	}
	c.helm(k)
	c.putStandIn(k)
	c.loosen(k)
	v.schema = v.schema || k["openapi"] != nil || k["crds"] != nil
	if !c.changed {
		return data, nil
	}
	return yaml.Marshal(k)
}

// pathLists are the fields of a kustomization.yaml that list paths.
var pathLists = []string{"resources", "bases", "components", "crds", "configurations", "generators", "transformers", "validators", "patchesStrategicMerge"}

// patchLists are the fields whose entries may have a path.
var patchLists = []string{"patches", "patchesJson6902", "replacements"}

// isKustomization says whether k is kustomize's file rather than a Flux
// Kustomization in a file of that name.
func isKustomization(k map[string]any) bool {
	api, _ := k["apiVersion"].(string)
	return api == "" || strings.HasPrefix(api, "kustomize.config.k8s.io/")
}

// cleaner takes what cannot be read out of one kustomization.yaml.
type cleaner struct {
	*view
	file    string
	changed bool
}

// filter keeps the entries of a list for which keep holds. An emptied list
// stays, for kustomize takes a file without any field for a mistake.
func (c *cleaner) filter(k map[string]any, field string, keep func(any) bool) {
	list, ok := k[field].([]any)
	if !ok {
		return
	}
	kept := []any{}
	for _, entry := range list {
		if keep(entry) {
			kept = append(kept, entry)
		}
	}
	if len(kept) != len(list) {
		k[field] = kept
		c.changed = true
	}
}

// readable says whether a path, or a patch given inline, can be read.
func (c *cleaner) readable(entry any) bool {
	p, ok := entry.(string)
	if !ok || strings.Contains(p, "\n") {
		return true
	}
	return c.present(p)
}

// readablePatch says whether the file of a patch can be read.
func (c *cleaner) readablePatch(entry any) bool {
	m, _ := entry.(map[string]any)
	p, ok := m["path"].(string)
	return !ok || p == "" || c.present(p)
}

// present says whether p, relative to the kustomization.yaml, exists, and
// notes it if not.
func (c *cleaner) present(p string) bool {
	switch {
	case isRemote(p):
		c.note(OpaqueRemote, p)
	case !c.has(rel(path.Join(mount, path.Dir(c.file), p))):
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

// isRemote says whether kustomize would fetch p.
func isRemote(p string) bool {
	lower := strings.ToLower(p)
	for _, prefix := range []string{"git::", "gh:", "git@", "github.com/", "github.com:", "gitlab.com/", "bitbucket.org/"} {
		if strings.HasPrefix(lower, prefix) {
			return true
		}
	}
	return strings.Contains(p, "://") || strings.Contains(p, "?ref=") || strings.Contains(p, ".git/") || strings.Contains(p, "_git/")
}

// generators takes missing files out of generators. The object stays, for
// its name can still be judged unless it carries a hash of the contents.
func (c *cleaner) generators(k map[string]any, field string) {
	list, _ := k[field].([]any)
	for _, entry := range list {
		g, ok := entry.(map[string]any)
		if !ok {
			continue
		}
		c.filter(g, "files", c.readableSource)
		c.filter(g, "envs", c.readable)
		if env, ok := g["env"].(string); ok && !c.present(env) {
			delete(g, "env")
			c.changed = true
		}
	}
}

// readableSource says whether an entry of files, `[key=]path`, can be read.
func (c *cleaner) readableSource(entry any) bool {
	p, ok := entry.(string)
	if _, file, named := strings.Cut(p, "="); named {
		p = file
	}
	return !ok || c.present(p)
}

// helm takes charts out, which kustomize would fetch.
func (c *cleaner) helm(k map[string]any) {
	for _, field := range []string{"helmCharts", "helmChartInflationGenerator"} {
		list, _ := k[field].([]any)
		for _, entry := range list {
			chart, _ := entry.(map[string]any)
			name, _ := chart["name"].(string)
			c.note(OpaqueHelm, name)
		}
		if k[field] != nil {
			delete(k, field)
			c.changed = true
			keepNonEmpty(k)
		}
	}
}

// keepNonEmpty gives a kustomization without fields an empty list.
func keepNonEmpty(k map[string]any) {
	if _, ok := k["resources"]; !ok {
		k["resources"] = []any{}
	}
}
